"""The words of a matrix's rows: a file with a line for each, in their order."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError
from embedtrain.machine.reading import reading, source_name


def read_words(path: str | os.PathLike[str]) -> tuple[list[str], NDArray[np.int64] | None]:
    """Read lines "word count", as GloVe's `vocab_count` writes them, or lines of a word alone.

    Returns
    -------
    words : list of str
        In the order of the lines.
    counts : (n_words,) int64 array or None
        The counts, if the lines have them.

    Raises
    ------
    DataError
        If there is no such file, or it is not as said, or a word stands twice; the message names the line.
    """
    path = Path(path)
    lines: dict[str, int] = {}
    counts: list[int] = []
    with reading(path), open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            place = f"{source_name(path)}, line {number}"
            word, count = _parse(line, place, is_first=number == 1)
            if word in lines:
                raise DataError(f"{place}: the word {word!r} stands in line {lines[word]} too; every row has its own")
            if (count is None) != (not counts) and number > 1:
                found, first = ("no count", "one") if count is None else ("a count", "none")
                raise DataError(f"{place}: {word!r} has {found} and line 1 has {first}; give all words one or none")
            lines[word] = number
            counts += [] if count is None else [count]
    if not lines:
        raise DataError(f"{source_name(path)} holds no words: it is empty")
    return list(lines), np.array(counts, np.int64) if counts else None


def _parse(line: bytes, place: str, *, is_first: bool) -> tuple[str, int | None]:
    """The word in a line, and its count if it has one."""
    try:
        word, *rest = line.decode("utf-8-sig" if is_first else "utf-8").split()
        (count,) = map(int, rest) if rest else (None,)
    except UnicodeDecodeError:
        raise DataError(f"{place}: {line[:40]!r} is not UTF-8") from None
    except ValueError:
        raise DataError(
            f"{place}: expected a word, or a word, a space and its count, got {line.strip()[:40]!r}"
        ) from None
    if count is not None and not 0 <= count < 2**63:
        raise DataError(f"{place}: {word!r} has the count {count}; counts are 0 to 2 ** 63 - 1")
    return word, count
