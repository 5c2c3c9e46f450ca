"""Sparse matrices in compressed rows: weights, transposes and products; and products of blocks."""

from math import log, log1p

import numpy as np

from embedtrain.kernels.compilation import kernel
from embedtrain.kernels.integers import minimum
from embedtrain.kernels.simd.lanes import LANES
from embedtrain.kernels.simd.rows import BLOCK, ROW_VECTORS, add_product, multiply_row, multiply_transposed

ROWS = 128  # at once: their products are summed in float32


@kernel
def weigh_rows(starts, columns, values, row_weights, column_weights, logarithm, begin, end, kept, weighed, lengths):
    """Multiply the cells of the rows [begin, end) by weights, and keep those above 0; returns their number.

    With `logarithm` 1, that of a count + 1 is multiplied; with 2, the result is that of the product.
    """
    n = 0
    for row in range(begin, end):
        first = n
        for cell in range(starts[row], starts[row + 1]):
            count = np.float64(values[cell])
            value = log1p(count) if logarithm == 1 else count
            value *= row_weights[row] * column_weights[columns[cell]]
            if value > (logarithm == 2):
                kept[n], weighed[n] = columns[cell], log(value) if logarithm == 2 else value
                n += 1
        lengths[row - begin] = n - first
    return n


@kernel
def multiply_rows(starts, columns, values, X, Y, width, begin, end):
    """Y[i] = sum of values * X[columns] over the cells of row i, for i in [begin, end), always in the same order.

    X and Y are flat, with rows of `width` elements, whole vectors.
    """
    step = LANES * ROW_VECTORS
    for row in range(begin, end):
        for d in range(0, width, step):
            n_vectors = minimum(width - d, step) // LANES
            multiply_row(Y, row * width, columns, values, starts[row], starts[row + 1], X, width, d, n_vectors)


@kernel
def transpose_columns(starts, columns, values, begin, end, following, own_columns, own_values):
    """Copy the cells of the columns [begin, end), column by column, each by its rows.

    Column j starts at following[j - begin], which is advanced to its end. Columns ascend in each row.
    """
    for row in range(starts.size - 1):
        low, high = starts[row], starts[row + 1]
        last = high
        while low < high:  # the first cell from column `begin` on
            middle = (low + high) // 2
            if columns[middle] < begin:
                low = middle + 1
            else:
                high = middle
        while low < last and columns[low] < end:
            at = following[columns[low] - begin]
            following[columns[low] - begin] = at + 1
            own_columns[at], own_values[at] = row, values[low]
            low += 1


@kernel
def add_inner_products(blocks, Y, begin, end, part, sums):
    """sums[k] += X' Y for each of the blocks X, and their rows [begin, end); `part` is scratch for a product."""
    for k in range(sums.shape[0]):
        for row in range(begin, end, ROWS):
            n = (minimum(row + ROWS, end) - row) * BLOCK
            multiply_transposed(part, blocks, k * Y.size + row * BLOCK, Y, row * BLOCK, n)
            for i in range(part.size):
                sums[k, i] += part[i]


@kernel
def multiply_blocks(blocks, factors, Y, begin, end, part):
    """Y = the sum of X F over the blocks X and their factors F, for the rows [begin, end); Y may be one of the blocks.

    `part` is scratch for `ROWS` rows.
    """
    for row in range(begin, end, ROWS):
        n = (minimum(row + ROWS, end) - row) * BLOCK
        for i in range(n):
            part[i] = 0
        for k in range(blocks.size // Y.size):
            add_product(part, 0, blocks, k * Y.size + row * BLOCK, factors, k * BLOCK * BLOCK, n)
        for i in range(n):
            Y[row * BLOCK + i] = part[i]
