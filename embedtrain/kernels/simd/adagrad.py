"""AdaGrad on two rows: their product, and one step of each along the other.

An element whose sum of squares is infinite is constant: g / sqrt(inf) = 0 and inf + g^2 = inf.
"""

from __future__ import annotations

import math

from numba.types import float32, int64

from embedtrain.kernels.simd.lanes import FLOATS, INT, LANES, constant, emits


@emits(float32, FLOATS, int64, FLOATS, int64, int64)
def dot(b, X, x, Y, y, dim):
    """X[x] Y[y] + … + X[x + dim - 1] Y[y + dim - 1], for whole vectors."""
    sums = b.loop(
        INT(0), dim, LANES, [constant(0)], lambda d, sums: [b.fma(b.load_at(X, x, d), b.load_at(Y, y, d), *sums)]
    )
    return b.sum_vector(*sums)


def _moved(b, x, step, squares):
    """X - step / sqrt(squares), and x where the squares are infinite.

    The flags let LLVM estimate 1 / sqrt with a step of Newton's method on x86, a sixth faster; it gives NaN at
    infinity, where the selection also preserves -0.
    """
    moves = b.fcmp_unordered("!=", squares, constant(math.inf))  # true for NaN
    scaled = b.fdiv(step, b.call_vector("sqrt", squares))
    return b.select(moves, b.fsub(x, scaled), x)


@emits(float32, FLOATS, FLOATS, int64, FLOATS, FLOATS, int64, int64, float32, int64, int64, int64, int64)
def adagrad_step(b, X, X_sums, x, Y, Y_sums, y, dim, g, next_x, next_y, later_x, later_y):
    """X -= g Y / sqrt(X_sums)    Y -= g X / sqrt(Y_sums)    X_sums += (g Y)^2    Y_sums += (g X)^2

    For the `dim` elements, in whole vectors, from `x` on of X and its sums and from `y` on of Y and its sums; the right
    sides have the values from before the step. The four arrays do not overlap.
    Returns the `dot` at `next_x` and `next_y` after the step, and prefetches the elements at `later_x` and `later_y`:
    in one loop, so that the processor computes roots while it waits for the sum of the product.
    """
    rate = b.splat(g)

    def step(d, sums):
        i, j = b.add(x, d), b.add(y, d)
        x_old, y_old = b.load_at(X, i), b.load_at(Y, j)
        x_squares, y_squares = b.load_at(X_sums, i), b.load_at(Y_sums, j)
        x_step, y_step = b.fmul(rate, y_old), b.fmul(rate, x_old)
        # The sums first: a store next to the load from the same place becomes a slower one with a mask.
        b.store_at(b.fma(x_step, x_step, x_squares), X_sums, i)
        b.store_at(b.fma(y_step, y_step, y_squares), Y_sums, j)
        b.store_at(_moved(b, x_old, x_step, x_squares), X, i)
        b.store_at(_moved(b, y_old, y_step, y_squares), Y, j)
        for table, later in ((X, later_x), (X_sums, later_x), (Y, later_y), (Y_sums, later_y)):
            b.prefetch_line(table, b.add(later, d))
        return [b.fma(b.load_at(X, next_x, d), b.load_at(Y, next_y, d), *sums)]

    return b.sum_vector(*b.loop(INT(0), dim, LANES, [constant(0)], step))
