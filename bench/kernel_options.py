"""What inlining and uncounted references are worth in the tokeniser and in training.

    python bench/kernel_options.py text8.xz

The same kernels are compiled without an option, in a process and a cache of their own.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from text import cut_into_lines


def measure(text: Path, work: Path) -> None:
    """Print the median time of encoding and of an epoch, on one thread."""
    import embedtrain

    reports = [
        embedtrain.train_skipgram(text, epochs=1, sample=1e-4, threads=1, temp_folder=work, progress=False).report
        for _ in range(4)
    ]
    read = statistics.median(report.seconds["read"] for report in reports[1:] if report)
    train = statistics.median(report.seconds["train"] for report in reports[1:] if report)
    print(f"  read {read:.2f} s, train {train:.2f} s")


def main() -> None:
    """Measure with all options, then without each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--without", help=argparse.SUPPRESS)
    settings = parser.parse_args()
    text = cut_into_lines(settings.text, settings.work)
    if settings.without is not None:
        from embedtrain.kernels import compilation

        compilation.OPTIONS.pop(settings.without, None)
        measure(text, settings.work)
        return
    for name in ("", "forceinline", "_nrt"):
        print(f"without {name}" if name else "as it is", flush=True)
        with tempfile.TemporaryDirectory() as cache:
            command = [sys.executable, __file__, str(text), "--work", str(settings.work), "--without", name]
            subprocess.run(command, env={**os.environ, "NUMBA_CACHE_DIR": cache}, check=True)


if __name__ == "__main__":
    main()
