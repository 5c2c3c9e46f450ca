"""Principal components of vectors, and vectors without the first of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import SettingError
from embedtrain.machine.progress import note

if TYPE_CHECKING:
    from embedtrain.vectors.word_vectors import WordVectors

_ROWS = 1 << 14  # of a block


def principal_axes(rows: NDArray[np.float32] | Iterable[NDArray[np.float32]], n: int) -> NDArray[np.float32]:
    """The (dim, n) first right singular vectors of (n_rows, dim) rows, or of blocks of them."""
    blocks = np.array_split(rows, len(rows) // _ROWS + 1) if isinstance(rows, np.ndarray) else rows
    squares = sum(wide.T @ wide for wide in (block.astype(np.float64) for block in blocks))
    axes: NDArray[np.float64] = np.linalg.eigh(squares)[1][:, ::-1][:, :n]
    return axes.astype(np.float32)


def remove_components(vectors: WordVectors, n: int = 0) -> WordVectors:
    """Subtract the mean of all vectors, and then their first `n` principal components.

    Mu, Viswanath, "All-but-the-top: simple and effective postprocessing for word representations" (2018), with n about
    dim / 100. Context vectors, subwords and factors no longer fit, and are left out with a warning.
    """
    if not 0 <= n < vectors.vector_size:
        raise SettingError(f"`remove_components` must be between 0 and {vectors.vector_size - 1}, got {n}")
    rows = vectors.vectors - vectors.vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    axes = principal_axes(rows, n)
    rows -= rows @ axes @ axes.T
    note_left_out(vectors)
    return replace(
        vectors, vectors=rows.astype(vectors.vectors.dtype, copy=False), context_vectors=None, word_vectors=None,
        subwords=None, factors=None, settings={**vectors.settings, "removed_components": n},
    )  # fmt: skip


def note_left_out(*tables: WordVectors) -> None:
    """Warn of parts that do not fit changed vectors."""
    parts = (part for table in tables for part in (table.context_vectors, table.subwords, table.factors))
    if any(part is not None for part in parts):
        note("context vectors, subwords and factors do not fit the changed vectors, and are left out")
