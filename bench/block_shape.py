"""Why 64 centres share 48 noise words: speed and accuracy of other shapes.

    python bench/block_shape.py text8.xz --shapes 32x32 32x48 64x48 64x64 --seeds 3

Prints words/s, and the mean and standard deviation of analogies and similarities (see quality.py) for CENTRESxNOISE.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from quality import bundled_questions, evaluate
from text import cut_into_lines


def main() -> None:
    """Train with every shape and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--eval", type=Path)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--shapes", nargs="+", default=["32x32", "32x48", "64x48", "64x64"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=5)
    settings = parser.parse_args()
    text = cut_into_lines(settings.text, settings.work)
    questions = settings.eval or bundled_questions()

    from embedtrain import skipgram

    print("shape    M words/s  analogies        WordSim-353      SimLex-999")
    for shape in settings.shapes:
        skipgram._BLOCK, skipgram._N_NOISE = map(int, shape.split("x"))
        speeds, scores = [], []
        for seed in range(1, settings.seeds + 1):
            result = skipgram.train_skipgram(
                text, dim=settings.dim, epochs=settings.epochs, sample=1e-4, seed=seed, temp_folder=settings.work,
                progress=False,
            )  # fmt: skip
            assert result.report is not None
            speeds.append(result.report.speed / 1e6)
            scores.append(evaluate(result.words, result.vectors, questions)[::2])
        columns = [
            f"{statistics.mean(column):.4f} ± {statistics.pstdev(column):.4f}" for column in zip(*scores, strict=True)
        ]
        print(f"{shape:8} {statistics.median(speeds):9.1f}  {'  '.join(columns)}", flush=True)


if __name__ == "__main__":
    main()
