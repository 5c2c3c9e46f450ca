"""Single rows in vector registers: what they take from many others or give to them, and copies, as LLVM IR."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from embedtrain.kernels.simd.lanes import (
    CACHE_LINE,
    FLAGS,
    FLOATS,
    LANES,
    OFFSETS,
    REGISTERS,
    Body,
    call_vector,
    constant,
    data_of,
    element,
    fold,
    integer,
    load,
    splat,
    store,
    switch_width,
)

#: Vectors of a row that are held at once: three of them fill the registers.
ROW_VECTORS = 8 if REGISTERS == 32 else 4


# --- One row and many ------------------------------------------------------------------------------------------


@intrinsic
def exchange_row(typing, E, X, x, d, n_vectors, Y, y_rows, begin, end, G):
    """E[x + e] += G[k] * Y[y_rows[k] + e], Y[y_rows[k] + e] += G[k] * X[x + e]  for k in [begin, end), in turn.

    For the elements e of `n_vectors` (1 to `ROW_VECTORS`) vectors from d on; each Y before it moves.
    """
    int64 = types.int64
    signature = types.void(FLOATS, FLOATS, int64, int64, int64, FLOATS, OFFSETS, int64, int64, FLOATS)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        E, X, x, d, n_vectors, Y, y_rows, begin, end, G = arguments
        E, X, Y, G = (data_of(context, builder, FLOATS, array) for array in (E, X, Y, G))
        y_rows = data_of(context, builder, OFFSETS, y_rows)
        start = builder.add(x, d)

        def emit(width: int) -> None:
            steps = [integer(v * LANES) for v in range(width)]
            x = [load(builder, X, builder.add(start, step)) for step in steps]

            def exchange(k: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
                row = builder.add(element(builder, y_rows, k), d)
                weight = splat(builder, element(builder, G, k))
                y = [load(builder, Y, builder.add(row, step)) for step in steps]
                for v, step in enumerate(steps):
                    store(builder, call_vector(builder, "fmuladd", weight, x[v], y[v]), Y, builder.add(row, step))
                return [call_vector(builder, "fmuladd", weight, y[v], sums[v]) for v in range(width)]

            before = [load(builder, E, builder.add(start, step)) for step in steps]
            for step, e in zip(steps, fold(builder, begin, end, 1, before, exchange), strict=True):
                store(builder, e, E, builder.add(start, step))

        switch_width(builder, n_vectors, ROW_VECTORS, emit)
        return context.get_dummy_value()

    return signature, generate


def _fold_around(
    builder: ir.IRBuilder, begin: ir.Value, skip: ir.Value, end: ir.Value, initial: Sequence[ir.Value], body: Body
) -> list[ir.Value]:
    """`fold` over [begin, end) without `skip`."""
    before = fold(builder, begin, skip, 1, initial, body)
    return fold(builder, builder.add(skip, integer(1)), end, 1, before, body)


@intrinsic
def sum_rows(typing, Y, y, d, n_vectors, weight, X, x_rows, begin, skip, end):
    """Y[y + e] = weight * sum of X[x_rows[k] + e]  over k in [begin, skip) and [skip + 1, end).

    For the elements e of `n_vectors` (1 to `ROW_VECTORS`) vectors from d on.
    """
    int64 = types.int64
    signature = types.void(FLOATS, int64, int64, int64, types.float32, FLOATS, OFFSETS, int64, int64, int64)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        Y, y, d, n_vectors, weight, X, x_rows, begin, skip, end = arguments
        Y, X = (data_of(context, builder, FLOATS, array) for array in (Y, X))
        x_rows = data_of(context, builder, OFFSETS, x_rows)
        start, weights = builder.add(y, d), splat(builder, weight)

        def emit(width: int) -> None:
            steps = [integer(v * LANES) for v in range(width)]

            def add(k: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
                row = builder.add(element(builder, x_rows, k), d)
                x = [load(builder, X, builder.add(row, step)) for step in steps]
                return [builder.fadd(total, part, flags=FLAGS) for total, part in zip(sums, x, strict=True)]

            sums = _fold_around(builder, begin, skip, end, [constant(0)] * width, add)
            for step, total in zip(steps, sums, strict=True):
                store(builder, builder.fmul(weights, total, flags=FLAGS), Y, builder.add(start, step))

        switch_width(builder, n_vectors, ROW_VECTORS, emit)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def add_to_rows(typing, Y, y_rows, begin, skip, end, d, n_vectors, weight, X, x):
    """Y[y_rows[k] + e] += weight * X[x + e]  for k in [begin, skip) and [skip + 1, end), in turn.

    For the elements e of `n_vectors` (1 to `ROW_VECTORS`) vectors from d on.
    """
    int64 = types.int64
    signature = types.void(FLOATS, OFFSETS, int64, int64, int64, int64, int64, types.float32, FLOATS, int64)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        Y, y_rows, begin, skip, end, d, n_vectors, weight, X, x = arguments
        Y, X = (data_of(context, builder, FLOATS, array) for array in (Y, X))
        y_rows = data_of(context, builder, OFFSETS, y_rows)
        start, weights = builder.add(x, d), splat(builder, weight)

        def emit(width: int) -> None:
            steps = [integer(v * LANES) for v in range(width)]
            x = [load(builder, X, builder.add(start, step)) for step in steps]
            x = [builder.fmul(weights, part, flags=FLAGS) for part in x]

            def add(k: ir.Value, _: list[ir.Value]) -> list[ir.Value]:
                row = builder.add(element(builder, y_rows, k), d)
                for step, part in zip(steps, x, strict=True):
                    at = builder.add(row, step)
                    store(builder, builder.fadd(load(builder, Y, at), part, flags=FLAGS), Y, at)
                return []

            _fold_around(builder, begin, skip, end, [], add)

        switch_width(builder, n_vectors, ROW_VECTORS, emit)
        return context.get_dummy_value()

    return signature, generate


# --- Rows as they are ------------------------------------------------------------------------------------------


@intrinsic
def copy_row(typing, Y, y, X, x, dim):
    """Y[y + d] = X[x + d]  for d in [0, dim)."""
    signature = types.void(FLOATS, types.int64, FLOATS, types.int64, types.int64)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        Y, y, X, x, dim = arguments
        X, Y = (data_of(context, builder, FLOATS, array) for array in (X, Y))

        def copy(d: ir.Value, _: list[ir.Value]) -> list[ir.Value]:
            store(builder, load(builder, X, builder.add(x, d)), Y, builder.add(y, d))
            return []

        fold(builder, integer(0), dim, LANES, [], copy)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def fill(typing, X, x, n, value):
    """X[x + d] = value  for d in [0, n), n rounded up to whole vectors."""
    signature = types.void(FLOATS, types.int64, types.int64, types.float32)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        X, x, n, value = arguments
        X, values = data_of(context, builder, FLOATS, X), splat(builder, value)

        def put(at: ir.Value, _: list[ir.Value]) -> list[ir.Value]:
            store(builder, values, X, at)
            return []

        fold(builder, x, builder.add(x, n), LANES, [], put)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def prefetch_row(typing, X, row, dim):
    """Fetch the `dim` elements from X[row] on: to read, since fetching to write takes rows from other threads."""
    signature = types.void(FLOATS, types.int64, types.int64)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        X, row, dim = arguments
        X = data_of(context, builder, FLOATS, X)
        byte_pointer, int32 = ir.IntType(8).as_pointer(), ir.IntType(32)
        prefetch_type = ir.FunctionType(ir.VoidType(), [byte_pointer, int32, int32, int32])
        prefetch = cgutils.get_or_insert_function(builder.module, prefetch_type, "llvm.prefetch.p0")

        def line(at: ir.Value, _: list[ir.Value]) -> list[ir.Value]:
            pointer = builder.bitcast(builder.gep(X, [at]), byte_pointer)
            builder.call(prefetch, [pointer, int32(0), int32(3), int32(1)])
            return []

        fold(builder, row, builder.add(row, dim), CACHE_LINE, [], line)
        return context.get_dummy_value()

    return signature, generate
