"""Tiles: the cells of a matrix of counts where blocks of its rows and columns cross, in memory or in a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.glove.train_tile import Cells
from embedtrain.machine.npz import read_into

#: Memory, or disk, of a cell in a tile: its place, log and weight.
TILE_CELL_BYTES = 12

TileReader: TypeAlias = Callable[[int], tuple[Cells, int, int]]


@dataclass(frozen=True)
class Tiles:
    """The cells of a matrix of counts, tile by tile.

    Tile I * n_column_blocks + J is where block I of rows and block J of columns cross.

    Attributes
    ----------
    row_borders : (n_row_blocks + 1,) int64 array
    column_borders : (n_column_blocks + 1,) int64 array
    tile_starts : (n_row_blocks * n_column_blocks + 1,) int64 array
        Cells before each tile, and all.
    cells : (3 * n_cells,) uint32 array, or Path of a file with the same bytes
        Of tile after tile: the places of its cells, then their logs, then their weights, see `Cells`.
    """

    row_borders: NDArray[np.int64]
    column_borders: NDArray[np.int64]
    tile_starts: NDArray[np.int64]
    cells: NDArray[np.uint32] | Path

    @property
    def n_row_blocks(self) -> int:
        """Blocks of rows."""
        return len(self.row_borders) - 1

    @property
    def n_column_blocks(self) -> int:
        """Blocks of columns."""
        return len(self.column_borders) - 1

    @property
    def n_cells(self) -> int:
        """Cells of all tiles."""
        return int(self.tile_starts[-1])

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(n_row_blocks, n_column_blocks), the cells of each tile."""
        return np.diff(self.tile_starts).reshape(self.n_row_blocks, self.n_column_blocks)

    @property
    def largest_tile(self) -> int:
        """Cells of the tile that has most."""
        return int(self.sizes.max())

    @property
    def largest_block(self) -> int:
        """Cells of the block of rows that has most."""
        return int(self.sizes.sum(axis=1).max(initial=0))

    def number(self, row_block: int, column_block: int) -> int:
        """The tile where two blocks cross."""
        return row_block * self.n_column_blocks + column_block

    def corner(self, tile: int) -> tuple[int, int]:
        """The first row and the first column of a tile."""
        row_block, column_block = divmod(tile, self.n_column_blocks)
        return int(self.row_borders[row_block]), int(self.column_borders[column_block])

    def reader(self) -> TileReader:
        """What gives one thread the cells of a tile, as (cells, begin, end), until it is asked for another's.

        A file is read and not mapped, so that no more memory is taken than the largest tile needs.

        Raises
        ------
        DataError
            By the reader: if the file cannot be read.
        """
        starts, cells = self.tile_starts, self.cells
        part_of = _file_reader(cells, self.largest_tile) if isinstance(cells, Path) else _memory_reader(cells)

        def read(tile: int) -> tuple[Cells, int, int]:
            begin, end = int(starts[tile]), int(starts[tile + 1])
            places, logs, weights = part_of(begin, end).reshape(3, end - begin)
            return Cells(places, logs.view(np.float32), weights.view(np.float32)), 0, end - begin

        return read


def _memory_reader(cells: NDArray[np.uint32]) -> Callable[[int, int], NDArray[np.uint32]]:
    return lambda begin, end: cells[3 * begin : 3 * end]


def _file_reader(path: Path, largest_tile: int) -> Callable[[int, int], NDArray[np.uint32]]:
    """What reads cells [begin, end) of a file."""
    buffer = np.empty(3 * largest_tile, np.uint32)

    def read(begin: int, end: int) -> NDArray[np.uint32]:
        part = buffer[: 3 * (end - begin)]
        read_into(part, path, TILE_CELL_BYTES * begin)
        return part

    return read
