"""Register tiles: the arithmetic between a few input rows X and many output rows Y, in vector registers.

Scores and coefficients of (input, output) pairs are stored output by output: those of output k with all `n` inputs of
a tile start at k * n. The shape of tiles depends on the target: their sums, with the rows in use, fill its registers.
"""

from __future__ import annotations

from typing import Any

from numba.types import int64, void

from embedtrain.kernels.simd.lanes import FLOATS, INT, LANES, OFFSETS, REGISTERS, constant, emits
from embedtrain.kernels.simd.rows import ROW_VECTORS

#: Input rows of a tile.
ROWS = 4
#: Output rows of `dot_tile`; a list of outputs is padded to a multiple.
COLUMNS = 4 if REGISTERS == 32 else 2
#: Vectors of each row that are in registers at once in `exchange_tile`.
TILE_VECTORS = 4 if REGISTERS == 32 else 2


def _dots(rows: int, columns: int) -> Any:
    """Make the intrinsic that multiplies `rows` input rows by `columns` output rows."""

    @emits(void, FLOATS, OFFSETS, FLOATS, OFFSETS, int64, int64, FLOATS)
    def dots(b, X, x_rows, Y, y_rows, k, dim, S):
        xs = [b.element(x_rows, INT(r)) for r in range(rows)]
        ys = [b.element(y_rows, k, INT(c)) for c in range(columns)]

        def multiply_rows(d, sums):
            x = [b.load_at(X, start, d) for start in xs]
            y = [b.load_at(Y, start, d) for start in ys]
            return [b.fma(x[r], y[c], sums[c * rows + r]) for c in range(columns) for r in range(rows)]

        sums = b.loop(INT(0), dim, LANES, [constant(0)] * (rows * columns), multiply_rows)
        start = b.mul(k, INT(rows))
        for first in range(0, rows * columns, LANES):
            b.store_at(b.sum_lanes(sums[first : first + LANES]), S, start, INT(first))

    return dots


#: S[k * ROWS + …] = X[x_rows[r]] . Y[y_rows[k + c]]  for `COLUMNS` values of c and, for each, `ROWS` of r.
dot_tile = _dots(ROWS, COLUMNS)
#: S[k + c] = X[x_rows[0]] . Y[y_rows[k + c]]  for `LANES` values of c.
dot_row = _dots(1, LANES)


def _exchange(rows: int, most_vectors: int, *, fixed: bool = False) -> Any:
    """Make the intrinsic that updates `rows` input rows and, if not `fixed`, the output rows in one pass over these."""

    @emits(void, FLOATS, OFFSETS, FLOATS, OFFSETS, FLOATS, OFFSETS, int64, FLOATS, FLOATS, FLOATS, int64, int64)
    def exchange(b, E, e_rows, X, x_rows, Y, y_rows, n, G, M, m_weights, d, n_vectors):
        es, xs = ([b.add(b.element(offsets, INT(r)), d) for r in range(rows)] for offsets in (e_rows, x_rows))

        def emit(steps):
            x = [[b.load_at(X, start, step) for step in steps] for start in xs]

            def exchange_row(k, sums):
                row, first = b.add(b.element(y_rows, k), d), b.mul(k, INT(rows))
                g = [b.splat(b.element(G, first, INT(r))) for r in range(rows)]
                y = [b.load_at(Y, row, step) for step in steps]
                sums = [b.fma(g[r], y[v], sums[r * len(steps) + v]) for r in range(rows) for v in range(len(steps))]
                for r in range(0 if fixed else rows):
                    y = [b.fma(g[r], x[r][v], y[v]) for v in range(len(steps))]
                for v, step in enumerate(() if fixed else steps):
                    b.store_at(y[v], Y, row, step)
                return sums

            mean = [b.load_at(M, d, step) for step in steps]
            weights = [b.splat(b.element(m_weights, INT(r))) for r in range(rows)]
            sums = [b.fmul(weight, part) for weight in weights for part in mean]
            sums = b.loop(INT(0), n, 1, sums, exchange_row)
            for r, e in enumerate(es):
                for v, step in enumerate(steps):
                    b.store_at(b.fadd(b.load_at(E, e, step), sums[r * len(steps) + v]), E, e, step)

        b.switch_width(n_vectors, most_vectors, emit)

    return exchange


#: E[e_rows[r] + e] += sum over k of G[k * ROWS + r] * Y[y_rows[k] + e] + m_weights[r] * M[e],
#: Y[y_rows[k] + e] += sum over r of G[k * ROWS + r] * X[x_rows[r] + e]  for k in [0, n), in order, and `ROWS` rows r.
#: For the elements e of `n_vectors` (1 to `TILE_VECTORS`) vectors from d on; each Y before its update.
exchange_tile = _exchange(ROWS, TILE_VECTORS)
#: The same with Y as it is.
exchange_fixed_tile = _exchange(ROWS, TILE_VECTORS, fixed=True)
#: The same for one row r, with at most `ROW_VECTORS` vectors.
exchange_row = _exchange(1, ROW_VECTORS)
