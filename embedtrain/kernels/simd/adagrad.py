"""AdaGrad between two rows: their product, and one step of each along the other, as LLVM IR.

An element whose sum of squares is infinite never moves, not by a bit: g / sqrt(inf) = 0 and inf + g^2 = inf.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from embedtrain.kernels.simd.lanes import (
    FLAGS,
    FLOATS,
    INT,
    LANES,
    call_vector,
    constant,
    data_of,
    fold,
    integer,
    load,
    splat,
    store,
    sum_vector,
)

_SUMS = 4  # of a product at once: of each, an addition waits for the one before


@intrinsic
def dot(typing, X, x, Y, y, dim):
    """X[x] Y[y] + … + X[x + dim - 1] Y[y + dim - 1], for whole vectors."""
    signature = types.float32(FLOATS, types.int64, FLOATS, types.int64, types.int64)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        X, x, Y, y, dim = arguments
        X, Y = (data_of(context, builder, FLOATS, array) for array in (X, Y))

        def multiply(d: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
            at = [builder.add(d, integer(k * LANES)) for k in range(len(sums))]
            products = ((load(builder, X, builder.add(x, k)), load(builder, Y, builder.add(y, k))) for k in at)
            return [
                call_vector(builder, "fmuladd", *factors, total) for factors, total in zip(products, sums, strict=True)
            ]

        step = _SUMS * LANES
        whole = builder.and_(dim, ir.Constant(INT, -step))
        sums = fold(builder, integer(0), whole, step, [constant(0)] * _SUMS, multiply)
        sums[:1] = fold(builder, whole, dim, LANES, sums[:1], multiply)
        while len(sums) > 1:
            sums = [builder.fadd(*sums[k : k + 2], flags=FLAGS) for k in range(0, len(sums), 2)]
        return sum_vector(builder, sums[0])

    return signature, generate


def _moved(builder: ir.IRBuilder, x: ir.Value, step: ir.Value, squares: ir.Value) -> ir.Value:
    """The moved x: x - step / sqrt(squares), and x where the squares are infinite.

    The flags permit LLVM what it does on x86: an estimate of 1 / sqrt and a step of Newton's, a sixth faster as a
    whole, and no number at infinity; there, the choice is also what keeps a -0.
    """
    moves = builder.fcmp_unordered("!=", squares, constant(math.inf))  # of what is not a number, too
    scaled = builder.fdiv(step, call_vector(builder, "sqrt", squares), flags=FLAGS)
    return builder.select(moves, builder.fsub(x, scaled, flags=FLAGS), x)


@intrinsic
def adagrad_step(typing, X, X_sums, x, Y, Y_sums, y, dim, g):
    """X -= g Y / sqrt(X_sums)    Y -= g X / sqrt(Y_sums)    X_sums += (g Y)^2    Y_sums += (g X)^2

    For the `dim` elements, in whole vectors, from `x` on of X and its sums and from `y` on of Y and its sums. What is
    right of the signs are the values from before the step. The four arrays do not overlap.
    """
    rows = (FLOATS, FLOATS, types.int64)
    signature = types.void(*rows, *rows, types.int64, types.float32)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        X, X_sums, x, Y, Y_sums, y, dim, g = arguments
        X, X_sums, Y, Y_sums = (data_of(context, builder, FLOATS, array) for array in (X, X_sums, Y, Y_sums))
        rate = splat(builder, g)

        def move(d: ir.Value, _: list[ir.Value]) -> list[ir.Value]:
            i, j = builder.add(x, d), builder.add(y, d)
            x_old, y_old = load(builder, X, i), load(builder, Y, j)
            x_squares, y_squares = load(builder, X_sums, i), load(builder, Y_sums, j)
            x_step, y_step = (builder.fmul(rate, other, flags=FLAGS) for other in (y_old, x_old))
            store(builder, _moved(builder, x_old, x_step, x_squares), X, i)
            store(builder, _moved(builder, y_old, y_step, y_squares), Y, j)
            store(builder, call_vector(builder, "fmuladd", x_step, x_step, x_squares), X_sums, i)
            store(builder, call_vector(builder, "fmuladd", y_step, y_step, y_squares), Y_sums, j)
            return []

        fold(builder, integer(0), dim, LANES, [], move)
        return context.get_dummy_value()

    return signature, generate
