"""Why 48 centres share 16 noise words in skip-gram, and 4 that are 16 tokens apart share 8 in CBOW, 16 when corrected.

    python bench/block_shape.py text8.xz --shapes 32x16 48x12 48x16 48x24 96x16 --seeds 10
    python bench/block_shape.py text8.xz --shapes 48x16 --baseline 0 0.3 0.6 0.9         of the control variate
    python bench/block_shape.py text8.xz --mode cbow --shapes 4x4 4x8 4x12 4x16          and --mode cbow-corrected
    python bench/block_shape.py text8.xz --mode cbow --shapes 4x8 --stride 1             and 4, 8, 12

Prints words/s, held-out loss, and the mean and standard deviation of analogies and similarities (see quality.py) for
CENTRESxNOISE. In skip-gram, analogies rise with the centres that share noise, held-out loss and SimLex-999 get worse.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from itertools import product
from pathlib import Path

import numba
from modes import MODES, train_embedtrain
from quality import bundled_questions, evaluate
from text import cut_into_lines


def main() -> None:
    """Train with every shape and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--eval", type=Path)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--shapes", nargs="+", required=True)
    parser.add_argument("--mode", choices=["skipgram", "cbow", "cbow-corrected"], default="skipgram")
    parser.add_argument("--baseline", type=float, nargs="+", default=[None])
    parser.add_argument("--stride", type=int, help="tokens between the centres of a tile of CBOW")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=5)
    settings = parser.parse_args()
    text = cut_into_lines(settings.text, settings.work)
    questions = settings.eval or bundled_questions()

    if settings.stride is not None:  # a constant of the kernels: they must not come from the usual cache
        cache = tempfile.TemporaryDirectory(dir=settings.work)
        numba.config.CACHE_DIR = cache.name
    from embedtrain.kernels.word2vec import cbow
    from embedtrain.models import block_shape

    if settings.stride is not None:
        block_shape.CENTRE_STRIDE = cbow.CENTRE_STRIDE = settings.stride  # type: ignore[attr-defined]
    model, _ = MODES[settings.mode]
    print("shape   baseline  M words/s  held-out  analogies        WordSim-353      SimLex-999")
    for shape, baseline in product(settings.shapes, settings.baseline):
        n_centres, n_noise = map(int, shape.split("x"))
        if model == "cbow" and n_centres != cbow.CENTRES_PER_TILE:
            parser.error(f"{shape}: a tile of CBOW has {cbow.CENTRES_PER_TILE} centres")
        block_shape.SHARING_CONTEXTS = 6 * n_centres
        block_shape.N_NOISE[model, settings.mode == "cbow-corrected"] = n_noise
        block_shape.BASELINE = block_shape.BASELINE if baseline is None else baseline
        speeds, losses, scores = [], [], []
        for seed in range(1, settings.seeds + 1):
            result = train_embedtrain(
                settings.mode, text, dim=settings.dim, epochs=settings.epochs, sample=1e-4, seed=seed,
                valid_share=0.02, work=settings.work,
            )  # fmt: skip
            assert result.report is not None
            speeds.append(result.report.speed / 1e6)
            losses.append(result.report.valid_losses[-1])
            scores.append(evaluate(result.words, result.vectors, questions)[::2])
        columns = [
            f"{statistics.mean(column):.4f} ± {statistics.pstdev(column):.4f}" for column in zip(*scores, strict=True)
        ]
        print(
            f"{shape:8} {block_shape.BASELINE:7} {statistics.median(speeds):10.1f}  {statistics.mean(losses):8.4f}  "
            f"{'  '.join(columns)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
