"""Speed of vectors of texts, and that of a plain loop with NumPy in the same run, one thread.

    python bench/embed.py text8.txt --vectors trained.npz
    python bench/embed.py text8.txt                         trains vectors of one epoch first

Found on an AMD Zen 5, one core, 100 MB of Wikipedia in lines of 1,000 words, 100 dimensions: 28 M tokens/s with
plain means, 23 with SIF, and 30 from a list of texts, 5 to 6 times the loop.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from embedtrain import WordVectors, train_skipgram

PART = 10  # the loop embeds one of so many texts


def loop(vectors: WordVectors, texts: list[str]) -> Any:
    """The usual code: the mean of the rows of known words, text by text."""
    index, table = vectors.index, vectors.vectors
    return [table[[index[word] for word in text.split() if word in index]].mean(axis=0) for text in texts]


def speed(embed: Callable[[], Any], n_tokens: int) -> float:
    """Tokens a second."""
    start = time.perf_counter()
    embed()
    return n_tokens / (time.perf_counter() - start)


def main() -> None:
    """Measure in turns and print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--vectors", help="file of vectors with counts; default: trained here")
    parser.add_argument("--runs", type=int, default=5)
    settings = parser.parse_args()
    if settings.vectors:
        vectors = WordVectors.load(settings.vectors)
    else:
        vectors = train_skipgram(settings.text, epochs=1, progress=False)
    texts = settings.text.read_text(encoding="utf-8").splitlines()
    n_tokens = sum(len(text.split()) for text in texts)
    some = texts[::PART]
    n_some = sum(len(text.split()) for text in some)
    np.testing.assert_allclose(vectors.embed(some), loop(vectors, some), atol=1e-4)  # also compiles

    ways: dict[str, tuple[Callable[[], Any], int]] = {
        "of a file, mean": (lambda: vectors.embed(settings.text), n_tokens),
        "of a file, sif": (lambda: vectors.embed(settings.text, "sif"), n_tokens),
        "of a list, mean": (lambda: vectors.embed(texts), n_tokens),
        "loop with NumPy": (lambda: loop(vectors, some), n_some),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(settings.runs):
        for name, (embed, n) in ways.items():
            found[name].append(speed(embed, n))
    for name, rates in found.items():
        ratio = statistics.median(a / b for a, b in zip(rates, found["loop with NumPy"], strict=True))
        print(f"{name:18} {statistics.median(rates) / 1e6:6.1f} M tokens/s, {ratio:5.1f} x the loop")


if __name__ == "__main__":
    main()
