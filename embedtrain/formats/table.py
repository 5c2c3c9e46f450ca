"""Tables of vectors: checked before they are written, and built row by row as they are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError
from embedtrain.formats.format import ReadOptions, VectorTable, quoted
from embedtrain.machine.memory import require_memory
from embedtrain.machine.words import first_duplicate, is_word, require_words

_MAX_DIM = 1 << 21  # whose text fits the longest line that is read


def all_finite(values: NDArray[Any]) -> bool:
    """Whether no value is NaN or infinite; takes no memory."""
    return not values.size or bool(np.isfinite(values.min()) and np.isfinite(values.max()))


def rows_not_finite(vectors: NDArray[Any]) -> list[int]:
    """Return the rows in which a value is NaN or infinite."""
    return [] if all_finite(vectors) else np.flatnonzero(~np.isfinite(vectors).all(axis=1)).tolist()


def check_float16(name: str, words: Sequence[str], vectors: NDArray[Any]) -> None:
    """Check that no value became infinite when it was rounded to float16."""
    if beyond := rows_not_finite(vectors):
        raise DataError(f"{name}: the vector of {words[beyond[0]]!r} has a value beyond float16; read it as float32")


def unwritable(word: str) -> str:
    """Say why a word is read, but not written."""
    return f"the word {quoted(word)} has whitespace or a control character, which no file should hold"


def checked(table: VectorTable) -> VectorTable:
    """Check that any file can hold a table; returns it with native float32 or float16 vectors and int64 counts."""
    words, vectors, counts = table.words, _as_floats(table.vectors), table.counts
    if vectors.ndim != 2 or len(words) != len(vectors) or not vectors.size:
        raise DataError(f"{len(words):,} words need a row each, got an array of shape {vectors.shape}")
    if vectors.shape[1] > _MAX_DIM:
        raise DataError(
            f"vectors must have at most {_MAX_DIM:,} dimensions, got {vectors.shape[1]:,}; no file holds more"
        )
    if twice := first_duplicate(words):
        raise DataError(f"the word {twice!r} appears twice; a vectors file holds every word once")
    require_words(words)
    if bad := rows_not_finite(vectors):
        raise DataError(f"the vector of {words[bad[0]]!r} is not finite as {vectors.dtype}; nothing is written")
    counts = None if counts is None else np.asarray(counts, np.int64)
    if counts is not None and counts.shape != (len(words),):
        raise DataError(f"{len(words):,} words need a count each, got an array of shape {counts.shape}")
    return table._replace(vectors=vectors, counts=counts)


def _as_floats(vectors: Any) -> NDArray[Any]:
    """Return float16 and float32 values as they are, others as float32."""
    try:
        array = np.asarray(vectors)
    except ValueError:  # rows of unequal lengths
        array = np.empty(0, object)
    if array.dtype.kind not in "biuf":
        raise DataError("vectors must be rows of as many real numbers each; convert them to a float32 array")
    if array.dtype in (np.float32, np.float16):
        return array
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


class TableBuilder:
    """Words and vectors of a file, appended in blocks; rows of words that came before are reported and left out."""

    def __init__(self, name: str, unit: str, n_expected: int, dim: int, options: ReadOptions) -> None:
        n_bytes = n_expected * dim * options.dtype.itemsize
        require_memory(n_bytes, f"the vectors in {name}", "ask for fewer words, or float16")
        self._name, self._unit, self._options = name, unit, options  # unit: "line" or "word", which messages count
        self._words: list[str] = []
        self._seen: dict[str, int] = {}  # the place of each word
        self._rows: NDArray[Any] = np.empty((n_expected, dim), options.dtype)

    def report(self, place: int, problem: str) -> None:
        """Report a problem of a line or word, counted from 0."""
        self._options.report(f"{self._name}, {self._unit} {place + 1:,}", problem)

    def append(self, places: Sequence[int], words: list[str], values: NDArray[np.float32]) -> None:
        """Append rows, which are at these lines or words of the file."""
        new = dict(zip(words, places, strict=True))
        is_new = len(new) == len(words) and self._seen.keys().isdisjoint(new)
        if is_new and not self._options.must_be_writable:
            self._seen.update(new)
        else:
            rows = self._good_rows(places, words)
            words, values = [words[row] for row in rows], values[rows]
        begin, end = len(self._words), len(self._words) + len(words)
        if end > len(self._rows):
            self._resize(max(end, len(self._rows) + len(self._rows) // 4))
        with np.errstate(over="ignore"):
            self._rows[begin:end] = values
        if self._rows.dtype != np.float32:
            check_float16(self._name, words, self._rows[begin:end])
        self._words += words

    def _good_rows(self, places: Sequence[int], words: list[str]) -> list[int]:
        """Return the rows of new words, and of words that can be written where they must be; report the others."""
        rows = []
        for row, (place, word) in enumerate(zip(places, words, strict=True)):
            if self._options.must_be_writable and not is_word(word):
                self.report(place, unwritable(word))
            elif (first := self._seen.setdefault(word, place)) != place:
                self.report(place, f"the word {quoted(word)} appears twice, first in {self._unit} {first + 1:,}")
            else:
                rows.append(row)
        return rows

    def finish(self) -> VectorTable:
        """Return the table, of as many rows as were appended."""
        if len(self._words) < len(self._rows):
            self._resize(len(self._words))
        return VectorTable(self._words, self._rows)

    def _resize(self, n: int) -> None:
        """Resize the array where it lies in memory, if the system can."""
        self._rows.resize((n, self._rows.shape[1]), refcheck=False)
