"""Speed of queries and gensim's in the same run: one query, many queries, the analogies of Google's set.

    python bench/queries.py --words 400000 --dim 300
    python bench/queries.py --vectors trained.vec

Without a file, vectors are random, and analogies are left out.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from embedtrain import WordVectors
from embedtrain.vectors.evaluation_files import resolve


def seconds(query: Callable[[], Any], times: int = 1) -> float:
    """Median time of a query."""
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        query()
        taken.append(time.perf_counter() - start)
    return float(np.median(taken))


def say(name: str, ours: float, theirs: float) -> None:
    """Print both times and their ratio."""
    print(f"{name:28} {ours:10.4f} {theirs:10.4f} {theirs / ours:8.1f}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", help="file of vectors; default: random ones")
    parser.add_argument("--words", type=int, default=400_000)
    parser.add_argument("--dim", type=int, default=300)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument(
        "--gensim-queries", type=int, default=500, help="number for gensim's loop, whose time is scaled"
    )
    settings = parser.parse_args()
    if settings.vectors:
        vectors = WordVectors.load(settings.vectors)
    else:
        table = np.random.default_rng(0).standard_normal((settings.words, settings.dim), dtype=np.float32)
        vectors = WordVectors([f"w{row}" for row in range(settings.words)], table)
    keyed = vectors.to_gensim()
    words = list(vectors.words[: settings.queries])
    vectors.most_similar(words[0]), keyed.most_similar(words[0])  # norms are computed at the first query

    print(f"{vectors}\n{'':28} {'embedtrain':>10} {'gensim':>10} {'ratio':>8}")
    say("one query, s", *(seconds(lambda wv=wv: wv.most_similar(words[1]), 25) for wv in (vectors, keyed)))
    some = words[: settings.gensim_queries]
    loop = seconds(lambda: [keyed.most_similar(word) for word in some]) * len(words) / len(some)
    say(f"{len(words):,} queries, s", seconds(lambda: vectors.neighbors(words)), loop)
    if settings.vectors:
        path = str(resolve("google"))
        say(
            "Google's analogies, s",
            *(seconds(lambda wv=wv: wv.evaluate_word_analogies(path)) for wv in (vectors, keyed)),
        )


if __name__ == "__main__":
    main()
