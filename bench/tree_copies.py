"""Why every thread has its own copies of 256 nodes near the root of Huffman's tree: what threads gain from them.

    python bench/tree_copies.py text8.xz --copies 1 64 256 1024 --modes cbow-hs skipgram-hs

Every path begins at the root: without copies, threads wait for each other's writes to the same few rows. Prints words/s
by number of threads, medians in turns. Accuracy is that of `bench/quality.py`.
"""

from __future__ import annotations

import argparse
import statistics
from itertools import product
from pathlib import Path

from modes import MODES, train_embedtrain
from text import cut_into_lines

from embedtrain.models import word2vec_model


def main() -> None:
    """Train with all numbers of copies, in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--copies", type=int, nargs="+", default=[1, 64, 256, 1024])
    parser.add_argument("--modes", nargs="+", choices=MODES, default=["cbow-hs", "skipgram-hs"])
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--runs", type=int, default=3)
    settings = parser.parse_args()
    text = cut_into_lines(settings.text, settings.work)

    cases = list(product(settings.modes, settings.copies, settings.threads))
    speeds: dict[tuple[str, int, int], list[float]] = {case: [] for case in cases}
    for _, case in product(range(settings.runs), cases):
        mode, word2vec_model.N_COPIES, threads = case
        result = train_embedtrain(mode, text, dim=100, sample=1e-4, epochs=1, threads=threads, work=settings.work)
        assert result.report is not None
        speeds[case].append(result.report.speed / 1e6)
    for mode, copies in product(settings.modes, settings.copies):
        medians = [statistics.median(speeds[mode, copies, threads]) for threads in settings.threads]
        print(
            f"{mode:12} {copies:4} copies  " + "  ".join(f"{median:6.2f} M words/s" for median in medians), flush=True
        )


if __name__ == "__main__":
    main()
