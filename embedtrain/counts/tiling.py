"""Tiling: the matrix of counts as blocks of rows by blocks of columns, whose cells lie together as training takes them.

Tiles that share neither rows nor columns can be trained on at the same time.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.counts.rows import starts_of
from embedtrain.counts.tiles import TILE_CELL_BYTES, Tiles
from embedtrain.kernels.glove.tile_order import (
    BLOCK,
    BLOCKS_ACROSS,
    SUB_TILES,
    count_columns,
    count_tiles,
    part_cells,
    write_tiles,
)
from embedtrain.machine.files import writing
from embedtrain.machine.memory import release_pages
from embedtrain.machine.npz import plain, read_only
from embedtrain.machine.threads import run_tasks

# The most frequent words have a third of all cells, and a block's tiles are trained on one after the other: with more
# cells in a block, threads would wait for it.
_MASS_SHARE = 32
_TILE_CELLS = 10_000  # that tiles have on average at least: a smaller one takes longer to hand out than to train on
# The more rows a tile has, the more cells share what is fetched of a column, and the fewer tiles there are to hand
# out; half as many rows are a tenth slower, twice as many no faster (bench/tile_size.py).
_ROWS = 4096
_ROWS_SHARE = 64  # in large vocabularies: tiles would be too many, and most of them nearly empty
_ITEM_BYTES = 8  # of a cell while it is sorted
_MOST_ROWS = 1 << 16  # a place has 16 bits for its row, and 16 for its column


def block_borders(masses: NDArray[np.int64], max_rows: int, max_mass: int) -> NDArray[np.int64]:
    """Cut rows, or columns, into blocks, each as long as it may be.

    Parameters
    ----------
    masses : (n_rows,) int64 array
        Cells of each row.
    max_rows : int
        Rows of a block at most.
    max_mass : int
        Cells of a block at most, except where one row has more.

    Returns
    -------
    (n_blocks + 1,) int64 array
        The first row of each block, and `n_rows`.
    """
    ends = np.cumsum(masses)
    borders, mass = [0], 0
    while borders[-1] < len(masses):
        begin = borders[-1]
        fitting = int(np.searchsorted(ends, mass + max_mass, side="right"))
        borders.append(min(max(fitting, begin + 1), begin + max_rows, len(masses)))
        mass = int(ends[borders[-1] - 1])
    return np.array(borders, np.int64)


def build_tiles(
    starts: NDArray[np.int64],
    columns: NDArray[np.int32],
    values: NDArray[np.float32],
    *,
    x_max: float,
    alpha: float,
    threads: int,
    memory: int = sys.maxsize,
    folder: Path | None = None,
) -> Tiles:
    """Put the cells of a square matrix of counts into tiles, the same for any number of threads.

    Parameters
    ----------
    starts : (n_words + 1,) int64 array
        Where the cells of each row start in the others, and the end.
    columns : (n,) int32 array
    values : (n,) float32 array
        Counts, positive and finite; 0 where there is no cell after all. These three may be mapped from a file.
    x_max, alpha : float
        Of the weight of a count x, min(1, (x / x_max)^alpha); `x_max` is positive.
    threads : int
        At most; each takes 8 bytes for every cell of the largest block of rows and of the largest tile, and 12 more
        for those of the block with `folder`.
    memory : int
        Bytes that they may take together; one works in any case.
    folder : Path, optional
        Where to put the cells into a file `tiles`; without it they are in memory.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    matrix = _Matrix.of(starts, columns, values)
    limits = _most_rows(matrix.n_words), _most_cells(len(columns))
    row_borders = block_borders(np.diff(matrix.starts), *limits)
    column_borders = block_borders(_column_masses(matrix, row_borders, threads), *limits)
    block_of = np.repeat(np.arange(len(column_borders) - 1, dtype=np.int32), np.diff(column_borders))
    tile_starts = _tile_starts(matrix, row_borders, block_of, len(column_borders) - 1, threads)

    n_bytes = TILE_CELL_BYTES * int(tile_starts[-1])
    cells = np.empty(n_bytes // 4, np.uint32) if folder is None else _make_file(folder / "tiles", n_bytes)
    tiles = Tiles(row_borders, column_borders, tile_starts, cells)
    n_builders = max(1, min(threads, tiles.n_row_blocks, memory // max(1, _builder_bytes(tiles))))
    builders = [_Builder(matrix, tiles, block_of, x_max, alpha) for _ in range(n_builders)]
    _do_blocks(matrix, builders, tiles.n_row_blocks)
    return tiles


class _Matrix(NamedTuple):
    """Counts in rows (CSR)."""

    starts: NDArray[np.int64]
    columns: NDArray[np.int32]
    values: NDArray[np.float32]

    @classmethod
    def of(cls, starts: NDArray[Any], columns: NDArray[Any], values: NDArray[Any]) -> _Matrix:
        """Of arrays of any kind: kernels would be compiled anew for each."""
        arrays = plain(starts, np.int64), plain(columns, np.int32), plain(values, np.float32)
        return cls(*map(read_only, arrays))

    @property
    def n_words(self) -> int:
        return len(self.starts) - 1

    def span(self, first_row: int, end_row: int) -> tuple[int, int]:
        """The cells of some rows."""
        return int(self.starts[first_row]), int(self.starts[end_row])


def _most_rows(n_words: int) -> int:
    return min(max(_ROWS, -(-n_words // _ROWS_SHARE)), _MOST_ROWS)


def _most_cells(n_cells: int) -> int:
    return max(1, n_cells // _MASS_SHARE, math.isqrt(n_cells * _TILE_CELLS))


def _do_blocks(matrix: _Matrix, workers: Sequence[Callable[[int], None]], n_blocks: int) -> None:
    """Let the workers do all blocks of rows, of which no pages are kept in memory if they are mapped."""
    for _ in run_tasks(workers, range(n_blocks)):
        release_pages(matrix.columns, matrix.values)


def _column_masses(matrix: _Matrix, row_borders: NDArray[np.int64], threads: int) -> NDArray[np.int64]:
    """Cells of every column."""
    n_blocks = len(row_borders) - 1
    masses = np.zeros((min(threads, n_blocks), matrix.n_words), np.int64)

    def counter(own: NDArray[np.int64]) -> Callable[[int], None]:
        def count(block: int) -> None:
            span = matrix.span(row_borders[block], row_borders[block + 1])
            count_columns(matrix.columns, matrix.values, *span, own)

        return count

    _do_blocks(matrix, [counter(own) for own in masses], n_blocks)
    return masses.sum(axis=0)


def _tile_starts(
    matrix: _Matrix, row_borders: NDArray[np.int64], block_of: NDArray[np.int32], n_column_blocks: int, threads: int
) -> NDArray[np.int64]:
    """Cells before every tile, and all."""
    n_blocks = len(row_borders) - 1
    counts = np.zeros((n_blocks, n_column_blocks), np.int64)

    def count(block: int) -> None:
        span = matrix.span(row_borders[block], row_borders[block + 1])
        count_tiles(matrix.columns, matrix.values, *span, block_of, counts[block])

    _do_blocks(matrix, [count] * min(threads, n_blocks), n_blocks)
    return starts_of(counts.ravel())


def _make_file(path: Path, n_bytes: int) -> Path:
    """A file of this size, to be written in parts."""
    with writing(path.parent), open(path, "wb") as file:
        file.truncate(n_bytes)
    return path


def _builder_bytes(tiles: Tiles) -> int:
    """Memory of a builder."""
    kept = TILE_CELL_BYTES * tiles.largest_block if isinstance(tiles.cells, Path) else 0
    return _ITEM_BYTES * (tiles.largest_block + tiles.largest_tile) + kept


class _Builder:
    """A worker: puts the cells of a block of rows into its tiles."""

    def __init__(self, matrix: _Matrix, tiles: Tiles, block_of: NDArray[np.int32], x_max: float, alpha: float) -> None:
        self.matrix, self.tiles, self.block_of = matrix, tiles, block_of
        self.log_x_max, self.alpha = math.log(x_max), float(alpha)
        largest = tiles.largest_block
        self.items, self.spare = np.empty(largest, np.uint64), np.empty(tiles.largest_tile, np.uint64)
        self.n_blocks = _n_blocks(tiles)
        self.free = np.empty(max(SUB_TILES, self.n_blocks), np.int64)
        self.cells = np.empty(3 * largest if isinstance(tiles.cells, Path) else 0, np.uint32)

    def __call__(self, block: int) -> None:
        tiles = self.tiles
        first_tile, end_tile = block * tiles.n_column_blocks, (block + 1) * tiles.n_column_blocks
        begin, end = int(tiles.tile_starts[first_tile]), int(tiles.tile_starts[end_tile])
        borders = tiles.tile_starts[first_tile : end_tile + 1] - begin
        rows = int(tiles.row_borders[block]), int(tiles.row_borders[block + 1])
        part_cells(*self.matrix, *rows, self.block_of, tiles.column_borders, borders[:-1].copy(), self.items)

        if isinstance(tiles.cells, Path):
            self._write_tiles(borders, self.cells)
            with writing(tiles.cells.parent), open(tiles.cells, "r+b") as file:
                file.seek(TILE_CELL_BYTES * begin)
                file.write(self.cells[: 3 * (end - begin)].data)
        else:
            self._write_tiles(borders, tiles.cells[3 * begin : 3 * end])

    def _write_tiles(self, borders: NDArray[np.int64], cells: NDArray[np.uint32]) -> None:
        numbers = cells.view(np.float32)
        write_tiles(
            self.items, borders, self.spare, self.free, self.n_blocks, self.log_x_max, self.alpha, cells, numbers
        )


def _n_blocks(tiles: Tiles) -> int:
    """Numbers that blocks may have in a tile, rounded up to a power of two; 1 if no tile has more than a block."""
    rows, columns = (-(-int(np.diff(borders).max()) // BLOCK) for borders in (tiles.row_borders, tiles.column_borders))
    return 1 if rows == columns == 1 else 1 << (rows * BLOCKS_ACROSS - 1).bit_length()
