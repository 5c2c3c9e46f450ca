"""Operations on blocks, which are flat matrices of many rows and `BLOCK` columns, in vector registers."""

from numba.types import int64, void

from embedtrain.kernels.simd.lanes import (
    ANY,
    FLOATS,
    INT,
    LANES,
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
)

BLOCK = 16  # columns, a cache line
_STEPS = [integer(step) for step in range(0, BLOCK, LANES)]
_CELLS = 2  # at once, as a sum would wait for its last addition
_TILE = REGISTERS // 2 // len(_STEPS)  # rows of a product that fill half of the registers


@emits(void, FLOATS, FLOATS, int64, FLOATS, int64, int64)
def multiply_transposed(b, S, X, x, Y, y, n):
    """S = X' Y for the n elements of rows from X[x] and Y[y] on."""
    for first in range(0, BLOCK, _TILE):

        def add_row(r, sums, first=first):
            own = [load(b, Y, y, r, step) for step in _STEPS]
            others = [splat(b, element(b, X, x, r, integer(first + i))) for i in range(_TILE)]
            pairs = [(other, part) for other in others for part in own]
            return [fma(b, *pair, total) for pair, total in zip(pairs, sums, strict=True)]

        sums = emit_loop(b, integer(0), n, BLOCK, [constant(0)] * (_TILE * len(_STEPS)), add_row)
        for i, total in enumerate(sums):
            store(b, total, S, integer(first * BLOCK + i * LANES))


@emits(void, FLOATS, int64, FLOATS, int64, FLOATS, int64, int64)
def add_product(b, Y, y, X, x, F, f, n):
    """Y += X F for the n elements of rows from Y[y] and X[x] on, and the square matrix from F[f] on."""
    for first in range(0, BLOCK, _TILE):
        factors = [[load(b, F, f, integer((first + i) * BLOCK), step) for step in _STEPS] for i in range(_TILE)]

        def add_row(r, _, first=first, factors=factors):
            sums = [load(b, Y, y, r, step) for step in _STEPS]
            for i, row in enumerate(factors):
                weight = splat(b, element(b, X, x, r, integer(first + i)))
                sums = [fma(b, weight, *pair) for pair in zip(row, sums, strict=True)]
            for step, total in zip(_STEPS, sums, strict=True):
                store(b, total, Y, y, r, step)

        emit_loop(b, integer(0), n, BLOCK, [], add_row)


@emits(void, FLOATS, int64, ANY, ANY, int64, int64, FLOATS)
def multiply_row(b, Y, y, columns, values, begin, end, X):
    """Y[y + e] = sum of values[c] * X[columns[c] * BLOCK + e]  over c in [begin, end), always in the same order."""

    def add_cell(c, sums):
        row = b.mul(b.sext(element(b, columns, c), INT), integer(BLOCK))
        value = splat(b, element(b, values, c))
        return [fma(b, value, load(b, X, row, step), total) for step, total in zip(_STEPS, sums, strict=True)]

    def add_cells(c, sums):
        parts = [sums[k : k + len(_STEPS)] for k in range(0, len(sums), len(_STEPS))]
        return [total for k, part in enumerate(parts) for total in add_cell(b.add(c, integer(k)), part)]

    whole = b.sub(end, b.srem(b.sub(end, begin), integer(_CELLS)))
    sums = emit_loop(b, begin, whole, _CELLS, [constant(0)] * (_CELLS * len(_STEPS)), add_cells)
    for k in range(len(_STEPS), len(sums)):
        sums[k % len(_STEPS)] = add(b, sums[k % len(_STEPS)], sums[k])
    sums = emit_loop(b, whole, end, 1, sums[: len(_STEPS)], add_cell)
    for step, total in zip(_STEPS, sums, strict=True):
        store(b, total, Y, y, step)
