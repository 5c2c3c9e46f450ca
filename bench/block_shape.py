"""Why 64 centres share 48 noise words in skip-gram, and 4 that are 16 tokens apart share 8 in CBOW, 16 when corrected.

    python bench/block_shape.py text8.xz --shapes 32x32 32x48 64x48 64x64 --seeds 3
    python bench/block_shape.py text8.xz --mode cbow --shapes 4x4 4x8 4x12 4x16 2x8          and --mode cbow-corrected
    python bench/block_shape.py text8.xz --mode cbow --shapes 4x8 --stride 1                  and 4, 8, 12
    python bench/block_shape.py text8.xz --mode skipgram-hs --shapes 4x0 8x0 16x0 32x0       no noise

Prints words/s, and the mean and standard deviation of analogies and similarities (see quality.py) for CENTRESxNOISE.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
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
    parser.add_argument("--mode", choices=[mode for mode in MODES if mode != "cbow-hs"], default="skipgram")
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
    from embedtrain.models import word2vec_model

    if settings.stride is not None:
        word2vec_model.CENTRE_STRIDE = cbow.CENTRE_STRIDE = settings.stride  # type: ignore[attr-defined]
    model, asked = MODES[settings.mode]
    print("shape    M words/s  analogies        WordSim-353      SimLex-999")
    for shape in settings.shapes:
        n_centres, n_noise = map(int, shape.split("x"))
        if model == "cbow" and n_centres > cbow.CENTRES_PER_TILE:
            parser.error(f"{shape}: a tile of CBOW has {cbow.CENTRES_PER_TILE} centres at most")
        word2vec_model.BLOCK_CENTRES[model, "paths" if "hs" in asked else "noise"] = n_centres
        key = model, settings.mode == "cbow-corrected"
        word2vec_model.N_NOISE[key] = n_noise or word2vec_model.N_NOISE[key]
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
