"""Which steps diverge: few words, wide windows, lines of one topic and walks, with other limits of `block_shape`.

    python bench/stability.py
    python bench/stability.py --limits INPUT_LIMIT=6           diverges in sessions and with windows of 100 and more
    python bench/stability.py --limits LAG_LIMIT=1e-3          diverges in lines of one topic

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
    """Random lines over few words, equally frequent or by Zipf's law; lines each of one topic; walks on a graph."""
    for n_words in (2, 3, 5, 50, 1000):
        for law in ("flat", "zipf"):
            generator = np.random.default_rng(n_words)
            weights = np.ones(n_words) if law == "flat" else 1 / np.arange(1, n_words + 1)
            rows = generator.choice(n_words, (40, LINE), p=weights / weights.sum())
            yield f"{n_words} {law}", [[f"w{word}" for word in row] for row in rows]
    generator = np.random.default_rng(7)
    topics = generator.integers(0, 26, LINE)
    yield "sessions", [[f"t{topic} i{item}" for item in generator.permutation(50)[:40]] for topic in topics]
    for size in (5, 10, 40):
        lines = zip(topics, generator.integers(0, size, (200, LINE)), strict=False)
        yield f"topics {size}", [[f"t{topic} w{word}" for word in line] for topic, line in lines]
    yield "walks", list(walks(generator, n_groups=20, size=50))


def walks(generator: np.random.Generator, n_groups: int, size: int) -> Iterator[list[str]]:
    """Lines of 80 nodes, of which a step leaves the group of `size` nodes once in 20 times, and else goes near by."""
    for start in np.repeat(generator.permutation(n_groups * size), 3):
        node, line = int(start), []
        for step in generator.integers(1, 9, 80):
            line.append(str(node))
            jump = generator.random() < 0.05
            node = int(generator.integers(n_groups * size)) if jump else node // size * size + (node + step) % size
        yield line


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
