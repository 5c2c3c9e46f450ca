"""Rows of a sparse matrix, as they come one after the other: in memory while they fit, then in files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import map_file
from embedtrain.machine.files import writing

ROW_CELL_BYTES = 8  # of a column and a value


class Rows(NamedTuple):
    """A sparse matrix, row by row, columns ascending: in memory, or mapped read-only from files."""

    starts: NDArray[np.int64]  # (n_rows + 1,) where each row starts, and the end of the last
    columns: NDArray[np.int32]  # (n_cells,)
    values: NDArray[np.float32]  # (n_cells,)


class RowCells(NamedTuple):
    """Some cells, in order."""

    columns: NDArray[np.int32]
    values: NDArray[Any]  # float32 counts, or int64 sums


def starts_of(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where rows of these lengths start, and the end of the last."""
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts


class CellFiles:
    """Two files that cells are written to, one after the other."""

    def __init__(self, columns: Path, values: Path) -> None:
        self._folder = columns.parent
        with ExitStack() as stack:
            stack.enter_context(writing(self._folder))  # closing writes too
            self._files = [stack.enter_context(open(path, "wb")) for path in (columns, values)]
            self._stack = stack.pop_all()

    def append(self, cells: RowCells) -> None:
        """Write cells after those that are there."""
        with writing(self._folder):
            for file, numbers in zip(self._files, cells, strict=True):
                file.write(numbers.data)

    def __enter__(self) -> CellFiles:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Write what is not yet written, and close both."""
        self._stack.close()


class RowStore:
    """All cells of a matrix, in memory up to `capacity`; if there are more, all in files in the folder.

    Memory for `capacity` cells is asked for at once, but what is not written to is not taken.
    """

    def __init__(self, capacity: int, folder: Callable[[], Path]) -> None:
        self._folder, self._files, self._n = folder, ExitStack(), 0
        self._columns, self._values = np.empty(capacity, np.int32), np.empty(capacity, np.float32)
        self._overflow: CellFiles | None = None

    def append(self, cells: RowCells) -> None:
        """Keep cells after those that are there.

        Raises
        ------
        DataError
            If the disk is full.
        """
        begin, self._n = self._n, self._n + len(cells.columns)
        if self._overflow is None and self._n > len(self._columns):
            self._overflow = self._files.enter_context(CellFiles(*self._paths()))
            self._overflow.append(RowCells(self._columns[:begin], self._values[:begin]))
            del self._columns, self._values
        if self._overflow is not None:
            self._overflow.append(cells)
        else:
            self._columns[begin : self._n], self._values[begin : self._n] = cells

    def rows(self, lengths: NDArray[np.int64]) -> Rows:
        """The matrix whose rows have these lengths, when all cells are there."""
        starts = starts_of(lengths)
        if self._overflow is not None:
            self._overflow.close()
            columns, values = self._paths()
            return Rows(starts, map_file(columns, np.int32), map_file(values, np.float32))
        for numbers in (self._columns, self._values):
            numbers.resize(self._n, refcheck=False)  # gives back what was asked for in vain
        return Rows(starts, self._columns, self._values)

    def _paths(self) -> tuple[Path, Path]:
        folder = self._folder()
        return folder / "columns", folder / "values"

    def __enter__(self) -> RowStore:
        return self

    def __exit__(self, *error: object) -> None:
        self._files.close()
