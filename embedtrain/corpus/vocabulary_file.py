"""Vocabulary files: lines "word count", as word2vec.c and GloVe write them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import DataError
from embedtrain.machine.files import atomic_file
from embedtrain.machine.reading import reading, source_name

_AT_ONCE = 1 << 16  # lines


def write_vocabulary(path: str | os.PathLike[str], vocabulary: Vocabulary) -> None:
    """Write a vocabulary, all or nothing.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    with atomic_file(path) as file:
        for lines in format_lines(vocabulary):
            file.write(lines.encode())


def format_lines(vocabulary: Vocabulary) -> Iterator[str]:
    """The lines of the file, many at once."""
    for begin in range(0, len(vocabulary), _AT_ONCE):
        words, counts = vocabulary.words[begin : begin + _AT_ONCE], vocabulary.counts[begin : begin + _AT_ONCE]
        yield "".join(f"{word} {count}\n" for word, count in zip(words, counts.tolist(), strict=True))


def read_vocabulary(path: str | os.PathLike[str]) -> Vocabulary:
    """Read a vocabulary; its words are put in the order of their counts.

    Raises
    ------
    DataError
        If there is no such file, or a line is not a word and its count, or a word stands twice; the message names
        the line.
    """
    path = Path(path)
    counts: dict[str, int] = {}
    total = 0
    with reading(path), open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            place = f"{source_name(path)}, line {number}"
            try:
                word, count = line.decode("utf-8-sig" if number == 1 else "utf-8").split()
                counted = int(count)
            except UnicodeDecodeError:
                raise DataError(f"{place}: {line[:40]!r} is not UTF-8") from None
            except ValueError:
                raise DataError(f"{place}: expected a word, a space and its count, got {line[:40]!r}") from None
            if counted < 0:
                raise DataError(f"{place}: {word!r} has the count {counted}; counts are at least 0")
            total += counted
            if total >= 2**63:
                raise DataError(f"{place}: the counts come to {total:,} in all; they must be below 2 ** 63")
            if word in counts:
                raise DataError(f"{place}: the word {word!r} stands twice; remove one of its lines")
            counts[word] = counted
    if not counts:
        raise DataError(f"{source_name(path)} holds no words: it is empty")
    words = sorted(counts, key=lambda word: (-counts[word], word.encode()))
    return Vocabulary(words, np.array([counts[word] for word in words], np.int64))
