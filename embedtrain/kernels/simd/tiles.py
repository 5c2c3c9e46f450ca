"""Register tiles: products of a few table rows in vector registers, for the arithmetic between many rows.

The shape of the tiles depends on the target: their sums, with the rows in use, fill its registers.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.types import int64, void

from embedtrain.kernels.simd.lanes import (
    FLOATS,
    INT32,
    LANES,
    OFFSETS,
    REGISTERS,
    add,
    constant,
    element,
    emit_loop,
    emits,
    fma,
    integer,
    load,
    splat,
    store,
    sum_lanes,
    switch_width,
)

#: Rows of one operand in a tile, and the granularity of every list of rows.
ROWS = 4
#: Rows of the other operand of `dot_tile`.
COLUMNS = 4 if REGISTERS == 32 else 2
#: Vectors of each row in `add_tile`.
VECTORS = 4 if REGISTERS == 32 else 2
#: The most elements of each row in `add_tile`.
SLICE = VECTORS * LANES


def _dots(rows: int, columns: int) -> Any:
    """Make the intrinsic that multiplies `rows` rows of X by `columns` of Y."""

    @emits(void, FLOATS, OFFSETS, int64, FLOATS, OFFSETS, int64, int64, FLOATS, int64, int64)
    def dots(b, X, x_rows, i, Y, y_rows, k, dim, S, s, stride):
        xs = [element(b, x_rows, i, integer(r)) for r in range(rows)]
        ys = [element(b, y_rows, k, integer(c)) for c in range(columns)]

        def multiply_rows(d, sums):
            y = [load(b, Y, start, d) for start in ys]
            x = [load(b, X, start, d) for start in xs]
            return [fma(b, x[r], y[c], sums[r * columns + c]) for r in range(rows) for c in range(columns)]

        sums = emit_loop(b, integer(0), dim, LANES, [constant(0)] * (rows * columns), multiply_rows)
        for first in range(0, rows * columns, LANES):
            scores = sum_lanes(b, sums[first : first + LANES])  # of one row after the other
            for lane in range(0, LANES, columns):
                picked = ir.Constant(ir.VectorType(INT32, columns), list(range(lane, lane + columns)))
                row = integer((first + lane) // columns)
                store(b, b.shuffle_vector(scores, scores, picked), S, s, b.mul(row, stride))

    return dots


#: S[s + r * stride + c] = X[x_rows[i + r]] . Y[y_rows[k + c]]  for `ROWS` values of r and `COLUMNS` of c.
dot_tile = _dots(ROWS, COLUMNS)
#: The same for one row of X and `LANES` of Y.
dot_row = _dots(1, LANES)


@emits(void, FLOATS, OFFSETS, int64, int64, int64, FLOATS, int64, int64, int64, FLOATS, OFFSETS, int64, int64, int64)
def add_tile(b, Y, y_rows, k, d, n_vectors, G, g, row_step, term_step, X, x_rows, n_first, begin, end):
    """Y[y_rows[k + r] + e] += sum over terms t of G[g + r * row_step + t * term_step] * X[x_rows[t] + e].

    For `ROWS` rows r, the terms [0, n_first) and [begin, end), and the elements e of `n_vectors` (1 to `VECTORS`)
    vectors from d on. Rows are read and written in sequence, so a row that is listed twice receives both sums.
    """
    ys = [b.add(element(b, y_rows, k, integer(r)), d) for r in range(ROWS)]
    gs = [b.add(g, b.mul(row_step, integer(r))) for r in range(ROWS)]

    def emit(steps):
        def accumulate(t, sums):
            start = b.add(element(b, x_rows, t), d)
            x = [load(b, X, start, step) for step in steps]
            at = b.mul(t, term_step)
            weights = (splat(b, element(b, G, g, at)) for g in gs)
            return [fma(b, w, x[v], sums[r * len(steps) + v]) for r, w in enumerate(weights) for v in range(len(steps))]

        sums = emit_loop(b, integer(0), n_first, 1, [constant(0)] * (ROWS * len(steps)), accumulate)
        sums = emit_loop(b, begin, end, 1, sums, accumulate)
        for r, y in enumerate(ys):
            for v, step in enumerate(steps):
                store(b, add(b, load(b, Y, y, step), sums[r * len(steps) + v]), Y, y, step)

    switch_width(b, n_vectors, VECTORS, emit)
