"""The weights of an embedding layer: vectors in the order of a given vocabulary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import index
from reprlib import repr as shortened
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.machine.memory import require_memory
from embedtrain.machine.progress import note
from embedtrain.vectors.neighbors import row_norms
from embedtrain.vectors.word_table import WordTable

_WORDS = 1 << 14  # that n-grams give vectors at once


def embedding_matrix(
    table: WordTable, word_index: Mapping[str, int] | Sequence[str], unknown: str | NDArray[Any], padding: int | None
) -> NDArray[np.float32]:
    """Implement `WordVectors.embedding_matrix`."""
    rows = _rows(word_index)
    n_rows = 1 + max([-1 if padding is None else _row("padding", padding), *rows.values()])
    dim = table.vector_size
    require_memory(n_rows * dim * 4, f"{n_rows:,} rows of {dim} values", "number the words from 0 without gaps")
    fill = _unknown_row(table, unknown)
    matrix = np.zeros((n_rows, dim), np.float32)
    is_known = _embed_unknown(table, rows, matrix, fill)
    for word, row in rows.items():  # one by one, to avoid a second matrix
        if (known := table.index.get(word)) is not None:
            matrix[row] = table.vectors[known]
            is_known = True
    if padding is not None:
        matrix[padding] = 0
    finite = np.isfinite(row_norms(matrix))
    if not finite.all():
        row = int(np.argmin(finite))
        raise DataError(f"row {row} would not be finite, for a vector is not; leave its word out of the file")
    if rows and not is_known:
        note(f"none of the {len(rows):,} words in word_index has a vector; check their case")
    return matrix


def _embed_unknown(table: WordTable, rows: Mapping[str, int], matrix: NDArray[np.float32], fill: NDArray[Any]) -> bool:
    """Fill the rows of words that are not in the table; returns whether n-grams gave any a vector."""
    unknown = [word for word in rows if word not in table.index]
    matrix[[rows[word] for word in unknown]] = fill
    if table.subwords is None:
        return False
    has_any = False
    for begin in range(0, len(unknown), _WORDS):
        words = unknown[begin : begin + _WORDS]
        vectors, is_known = table.subwords.embed(words)
        matrix[[rows[word] for word, known in zip(words, is_known.tolist(), strict=True) if known]] = vectors[is_known]
        has_any |= bool(is_known.any())
    return has_any


def _rows(word_index: Mapping[str, int] | Sequence[str]) -> dict[str, int]:
    """The row of each word, checked to be different."""
    if isinstance(word_index, (str, bytes)) or not isinstance(word_index, (Mapping, Sequence, np.ndarray)):
        raise DataError(f"word_index must map words to rows, or be a list of words, got {type(word_index).__name__}")
    pairs = word_index.items() if isinstance(word_index, Mapping) else ((word, i) for i, word in enumerate(word_index))
    rows: dict[str, int] = {}
    words: dict[int, str] = {}
    for word, number in pairs:
        if not isinstance(word, str):
            raise DataError(f"the words in word_index must be of type str, got {word!r}")
        row = _row(word, number)
        if word in rows:
            raise DataError(f"the word {word!r} appears twice in word_index; name every word once")
        if row in words:
            raise DataError(f"the words {words[row]!r} and {word!r} have the same row {row}; give each its own")
        rows[word], words[row] = row, word
    return rows


def _row(name: str, number: Any) -> int:
    try:
        row = -1 if isinstance(number, bool) else index(number)
    except TypeError:
        row = -1
    if row < 0:
        raise DataError(f"rows must be integers from 0 on, got {number!r} for {name!r}")
    return row


def _unknown_row(table: WordTable, unknown: Any) -> NDArray[Any]:
    """The row of words without a vector or known n-grams."""
    if isinstance(unknown, str) and unknown == "zeros":
        return np.zeros(table.vector_size)
    if isinstance(unknown, str) and unknown == "mean":
        if not len(table):
            raise SettingError("unknown='mean' needs vectors, and there are none; use 'zeros' or a vector")
        return table.vectors.mean(axis=0, dtype=np.float64)
    try:
        row = np.asarray(unknown, np.float32)
    except (TypeError, ValueError):
        row = np.empty(0, np.float32)
    if row.shape != (table.vector_size,):
        got = f"shape {unknown.shape}" if isinstance(unknown, np.ndarray) else shortened(unknown)
        raise SettingError(f"unknown must be 'zeros', 'mean' or a vector of {table.vector_size} values, got {got}")
    return row
