"""Operations on rows: one row with many others in vector registers, copies, and prefetches."""

from __future__ import annotations

from numba.types import float32, int64, void

from embedtrain.kernels.simd.lanes import ANY, CACHE_LINE, FLOATS, INT, LANES, OFFSETS, REGISTERS, constant, emits

#: Vectors of a row in registers at once; those of three rows fill the registers.
ROW_VECTORS = 8 if REGISTERS == 32 else 4
BLOCK = 16  # elements of a row of a block, a cache line
_STEPS = [INT(step) for step in range(0, BLOCK, LANES)]
_TILE = REGISTERS // 2 // len(_STEPS)  # rows of a product that fill half of the registers


# --- One row and many -------------------------------------------------------------------------------------------------


def _loop_around(b, begin, skip, end, initial, body):
    """`b.loop` over [begin, end) without `skip`."""
    before = b.loop(begin, skip, 1, initial, body)
    return b.loop(b.add(skip, INT(1)), end, 1, before, body)


@emits(void, FLOATS, int64, int64, int64, float32, FLOATS, OFFSETS, int64, int64, int64)
def sum_rows(b, Y, y, d, n_vectors, weight, X, x_rows, begin, skip, end):
    """Y[y + e] = weight * sum of X[x_rows[k] + e]  over k in [begin, skip) and [skip + 1, end).

    For the elements e of `n_vectors` (1 to `ROW_VECTORS`) vectors from d on.
    """
    start, weights = b.add(y, d), b.splat(weight)

    def emit(steps):
        def accumulate(k, sums):
            row = b.add(b.element(x_rows, k), d)
            x = [b.load_at(X, row, step) for step in steps]
            return [b.fadd(*terms) for terms in zip(sums, x, strict=True)]

        sums = _loop_around(b, begin, skip, end, [constant(0)] * len(steps), accumulate)
        for step, total in zip(steps, sums, strict=True):
            b.store_at(b.fmul(weights, total), Y, start, step)

    b.switch_width(n_vectors, ROW_VECTORS, emit)


@emits(void, FLOATS, OFFSETS, int64, int64, int64, int64, int64, float32, FLOATS, int64)
def add_to_rows(b, Y, y_rows, begin, skip, end, d, n_vectors, weight, X, x):
    """Y[y_rows[k] + e] += weight * X[x + e]  for k in [begin, skip) and [skip + 1, end), in order.

    For the elements e of `n_vectors` (1 to `ROW_VECTORS`) vectors from d on.
    """
    start, weights = b.add(x, d), b.splat(weight)

    def emit(steps):
        x = [b.load_at(X, start, step) for step in steps]
        x = [b.fmul(weights, part) for part in x]

        def add_row(k, _):
            row = b.add(b.element(y_rows, k), d)
            for step, part in zip(steps, x, strict=True):
                b.store_at(b.fadd(b.load_at(Y, row, step), part), Y, row, step)

        _loop_around(b, begin, skip, end, [], add_row)

    b.switch_width(n_vectors, ROW_VECTORS, emit)


@emits(void, FLOATS, int64, ANY, ANY, int64, int64, FLOATS, int64, int64, int64)
def multiply_row(b, Y, y, columns, values, begin, end, X, width, d, n_vectors):
    """Y[y + e] = sum of values[c] * X[columns[c] * width + e]  over c in [begin, end), always in the same order.

    For the elements e of `n_vectors` (1 to `ROW_VECTORS`) vectors from d on.
    """
    start, even = b.add(y, d), b.sub(end, b.srem(b.sub(end, begin), INT(2)))

    def emit(steps):
        def add_cell(c, sums):
            row = b.add(b.mul(b.sext(b.element(columns, c), INT), width), d)
            value = b.splat(b.element(values, c))
            return [b.fma(value, b.load_at(X, row, step), total) for step, total in zip(steps, sums, strict=True)]

        def add_two(c, sums):  # to sums of their own, as one would wait for its last addition
            return add_cell(c, sums[: len(steps)]) + add_cell(b.add(c, INT(1)), sums[len(steps) :])

        sums = b.loop(begin, even, 2, [constant(0)] * (2 * len(steps)), add_two)
        pairs = zip(sums[: len(steps)], sums[len(steps) :], strict=True)
        sums = b.loop(even, end, 1, [b.fadd(*pair) for pair in pairs], add_cell)
        for step, total in zip(steps, sums, strict=True):
            b.store_at(total, Y, start, step)

    b.switch_width(n_vectors, ROW_VECTORS, emit)


# --- Blocks: many rows of `BLOCK` elements ----------------------------------------------------------------------------


@emits(void, FLOATS, FLOATS, int64, FLOATS, int64, int64)
def multiply_transposed(b, S, X, x, Y, y, n):
    """S = X' Y for the n elements of rows from X[x] and Y[y] on."""
    for first in range(0, BLOCK, _TILE):

        def add_row(r, sums, first=first):
            own = [b.load_at(Y, y, r, step) for step in _STEPS]
            others = [b.splat(b.element(X, x, r, INT(first + i))) for i in range(_TILE)]
            pairs = [(other, part) for other in others for part in own]
            return [b.fma(*pair, total) for pair, total in zip(pairs, sums, strict=True)]

        sums = b.loop(INT(0), n, BLOCK, [constant(0)] * (_TILE * len(_STEPS)), add_row)
        for i, total in enumerate(sums):
            b.store_at(total, S, INT(first * BLOCK + i * LANES))


@emits(void, FLOATS, int64, FLOATS, int64, FLOATS, int64, int64)
def add_product(b, Y, y, X, x, F, f, n):
    """Y += X F for the n elements of rows from Y[y] and X[x] on, and the square matrix from F[f] on."""
    for first in range(0, BLOCK, _TILE):
        factors = [[b.load_at(F, f, INT((first + i) * BLOCK), step) for step in _STEPS] for i in range(_TILE)]

        def add_row(r, _, first=first, factors=factors):
            sums = [b.load_at(Y, y, r, step) for step in _STEPS]
            for i, row in enumerate(factors):
                weight = b.splat(b.element(X, x, r, INT(first + i)))
                sums = [b.fma(weight, *pair) for pair in zip(row, sums, strict=True)]
            for step, total in zip(_STEPS, sums, strict=True):
                b.store_at(total, Y, y, r, step)

        b.loop(INT(0), n, BLOCK, [], add_row)


# --- Copies and prefetches --------------------------------------------------------------------------------------------


@emits(void, FLOATS, int64, float32, FLOATS, int64, int64)
def add_row(b, Y, y, weight, X, x, dim):
    """Y[y + d] += weight * X[x + d]  for d in [0, dim)."""
    weights = b.splat(weight)

    def step(d, _):
        b.store_at(b.fma(weights, b.load_at(X, x, d), b.load_at(Y, y, d)), Y, y, d)

    b.loop(INT(0), dim, LANES, [], step)


@emits(void, FLOATS, float32, FLOATS, int64, int64)
def move_towards(b, M, rate, X, x, dim):
    """M[d] += rate * (X[x + d] - M[d])  for d in [0, dim)."""
    rates = b.splat(rate)

    def step(d, _):
        before = b.load_at(M, d)
        b.store_at(b.fma(rates, b.fsub(b.load_at(X, x, d), before), before), M, d)

    b.loop(INT(0), dim, LANES, [], step)


@emits(void, FLOATS, int64, FLOATS, int64, int64)
def copy_row(b, Y, y, X, x, dim):
    """Y[y + d] = X[x + d]  for d in [0, dim)."""
    b.loop(INT(0), dim, LANES, [], lambda d, _: b.store_at(b.load_at(X, x, d), Y, y, d))


@emits(void, FLOATS, int64, int64, float32)
def fill(b, X, x, n, value):
    """X[x + d] = value  for d in [0, n), n rounded up to whole vectors."""
    values = b.splat(value)
    b.loop(x, b.add(x, n), LANES, [], lambda at, _: b.store_at(values, X, at))


@emits(void, ANY, int64)
def prefetch(b, array, at):
    """Prefetch the cache line of array[at]; `at` may be out of bounds."""
    b.prefetch_line(array, at)


@emits(void, FLOATS, int64, int64)
def prefetch_row(b, X, row, dim):
    """Prefetch the `dim` elements from X[row] on."""
    b.loop(row, b.add(row, dim), CACHE_LINE, [], lambda at, _: b.prefetch_line(X, at))
