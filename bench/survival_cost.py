"""What held-out loss and checkpoints cost: the same run without them, with each, and with both, in turns.

python bench/survival_cost.py text8.xz

The share that is printed is of the time of training, as the run's own clock has it: whole runs differ by more than
that from each other. A checkpoint is written every ten minutes by default, and at the end; here a run is short, so
that the one at the end is a larger part of it than in life.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

from text import cut_into_lines


def main() -> None:
    """Train in all ways, in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--runs", type=int, default=5)
    settings = parser.parse_args()
    text = cut_into_lines(settings.text, settings.work)

    from embedtrain import train_skipgram

    checkpoint = {"checkpoint": settings.work / "cost.ckpt"}
    ways: dict[str, dict[str, Any]] = {
        "without": {},
        "held-out loss": {"valid_share": 0.01},
        "checkpoint": checkpoint,
        "both": {"valid_share": 0.01, **checkpoint},
    }
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    shares: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(settings.runs):
        for way, options in ways.items():
            report = train_skipgram(
                text, epochs=settings.epochs, sample=1e-4, temp_folder=settings.work, progress=False, **options
            ).report
            assert report is not None
            spent = report.seconds
            extra = spent.get("valid", 0) + spent.get("checkpoint", 0)
            seconds[way].append(spent["train"] + extra)
            shares[way].append(extra / spent["train"])
    print("                 run    valid and checkpoint")
    for way, measured in seconds.items():
        share = sorted(shares[way])
        print(f"{way:14} {statistics.median(measured):6.2f} s  ", end="")
        print(f"{statistics.median(share):.1%} of training ({share[0]:.1%} to {share[-1]:.1%})")


if __name__ == "__main__":
    main()
