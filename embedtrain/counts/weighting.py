"""Matrices computed from counts: weighted cells, transposes, and products with dense matrices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.counts.memory_plan import row_ranges
from embedtrain.counts.rows import ROW_CELL_BYTES, CsrMatrix, RowCells, RowStore, starts_of
from embedtrain.counts.summing import sum_rows
from embedtrain.kernels.simd.lanes import aligned_zeros
from embedtrain.kernels.sparse import multiply_rows, transpose_columns
from embedtrain.machine.array_file import temporary_file
from embedtrain.machine.memory import mapping_of, release_pages
from embedtrain.machine.npz import read_only
from embedtrain.machine.threads import run_tasks

_TASK_CELLS = 1 << 18  # cells of a task
_CELL_BYTES = 100  # of memory for a cell of a task, at most: results that wait, and temporary arrays

#: From the rows, columns and values of some cells to their new values; those that are not above 0 are left out.
Weight = Callable[[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]], NDArray[np.float64]]


class MatrixBuilder:
    """Builds matrices on all threads, in memory up to `budget` bytes in all, then in temporary files in `folder`."""

    def __init__(self, threads: int, budget: int, folder: Path) -> None:
        self.threads, self._folder = threads, folder
        self._left = budget - _CELL_BYTES * _TASK_CELLS * threads

    def build(
        self, ranges: Sequence[tuple[int, int]], work: Callable[[int, int], tuple[RowCells, NDArray[np.int64]]]
    ) -> CsrMatrix:
        """Collect ranges of rows, for which `work` returns their cells and lengths."""
        lengths = np.zeros(ranges[-1][1], np.int64)

        def cells_of(begin: int, end: int) -> RowCells:
            cells, lengths[begin:end] = work(begin, end)
            return cells

        store = RowStore(max(0, self._left) // ROW_CELL_BYTES, lambda: temporary_file(self._folder))
        with closing(sum_rows([cells_of] * self.threads, ranges)) as results:
            for cells in results:
                store.append(cells)
        matrix = store.matrix(lengths)
        if mapping_of(matrix.columns) is None:
            self._left -= ROW_CELL_BYTES * len(matrix.columns)
        return CsrMatrix(*(read_only(part) for part in matrix))

    def weighted(self, counts: CsrMatrix, weight: Weight) -> CsrMatrix:
        """Compute the value of each cell from its count."""
        starts, columns, values = counts
        all_lengths = np.diff(starts)

        def weigh(begin: int, end: int) -> tuple[RowCells, NDArray[np.int64]]:
            cells = slice(starts[begin], starts[end])
            rows = np.repeat(np.arange(begin, end), all_lengths[begin:end])
            with np.errstate(divide="ignore"):  # of the logarithm of 0
                weights = weight(rows, columns[cells], values[cells])
            kept = weights > 0
            own = RowCells(columns[cells][kept], weights[kept].astype(np.float32))
            release_pages(columns, values)
            return own, np.bincount(rows[kept] - begin, minlength=end - begin)

        return self.build(row_ranges(all_lengths, all_lengths, _TASK_CELLS), weigh)

    def transposed(self, matrix: CsrMatrix, n_columns: int) -> CsrMatrix:
        """Transpose a matrix whose columns ascend in each row."""
        starts, columns, values = matrix
        lengths = column_sums(matrix, n_columns, np.ones_like).astype(np.int64)

        def take(begin: int, end: int) -> tuple[RowCells, NDArray[np.int64]]:
            borders = starts_of(lengths[begin:end])
            cells = RowCells(np.empty(borders[-1], np.int32), np.empty(borders[-1], np.float32))
            transpose_columns(starts, columns, values, begin, end, borders, *cells)
            release_pages(columns, values)
            return cells, lengths[begin:end]

        return self.build(row_ranges(lengths, lengths, _TASK_CELLS), take)


def row_sums(
    matrix: CsrMatrix,
    of: Callable[[NDArray[np.int32], NDArray[np.float32]], NDArray[Any]] = lambda columns, values: values,
) -> NDArray[np.float64]:
    """Return the sum of each row, of a function of the columns and values."""
    starts, columns, values = matrix
    sums = np.zeros(len(starts) - 1)
    lengths = np.diff(starts)
    for begin, end in row_ranges(lengths, lengths, _TASK_CELLS):
        rows = np.repeat(np.arange(end - begin), lengths[begin:end])
        cells = slice(starts[begin], starts[end])
        sums[begin:end] = np.bincount(rows, of(columns[cells], values[cells]), minlength=end - begin)
        release_pages(columns, values)
    return sums


def column_sums(
    matrix: CsrMatrix, n_columns: int, of: Callable[[NDArray[np.float32]], NDArray[np.floating]] = np.asarray
) -> NDArray[np.float64]:
    """Return the sum of each column, of a function of the values."""
    sums = np.zeros(n_columns)
    for begin in range(0, len(matrix.columns), _TASK_CELLS):
        cells = slice(begin, begin + _TASK_CELLS)
        sums += np.bincount(matrix.columns[cells], of(matrix.values[cells]), minlength=n_columns)
        release_pages(matrix.columns, matrix.values)
    return sums


def product(matrix: CsrMatrix, X: NDArray[np.float32], n_rows: int, threads: int) -> NDArray[np.float32]:
    """Multiply a matrix by X, (n_columns or more, width); returns (n_rows, width), rows beyond the matrix are 0.

    Every row is summed by one thread, in the order of its cells: the same bytes at any number of threads.
    """
    width, lengths = X.shape[1], np.diff(matrix.starts)
    Y = aligned_zeros(n_rows * width)

    def multiply(rows: tuple[int, int]) -> None:
        multiply_rows(*matrix, X.reshape(-1), Y, width, *rows)
        release_pages(matrix.columns, matrix.values)

    for _ in run_tasks([multiply] * threads, row_ranges(lengths, lengths, _TASK_CELLS)):
        pass
    return Y.reshape(n_rows, width)
