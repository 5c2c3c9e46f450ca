"""Principal components of vectors, and vectors without the first of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import SettingError
from embedtrain.machine.progress import note
from embedtrain.vectors.word_vectors import WordVectors

_ROWS = 1 << 14  # of a block


def principal_axes(rows: NDArray[np.float32], n: int) -> NDArray[np.float32]:
    """The (dim, n) first right singular vectors of (n_rows, dim) rows."""
    squares = np.zeros((rows.shape[1], rows.shape[1]))
    for begin in range(0, len(rows), _ROWS):
        block = rows[begin : begin + _ROWS].astype(np.float64)
        squares += block.T @ block
    axes: NDArray[np.float64] = np.linalg.eigh(squares)[1][:, ::-1][:, :n]
    return axes.astype(np.float32)


def remove_components(vectors: WordVectors, n: int = 0) -> WordVectors:
    """Subtract the mean of all vectors, and then their first `n` principal components.

    Mu, Viswanath, "All-but-the-top: simple and effective postprocessing for word representations" (2018), with n about
    dim / 100. Context vectors, subwords and factors no longer fit, and are left out with a warning.

    Raises
    ------
    SettingError
        If `n` is negative, or not below the number of dimensions.
    """
    if not 0 <= n < vectors.vector_size:
        raise SettingError(
            f"`remove_components` must be below the {vectors.vector_size} dimensions, from 0 on, got {n}"
        )
    rows = vectors.vectors - vectors.vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    axes = principal_axes(rows, n)
    rows -= rows @ axes @ axes.T
    if any(part is not None for part in (vectors.context_vectors, vectors.subwords, vectors.factors)):
        note("context vectors, subwords and factors do not fit the changed vectors, and are left out")
    return replace(
        vectors, vectors=rows.astype(vectors.vectors.dtype, copy=False), context_vectors=None, word_vectors=None,
        subwords=None, factors=None, settings={**vectors.settings, "removed_components": n},
    )  # fmt: skip
