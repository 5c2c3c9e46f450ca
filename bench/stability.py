"""Which steps diverge: small vocabularies, wide windows and sessions of one topic, with other limits of `block_shape`.

    python bench/stability.py
    python bench/stability.py --limits INPUT_LIMIT=6           diverges in sessions and with windows of 100 and more

Prints the final loss for each text, learning rate and window (d: dynamic, f: fixed), "diverges" if training stopped, or
the loss with "!" if it is not below that of vectors of zeros, (1 + negative) log 2.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator

import numpy as np

from embedtrain import TrainingError, train_cbow, train_skipgram
from embedtrain.models import block_shape

WINDOWS = [(window, mode) for window in (1, 5, 20, 100, 1000) for mode in ("dynamic", "fixed")]
LINE = 1000


def texts() -> Iterator[tuple[str, list[list[str]]]]:
    """Random lines over few words, equally frequent or by Zipf's law; and sessions, each of one of 26 topics."""
    for n_words in (2, 3, 5, 50, 1000):
        for law in ("flat", "zipf"):
            generator = np.random.default_rng(n_words)
            weights = np.ones(n_words) if law == "flat" else 1 / np.arange(1, n_words + 1)
            rows = generator.choice(n_words, (40, LINE), p=weights / weights.sum())
            yield f"{n_words} {law}", [[f"w{word}" for word in row] for row in rows]
    generator = np.random.default_rng(7)
    topics = generator.integers(0, 26, LINE)
    yield "sessions", [[f"t{topic} i{item}" for item in generator.permutation(50)[:40]] for topic in topics]


def main() -> None:
    """Train on every text with every setting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limits", nargs="+", default=[], metavar="NAME=VALUE", help="constants of models/block_shape")
    parser.add_argument("--model", choices=["skipgram", "cbow"], default="skipgram")
    parser.add_argument("--negative", type=int, default=5)
    parser.add_argument("--lr", type=float, nargs="+", default=[0.025, 0.1])
    settings = parser.parse_args()
    for name, value in (limit.split("=") for limit in settings.limits):
        setattr(block_shape, name, float(value))
    train = {"skipgram": train_skipgram, "cbow": train_cbow}[settings.model]
    print(f"{'text':10} {'lr':>6} " + "".join(f"{f'{window}{mode[0]}':>9}" for window, mode in WINDOWS))
    for name, lines in texts():
        for lr in settings.lr:
            cells = []
            for window, mode in WINDOWS:
                try:
                    report = train(
                        lines, dim=16, min_count=1, sample=0, threads=1, epochs=2, progress=False,
                        lr=lr, negative=settings.negative, window=window, window_mode=mode,
                    ).report  # fmt: skip
                    assert report is not None
                    better = report.losses[-1] < (1 + settings.negative) * math.log(2)
                    cells.append(f"{report.losses[-1]:.2f}{'' if better else '!'}")
                except TrainingError:
                    cells.append("diverges")
            print(f"{name:10} {lr:6} " + "".join(f"{cell:>9}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
