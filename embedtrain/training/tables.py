"""Embedding tables: rows padded with zeros to whole vectors and aligned to cache lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.alignment import aligned_zeros, padded


def table_bytes(n_rows: int, dim: int) -> int:
    """Memory of one table."""
    return 4 * (n_rows + 1) * padded(dim)


@dataclass(frozen=True)
class Table:
    """`n_rows` rows and a last one, the sink, that fills incomplete groups in kernels; it stays zero.

    Attributes
    ----------
    flat : ((n_rows + 1) * padded(dim),) float32 array
        What kernels get.
    rows : (n_rows, dim) float32 array
        A view of it without padding and sink: what users get.
    """

    flat: NDArray[np.float32]
    rows: NDArray[np.float32]

    @classmethod
    def zeros(cls, n_rows: int, dim: int) -> Table:
        """A table of zeros."""
        width = padded(dim)
        flat = aligned_zeros((n_rows + 1) * width)
        return cls(flat, flat.reshape(n_rows + 1, width)[:n_rows, :dim])

    @classmethod
    def uniform(cls, n_rows: int, dim: int, seed: int) -> Table:
        """A table of random values in [-0.5, 0.5) / dim, as word2vec.c starts."""
        table = cls.zeros(n_rows, dim)
        generator = np.random.default_rng(seed)
        for row in range(0, n_rows, 1 << 12):  # a bounded piece at a time
            part = table.rows[row : row + (1 << 12)]
            part[:] = (generator.random(part.shape, np.float32) - np.float32(0.5)) / np.float32(dim)
        return table
