"""AdaGrad on two rows: their product, and one step of each along the other.

An element whose sum of squares is infinite is constant: g / sqrt(inf) = 0 and inf + g^2 = inf.
"""

from __future__ import annotations

import math

from numba.types import float32, int64, void

from embedtrain.kernels.simd.lanes import (
    FLAGS,
    FLOATS,
    INT,
    LANES,
    add,
    call_vector,
    constant,
    emit_loop,
    emits,
    fma,
    integer,
    load,
    multiply,
    splat,
    store,
    sum_vector,
)

_SUMS = 4  # partial sums of a product, since an addition waits for the one before


@emits(float32, FLOATS, int64, FLOATS, int64, int64)
def dot(b, X, x, Y, y, dim):
    """X[x] Y[y] + … + X[x + dim - 1] Y[y + dim - 1], for whole vectors."""

    def multiply_rows(d, sums):
        at = [b.add(d, integer(k * LANES)) for k in range(len(sums))]
        return [fma(b, load(b, X, x, k), load(b, Y, y, k), total) for k, total in zip(at, sums, strict=True)]

    step = _SUMS * LANES
    whole = b.and_(dim, INT(-step))
    sums = emit_loop(b, integer(0), whole, step, [constant(0)] * _SUMS, multiply_rows)
    sums[:1] = emit_loop(b, whole, dim, LANES, sums[:1], multiply_rows)  # the rest
    while len(sums) > 1:
        sums = [add(b, *sums[k : k + 2]) for k in range(0, len(sums), 2)]
    return sum_vector(b, sums[0])


def _moved(b, x, step, squares):
    """X - step / sqrt(squares), and x where the squares are infinite.

    The flags let LLVM estimate 1 / sqrt with a step of Newton's method on x86, a sixth faster; it gives NaN at
    infinity, where the selection also preserves -0.
    """
    moves = b.fcmp_unordered("!=", squares, constant(math.inf))  # true for NaN
    scaled = b.fdiv(step, call_vector(b, "sqrt", squares), flags=FLAGS)
    return b.select(moves, b.fsub(x, scaled, flags=FLAGS), x)


@emits(void, FLOATS, FLOATS, int64, FLOATS, FLOATS, int64, int64, float32)
def adagrad_step(b, X, X_sums, x, Y, Y_sums, y, dim, g):
    """X -= g Y / sqrt(X_sums)    Y -= g X / sqrt(Y_sums)    X_sums += (g Y)^2    Y_sums += (g X)^2

    For the `dim` elements, in whole vectors, from `x` on of X and its sums and from `y` on of Y and its sums; the right
    sides have the values from before the step. The four arrays do not overlap.
    """
    rate = splat(b, g)

    def step(d, _):
        i, j = b.add(x, d), b.add(y, d)
        x_old, y_old = load(b, X, i), load(b, Y, j)
        x_squares, y_squares = load(b, X_sums, i), load(b, Y_sums, j)
        x_step, y_step = multiply(b, rate, y_old), multiply(b, rate, x_old)
        store(b, _moved(b, x_old, x_step, x_squares), X, i)
        store(b, _moved(b, y_old, y_step, y_squares), Y, j)
        store(b, fma(b, x_step, x_step, x_squares), X_sums, i)
        store(b, fma(b, y_step, y_step, y_squares), Y_sums, j)

    emit_loop(b, integer(0), dim, LANES, [], step)
