"""Peak anonymous memory of a run, against what its tables and vocabulary take (Linux).

    python bench/memory.py text8.xz --dim 300

The corpus is mapped from disk and does not count: its pages can be dropped at any time.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from text import cut_into_lines


def anonymous(pid: int) -> int:
    """Bytes that a process holds and no file backs; 0 when it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("RssAnon"))


def main() -> None:
    """Watch a training command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--dim", type=int, default=100)
    settings = parser.parse_args()
    text, output = cut_into_lines(settings.text, settings.work), settings.work / "memory.vec"
    command = [sys.executable, "-m", "embedtrain", "skipgram", str(text), "-o", str(output), "--epochs", "1"]
    process = subprocess.Popen([*command, "--quiet", "--dim", str(settings.dim)])
    peak = 0
    while process.poll() is None:
        peak = max(peak, anonymous(process.pid))
        time.sleep(0.01)
    with open(output, "rb") as file:
        n_words, dim = map(int, file.readline().split())
        spelling = sum(len(line.split(b" ", 1)[0]) + 8 for line in file)  # bytes and a count for each word
    needed = 2 * 4 * n_words * dim + spelling
    print(f"peak {peak / 1e6:.0f} MB; two tables of {n_words} × {dim} and the vocabulary {needed / 1e6:.0f} MB")
    print(f"allowed 1.25 × that + 250 MB = {(1.25 * needed) / 1e6 + 250:.0f} MB")


if __name__ == "__main__":
    main()
