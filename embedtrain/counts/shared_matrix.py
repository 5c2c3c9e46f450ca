"""Matrices of which each rank has some consecutive rows: transposes, and decompositions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise, zip_longest
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from embedtrain.counts.rows import CsrMatrix, RowCells, starts_of
from embedtrain.counts.truncated_svd import BLOCK, Block, Decomposition, decompose, product, zeros
from embedtrain.counts.weighting import MatrixBuilder, rank_borders, task_ranges
from embedtrain.machine.memory import release_pages
from embedtrain.machine.npz import read_only
from embedtrain.machine.progress import Shown
from embedtrain.machine.ranks import Ranks


def transposed_over_ranks(matrix: CsrMatrix, n_columns: int, builder: MatrixBuilder, ranks: Ranks) -> CsrMatrix:
    """Transpose a matrix of which each rank has some rows; returns some rows of the transpose."""
    transposed = builder.transposed(matrix, n_columns)
    if ranks.size == 1:
        return transposed
    begins = starts_of(np.array(ranks.gather(len(matrix.starts) - 1)))
    lengths = np.diff(transposed.starts)
    ranks.sum(lengths)
    borders = rank_borders(starts_of(lengths), ranks)
    ranges = [task_ranges(lengths[begin:end]) for begin, end in pairwise(borders)]

    def parts() -> Iterator[RowCells]:
        for spans in zip_longest(*ranges, fillvalue=(0, 0)):
            sent = [
                _rows(transposed, first + begin, first + end)
                for first, (begin, end) in zip(borders, spans, strict=False)
            ]
            yield _side_by_side(ranks.exchange(sent), begins)
            release_pages(*transposed)

    begin, end = borders[ranks.rank : ranks.rank + 2]
    return builder.collect(lengths[begin:end], parts(), transposed)


def decompose_over_ranks(
    matrix: CsrMatrix, transposed: CsrMatrix, dim: int, *, seed: int, threads: int, shown: Shown, ranks: Ranks
) -> Decomposition:
    """Decompose a matrix of which, as of its transpose, each rank has some rows; rank 0 does all but the products."""
    if ranks.size == 1:
        return decompose(matrix, transposed, dim, seed=seed, threads=threads, shown=shown)
    own = matrix, transposed
    lengths = [np.concatenate(ranks.gather(np.diff(part.starts))) for part in own]
    whole = [CsrMatrix(starts_of(n), *part[1:]) for n, part in zip(lengths, own, strict=True)]  # own cells alone

    def multiply_own(task: tuple[bool, Block]) -> list[NDArray[np.float32]]:
        """Multiply own rows, on each rank; returns the results of all on rank 0."""
        part, X = own[task[0]], zeros(len(task[1]) * task[1].shape[1])
        X[:] = task[1]  # aligned
        Y = product(part, X, threads).reshape(-1, BLOCK)[: len(part.starts) - 1]
        return ranks.exchange([Y, *[Y[:0]] * (ranks.size - 1)])

    def multiply(matrix: CsrMatrix, X: Block, threads: int) -> Block:
        Y = zeros(len(matrix.starts) - 1)
        parts = multiply_own(ranks.broadcast((matrix is whole[1], X)))
        np.concatenate(parts, out=Y.reshape(-1, BLOCK)[: len(matrix.starts) - 1])
        return Y

    if ranks.rank == 0:
        found = decompose(whole[0], whole[1], dim, seed=seed, threads=threads, shown=shown, multiply=multiply)
        return ranks.broadcast(found)
    while not isinstance(task := ranks.broadcast(cast(Any, None)), Decomposition):
        multiply_own(task)
    return task


def _rows(matrix: CsrMatrix, begin: int, end: int) -> CsrMatrix:
    """View some rows."""
    starts = matrix.starts[begin : end + 1]
    cells = slice(starts[0], starts[-1])
    return CsrMatrix(read_only(starts - starts[0]), matrix.columns[cells], matrix.values[cells])


def _side_by_side(parts: Sequence[CsrMatrix], begins: NDArray[np.int64]) -> RowCells:
    """Join matrices of the same rows, whose columns begin at these."""
    starts = starts_of(sum(np.diff(part.starts) for part in parts))  # type: ignore[arg-type]
    columns, values, following = np.empty(starts[-1], np.int32), np.empty(starts[-1], np.float32), starts[:-1].copy()
    for part, begin in zip(parts, begins, strict=False):
        lengths = np.diff(part.starts)
        at = np.arange(len(part.columns)) + np.repeat(following - part.starts[:-1], lengths)
        columns[at], values[at] = part.columns + begin, part.values
        following += lengths
    return RowCells(columns, values)
