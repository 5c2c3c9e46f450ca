"""Register tiles: products of a few table rows, held in vector registers, as LLVM IR.

Three intrinsics do all heavy arithmetic, on rows in place. A row is named by the element at which it starts in its
flat table; rows are padded with zeros to whole vectors. Numba's vectoriser is not asked: explicit vectors
neither fall back to scalar code nor shrink to half the register width, and the tile shape follows the target.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic

# --- The target ------------------------------------------------------------------------------------------------


def _vector_shape(triple: str, features: str) -> tuple[int, int]:
    """Float32 lanes and vector registers of the machine that Numba compiles for."""
    if "+avx512f" in features:
        return 16, 32
    if "+avx2" in features or "+avx," in features + ",":
        return 8, 16
    return (4, 32) if triple.startswith(("aarch64", "arm64")) else (4, 16)


_TRIPLE, _CPU, _FEATURES = cpu_target.target_context.codegen().magic_tuple()
LANES, _REGISTERS = _vector_shape(_TRIPLE, _FEATURES)

#: Rows of one operand that a tile holds, and the granularity of every list of rows.
ROWS = 4
#: Rows of the other operand of `dot_tile`: with `ROWS` and the operands themselves they fill the registers.
COLUMNS = 4 if _REGISTERS == 32 else 2
#: Vectors of each row that `add_tile` holds.
VECTORS = 4 if _REGISTERS == 32 else 2
#: Elements of each row that `add_tile` holds at most.
SLICE = VECTORS * LANES
#: Elements in a cache line.
CACHE_LINE = 16

_FLOAT = ir.FloatType()
_INT = ir.IntType(64)
_VECTOR = ir.VectorType(_FLOAT, LANES)
_FLOATS = types.Array(types.float32, 1, "C")
_OFFSETS = types.Array(types.int64, 1, "C")
# The arithmetic here may be reordered and fused, and must still show NaN and infinity to the loss.
_FLAGS = ("reassoc", "contract", "nsz", "arcp")


# --- Emitting --------------------------------------------------------------------------------------------------


def _constant(value: float) -> ir.Constant:
    return ir.Constant(_VECTOR, [float(value)] * LANES)


def _int(value: int) -> ir.Constant:
    return ir.Constant(_INT, value)


def _data(context: Any, builder: ir.IRBuilder, array_type: types.Array, value: ir.Value) -> ir.Value:
    return context.make_array(array_type)(context, builder, value).data


def _element(builder: ir.IRBuilder, data: ir.Value, index: ir.Value) -> ir.Value:
    return builder.load(builder.gep(data, [index]))


def _load(builder: ir.IRBuilder, data: ir.Value, index: ir.Value) -> ir.Value:
    loaded = builder.load(builder.bitcast(builder.gep(data, [index]), _VECTOR.as_pointer()))
    loaded.align = 4
    return loaded


def _store(builder: ir.IRBuilder, value: ir.Value, data: ir.Value, index: ir.Value) -> None:
    pointer = builder.bitcast(builder.gep(data, [index]), value.type.as_pointer())
    builder.store(value, pointer).align = 4


def _splat(builder: ir.IRBuilder, scalar: ir.Value) -> ir.Value:
    undefined = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


def _call(builder: ir.IRBuilder, name: str, *arguments: ir.Value) -> ir.Value:
    """Call the LLVM intrinsic `name` on vectors."""
    signature = ir.FunctionType(_VECTOR, [_VECTOR] * len(arguments))
    function = cgutils.get_or_insert_function(builder.module, signature, f"llvm.{name}.v{LANES}f32")
    return builder.call(function, arguments)


def _fold(
    builder: ir.IRBuilder,
    start: ir.Value,
    stop: ir.Value,
    step: int,
    initial: Sequence[ir.Value],
    body: Callable[[ir.Value, list[ir.Value]], list[ir.Value]],
) -> list[ir.Value]:
    """Emit `for index in range(start, stop, step): values = body(index, values)`, the values in registers."""
    entry = builder.block
    loop, done = builder.append_basic_block("fold"), builder.append_basic_block("folded")
    builder.cbranch(builder.icmp_signed("<", start, stop), loop, done)

    builder.position_at_end(loop)
    index = builder.phi(_INT)
    values = [builder.phi(value.type) for value in initial]
    results = body(index, values)
    following = builder.add(index, _int(step))
    tail = builder.block
    builder.cbranch(builder.icmp_signed("<", following, stop), loop, done)
    for phi, before, after in zip([index, *values], [start, *initial], [following, *results], strict=True):
        phi.add_incoming(before, entry)
        phi.add_incoming(after, tail)

    builder.position_at_end(done)
    folded = [builder.phi(value.type) for value in initial]
    for phi, before, after in zip(folded, initial, results, strict=True):
        phi.add_incoming(before, entry)
        phi.add_incoming(after, tail)
    return folded


def _sum_lanes(builder: ir.IRBuilder, vectors: list[ir.Value]) -> ir.Value:
    """The vector whose lane `i` is the sum of all lanes of `vectors[i]`; `LANES` vectors, a power of two.

    A tree: each level adds the halves of two vectors into one, so that 16 sums of 16 lanes take 15 additions.
    """
    groups, width = list(vectors), LANES
    while len(groups) > 1:
        half, pairs = width // 2, len(groups) // 2
        picks: tuple[list[int], list[int]] = ([], [])
        for segment in range(0, LANES, width):
            for source in (0, LANES):
                for part, pick in enumerate(picks):
                    pick.extend(source + segment + part * half + lane for lane in range(half))
        masks = [ir.Constant(ir.VectorType(ir.IntType(32), LANES), pick) for pick in picks]
        groups = [
            builder.fadd(*(builder.shuffle_vector(groups[i], groups[i + pairs], mask) for mask in masks), flags=_FLAGS)
            for i in range(pairs)
        ]
        width = half
    return groups[0]


# --- Products of rows ------------------------------------------------------------------------------------------


@intrinsic
def dot_tile(typing, X, x_rows, i, Y, y_rows, k, dim, S, s, stride):
    """S[s + r * stride + c] = X[x_rows[i + r]] . Y[y_rows[k + c]]  for `ROWS` values of r and `COLUMNS` of c."""
    signature = types.void(
        _FLOATS, _OFFSETS, types.int64, _FLOATS, _OFFSETS, types.int64, types.int64, _FLOATS, types.int64, types.int64
    )

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        X, x_rows, i, Y, y_rows, k, dim, S, s, stride = arguments
        X, Y, S = (_data(context, builder, _FLOATS, array) for array in (X, Y, S))
        x_rows, y_rows = (_data(context, builder, _OFFSETS, array) for array in (x_rows, y_rows))
        xs = [_element(builder, x_rows, builder.add(i, _int(r))) for r in range(ROWS)]
        ys = [_element(builder, y_rows, builder.add(k, _int(c))) for c in range(COLUMNS)]

        def multiply(d: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
            y = [_load(builder, Y, builder.add(start, d)) for start in ys]
            x = [_load(builder, X, builder.add(start, d)) for start in xs]
            return [
                _call(builder, "fmuladd", x[r], y[c], sums[r * COLUMNS + c])
                for r in range(ROWS)
                for c in range(COLUMNS)
            ]

        sums = _fold(builder, _int(0), dim, LANES, [_constant(0)] * (ROWS * COLUMNS), multiply)
        for first in range(0, ROWS * COLUMNS, LANES):
            dots = _sum_lanes(builder, sums[first : first + LANES])
            for lane in range(0, LANES, COLUMNS):
                picked = ir.Constant(ir.VectorType(ir.IntType(32), COLUMNS), list(range(lane, lane + COLUMNS)))
                row = (first + lane) // COLUMNS
                at = builder.add(s, builder.mul(_int(row), stride))
                _store(builder, builder.shuffle_vector(dots, dots, picked), S, at)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def add_tile(typing, Y, y_rows, k, d, n_vectors, G, g, row_step, term_step, X, x_rows, begin, end):
    """Y[y_rows[k + r] + e] += sum over t in [begin, end) of G[g + r * row_step + t * term_step] * X[x_rows[t] + e].

    For `ROWS` rows r and the elements e of `n_vectors` (1 to `VECTORS`) vectors from d on. Rows are read and written
    one after the other, so a row that is listed twice receives both sums.
    """
    int64 = types.int64
    signature = types.void(
        _FLOATS, _OFFSETS, int64, int64, int64, _FLOATS, int64, int64, int64, _FLOATS, _OFFSETS, int64, int64
    )

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        Y, y_rows, k, d, n_vectors, G, g, row_step, term_step, X, x_rows, begin, end = arguments
        Y, G, X = (_data(context, builder, _FLOATS, array) for array in (Y, G, X))
        y_rows, x_rows = (_data(context, builder, _OFFSETS, array) for array in (y_rows, x_rows))
        ys = [builder.add(_element(builder, y_rows, builder.add(k, _int(r))), d) for r in range(ROWS)]
        gs = [builder.add(g, builder.mul(row_step, _int(r))) for r in range(ROWS)]

        def emit(width: int) -> None:
            steps = [_int(v * LANES) for v in range(width)]

            def accumulate(t: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
                start = builder.add(_element(builder, x_rows, t), d)
                x = [_load(builder, X, builder.add(start, step)) for step in steps]
                at = builder.mul(t, term_step)
                result = []
                for r in range(ROWS):
                    weight = _splat(builder, _element(builder, G, builder.add(gs[r], at)))
                    result += [_call(builder, "fmuladd", weight, x[v], sums[r * width + v]) for v in range(width)]
                return result

            sums = _fold(builder, begin, end, 1, [_constant(0)] * (ROWS * width), accumulate)
            for r in range(ROWS):
                for v, step in enumerate(steps):
                    at = builder.add(ys[r], step)
                    _store(builder, builder.fadd(_load(builder, Y, at), sums[r * width + v], flags=_FLAGS), Y, at)

        done = builder.append_basic_block("added")
        switch = builder.switch(n_vectors, done)
        for width in range(1, VECTORS + 1):
            block = builder.append_basic_block(f"add{width}")
            switch.add_case(_int(width), block)
            builder.position_at_end(block)
            emit(width)
            builder.branch(done)
        builder.position_at_end(done)
        return context.get_dummy_value()

    return signature, generate


# --- Logistic functions of scores ------------------------------------------------------------------------------


def _exp2(builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
    """2^x for |x| <= 126: Taylor's series of the fraction (relative error 2e-7), shifted by the whole part."""
    whole = _call(builder, "rint", x)
    fraction = builder.fsub(x, whole, flags=_FLAGS)
    series = _constant(math.log(2) ** 6 / math.factorial(6))
    for power in range(5, -1, -1):
        series = _call(builder, "fmuladd", series, fraction, _constant(math.log(2) ** power / math.factorial(power)))
    ints = ir.VectorType(ir.IntType(32), LANES)
    exponent = builder.add(builder.fptosi(whole, ints), ir.Constant(ints, [127] * LANES))
    scale = builder.bitcast(builder.shl(exponent, ir.Constant(ints, [23] * LANES)), _VECTOR)
    return builder.fmul(series, scale, flags=_FLAGS)


def _exp_minus(builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
    """e^-x, with x brought into [-80, 80] (NaN too: `logistic_loss` is where it shows)."""
    clamped = _call(builder, "maxnum", _call(builder, "minnum", x, _constant(80)), _constant(-80))
    return _exp2(builder, builder.fmul(clamped, _constant(-1 / math.log(2)), flags=_FLAGS))


def _one_over(builder: ir.IRBuilder, x: ir.Value) -> ir.Value:
    return builder.fdiv(_constant(1), x, flags=_FLAGS)


@intrinsic
def logistic_gradient(typing, S, s, weights, n, label, lr):
    """S[e] = lr * weights[e] * (label - sigmoid(S[e]))  for e in [s, s + n), n rounded up to whole vectors."""
    signature = types.void(_FLOATS, types.int64, _FLOATS, types.int64, types.float32, types.float32)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        S, s, weights, n, label, lr = arguments
        S, weights = (_data(context, builder, _FLOATS, array) for array in (S, weights))
        labels, rates = _splat(builder, label), _splat(builder, lr)

        def step(at: ir.Value, _: list[ir.Value]) -> list[ir.Value]:
            exponential = _exp_minus(builder, _load(builder, S, at))
            sigmoid = _one_over(builder, builder.fadd(_constant(1), exponential, flags=_FLAGS))
            error = builder.fsub(labels, sigmoid, flags=_FLAGS)
            rate = builder.fmul(rates, _load(builder, weights, at), flags=_FLAGS)
            _store(builder, builder.fmul(rate, error, flags=_FLAGS), S, at)
            return []

        _fold(builder, s, builder.add(s, n), LANES, [], step)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def logistic_loss(typing, S, s, weights, n, label):
    """Sum over e in [s, s + n) of weights[e] * softplus(S[e] if label == 0 else -S[e]), n rounded up to whole vectors.

    softplus(x) = log(1 + e^x) = max(x, 0) + 2 atanh(u / (2 + u)), u = e^-|x|; not finite where x is not.
    """
    signature = types.float32(_FLOATS, types.int64, _FLOATS, types.int64, types.float32)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        S, s, weights, n, label = arguments
        S, weights = (_data(context, builder, _FLOATS, array) for array in (S, weights))
        two_labels = builder.fmul(_splat(builder, label), _constant(2), flags=_FLAGS)
        sign = builder.fsub(_constant(1), two_labels, flags=_FLAGS)

        def step(at: ir.Value, sums: list[ir.Value]) -> list[ir.Value]:
            x = builder.fmul(sign, _load(builder, S, at))
            u = _exp_minus(builder, _call(builder, "fabs", x))
            z = builder.fmul(u, _one_over(builder, builder.fadd(_constant(2), u, flags=_FLAGS)), flags=_FLAGS)
            square = builder.fmul(z, z, flags=_FLAGS)
            series = _constant(2 / 13)
            for power in range(11, 0, -2):
                series = _call(builder, "fmuladd", series, square, _constant(2 / power))
            positive = builder.select(builder.fcmp_ordered("<", x, _constant(0)), _constant(0), x)  # keeps NaN
            softplus = builder.fadd(positive, builder.fmul(series, z, flags=_FLAGS))
            weight = _load(builder, weights, at)
            asked = builder.fcmp_ordered("!=", weight, _constant(0))  # a score that nobody asked for may be anything
            return [
                builder.select(asked, builder.fadd(sums[0], builder.fmul(weight, softplus)), sums[0]),
            ]

        (sums,) = _fold(builder, s, builder.add(s, n), LANES, [_constant(0)], step)
        signature_of_sum = ir.FunctionType(_FLOAT, [_FLOAT, _VECTOR])
        add = cgutils.get_or_insert_function(builder.module, signature_of_sum, f"llvm.vector.reduce.fadd.v{LANES}f32")
        return builder.call(add, [ir.Constant(_FLOAT, 0.0), sums], fastmath=("reassoc",))

    return signature, generate


# --- Rows ------------------------------------------------------------------------------------------------------


@intrinsic
def copy_row(typing, Y, y, X, x, dim):
    """Y[y + d] = X[x + d]  for d in [0, dim)."""
    signature = types.void(_FLOATS, types.int64, _FLOATS, types.int64, types.int64)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        Y, y, X, x, dim = arguments
        X, Y = (_data(context, builder, _FLOATS, array) for array in (X, Y))

        def copy(d: ir.Value, _: list[ir.Value]) -> list[ir.Value]:
            _store(builder, _load(builder, X, builder.add(x, d)), Y, builder.add(y, d))
            return []

        _fold(builder, _int(0), dim, LANES, [], copy)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def fill(typing, X, x, n, value):
    """X[x + d] = value  for d in [0, n), n rounded up to whole vectors."""
    signature = types.void(_FLOATS, types.int64, types.int64, types.float32)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        X, x, n, value = arguments
        X, values = _data(context, builder, _FLOATS, X), _splat(builder, value)

        def put(at: ir.Value, _: list[ir.Value]) -> list[ir.Value]:
            _store(builder, values, X, at)
            return []

        _fold(builder, x, builder.add(x, n), LANES, [], put)
        return context.get_dummy_value()

    return signature, generate


@intrinsic
def prefetch_row(typing, X, row, dim):
    """Ask for the `dim` elements from X[row] on, which will be read and written."""
    signature = types.void(_FLOATS, types.int64, types.int64)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        X, row, dim = arguments
        X = _data(context, builder, _FLOATS, X)
        byte_pointer, int32 = ir.IntType(8).as_pointer(), ir.IntType(32)
        prefetch_type = ir.FunctionType(ir.VoidType(), [byte_pointer, int32, int32, int32])
        prefetch = cgutils.get_or_insert_function(builder.module, prefetch_type, "llvm.prefetch.p0")

        def line(at: ir.Value, _: list[ir.Value]) -> list[ir.Value]:
            pointer = builder.bitcast(builder.gep(X, [at]), byte_pointer)
            builder.call(prefetch, [pointer, int32(1), int32(3), int32(1)])
            return []

        _fold(builder, row, builder.add(row, dim), CACHE_LINE, [], line)
        return context.get_dummy_value()

    return signature, generate
