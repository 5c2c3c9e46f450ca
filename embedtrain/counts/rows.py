"""Rows of a sparse matrix, collected in memory while they fit, then in temporary files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.machine.array_file import ArrayFile
from embedtrain.machine.npz import plain, read_only

ROW_CELL_BYTES = 8  # a column and a value, as float32


class CsrMatrix(NamedTuple):
    """A square sparse matrix in compressed rows, in memory or mapped read-only from files."""

    starts: NDArray[np.int64]  # (n_rows + 1,) where each row starts, and the end of the last
    columns: NDArray[np.int32]  # (n_cells,) ascending in each row
    values: NDArray[Any]  # (n_cells,) float32, or exact float64

    @classmethod
    def of(cls, starts: NDArray[Any], columns: NDArray[Any], values: NDArray[Any]) -> CsrMatrix:
        """Make a matrix of arrays in one form, so that kernels are compiled once; they are copied only if needed."""
        kinds = zip((starts, columns, values), (np.int64, np.int32, np.float32), strict=True)
        return cls(*(read_only(plain(part, kind)) for part, kind in kinds))


class RowCells(NamedTuple):
    """The cells of some rows, in order."""

    columns: NDArray[np.int32]
    values: NDArray[Any]  # counts, or int64 sums


def starts_of(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the starts of rows of these lengths, and the end of the last."""
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts


class CellFiles:
    """Two temporary files to which cells are appended."""

    def __init__(self, new_file: Callable[[], ArrayFile]) -> None:
        self.columns, self.values = new_file(), new_file()

    def append(self, cells: RowCells) -> None:
        """Append cells."""
        self.columns.append(cells.columns)
        self.values.append(cells.values)


class RowStore:
    """All cells of a matrix, rounded to `dtype`, in memory up to `capacity`; if there are more, all in temporary files.

    Memory for `capacity` cells is allocated first, but the system provides only pages that are written.
    """

    def __init__(self, capacity: int, new_file: Callable[[], ArrayFile], dtype: type[np.floating] = np.float32) -> None:
        self._new_file, self._n, self._dtype = new_file, 0, dtype
        self._columns, self._values = np.empty(capacity, np.int32), np.empty(capacity, dtype)
        self._files: CellFiles | None = None

    def append(self, cells: RowCells) -> None:
        """Append cells."""
        begin, self._n = self._n, self._n + len(cells.columns)
        if self._files is None and self._n > len(self._columns):
            self._files = CellFiles(self._new_file)
            self._files.append(RowCells(self._columns[:begin], self._values[:begin]))
            del self._columns, self._values
        if self._files is not None:
            self._files.append(RowCells(cells.columns, cells.values.astype(self._dtype, copy=False)))
        else:
            self._columns[begin : self._n], self._values[begin : self._n] = cells

    def matrix(self, lengths: NDArray[np.int64]) -> CsrMatrix:
        """Return the matrix, given the lengths of all rows."""
        starts = starts_of(lengths)
        if self._files is not None:
            return CsrMatrix(starts, self._files.columns.mapped(np.int32), self._files.values.mapped(self._dtype))
        for array in (self._columns, self._values):
            array.resize(self._n, refcheck=False)  # frees the rest
        return CsrMatrix(starts, self._columns, self._values)
