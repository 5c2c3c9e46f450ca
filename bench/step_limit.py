"""Why a block shrinks in small vocabularies and with wide windows: which steps of a block diverge.

    python bench/step_limit.py              small vocabularies
    python bench/step_limit.py --wide       wide windows, on sessions like MovieLens 100k and on walks on a graph

Prints, for learning rates and block sizes, the final loss or "diverges", and the size of the step of a frequent word:
lr * centres * (window + 1) * (1 + negative) * probability of the most frequent word, or with --wide of a noise word:
lr**2 * centres * (contexts * negative)**2 / noise words. The last column is what `block_size` chooses.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

from embedtrain import TrainingError
from embedtrain.models import skipgram, word2vec_model

SIZES = (1, 2, 4, 8, 16, 32, 64)
WINDOWS = [(5, "dynamic"), (10, "fixed"), (20, "dynamic"), (20, "fixed"), (40, "fixed"), (70, "dynamic"), (70, "fixed")]
NEGATIVE = 5
choose_size = word2vec_model.block_size


def corpus(n_words: int) -> list[list[str]]:
    """Random sentences; words are equally frequent in handfuls, and follow Zipf's law in larger vocabularies."""
    generator = np.random.default_rng(n_words)
    weights = np.ones(n_words) if n_words < 20 else 1 / np.arange(1, n_words + 1)
    rows = generator.choice(n_words, (800, 50), p=weights / weights.sum())
    return [[f"w{word}" for word in row] for row in rows]


def sessions(n_users: int = 943, n_items: int = 1682) -> list[list[str]]:
    """The items of each user, about 100 of them in random order, by popularity and a taste of four dimensions."""
    generator = np.random.default_rng(1)
    popularity = generator.normal(0, 1.3, n_items)
    taste = generator.normal(0, 1, (n_users, 4)) @ generator.normal(0, 1, (4, n_items))
    lengths = np.clip(np.exp(generator.normal(4.3, 0.84, n_users)), 20, n_items // 2).astype(int)
    keys = popularity + 0.7 * taste + generator.gumbel(size=(n_users, n_items))
    chosen = (np.argpartition(-row, length)[:length] for row, length in zip(keys, lengths, strict=True))
    return [[f"i{item}" for item in generator.permutation(items)] for items in chosen]


def walks(n_nodes: int = 10_000, n_edges: int = 5, length: int = 40) -> list[list[str]]:
    """Two random walks from each node of a graph of Barabási and Albert, with `n_edges` for a new node."""
    generator = np.random.default_rng(1)
    neighbours: list[list[int]] = [[] for _ in range(n_nodes)]
    ends = list(range(n_edges))  # of edges: nodes in proportion to their degree
    for node in range(n_edges, n_nodes):
        for other in {ends[i] for i in generator.integers(0, len(ends), n_edges)}:
            neighbours[node].append(other)
            neighbours[other].append(node)
            ends += [node, other]
    degrees = np.array([len(nodes) for nodes in neighbours])
    edges, begins = np.concatenate([nodes for nodes in neighbours if nodes]), np.cumsum(degrees) - degrees
    places = [generator.permutation(np.flatnonzero(np.tile(degrees, 2)) % n_nodes)]
    for _ in range(length - 1):
        chosen = (generator.random(len(places[0])) * degrees[places[-1]]).astype(int)
        places.append(edges[begins[places[-1]] + chosen])
    return [list(map(str, walk)) for walk in np.stack(places, 1).tolist()]


def outcome(lines: list[list[str]], size: Callable[..., int], **settings: Any) -> str:
    """Train with a block size: the loss or "diverges"."""
    word2vec_model.block_size = size
    try:
        report = skipgram.train_skipgram(lines, sample=0, threads=1, progress=False, **settings).report
        assert report is not None
        return f"{report.losses[-1]:.2f}"
    except TrainingError:
        return "diverges"


def small_vocabularies() -> None:
    """Train on few words at every block size."""
    print(f"{'words':>5} {'lr':>6}  " + "".join(f"{f'{size} centres':>17}" for size in SIZES))
    for n_words in (2, 3, 5, 20, 100):
        lines = corpus(n_words)
        for lr in (0.025, 0.05, 0.1, 0.2):
            cells = []
            for size in SIZES:
                steps: list[float] = []

                def fixed(
                    settings: Any, window: int, p_max: float, size: int = size, steps: list[float] = steps
                ) -> int:
                    steps.append(settings.lr * size * 36 * p_max)
                    return size

                result = outcome(lines, fixed, dim=8, min_count=1, lr=lr)
                cells.append(f"{result:>9} ({steps[-1]:5.1f})")
            print(f"{n_words:5} {lr:6}  " + " ".join(cells), flush=True)


def wide_windows() -> None:
    """Train on sessions and walks at every block size, and at the chosen one."""
    print(
        f"{'text':8} {'lr':>6} {'window':>10}  " + "".join(f"{f'{size} centres':>17}" for size in SIZES) + "   chosen"
    )
    n_noise = word2vec_model.N_NOISE["skipgram", False]
    for name, lines in (("sessions", sessions()), ("walks", walks())):
        for lr in (0.025, 0.05, 0.1):
            for window, mode in WINDOWS:
                contexts = 2 * window if mode == "fixed" else window + 1
                usual = {"lr": lr, "window": window, "window_mode": mode, "negative": NEGATIVE, "epochs": 2}
                cells = []
                for size in SIZES:
                    result = outcome(lines, lambda *_, size=size: size, **usual)
                    step = lr**2 * size * (contexts * NEGATIVE) ** 2 / n_noise
                    cells.append(f"{result:>9} ({step:5.1f})")
                chosen = outcome(lines, choose_size, **usual)
                print(f"{name:8} {lr:6} {window:3} {mode:7} " + " ".join(cells) + f" {chosen:>8}", flush=True)


def main() -> None:
    """Measure one kind of step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wide", action="store_true", help="wide windows instead of small vocabularies")
    (wide_windows if parser.parse_args().wide else small_vocabularies)()


if __name__ == "__main__":
    main()
