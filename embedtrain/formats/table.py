"""Tables of vectors: checked before writing, and built from rows in reading."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, quoted
from embedtrain.formats.format import ReadOptions, VectorTable
from embedtrain.machine.memory import require_memory
from embedtrain.machine.progress import counted
from embedtrain.machine.words import first_duplicate, is_word, require_words

#: Words that are read with a note.
SPACED, NOT_UTF8 = "with spaces", "with bytes that are not UTF-8 and became U+FFFD"

_FLOATS = (np.dtype(np.float32), np.dtype(np.float16))
_MAX_DIM = 1 << 21  # its text fits the longest line that is read


def all_finite(values: NDArray[Any]) -> bool:
    """Whether no value is NaN or infinite, without a temporary array."""
    return not values.size or bool(np.isfinite(values.min()) and np.isfinite(values.max()))


def rows_not_finite(vectors: NDArray[Any]) -> list[int]:
    """Return the rows with a value that is NaN or infinite."""
    return [] if all_finite(vectors) else np.flatnonzero(~np.isfinite(vectors).all(axis=1)).tolist()


def check_float16(name: str, words: Sequence[str], vectors: NDArray[Any]) -> None:
    """Check that no value became infinite by rounding to float16."""
    if beyond := rows_not_finite(vectors):
        raise DataError(f"{name}: the vector of {quoted(words[beyond[0]])} exceeds float16; read it as float32")


def unwritable(word: str) -> str:
    """Return the problem of a word that can be read, but not written."""
    return f"the word {quoted(word)} has whitespace or a control character, which no file should hold"


def checked(table: VectorTable, *, spaces: bool = False) -> VectorTable:
    """Check that a table can be written; returns it with native float32 or float16 vectors and int64 counts."""
    words, vectors = table.words, _as_floats(table.vectors)
    counts = None if table.counts is None else np.asarray(table.counts, np.int64)
    contexts = None if table.context_vectors is None else np.asarray(table.context_vectors, vectors.dtype)
    table = table._replace(vectors=vectors, counts=counts, context_vectors=contexts)
    check_shapes("", table)
    if vectors.shape[1] > _MAX_DIM:
        raise DataError(f"vectors have at most {_MAX_DIM:,} dimensions, got {vectors.shape[1]:,}; no file holds more")
    if twice := first_duplicate(words):
        raise DataError(f"the word {quoted(twice)} appears twice; a vectors file holds every word once")
    require_words(words, spaces=spaces)
    if bad := rows_not_finite(vectors):
        raise DataError(f"the vector of {quoted(words[bad[0]])} is not finite as {vectors.dtype}; nothing is written")
    if contexts is not None and not all_finite(contexts):
        raise DataError("context vectors must be finite; nothing is written")
    return table


def check_shapes(prefix: str, table: VectorTable) -> None:
    """Check that rows and counts are those of the words, and other arrays fit; messages begin with `prefix`."""
    words, vectors, counts, contexts = table.words, table.vectors, table.counts, table.context_vectors
    if vectors.ndim != 2 or len(vectors) != len(words) or not vectors.size or vectors.dtype not in _FLOATS:
        got = f"an array of shape {vectors.shape} and type {vectors.dtype}"
        raise DataError(f"{prefix}{len(words):,} words need a row each, float32 or float16, got {got[:120]}")
    if counts is not None and (counts.shape != (len(words),) or counts.dtype.kind not in "iu"):
        raise DataError(f"{prefix}{len(words):,} words need a count each, got an array of shape {counts.shape}")
    shape = vectors.shape if table.factors is None else table.factors.shape
    if contexts is not None and (contexts.shape, contexts.dtype) != (shape, vectors.dtype):
        got = f"{contexts.dtype} of {contexts.shape}"
        raise DataError(f"{prefix}context vectors must be {vectors.dtype} of shape {shape}, got {got[:120]}")
    if table.subwords is not None and table.subwords.rows.shape[1] != vectors.shape[1]:
        got = table.subwords.rows.shape[1]
        raise DataError(f"{prefix}subwords must have the {vectors.shape[1]:,} dimensions of the vectors, got {got:,}")


def _as_floats(vectors: Any) -> NDArray[Any]:
    """Convert values to float32, except float16 and float32 ones."""
    try:
        array = np.asarray(vectors)
    except ValueError:  # rows of unequal lengths
        array = np.empty(0, object)
    if array.dtype.kind not in "biuf":
        raise DataError("vectors must be rows of real numbers, equally long; convert them to a float32 array")
    if array.dtype in (np.float32, np.float16):
        return array
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


class TableBuilder:
    """Words and vectors of a file, appended in blocks; repeated words are reported and left out."""

    def __init__(self, name: str, unit: str, n_expected: int, dim: int, options: ReadOptions) -> None:
        self._row_bytes = dim * options.dtype.itemsize
        self._name, self._unit, self._options = name, unit, options  # unit: "line" or "word", for messages
        self._words: list[str] = []
        self._seen: dict[str, int] = {}  # the position of each word
        self._require_memory(n_expected)
        self._rows: NDArray[Any] = np.empty((n_expected, dim), options.dtype)
        self._odd: dict[str, tuple[int, str]] = {}  # the number of odd words and the place of the first, by kind

    @property
    def positions(self) -> list[int]:
        """The positions of the appended rows."""
        return list(self._seen.values())

    def report(self, position: int, problem: str) -> None:
        """Report a problem of a line or word, counted from 0."""
        self._options.report(f"{self._name}, {self._unit} {position + 1:,}", problem)

    def note(self, position: int, kind: str, word: str) -> None:
        """Count an odd word that is read."""
        if kind == NOT_UTF8 or not self._options.must_be_writable:  # else it is reported
            n, first = self._odd.get(kind) or (0, f"{self._unit} {position + 1:,}: {quoted(word)}")
            self._odd[kind] = n + 1, first

    def append(self, positions: Sequence[int], words: list[str], values: NDArray[np.float32]) -> None:
        """Append rows; positions are lines or words of the file."""
        new = dict(zip(words, positions, strict=True))
        is_new = len(new) == len(words) and self._seen.keys().isdisjoint(new)
        if is_new and not self._options.must_be_writable:
            self._seen.update(new)
        else:
            rows = self._good_rows(positions, words)
            words, values = [words[row] for row in rows], values[rows]
        begin, end = len(self._words), len(self._words) + len(words)
        if end > len(self._rows):
            n_more = max(end - len(self._rows), len(self._rows) // 4)
            self._require_memory(n_more)
            self._resize(len(self._rows) + n_more)
        with np.errstate(over="ignore"):
            self._rows[begin:end] = values
        if self._rows.dtype != np.float32:
            check_float16(self._name, words, self._rows[begin:end])
        self._words += words

    def _good_rows(self, positions: Sequence[int], words: list[str]) -> list[int]:
        """Return the rows of words that are new and, if required, writable; report the others."""
        rows = []
        for row, (position, word) in enumerate(zip(positions, words, strict=True)):
            if self._options.must_be_writable and not is_word(word):
                self.report(position, unwritable(word))
            elif (first := self._seen.setdefault(word, position)) != position:
                self.report(position, f"the word {quoted(word)} appears twice, first in {self._unit} {first + 1:,}")
            else:
                rows.append(row)
        return rows

    def finish(self, *remarks: str) -> VectorTable:
        """Return the table of the appended rows, after a note on odd words and with other remarks."""
        odd = [f"{counted(n, 'word')} {kind}, the first in {first}" for kind, (n, first) in self._odd.items()]
        if odd or remarks:
            self._options.on_note(f"{self._name}: {'; '.join([*odd, *remarks])}")
        if len(self._words) < len(self._rows):
            self._resize(len(self._words))
        return VectorTable(self._words, self._rows)

    def _require_memory(self, n_rows: int) -> None:
        n_bytes = n_rows * self._row_bytes
        require_memory(n_bytes, f"the vectors in {self._name}", "read fewer words, or with float16")

    def _resize(self, n: int) -> None:
        """Resize the array, in place if the system can."""
        self._rows.resize((n, self._rows.shape[1]), refcheck=False)
