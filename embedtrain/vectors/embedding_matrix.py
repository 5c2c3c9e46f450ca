"""The rows of an embedding layer, in the order of somebody else's vocabulary."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.machine.memory import require_memory
from embedtrain.vectors.neighbors import lengths

if TYPE_CHECKING:
    from embedtrain.vectors.word_vectors import WordVectors

UNKNOWN = ("zeros", "mean", "random")


def embedding_matrix(
    vectors: WordVectors,
    word_index: Mapping[str, int] | Sequence[str],
    unknown: str | NDArray[Any],
    padding: int | None,
    seed: int,
) -> NDArray[np.float32]:
    """See `WordVectors.embedding_matrix`."""
    rows = _rows(word_index)
    n_rows = 1 + max(rows.values(), default=-1)
    if padding is not None:
        n_rows = max(n_rows, _row("padding", padding) + 1)
    dim = vectors.vector_size
    require_memory(n_rows * dim * 4, f"{n_rows:,} rows of {dim} values", "number the words from 0 without gaps")
    stranger = _stranger(vectors, unknown, seed)
    matrix = np.zeros((n_rows, dim), np.float32)
    for word, row in rows.items():  # one after the other, as all at once are a second table
        known = vectors.index.get(word)
        matrix[row] = stranger() if known is None else vectors.vectors[known]
    if padding is not None:
        matrix[padding] = 0
    finite = np.isfinite(lengths(matrix))
    if not finite.all():
        raise DataError(
            f"row {np.argmin(finite)} would not be finite, for a vector is not; leave its word out of the file"
        )
    if rows and not any(word in vectors.index for word in rows):
        warnings.warn(f"none of the {len(rows):,} words in word_index has a vector; see their case", stacklevel=3)
    return matrix


def _rows(word_index: Mapping[str, int] | Sequence[str]) -> dict[str, int]:
    """The row of each word; no two words share one."""
    if isinstance(word_index, (str, bytes)) or not isinstance(word_index, (Mapping, Sequence, np.ndarray)):
        raise DataError(f"word_index must map words to rows, or be a list of words, got {type(word_index).__name__}")
    for word in word_index:
        if not isinstance(word, str):
            raise DataError(f"the words in word_index must be of type str, got {word!r}")
    if isinstance(word_index, Mapping):
        rows = {word: _row(word, row) for word, row in word_index.items()}
    else:
        rows = {word: row for row, word in enumerate(word_index)}
    words: dict[int, str] = {}
    for word, row in rows.items():
        if words.setdefault(row, word) != word:
            raise DataError(f"the words {words[row]!r} and {word!r} have the same row {row}; give each its own")
    if len(rows) < len(word_index):
        raise DataError("a word stands twice in word_index; name every word once")
    return rows


def _row(name: str, row: Any) -> int:
    try:
        number = -1 if isinstance(row, bool) else index(row)
    except TypeError:
        number = -1
    if number < 0:
        raise DataError(f"rows must be integers from 0 on, got {row!r} for {name!r}")
    return number


def _stranger(vectors: WordVectors, unknown: str | NDArray[Any], seed: int) -> Callable[[], NDArray[Any] | float]:
    """What makes the row of a word without a vector."""
    if not isinstance(unknown, str):
        given = _given(unknown, vectors.vector_size)
        return lambda: given
    if unknown not in UNKNOWN:
        raise SettingError(f"unknown must be 'zeros', 'mean', 'random' or a vector, got {unknown!r}")
    if unknown == "zeros":
        return lambda: 0.0
    if not len(vectors):
        raise SettingError(f"unknown={unknown!r} needs vectors, and there are none; use 'zeros' or a vector")
    mean = vectors.vectors.mean(axis=0, dtype=np.float64)
    if unknown == "mean":
        return lambda: mean
    squares = np.einsum("ij,ij->j", vectors.vectors, vectors.vectors, dtype=np.float64) / len(vectors)
    spread = np.sqrt(np.maximum(squares - mean**2, 0))
    try:
        generator = np.random.default_rng(seed)
    except (TypeError, ValueError):
        raise SettingError(f"seed must be a whole number of at least 0, got {seed!r}") from None
    return lambda: generator.normal(mean, spread)


def _given(unknown: Any, dim: int) -> NDArray[np.float32]:
    try:
        row = np.asarray(unknown, np.float32)
    except (TypeError, ValueError):
        row = np.empty(0, np.float32)
    if row.shape != (dim,):
        got = f"shape {unknown.shape}" if isinstance(unknown, np.ndarray) else f"{type(unknown).__name__}"
        raise SettingError(f"unknown must be 'zeros', 'mean', 'random' or a vector of {dim} values, got {got}")
    return row
