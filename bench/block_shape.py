"""Why 64 centres share 48 noise words in skip-gram, 24 share 32 in CBOW: speed and accuracy of other shapes.

    python bench/block_shape.py text8.xz --shapes 32x32 32x48 64x48 64x64 --seeds 3
    python bench/block_shape.py text8.xz --mode cbow --shapes 8x16 16x32 24x32 32x32 32x48
    python bench/block_shape.py text8.xz --mode skipgram-hs --shapes 4x0 8x0 16x0 32x0       no noise

Prints words/s, and the mean and standard deviation of analogies and similarities (see quality.py) for CENTRESxNOISE.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path

from modes import MODES, train_embedtrain
from quality import bundled_questions, evaluate
from text import cut_into_lines


def main() -> None:
    """Train with every shape and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--eval", type=Path)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--shapes", nargs="+", default=["32x32", "32x48", "64x48", "64x64"])
    parser.add_argument("--mode", choices=MODES, default="skipgram")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=5)
    settings = parser.parse_args()
    text = cut_into_lines(settings.text, settings.work)
    questions = settings.eval or bundled_questions()

    from embedtrain import word2vec

    model, asked = MODES[settings.mode]
    print("shape    M words/s  analogies        WordSim-353      SimLex-999")
    for shape in settings.shapes:
        n_centres, n_noise = map(int, shape.split("x"))
        word2vec.BLOCKS[model, "paths" if "hs" in asked else "noise"], word2vec.N_NOISE[model] = n_centres, n_noise
        speeds, scores = [], []
        for seed in range(1, settings.seeds + 1):
            result = train_embedtrain(
                settings.mode, text, dim=settings.dim, epochs=settings.epochs, sample=1e-4, seed=seed,
                work=settings.work,
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
