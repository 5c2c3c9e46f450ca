"""Why the loss is taken in one block of eight: what it costs to take it more often, and how little it tells more.

python bench/loss_share.py text8.xz
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from text import cut_into_lines


def main() -> None:
    """Train with several shares, in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--every", type=int, nargs="+", default=[1, 2, 8, 64])
    parser.add_argument("--runs", type=int, default=5)
    settings = parser.parse_args()
    text = cut_into_lines(settings.text, settings.work)

    from embedtrain.models import skipgram, word2vec_model

    speeds: dict[int, list[float]] = {every: [] for every in settings.every}
    losses: dict[int, list[float]] = {every: [] for every in settings.every}
    for seed in range(1, settings.runs + 1):
        for every in settings.every:
            word2vec_model._LOSS_EVERY = every
            report = skipgram.train_skipgram(
                text, epochs=1, sample=1e-4, seed=seed, threads=1, temp_folder=settings.work, progress=False
            ).report
            assert report is not None
            speeds[every].append(report.speed / 1e6)
            losses[every].append(report.losses[0])
    print("one block of  M words/s  loss")
    for every in settings.every:
        spread = statistics.stdev(losses[every])
        print(
            f"{every:12}  {statistics.median(speeds[every]):9.2f}  {statistics.mean(losses[every]):.4f} ± {spread:.4f}"
        )


if __name__ == "__main__":
    main()
