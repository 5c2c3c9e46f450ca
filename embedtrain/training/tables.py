"""Embedding tables: rows padded with zeros to whole vectors and aligned to cache lines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.simd.alignment import aligned_zeros, padded
from embedtrain.kernels.simd.lanes import CACHE_LINE


def table_bytes(n_rows: int, dim: int) -> int:
    """Memory of one table without waste rows, which are few."""
    return 4 * (n_rows + 1) * padded(dim)


@dataclass(frozen=True)
class Table:
    """`n_rows` rows and a last one, the sink, that fills incomplete groups in kernels; it stays zero.

    Waste rows come after it, for steps that no row may take. They may hold anything, also what is not finite.

    Attributes
    ----------
    flat : ((n_rows + 1) * padded(dim) and the waste rows,) float32 array
        What kernels get.
    rows : (n_rows, dim) float32 array
        A view of it without padding, sink and waste rows: what users get.
    waste : tuple of int
        The first element in `flat` of each waste row.
    """

    flat: NDArray[np.float32]
    rows: NDArray[np.float32]
    waste: tuple[int, ...] = ()

    @classmethod
    def zeros(cls, n_rows: int, dim: int, waste: int = 0) -> Table:
        """A table of zeros, with `waste` waste rows."""
        width, end = padded(dim), (n_rows + 1) * padded(dim)
        begin, step = (-(-n // CACHE_LINE) * CACHE_LINE for n in (end, width))  # threads write them at the same time
        flat = aligned_zeros(begin + waste * step if waste else end)
        rows = flat[: n_rows * width].reshape(n_rows, width)[:, :dim]
        return cls(flat, rows, tuple(begin + i * step for i in range(waste)))

    @classmethod
    def uniform(cls, n_rows: int, dim: int, seed: int | list[int], waste: int = 0) -> Table:
        """A table of random values in [-0.5, 0.5) / dim, as word2vec.c starts."""
        table = cls.zeros(n_rows, dim, waste)
        generator = np.random.default_rng(seed)
        for row in range(0, n_rows, 1 << 12):  # a bounded piece at a time
            part = table.rows[row : row + (1 << 12)]
            part[:] = (generator.random(part.shape, np.float32) - np.float32(0.5)) / np.float32(dim)
        return table
