"""Accuracy of GloVe's vectors: cost, analogies and similarities, over seeds and settings.

    python bench/glove_quality.py text8.xz --epochs 15 --seeds 3
    python bench/glove_quality.py text8.xz --x-max 10 100 --epochs 25        the decision for x-max 10

Scores are those of `bench/quality.py`, which also says where the questions are. The text is counted once.
"""

from __future__ import annotations

import argparse
import statistics
from itertools import product
from pathlib import Path

from quality import bundled_questions, evaluate
from text import cut_into_lines


def main() -> None:
    """Count, train, evaluate, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--eval", type=Path, help="folder with questions-words.txt, wordsim353.tsv, simlex999")
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--epochs", type=int, nargs="+", default=[15])
    parser.add_argument("--x-max", type=float, nargs="+", default=[10.0])
    parser.add_argument("--vectors", nargs="+", default=["sum"], choices=["sum", "word", "context"])
    settings = parser.parse_args()
    import embedtrain

    text = cut_into_lines(settings.text, settings.work)
    counts = embedtrain.cooccurrence_counts(text, temp_folder=settings.work, progress=False)
    print(f"{len(counts):,} words, {counts.matrix.nnz:,} cells, dim {settings.dim}")
    print("x-max epochs vectors  seed   cost  analogies  WordSim-353  SimLex-999")
    row = "{:5g} {:6} {:7} {:>5}  {:.5f}     {:.4f}       {:.4f}      {:.4f}"
    for x_max, epochs, vectors in product(settings.x_max, settings.epochs, settings.vectors):
        scores = []
        for seed in range(1, settings.seeds + 1):
            result = embedtrain.train_glove(
                counts, dim=settings.dim, x_max=x_max, epochs=epochs, vectors=vectors, seed=seed,
                temp_folder=settings.work, progress=False,
            )  # fmt: skip
            assert result.report is not None
            found = evaluate(result.words, result.vectors, settings.eval or bundled_questions())
            scores.append([result.report.losses[-1], *found[::2]])
            print(row.format(x_max, epochs, vectors, seed, *scores[-1]), flush=True)
        columns = list(zip(*scores, strict=True))
        print(row.format(x_max, epochs, vectors, "mean", *map(statistics.mean, columns)), flush=True)
        if len(scores) > 1:
            print(row.format(x_max, epochs, vectors, "sd", *map(statistics.stdev, columns)), flush=True)


if __name__ == "__main__":
    main()
