"""Register tiles: products of a few table rows, held in vector registers, as LLVM IR.

The heavy arithmetic between many rows, in place. The shape of the tiles follows the target.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from embedtrain.kernels.simd.lanes import (
    FLAGS,
    FLOATS,
    LANES,
    OFFSETS,
    REGISTERS,
    call_vector,
    constant,
    data_of,
    element,
    fold,
    integer,
    load,
    splat,
    store,
    sum_lanes,
    switch_width,
)

#: Rows of one operand that a tile holds, and the granularity of every list of rows.
ROWS = 4
#: Rows of the other operand of `dot_tile`: with `ROWS` and the operands themselves they fill the registers.
COLUMNS = 4 if REGISTERS == 32 else 2
#: Vectors of each row that `add_tile` holds.
VECTORS = 4 if REGISTERS == 32 else 2
#: Elements of each row that `add_tile` holds at most.
SLICE = VECTORS * LANES


def _dots(rows: int, columns: int) -> Any:
    """The typing function of an intrinsic that multiplies so many rows by so many others."""

    def dots(typing, X, x_rows, i, Y, y_rows, k, dim, S, s, stride):
        signature = types.void(
            FLOATS, OFFSETS, types.int64, FLOATS, OFFSETS, types.int64, types.int64, FLOATS, types.int64, types.int64
        )

        def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
            X, x_rows, i, Y, y_rows, k, dim, S, s, stride = arguments
            X, Y, S = (data_of(context, builder, FLOATS, array) for array in (X, Y, S))
            x_rows, y_rows = (data_of(context, builder, OFFSETS, array) for array in (x_rows, y_rows))
            xs = [element(builder, x_rows, builder.add(i, integer(r))) for r in range(rows)]
            ys = [element(builder, y_rows, builder.add(k, integer(c))) for c in range(columns)]

            def multiply(d: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
                y = [load(builder, Y, builder.add(start, d)) for start in ys]
                x = [load(builder, X, builder.add(start, d)) for start in xs]
                return [
                    call_vector(builder, "fmuladd", x[r], y[c], sums[r * columns + c])
                    for r in range(rows)
                    for c in range(columns)
                ]

            sums = fold(builder, integer(0), dim, LANES, [constant(0)] * (rows * columns), multiply)
            for first in range(0, rows * columns, LANES):
                dots = sum_lanes(builder, sums[first : first + LANES])
                for lane in range(0, LANES, columns):
                    picked = ir.Constant(ir.VectorType(ir.IntType(32), columns), list(range(lane, lane + columns)))
                    row = (first + lane) // columns
                    at = builder.add(s, builder.mul(integer(row), stride))
                    store(builder, builder.shuffle_vector(dots, dots, picked), S, at)
            return context.get_dummy_value()

        return signature, generate

    return dots


#: S[s + r * stride + c] = X[x_rows[i + r]] . Y[y_rows[k + c]]  for `ROWS` values of r and `COLUMNS` of c.
dot_tile = intrinsic(_dots(ROWS, COLUMNS))
#: The same for one row of X and `LANES` of Y.
dot_row = intrinsic(_dots(1, LANES))


@intrinsic
def add_tile(typing, Y, y_rows, k, d, n_vectors, G, g, row_step, term_step, X, x_rows, n_first, begin, end):
    """Y[y_rows[k + r] + e] += sum over terms t of G[g + r * row_step + t * term_step] * X[x_rows[t] + e].

    For `ROWS` rows r, the terms [0, n_first) and [begin, end), and the elements e of `n_vectors` (1 to `VECTORS`)
    vectors from d on. Rows are read and written one after the other, so a row that is listed twice receives both sums.
    """
    int64 = types.int64
    signature = types.void(
        FLOATS, OFFSETS, int64, int64, int64, FLOATS, int64, int64, int64, FLOATS, OFFSETS, int64, int64, int64
    )

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        Y, y_rows, k, d, n_vectors, G, g, row_step, term_step, X, x_rows, n_first, begin, end = arguments
        Y, G, X = (data_of(context, builder, FLOATS, array) for array in (Y, G, X))
        y_rows, x_rows = (data_of(context, builder, OFFSETS, array) for array in (y_rows, x_rows))
        ys = [builder.add(element(builder, y_rows, builder.add(k, integer(r))), d) for r in range(ROWS)]
        gs = [builder.add(g, builder.mul(row_step, integer(r))) for r in range(ROWS)]

        def emit(width: int) -> None:
            steps = [integer(v * LANES) for v in range(width)]

            def accumulate(t: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
                start = builder.add(element(builder, x_rows, t), d)
                x = [load(builder, X, builder.add(start, step)) for step in steps]
                at = builder.mul(t, term_step)
                result = []
                for r in range(ROWS):
                    weight = splat(builder, element(builder, G, builder.add(gs[r], at)))
                    result += [call_vector(builder, "fmuladd", weight, x[v], sums[r * width + v]) for v in range(width)]
                return result

            sums = fold(builder, integer(0), n_first, 1, [constant(0)] * (ROWS * width), accumulate)
            sums = fold(builder, begin, end, 1, sums, accumulate)
            for r in range(ROWS):
                for v, step in enumerate(steps):
                    at = builder.add(ys[r], step)
                    store(builder, builder.fadd(load(builder, Y, at), sums[r * width + v], flags=FLAGS), Y, at)

        switch_width(builder, n_vectors, VECTORS, emit)
        return context.get_dummy_value()

    return signature, generate
