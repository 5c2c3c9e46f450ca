"""How fast text becomes token ids and a vocabulary: plain against gensim's vocabulary pass, compressed against what
decompressing alone takes.

python bench/reading.py text8.xz

Decompressing alone is measured twice: by the command line tool, and by Python's library for it (which is what
embedtrain uses, and faster). gensim's pass is `scan_vocab` alone, without what else `build_vocab` does; it runs in one
process, with a `corpus_file`. Everything in turns, medians.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import lzma
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from text import cut_into_lines

_LIBRARIES = {".gz": gzip, ".bz2": bz2, ".xz": lzma}
_TOOLS = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz"}


def main() -> None:
    """Read everything in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--formats", nargs="+", default=[".gz", ".xz"], choices=_TOOLS)
    settings = parser.parse_args()
    text = cut_into_lines(settings.text, settings.work)

    from embedtrain import Corpus
    from embedtrain.corpus.encoding import count_words, encode

    def read(path: Path) -> None:
        encode(path, threads=settings.threads, folder=settings.work)
        pass

    tasks: dict[str, Callable[[], object]] = {
        "gensim, vocabulary": lambda: _gensim(text),
        "embedtrain, vocabulary": lambda: count_words(text, threads=settings.threads),
        "embedtrain, vocabulary, words": lambda: count_words(Corpus(text, tokenize="words"), threads=settings.threads),
        "embedtrain, vocabulary and ids": lambda: read(text),
    }
    for suffix in settings.formats:
        packed = _compress(text, suffix)
        tasks[f"{suffix}: {_TOOLS[suffix]} -dc"] = lambda packed=packed: _by_tool(packed)
        tasks[f"{suffix}: Python's library"] = lambda packed=packed: _by_library(packed)
        tasks[f"{suffix}: embedtrain, vocabulary and ids"] = lambda packed=packed: read(packed)

    times: dict[str, list[float]] = {name: [] for name in tasks}
    for run in range(settings.runs + 1):
        for name, task in tasks.items():
            started = time.perf_counter()
            task()
            if run:  # the first one compiles, and fills the caches of files
                times[name].append(time.perf_counter() - started)
    for name, seconds in times.items():
        print(f"{name:42} {statistics.median(seconds):6.3f} s  ({min(seconds):.3f} to {max(seconds):.3f})")


def _gensim(text: Path) -> None:
    from gensim.models import Word2Vec

    Word2Vec(min_count=5).scan_vocab(corpus_file=str(text), progress_per=10**9)


def _compress(text: Path, suffix: str) -> Path:
    packed = text.with_name(text.name + suffix)
    if not packed.exists():
        unfinished = packed.with_suffix(".part")
        with open(text, "rb") as plain, _LIBRARIES[suffix].open(unfinished, "wb") as file:
            shutil.copyfileobj(plain, file)
        unfinished.rename(packed)
    return packed


def _by_tool(packed: Path) -> None:
    subprocess.run([_TOOLS[packed.suffix], "-dc", packed], stdout=subprocess.DEVNULL, check=True)


def _by_library(packed: Path) -> None:
    buffer = bytearray(1 << 21)
    with _LIBRARIES[packed.suffix].open(packed) as file:
        while file.readinto(buffer):
            pass


if __name__ == "__main__":
    main()
