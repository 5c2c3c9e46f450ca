"""Pieces of a matrix, each the sums of a stretch of the text, in files until they are merged.

They are read with plain reads and not mapped, so that they take no memory but the buffers they are read to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.counts.memory_plan import row_ranges
from embedtrain.counts.rows import CellFiles, RowCells, RowStore, starts_of
from embedtrain.counts.summing import Workplace, sum_rows
from embedtrain.kernels.glove.cooccurrence import add_cells, merge_rows, take_row
from embedtrain.machine.files import writing
from embedtrain.machine.npz import read_into


class Piece(NamedTuple):
    """The files of a piece: where its rows start, columns and sums of its cells."""

    starts: Path
    columns: Path
    sums: Path

    @classmethod
    def numbered(cls, number: int, folder: Path) -> Piece:
        """The paths of a piece."""
        return cls(*(folder / f"{name}-{number}" for name in cls._fields))

    def open(self) -> CellFiles:
        """Begin to write its cells."""
        return CellFiles(self.columns, self.sums)

    def end(self, lengths: NDArray[np.int64]) -> None:
        """Write where rows of these lengths start."""
        with writing(self.starts.parent), open(self.starts, "wb") as file:
            file.write(starts_of(lengths).data)

    def remove(self) -> None:
        """Give back the disk space."""
        for path in self:
            path.unlink()


def merge_pieces(
    pieces: Sequence[Piece],
    lengths: NDArray[np.int64],
    places: Sequence[Workplace],
    unit: int,
    store: RowStore,
) -> NDArray[np.int64]:
    """Add up pieces, row by row, and keep the counts in `store`; the lengths of the rows.

    Parameters
    ----------
    pieces : sequence of Piece
    lengths : (n_words,) int64 array
        Of each row in all pieces together.
    places : sequence of Workplace
        One for each thread.
    unit : int
        Of the sums.
    store : RowStore

    Raises
    ------
    DataError
        If the disk is full, or a piece was damaged.
    """
    merged = np.empty_like(lengths)
    ranges = row_ranges(lengths, lengths, len(places[0].columns))
    with closing(sum_rows([_Merger(pieces, place, unit, merged) for place in places], ranges)) as results:
        for cells in results:
            store.append(cells)
    for piece in pieces:
        piece.remove()
    return merged


class _Merger:
    """A worker that reads and merges ranges of rows."""

    def __init__(self, pieces: Sequence[Piece], place: Workplace, unit: int, lengths: NDArray[np.int64]) -> None:
        self.pieces, self.place, self.unit, self.lengths = pieces, place, unit, lengths
        self.columns, self.sums = np.empty_like(place.columns), np.empty_like(place.sums)

    def __call__(self, begin: int, end: int) -> RowCells:
        return self.place.take(self._row(begin) if end - begin == 1 else self._rows(begin, end), self.unit)

    def _rows(self, begin: int, end: int) -> int:
        """Merge rows that can all be read at once."""
        (starts,) = self._read(begin, end)
        lengths = self.lengths[begin:end]
        tally, columns, sums = self.place
        return int(merge_rows(self.columns, self.sums, starts, tally, columns, sums, lengths))

    def _row(self, row: int) -> int:
        """Merge one row, which may have more cells than can be read at once."""
        tally, columns, sums = self.place
        n_touched = 0
        for starts in self._read(row, row + 1):
            n_touched = add_cells(self.columns, self.sums, 0, int(starts[-1, -1]), tally, n_touched)
        self.lengths[row] = take_row(tally, n_touched, columns, sums, 0)
        return int(self.lengths[row])

    def _read(self, begin: int, end: int) -> Iterator[NDArray[np.int64]]:
        """Read the cells of the rows from as many pieces as there is room for: where each row of each starts."""
        starts: list[NDArray[np.int64]] = []
        n = 0
        for piece in self.pieces:
            rows = np.empty(end - begin + 1, np.int64)
            read_into(rows, piece.starts, begin * rows.itemsize)
            first, length = int(rows[0]), int(rows[-1] - rows[0])
            if n + length > len(self.columns):
                yield np.array(starts)
                starts, n = [], 0
            read_into(self.columns[n : n + length], piece.columns, first * self.columns.itemsize)
            read_into(self.sums[n : n + length], piece.sums, first * self.sums.itemsize)
            starts.append(rows - first + n)
            n += length
        yield np.array(starts)
