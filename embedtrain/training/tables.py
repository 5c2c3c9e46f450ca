"""Embedding tables: rows padded with zeros to whole vectors and aligned to cache lines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.simd.lanes import CACHE_LINE, aligned_zeros, padded


def table_bytes(n_rows: int, dim: int) -> int:
    """Memory of a table without its few scratch rows."""
    return 4 * (n_rows + 1) * padded(dim)


@dataclass(frozen=True)
class EmbeddingTable:
    """`n_rows` rows, a padding row of zeros for incomplete groups in kernels, and scratch rows of threads."""

    flat: NDArray[np.float32]  # ((n_rows + 1) * padded(dim) and the scratch rows,) for kernels
    rows: NDArray[np.float32]  # (n_rows, dim) view without padding and scratch rows, for users
    #: By purpose and thread: the first elements in `flat` of its scratch rows, evenly spaced.
    scratch: Mapping[str, list[list[int]]] = field(default_factory=dict)

    @classmethod
    def zeros(
        cls, n_rows: int, dim: int, n_threads: int = 0, scratch: Mapping[str, int] | None = None
    ) -> EmbeddingTable:
        """Make a table of zeros, with the numbers of scratch rows of a thread by purpose."""
        width, end = padded(dim), (n_rows + 1) * padded(dim)
        # threads write scratch rows at the same time: none shares a cache line with another row
        begin, step = (-(-n // CACHE_LINE) * CACHE_LINE for n in (end, width))
        rows_of = {}
        for purpose, n in (scratch or {}).items():
            rows_of[purpose] = [[begin + (thread * n + k) * step for k in range(n)] for thread in range(n_threads)]
            begin += n_threads * n * step
            end = begin if n_threads * n else end
        flat = aligned_zeros(end)
        return cls(flat, flat[: n_rows * width].reshape(n_rows, width)[:, :dim], rows_of)

    @classmethod
    def uniform(
        cls,
        n_rows: int,
        dim: int,
        seed: int | list[int],
        n_threads: int = 0,
        scratch: Mapping[str, int] | None = None,
        most: float = 0.5,
    ) -> EmbeddingTable:
        """Make a table of random values in [-most, most) / dim; `most` is that of word2vec.c."""
        table = cls.zeros(n_rows, dim, n_threads, scratch)
        generator = np.random.default_rng(seed)
        for row in range(0, n_rows, 1 << 12):  # in parts, to bound memory
            part = table.rows[row : row + (1 << 12)]
            part[:] = (
                (generator.random(part.shape, np.float32) - np.float32(0.5)) * np.float32(2 * most) / np.float32(dim)
            )
        return table
