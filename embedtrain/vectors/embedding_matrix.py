"""The rows of an embedding layer, in the order of somebody else's vocabulary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import index
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.machine.memory import require_memory

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
    dim = vectors.vector_size
    n_rows = 1 + max(rows.values(), default=-1)
    if padding is not None:
        n_rows = max(n_rows, _row("padding", padding) + 1)
    require_memory(n_rows * dim * 4, f"{n_rows:,} rows of {dim} values", "number the words from 0 without gaps")
    matrix = np.zeros((n_rows, dim), np.float32)
    known = [word for word in rows if word in vectors.index]
    strangers = [row for word, row in rows.items() if word not in vectors.index]
    matrix[strangers] = _row_of_strangers(vectors, unknown, len(strangers), seed)
    matrix[[rows[word] for word in known]] = vectors.vectors[[vectors.index[word] for word in known]]
    if padding is not None:
        matrix[padding] = 0
    return matrix


def _rows(word_index: Mapping[str, int] | Sequence[str]) -> dict[str, int]:
    """The row of each word; no two words share one."""
    if isinstance(word_index, str) or not isinstance(word_index, (Mapping, Sequence, np.ndarray)):
        raise DataError(f"word_index must map words to rows, or be a list of words, got {type(word_index).__name__}")
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
        number = index(row)
    except TypeError:
        number = -1
    if number < 0:
        raise DataError(f"rows must be integers from 0 on, got {row!r} for {name!r}")
    return number


def _row_of_strangers(
    vectors: WordVectors, unknown: str | NDArray[Any], n_rows: int, seed: int
) -> NDArray[Any] | float:
    """What stands in the rows of words without a vector: one row for all, or one for each."""
    if not isinstance(unknown, str):
        row = np.asarray(unknown, np.float32)
        if row.shape != (vectors.vector_size,):
            raise SettingError(f"unknown must be a vector of {vectors.vector_size} values, got shape {row.shape}")
        return row
    if unknown not in UNKNOWN:
        raise SettingError(f"unknown must be 'zeros', 'mean', 'random' or a vector, got {unknown!r}")
    if unknown == "zeros" or not n_rows:
        return 0.0
    mean = vectors.vectors.mean(axis=0, dtype=np.float64)
    if unknown == "mean":
        return mean
    spread = vectors.vectors.std(axis=0, dtype=np.float64)
    return np.random.default_rng(seed).normal(mean, spread, (n_rows, vectors.vector_size))
