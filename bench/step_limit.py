"""Why a block shrinks in small vocabularies: which steps of a block diverge.

    python bench/step_limit.py

Prints, for small vocabularies, learning rates and block sizes, the final loss or "diverges", and the size of the step:
lr * centres * (window + 1) * (1 + negative) * probability of the most frequent word.
"""

from __future__ import annotations

import numpy as np

from embedtrain import TrainingError
from embedtrain.models import skipgram, word2vec_model

SIZES = (1, 2, 4, 8, 16, 32, 64)


def corpus(n_words: int) -> list[list[str]]:
    """Random sentences; words are equally frequent in handfuls, and follow Zipf's law in larger vocabularies."""
    generator = np.random.default_rng(n_words)
    weights = np.ones(n_words) if n_words < 20 else 1 / np.arange(1, n_words + 1)
    rows = generator.choice(n_words, (800, 50), p=weights / weights.sum())
    return [[f"w{word}" for word in row] for row in rows]


def main() -> None:
    """Train everything at every block size."""
    print(f"{'words':>5} {'lr':>6}  " + "".join(f"{f'{size} centres':>17}" for size in SIZES))
    for n_words in (2, 3, 5, 20, 100):
        lines = corpus(n_words)
        for lr in (0.025, 0.05, 0.1, 0.2):
            cells = []
            for size in SIZES:
                steps: list[float] = []

                def fixed(
                    settings: word2vec_model.Word2vecSettings,
                    window: int,
                    p_max: float,
                    size: int = size,
                    steps: list[float] = steps,
                ) -> int:
                    steps.append(settings.lr * size * 36 * p_max)
                    return size

                word2vec_model.block_size = fixed
                try:
                    report = skipgram.train_skipgram(
                        lines, dim=8, min_count=1, sample=0, lr=lr, threads=1, progress=False
                    ).report
                    assert report is not None
                    outcome = f"{report.losses[-1]:.2f}"
                except TrainingError:
                    outcome = "diverges"
                cells.append(f"{outcome:>9} ({steps[-1]:5.1f})")
            print(f"{n_words:5} {lr:6}  " + " ".join(cells), flush=True)


if __name__ == "__main__":
    main()
