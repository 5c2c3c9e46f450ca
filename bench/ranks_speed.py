"""Whether two ranks of one thread are as fast as two threads of one process, on a machine of two processors.

    python bench/ranks_speed.py text8.xz --runs 7 --epochs 5

Threads write the same rows, so that the cores of two threads pass cache lines to each other; ranks have tables of their
own. Where cores share an L3 cache this is cheap; where they do not, two threads are hardly faster than one. A virtual
machine may be moved between such cores, so each run is printed with the time of a write to lines that both processors
write, measured before and after it: about 10 ns with a common L3 cache of an AMD EPYC, 50 ns without.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from text import cut_into_lines

from embedtrain.kernels.compilation import kernel
from embedtrain.machine.threads import run_all

LINES, WRITES = 64, 1 << 21


@kernel
def write_lines(lines, n, seed):
    """Add 1 to elements of random cache lines (n_lines, 16)."""
    at = np.uint64(seed)
    for _ in range(n):
        at = at * np.uint64(6364136223846793005) + np.uint64(1442695040888963407)
        lines[(at >> np.uint64(40)) % np.uint64(LINES), seed] += 1


def write_time() -> float:
    """Nanoseconds of a write of one of two threads to lines that the other writes too."""
    lines = np.zeros((LINES, 16), np.int32)
    write_lines(lines, 1, 0)
    started = time.perf_counter()
    run_all([lambda seed: write_lines(lines, WRITES, seed)] * 2, 2)
    return (time.perf_counter() - started) / WRITES * 1e9


def words_per_second(command: list[str], text: Path, given: argparse.Namespace) -> float:
    """Train, and return the speed that the command prints, in millions."""
    line = [*command, sys.executable, "-m", "embedtrain", "skipgram", str(text), "-o", str(given.work / "speed.npz")]
    options = ["--epochs", str(given.epochs), "--min-count", str(given.min_count), "--threads", "1" if command else "2"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run([*line, *options], capture_output=True, text=True, check=True, env=environment)
    found = re.search(r"([\d.]+) M words/s", done.stdout + done.stderr)
    assert found, done.stderr
    return float(found[1])


def main() -> None:
    """Train in both ways in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--min-count", type=int, default=5)
    given = parser.parse_args()
    text = cut_into_lines(given.text, given.work)
    mpiexec = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    assert mpiexec, "there is no mpiexec"
    print("2 ranks, 2 threads (M words/s), ratio; shared writes before, between, after (ns)")
    for _ in range(given.runs):
        writes = [write_time()]
        speeds = []
        for command in ([mpiexec, "-n", "2"], []):
            speeds.append(words_per_second(command, text, given))
            writes.append(write_time())
        print("{:.1f} {:.1f} {:.2f};".format(*speeds, speeds[0] / speeds[1]), *map("{:.0f}".format, writes), flush=True)


if __name__ == "__main__":
    main()
