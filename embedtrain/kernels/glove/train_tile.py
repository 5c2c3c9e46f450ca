"""GloVe: weighted least squares on the logarithms of co-occurrence counts, cell by cell, with AdaGrad.

Pennington, Socher and Manning (2014), "GloVe: Global Vectors for Word Representation", minimise

    sum over cells (i, j) of 1/2 f(X_ij) (w_i . c_j + b_i + b~_j - log X_ij)^2    f(x) = min(1, (x / x_max)^alpha)

over word vectors w, context vectors c and their biases b and b~. Here a row also has the bias and a constant 1, so that
the product of two rows is w_i . c_j + b_i + b~_j:

    W_i = (w_i, b_i, 1, 0, …)    C_j = (c_j, 1, b~_j, 0, …)
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined, kernel
from embedtrain.kernels.integers import maximum, minimum
from embedtrain.kernels.simd.adagrad import adagrad_step, dot

_AHEAD = 1024  # elements of each table, whose steps take about as long as fetching a row
_MAX_G = np.float32(1)  # no step is longer than the other row, else training on huge counts diverges


class Cells(NamedTuple):
    """Non-zero cells of the matrix of counts, of one tile or of several."""

    coords: NDArray[np.uint32]  # (n,) row << 16 | column, both counted from the tile's first
    logs: NDArray[np.float32]  # (n,) log x
    weights: NDArray[np.float32]  # (n,) f(x)


@inlined
def row_offsets(coord, first_row, first_column, dim):
    """The row offsets of a cell in W and in C."""
    coord = np.int64(coord)
    return (first_row + (coord >> 16)) * dim, (first_column + (coord & 0xFFFF)) * dim


@kernel
def train_tile(W, W_sums, C, C_sums, cells, first_row, first_column, dim, lr):
    """Take one step of AdaGrad on each of the cells of a tile, in sequence.

    e = W_i . C_j - log x    g = lr f(x) e, clipped to [-1, 1]
    W_i -= g C_j / sqrt(W_sums_i)    C_j -= g W_i / sqrt(C_sums_j)    W_sums_i += (g C_j)^2    C_sums_j += (g W_i)^2

    The sums start at 1, and at infinity for constant elements; they include `lr`, as in Stanford's program.
    Rows have `dim` elements with padding. With lr = 0 no byte changes.
    Returns the cost, the sum of 1/2 f(x) e^2, each term before its step; not finite if the tables are not.
    """
    coords, logs, weights = cells
    cost, last, ahead = 0.0, coords.size - 1, maximum(2, _AHEAD // dim)
    if last < 0:
        return cost
    i, j = row_offsets(coords[0], first_row, first_column, dim)
    product = dot(W, i, C, j, dim)
    for cell in range(coords.size):
        e = product - logs[cell]
        cost += 0.5 * weights[cell] * np.float64(e) * e
        # the step, and the product of the next cell
        next_i, next_j = row_offsets(coords[minimum(cell + 1, last)], first_row, first_column, dim)
        if lr != 0:
            g = min(max(lr * weights[cell] * e, -_MAX_G), _MAX_G)
            later = row_offsets(coords[minimum(cell + ahead, last)], first_row, first_column, dim)
            product = adagrad_step(W, W_sums, i, C, C_sums, j, dim, g, next_i, next_j, *later)
        else:
            product = dot(W, next_i, C, next_j, dim)
        i, j = next_i, next_j
    return cost
