"""From a matrix of counts in rows (CSR) to cells in tiles, in the fastest order for training.

A tile is ordered by blocks of 512 x 512 cells, row by row; in these by sub-tiles of 16 x 16, row by row, whose rows
stay in the L1 cache; in these by diagonals, where no two cells share a row, so that no step waits for the one before;
and on a diagonal by rows. A cell's `coord` is its position in the tile, and its `key` its rank in that order. Both have
the same bits:

    coord   row 15 … 9, 8 … 4, 3 … 0                column 15 … 9, 8 … 4, 3 … 0
    key     row 15 … 9, column 15 … 9               row 8 … 4, column 8 … 4       (column - row) 3 … 0, row 3 … 0
"""

import math

import numpy as np

from embedtrain.kernels.compilation import inlined, kernel

BLOCK = 512  # rows, and columns, of a block
BLOCKS_ACROSS = 128  # in a row of the largest tile
_DIAGONAL_BIT, _SUB_TILE_BIT, _BLOCK_BIT = 4, 8, 18  # lowest bits of each in a key
_DIAGONALS, SUB_TILES = 1 << 4, 1 << 10
_VALUE_BITS, _VALUE = 32, np.uint64(0xFFFFFFFF)  # an item is key << 32 | value, the bits of a float32


@inlined
def cell_key(row, column):
    """The key of the cell at (row, column) of its tile, both in [0, 65,536)."""
    block = (row >> 9) << 7 | column >> 9
    sub_tile = (row >> 4 & 31) << 5 | (column >> 4 & 31)
    diagonal = (column - row) & 15
    return block << _BLOCK_BIT | sub_tile << _SUB_TILE_BIT | diagonal << _DIAGONAL_BIT | (row & 15)


@inlined
def cell_coord(key):
    """The coord, row << 16 | column, of the cell with this key."""
    block, sub_tile, diagonal = key >> _BLOCK_BIT, key >> _SUB_TILE_BIT & 1023, key >> _DIAGONAL_BIT & 15
    row = (block >> 7) << 9 | (sub_tile >> 5) << 4 | (key & 15)
    column = (block & 127) << 9 | (sub_tile & 31) << 4 | ((diagonal + row) & 15)
    return row << 16 | column


@kernel
def count_tiles(columns, values, begin, end, block_of, counts):
    """Count the non-zero cells of [begin, end) by the block of their column."""
    for cell in range(begin, end):
        counts[block_of[columns[cell]]] += values[cell] != 0


@kernel
def split_into_tiles(starts, columns, values, first_row, end_row, block_of, column_borders, free, items):
    """Write the non-zero cells of a block of rows as items, tile by tile, row by row in each.

    `free` (n_tiles,) is the index of the next free item of every tile.
    """
    for row in range(first_row, end_row):
        for cell in range(starts[row], starts[row + 1]):
            value = np.float32(values[cell])  # a scalar whose `view` Numba knows
            if value != 0:
                column = np.int64(columns[cell])
                block = np.int64(block_of[column])
                key = cell_key(row - first_row, column - column_borders[block])
                items[free[block]] = np.uint64(key) << np.uint64(_VALUE_BITS) | np.uint64(value.view(np.uint32))
                free[block] += 1


@inlined
def sort_items(items, begin, n, into, to, bit, n_digits, free):
    """Sort n items, items[begin:] to into[to:], by the digit of their keys from `bit` on; ties keep their order.

    A digit is one of `n_digits`, a power of two; `free` (n_digits,) is scratch.
    """
    shift, mask = np.uint64(_VALUE_BITS + bit), np.uint64(n_digits - 1)
    # count each digit, compute where its items start, move the items
    for digit in range(n_digits):
        free[digit] = 0
    for i in range(begin, begin + n):
        free[np.int64(items[i] >> shift & mask)] += 1
    for digit in range(n_digits):
        count = free[digit]
        free[digit] = to
        to += count
    for i in range(begin, begin + n):
        number = np.int64(items[i] >> shift & mask)
        into[free[number]] = items[i]
        free[number] += 1


@inlined
def weigh_items(items, begin, n, log_x_max, alpha, coords, numbers, to):
    """Write the data of n items for training: from coords[to] on all coords, then all log x, then all f(x).

    f(x) = min(1, (x / x_max)^alpha). `numbers` is the same memory as `coords`, as float32.
    """
    for i in range(n):
        value = np.uint32(items[begin + i] & _VALUE)
        log = math.log(np.float64(value.view(np.float32)))
        coords[to + i] = cell_coord(np.int64(items[begin + i] >> np.uint64(_VALUE_BITS)))
        numbers[to + n + i] = log
        numbers[to + 2 * n + i] = math.exp(min(0.0, alpha * (log - log_x_max)))


@kernel
def write_tiles(items, borders, spare, free, n_blocks, log_x_max, alpha, coords, numbers):
    """Sort and weigh the items of each tile, between two `borders`, and write them tile by tile.

    A radix sort from the lowest digit: diagonals, sub-tiles and, if tiles have more than one of `n_blocks` (a power of
    two), blocks. `spare` is scratch for the items of the largest tile, `free` for `SUB_TILES` or `n_blocks` numbers.
    """
    for tile in range(borders.size - 1):
        begin, n = borders[tile], borders[tile + 1] - borders[tile]
        if n == 0:
            continue
        sort_items(items, begin, n, spare, 0, _DIAGONAL_BIT, _DIAGONALS, free)
        sort_items(spare, 0, n, items, begin, _SUB_TILE_BIT, SUB_TILES, free)
        if n_blocks > 1:
            sort_items(items, begin, n, spare, 0, _BLOCK_BIT, n_blocks, free)
            weigh_items(spare, 0, n, log_x_max, alpha, coords, numbers, 3 * begin)
        else:
            weigh_items(items, begin, n, log_x_max, alpha, coords, numbers, 3 * begin)
