"""Tiles of a matrix of counts: the cells of a block of rows and a block of columns, on which GloVe trains.

Tiles that share neither rows nor columns can be trained on at the same time.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedtrain.counts.rows import CsrMatrix, starts_of
from embedtrain.kernels.glove.tile_order import (
    BLOCK,
    BLOCKS_ACROSS,
    SUB_TILES,
    count_tiles,
    split_into_tiles,
    write_tiles,
)
from embedtrain.kernels.glove.train_tile import Cells
from embedtrain.machine.array_file import ArrayFile, temporary_file
from embedtrain.machine.memory import release_pages
from embedtrain.machine.npz import read_only
from embedtrain.machine.threads import run_tasks

TILE_CELL_BYTES = 12  # coordinates, log and weight
# Share of all cells that a block may have. The most frequent words have a third of them, and the tiles of a block are
# trained on one after the other: threads would wait for a larger block.
_BLOCK_SHARE = 32
_TILE_CELLS = 10_000  # least mean; scheduling a smaller tile takes longer than training on it
# Half as many rows are a tenth slower, as fewer cells share what is fetched of a column; twice as many are no faster
# (bench/tile_size.py).
_ROWS = 4096
_ROWS_SHARE = 64  # at most so many blocks in large vocabularies, where most tiles are nearly empty
_ITEM_BYTES = 8  # of a cell while it is sorted
_MOST_ROWS = 1 << 16  # coordinates have 16 bits for the row, and 16 for the column


@dataclass(frozen=True)
class Tiles:
    """The cells of a matrix, tile by tile: row block I and column block J cross in tile I * n_column_blocks + J.

    In each tile all coordinates come first, then all logs, then all weights, see `Cells`.
    """

    row_borders: NDArray[np.int64]  # (n_row_blocks + 1,)
    column_borders: NDArray[np.int64]  # (n_column_blocks + 1,)
    tile_starts: NDArray[np.int64]  # (n_row_blocks * n_column_blocks + 1,) cells before each tile, and their number
    cells: NDArray[np.uint32]  # (3 * n_cells,) in memory, or mapped from a temporary file

    @property
    def n_row_blocks(self) -> int:
        """Number of blocks of rows."""
        return len(self.row_borders) - 1

    @property
    def n_column_blocks(self) -> int:
        """Number of blocks of columns."""
        return len(self.column_borders) - 1

    @property
    def n_cells(self) -> int:
        """Number of cells."""
        return int(self.tile_starts[-1])

    @property
    def sizes(self) -> NDArray[np.int64]:
        """(n_row_blocks, n_column_blocks) cells of each tile."""
        return np.diff(self.tile_starts).reshape(self.n_row_blocks, self.n_column_blocks)

    def number(self, row_block: int, column_block: int) -> int:
        """Return the number of a tile."""
        return row_block * self.n_column_blocks + column_block

    def corner(self, tile: int) -> tuple[int, int]:
        """Return the first row and the first column of a tile."""
        row_block, column_block = divmod(tile, self.n_column_blocks)
        return int(self.row_borders[row_block]), int(self.column_borders[column_block])

    def read(self, tile: int) -> Cells:
        """Return the cells of a tile, and free the mapped pages of others."""
        release_pages(self.cells)
        begin, end = int(self.tile_starts[tile]), int(self.tile_starts[tile + 1])
        coords, logs, weights = self.cells[3 * begin : 3 * end].reshape(3, end - begin)
        return Cells(coords, logs.view(np.float32), weights.view(np.float32))


def build_tiles(
    starts: NDArray[np.int64], columns: NDArray[np.int32], values: NDArray[np.float32], *, x_max: float, alpha: float,
    threads: int, memory: int = sys.maxsize, folder: Path | None = None,
) -> Tiles:  # fmt: skip
    """Put the cells of a square matrix of counts into tiles, the same for any number of threads.

    The arrays are those of a `CsrMatrix`, with any order of columns in a row; cells with a count of 0 are left out.
    The weight of a count x is min(1, (x / x_max)^alpha).

    With a `folder`, the tiles are put into a temporary file there. Fewer threads are used if they would need more than
    `memory` bytes.
    """
    matrix = CsrMatrix.of(starts, columns, values)
    most_rows = min(max(_ROWS, -(-(len(starts) - 1) // _ROWS_SHARE)), _MOST_ROWS)
    limits = most_rows, _most_cells(len(columns))
    row_borders = block_borders(np.diff(matrix.starts), *limits)
    column_borders = block_borders(_column_masses(matrix, row_borders, threads), *limits)
    block_of = np.repeat(np.arange(len(column_borders) - 1, dtype=np.int32), np.diff(column_borders))
    tile_starts = _tile_starts(matrix, row_borders, block_of, len(column_borders) - 1, threads)

    n_in_memory = 3 * int(tile_starts[-1]) if folder is None else 0
    tiles = Tiles(row_borders, column_borders, tile_starts, np.empty(n_in_memory, np.uint32))
    largest_block = int(tiles.sizes.sum(axis=1).max(initial=0))
    builder_bytes = _ITEM_BYTES * (largest_block + int(tiles.sizes.max()))
    builder_bytes += 0 if folder is None else TILE_CELL_BYTES * largest_block
    n_builders = max(1, min(threads, tiles.n_row_blocks, memory // max(1, builder_bytes)))
    with ExitStack() as files:
        file = None if folder is None else files.enter_context(temporary_file(folder))
        builders = [_builder(matrix, tiles, largest_block, file, block_of, x_max, alpha) for _ in range(n_builders)]
        _do_blocks(matrix, builders, tiles.n_row_blocks)
        cells = tiles.cells if file is None else file.mapped(np.uint32)
    return replace(tiles, cells=read_only(cells))


def block_borders(masses: NDArray[np.int64], max_rows: int, max_mass: int) -> NDArray[np.int64]:
    """Cut rows (or columns) with `masses` (n_rows,) cells into the longest blocks within both limits.

    A row with more than `max_mass` cells is a block of its own. Returns the first row of each block, and `n_rows`.
    """
    ends = np.cumsum(masses)
    borders, mass = [0], 0
    while borders[-1] < len(masses):
        begin = borders[-1]
        fitting = int(np.searchsorted(ends, mass + max_mass, side="right"))
        borders.append(min(max(fitting, begin + 1), begin + max_rows, len(masses)))
        mass = int(ends[borders[-1] - 1])
    return np.array(borders, np.int64)


def _most_cells(n_cells: int) -> int:
    return max(1, n_cells // _BLOCK_SHARE, math.isqrt(n_cells * _TILE_CELLS))


def _do_blocks(matrix: CsrMatrix, workers: Sequence[Callable[[int], None]], n_blocks: int) -> None:
    """Let the workers process all blocks of rows, and free their mapped pages."""
    for _ in run_tasks(workers, range(n_blocks)):
        release_pages(matrix.columns, matrix.values)


def _column_masses(matrix: CsrMatrix, row_borders: NDArray[np.int64], threads: int) -> NDArray[np.int64]:
    """Count the cells of every column."""
    n_blocks, spans = len(row_borders) - 1, matrix.starts[row_borders]
    masses = np.zeros((min(threads, n_blocks), len(matrix.starts) - 1), np.int64)
    columns = np.arange(masses.shape[1], dtype=np.int32)  # each a block of its own

    def counter(own: NDArray[np.int64]) -> Callable[[int], None]:
        return lambda block: count_tiles(matrix.columns, matrix.values, spans[block], spans[block + 1], columns, own)

    _do_blocks(matrix, [counter(own) for own in masses], n_blocks)
    return masses.sum(axis=0)


def _tile_starts(
    matrix: CsrMatrix, row_borders: NDArray[np.int64], block_of: NDArray[np.int32], n_column_blocks: int, threads: int
) -> NDArray[np.int64]:
    """Return the number of cells before every tile, and their total."""
    n_blocks, spans = len(row_borders) - 1, matrix.starts[row_borders]
    counts = np.zeros((n_blocks, n_column_blocks), np.int64)

    def count(block: int) -> None:
        count_tiles(matrix.columns, matrix.values, spans[block], spans[block + 1], block_of, counts[block])

    _do_blocks(matrix, [count] * min(threads, n_blocks), n_blocks)
    return starts_of(counts.ravel())


def _builder(
    matrix: CsrMatrix, tiles: Tiles, largest_block: int, file: ArrayFile | None, block_of: NDArray[np.int32],
    x_max: float, alpha: float,
) -> Callable[[int], None]:  # fmt: skip
    """Make a worker that puts the cells of a block of rows into its tiles."""
    tall, wide = (-(-int(np.diff(borders).max()) // BLOCK) for borders in (tiles.row_borders, tiles.column_borders))
    n_blocks = 1 if tall == wide == 1 else 1 << (tall * BLOCKS_ACROSS - 1).bit_length()  # in a tile, at most
    items, spare = np.empty(largest_block, np.uint64), np.empty(int(tiles.sizes.max()), np.uint64)
    free = np.empty(max(SUB_TILES, n_blocks), np.int64)
    own_cells = np.empty(0 if file is None else 3 * largest_block, np.uint32)
    weights = math.log(x_max), float(alpha)

    def build(block: int) -> None:
        borders = tiles.tile_starts[block * tiles.n_column_blocks : (block + 1) * tiles.n_column_blocks + 1]
        begin, end = borders[0], borders[-1]
        borders = borders - begin
        rows = int(tiles.row_borders[block]), int(tiles.row_borders[block + 1])
        split_into_tiles(*matrix, *rows, block_of, tiles.column_borders, borders[:-1].copy(), items)
        cells = tiles.cells[3 * begin : 3 * end] if file is None else own_cells[: 3 * (end - begin)]
        write_tiles(items, borders, spare, free, n_blocks, *weights, cells, cells.view(np.float32))
        if file is not None:
            file.write_at(TILE_CELL_BYTES * int(begin), cells)

    return build
