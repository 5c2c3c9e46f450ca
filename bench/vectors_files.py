"""How fast text files of vectors are saved and loaded, against gensim in the same run.

python bench/vectors_files.py --words 400000 --dim 300

The vectors are random; both read the same file, which embedtrain wrote, and what they read is compared. Everything in
turns, medians.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from embedtrain import formats
from embedtrain.formats.format import ReadOptions, VectorTable


def main() -> None:
    """Save and load in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--words", type=int, default=400_000)
    parser.add_argument("--dim", type=int, default=300)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    settings = parser.parse_args()
    settings.work.mkdir(parents=True, exist_ok=True)
    file, theirs = settings.work / "vectors.vec", settings.work / "gensim.vec"
    content = _random(settings.words, settings.dim)

    from gensim.models import KeyedVectors

    keyed = KeyedVectors(settings.dim)
    keyed.add_vectors(content.words, content.vectors)
    options = ReadOptions(threads=settings.threads)
    formats.write(file, content)
    formats.read(file)  # compiles
    tasks: dict[str, Callable[[], object]] = {
        "save": lambda: formats.write(file, content, threads=settings.threads),
        "save, gensim": lambda: keyed.save_word2vec_format(theirs),
        "load": lambda: formats.read(file, options),
        "load, gensim": lambda: KeyedVectors.load_word2vec_format(file),
    }
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(settings.runs):
        results = {name: _timed(task, times[name]) for name, task in tasks.items()}
        _require_same(content, *(results[name].vectors for name in ("load", "load, gensim")))
    for name, seconds in times.items():
        print(f"{name:14} {statistics.median(seconds):7.3f} s  ({min(seconds):.3f} to {max(seconds):.3f})")
    for name in ("save", "load"):
        ratio = statistics.median(times[f"{name}, gensim"]) / statistics.median(times[name])
        print(f"{name}: {ratio:.1f} times as fast as gensim")


def _random(n_words: int, dim: int) -> VectorTable:
    generator = np.random.default_rng(1)
    vectors = generator.standard_normal((n_words, dim), np.float32) / np.float32(dim**0.5)
    return VectorTable([f"word{number}" for number in range(n_words)], vectors)


def _timed(task: Callable[[], object], seconds: list[float]) -> object:
    started = time.perf_counter()
    result = task()
    seconds.append(time.perf_counter() - started)
    return result


def _require_same(content: VectorTable, *tables: np.ndarray) -> None:
    for table in tables:
        if not np.array_equal(table, content.vectors):
            raise SystemExit("what was read is not what was written")


if __name__ == "__main__":
    main()
