"""Matrices computed from counts: weighted cells, transposes, and sums of rows and columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedtrain.counts.memory_plan import row_ranges
from embedtrain.counts.rows import ROW_CELL_BYTES, CsrMatrix, RowCells, RowStore, starts_of
from embedtrain.kernels.sparse import transpose_columns, weigh_rows
from embedtrain.machine.array_file import temporary_file
from embedtrain.machine.memory import mapping_of, release_pages
from embedtrain.machine.ranks import ALONE, Ranks
from embedtrain.machine.threads import run_in_order

_TASK_CELLS = 1 << 18  # cells of a task
Weights = NDArray[np.float64]
_CELL_BYTES = 100  # of memory for a cell of a task, at most: results that wait, and temporary arrays


class MatrixBuilder:
    """Builds matrices on all threads, in memory if `budget` bytes hold them and their sources, else in files."""

    def __init__(self, threads: int, budget: int, folder: Path) -> None:
        self._threads, self._folder = threads, folder
        self._budget = budget - _CELL_BYTES * _TASK_CELLS * threads

    def build(
        self, lengths: NDArray[np.int64], work: Callable[[int, int], tuple[RowCells, NDArray[np.int64]]],
        *sources: CsrMatrix,
    ) -> CsrMatrix:  # fmt: skip
        """Collect rows of at most these lengths; `work` returns the cells and lengths of a range of rows."""
        lengths = lengths.copy()

        def cells_of(rows: tuple[int, int]) -> RowCells:
            cells, lengths[slice(*rows)] = work(*rows)
            return cells

        with closing(run_in_order([cells_of] * self._threads, task_ranges(lengths))) as results:
            return self.collect(lengths, results, *sources)

    def collect(self, lengths: NDArray[np.int64], parts: Iterable[RowCells], *sources: CsrMatrix) -> CsrMatrix:
        """Collect rows from consecutive parts; their lengths are read at the end."""
        in_memory = sum(len(source.columns) for source in sources if mapping_of(source.columns) is None)
        capacity = max(0, self._budget // ROW_CELL_BYTES - in_memory)
        store = RowStore(capacity, lambda: temporary_file(self._folder))
        for cells in parts:
            store.append(cells)
        return CsrMatrix.of(*store.matrix(lengths))

    def weighted(
        self, weighting: str, counts: CsrMatrix, row_weights: Weights, column_weights: Weights, *others: CsrMatrix,
        ranks: Ranks = ALONE,
    ) -> CsrMatrix:  # fmt: skip
        """Compute the value of each cell from its count, as `folding.weigh`, while `others` are in memory as well.

        Those not above 0 are left out. Each rank has some rows.
        """
        logarithm = {"log-entropy": 1, "information": 2}.get(weighting, 0)
        first, last = rank_borders(counts.starts, ranks)[ranks.rank :][:2]

        def weigh(begin: int, end: int) -> tuple[RowCells, NDArray[np.int64]]:
            rows, lengths = (first + begin, first + end), np.empty(end - begin, np.int64)
            n = counts.starts[rows[1]] - counts.starts[rows[0]]
            cells = RowCells(np.empty(n, np.int32), np.empty(n, np.float32))
            n = weigh_rows(*counts, row_weights, column_weights, logarithm, *rows, *cells, lengths)
            release_pages(*counts)
            return RowCells(*(part[:n] for part in cells)), lengths

        return self.build(np.diff(counts.starts[first : last + 1]), weigh, counts, *others)

    def transposed(self, matrix: CsrMatrix, n_columns: int) -> CsrMatrix:
        """Transpose a matrix whose columns ascend in each row."""
        lengths = column_sums(matrix, n_columns, np.ones_like).astype(np.int64)

        def take(begin: int, end: int) -> tuple[RowCells, NDArray[np.int64]]:
            borders = starts_of(lengths[begin:end])
            cells = RowCells(np.empty(borders[-1], np.int32), np.empty(borders[-1], np.float32))
            transpose_columns(*matrix, begin, end, borders, *cells)
            release_pages(*matrix)
            return cells, lengths[begin:end]

        return self.build(lengths, take, matrix)


def rank_borders(starts: NDArray[np.int64], ranks: Ranks) -> list[int]:
    """Divide rows among ranks, about as many cells for each: the first rows of the ranks, and the end of the last."""
    cells = np.linspace(0, starts[-1], ranks.size + 1)[1:-1]
    return [0, *np.searchsorted(starts, cells).tolist(), len(starts) - 1]


def task_ranges(lengths: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Divide rows of at most these lengths into tasks, the same for any number of threads."""
    return row_ranges(lengths, lengths, _TASK_CELLS)


def row_sums(matrix: CsrMatrix, of: Callable[[NDArray[np.int32], NDArray[np.float32]], Weights]) -> Weights:
    """Return the sum of each row, of a function of the columns and values of cells."""
    lengths = np.diff(matrix.starts)
    sums, is_filled = np.zeros(len(lengths)), lengths > 0
    for begin, end in task_ranges(lengths):
        starts = matrix.starts[begin:end][is_filled[begin:end]]
        if len(starts):
            cells = slice(starts[0], matrix.starts[end])
            of_cells = of(matrix.columns[cells], matrix.values[cells])
            sums[begin:end][is_filled[begin:end]] = np.add.reduceat(of_cells, starts - starts[0])
        release_pages(*matrix)
    return sums


def column_sums(
    matrix: CsrMatrix, n_columns: int, of: Callable[[NDArray[np.float32]], NDArray[np.floating]]
) -> Weights:
    """Return the sum of each column, of a function of the values."""
    sums = np.zeros(n_columns)
    for begin in range(0, len(matrix.columns), _TASK_CELLS):
        cells = slice(begin, begin + _TASK_CELLS)
        sums += np.bincount(matrix.columns[cells], of(matrix.values[cells]), minlength=n_columns)
        release_pages(*matrix)
    return sums
