"""Text for the benchmarks: one long line of words, cut into lines that every program reads whole."""

from __future__ import annotations

import lzma
from itertools import islice
from pathlib import Path


def cut_into_lines(source: Path, folder: Path, n_words: int = 1000) -> Path:
    """Write the words of `source` (plain or .xz) into `folder`, `n_words` a line, unless that was done before."""
    target = folder / f"{source.name.split('.')[0]}.{n_words}.txt"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        read = lzma.open if source.suffix == ".xz" else open
        with read(source, "rt") as text:
            words = iter(text.read().split())
        unfinished = target.with_suffix(".part")
        with open(unfinished, "w") as lines:
            while line := list(islice(words, n_words)):
                print(*line, file=lines)
        unfinished.rename(target)
    return target
