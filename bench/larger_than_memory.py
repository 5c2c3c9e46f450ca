"""Training on a text three times as large as the memory that it is allowed (Linux).

    python bench/larger_than_memory.py text8.xz --gigabytes 3 --limit 1000 --types 3e6

The text is made of copies of another; each copy has a suffix on some of its words, so that there are as many types as
asked for. What is counted by the limit depends on the machine, and is said:

- a group of processes (cgroup, through systemd or by hand): all memory of the run, pages of files too, which the
  kernel drops when it needs them. This is what a container has.
- otherwise RLIMIT_DATA: all private memory that can be written, used or not. RLIMIT_AS is no measure: it counts files
  that are mapped, which need no memory, and libraries.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from memory import anonymous
from text import cut_into_lines

_GROUPS = Path("/sys/fs/cgroup")


@dataclass
class Limit:
    """What keeps a command below some memory: a prefix of the command, or a limit that it sets itself."""

    name: str
    prefix: tuple[str, ...] = ()
    group: Path | None = None
    data: int | None = None

    def start(self, command: list[str], said: Path) -> subprocess.Popen[bytes]:
        """Start a command below the limit; what it says goes to a file."""
        bound = None if self.data is None else partial(resource.setrlimit, resource.RLIMIT_DATA, (self.data,) * 2)
        with open(said, "wb") as file:
            return subprocess.Popen([*self.prefix, *command], stderr=file, preexec_fn=bound)

    def peak(self) -> int | None:
        """The most that the group held, pages of files among it."""
        for name in ("memory.peak", "memory.max_usage_in_bytes"):
            with suppress(OSError, TypeError):
                return int((self.group / name).read_text())
        return None

    def remove(self) -> None:
        """Remove the group, whose processes have ended."""
        for _ in range(100):
            with suppress(OSError):
                if self.group is not None and self.group.exists() and self.prefix[0] != "systemd-run":
                    self.group.rmdir()
                return
            time.sleep(0.1)


def limited(n_bytes: int) -> Limit:
    """The best limit there is here."""
    name = f"embedtrain-bench-{os.getpid()}"
    user = ["--user"] * (os.geteuid() != 0)
    scope = ("systemd-run", *user, "--quiet", "--scope", "-p", f"MemoryMax={n_bytes}", "-p", "MemorySwapMax=0")
    if shutil.which(scope[0]) and not subprocess.run([*scope, "true"], capture_output=True).returncode:
        return Limit("a scope of systemd", scope)
    own = {hierarchy: path for _, hierarchy, path in (line.split(":", 2) for line in _own_groups())}
    for group, setting, what in (
        (_GROUPS / name, "memory.max", "a group (cgroup v2)"),
        (_GROUPS / "memory" / own.get("memory", "/").strip("/") / name, "memory.limit_in_bytes", "a group (cgroup v1)"),
    ):
        with suppress(OSError):
            group.mkdir()
            try:
                if not (group / setting).exists():  # files there cannot be made, so it would be another file system
                    raise FileNotFoundError(group / setting)
                (group / setting).write_text(str(n_bytes))
                with suppress(OSError):
                    (group / "memory.swap.max").write_text("0")
            except OSError:
                group.rmdir()
                raise
            enter = ("sh", "-c", 'echo $$ > "$0"/cgroup.procs && exec "$@"', str(group))
            return Limit(f"{what} {group}", enter, group)
    return Limit("RLIMIT_DATA", data=n_bytes)


def _own_groups() -> list[str]:
    return Path("/proc/self/cgroup").read_text().splitlines()


def make_text(source: Path, target: Path, n_bytes: int, n_types: int) -> None:
    """Copies of a text, one after the other, in which some words are made others."""
    copies = -(-n_bytes // source.stat().st_size)
    with open(source, "rb") as lines:
        words = sorted({word for line in lines for word in line.split()})
    share = min(1.0, max(0.0, (n_types / len(words) - 1) / max(1, copies - 1)))
    with open(target, "wb") as file:
        for copy in range(copies):
            chosen = random.Random(copy)
            other = {word: word + b"-%d" % copy for word in words if copy and chosen.random() < share}
            with open(source, "rb") as lines:
                for line in lines:
                    file.write(b" ".join([other.get(word, word) for word in line.split()]) + b"\n")


@contextmanager
def work_folder(folder: Path, *, keep: bool) -> Iterator[Path]:
    """A new folder, removed at the end."""
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        if not keep:
            shutil.rmtree(folder)


def _temporary_files(pid: int) -> list[int]:
    """The sizes of a process' open temporary files, which have no names; those of compiling are small."""
    sizes = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):
            if " (deleted)" in os.readlink(link) and link.stat().st_size > 1000:
                sizes.append(link.stat().st_size)
    return sizes


def watch(process: subprocess.Popen[bytes]) -> list[int]:
    """The most anonymous memory of a run before it reads, while it does, and when the corpus is encoded.

    Files are open while the corpus is encoded; afterwards they are mapped and closed.
    """
    peaks, stage = [0, 0, 0], 0
    while process.poll() is None:
        with suppress(OSError):
            is_encoding = bool(_temporary_files(process.pid))
            stage += (stage == 0 and is_encoding) or (stage == 1 and not is_encoding)
        peaks[stage] = max(peaks[stage], anonymous(process.pid))
        time.sleep(0.02)
    return peaks


def main() -> None:
    """Make the text, train on it, and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--gigabytes", type=float, default=3.0)
    parser.add_argument("--types", type=float, default=3e6, help="About so many.")
    parser.add_argument("--limit", type=int, default=1000, help="MB")
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--min-count", type=int, default=50)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="Leave the text, and use one that was left.")
    settings = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # nothing is left behind
    source = cut_into_lines(settings.text, settings.work)
    name = f"larger-{settings.gigabytes:g}-{settings.types:g}"
    text = settings.work / f"{name}.txt"
    if not text.exists():
        make_text(source, text.with_suffix(".part"), int(settings.gigabytes * 1e9), int(settings.types))
        text.with_suffix(".part").rename(text)
    with work_folder(settings.work / f"{name}.{os.getpid()}", keep=False) as folder:
        train(text, folder, settings)
    if not settings.keep:
        text.unlink()


def train(text: Path, folder: Path, settings: argparse.Namespace) -> None:
    """Train below the limit, and say how it went."""
    limit = limited(settings.limit * 10**6)
    command = [sys.executable, "-m", "embedtrain", "skipgram", str(text), "-o", str(folder / "v.vec")]
    command += ["--epochs", "1", "--dim", str(settings.dim), "--min-count", str(settings.min_count)]
    command += ["--threads", str(settings.threads)]
    began = time.perf_counter()
    try:
        process = limit.start(command, folder / "said")
        try:
            before, reading, training = watch(process)
        finally:
            process.kill()
            process.wait()
        group_peak = limit.peak()
    finally:
        limit.remove()
    print(f"text     {text.stat().st_size / 1e9:.2f} GB, {limit.name} of {settings.limit} MB")
    said = (folder / "said").read_text()
    print(said, end="")
    status = process.returncode
    how = signal.Signals(-status).name if status < 0 else f"status {status}"
    print(f"ended    {how} after {time.perf_counter() - began:.0f} s")
    seen = "" if group_peak is None else f"; with pages of files {group_peak / 1e6:.0f} MB"
    print(
        f"peak     anonymous {before / 1e6:.0f} MB before reading, {reading / 1e6:.0f} MB while reading, "
        f"{training / 1e6:.0f} MB afterwards{seen}"
    )
    if found := re.search(r" ([\d,]+) types", said):
        print(f"types    {(reading - before) / int(found[1].replace(',', '')):.0f} bytes for each while reading")


if __name__ == "__main__":
    main()
