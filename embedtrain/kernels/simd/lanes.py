"""Vectors of the machine that Numba compiles for, and how code on them is emitted as LLVM IR.

Numba's vectoriser is not asked: explicit vectors neither fall back to scalar code nor shrink to half the register
width. Rows are named by the element at which they start in their flat table, and padded with zeros to whole vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numpy.typing import NDArray

# --- The target ------------------------------------------------------------------------------------------------


def vector_shape(triple: str, features: str) -> tuple[int, int]:
    """Float32 lanes and vector registers of the machine that Numba compiles for."""
    if "+avx512f" in features:
        return 16, 32
    if "+avx2" in features or "+avx," in features + ",":
        return 8, 16
    return (4, 32) if triple.startswith(("aarch64", "arm64")) else (4, 16)


_TRIPLE, _CPU, _FEATURES = cpu_target.target_context.codegen().magic_tuple()
LANES, REGISTERS = vector_shape(_TRIPLE, _FEATURES)

#: Elements in a cache line.
CACHE_LINE = 16


def padded(n: int) -> int:
    """`n` elements rounded up to whole vectors."""
    return -(-n // LANES) * LANES


def aligned_zeros(n: int) -> NDArray[np.float32]:
    """`n` zeros that start at a cache line."""
    memory = np.zeros(n + CACHE_LINE, np.float32)
    start = -memory.ctypes.data // 4 % CACHE_LINE
    return memory[start : start + n]


FLOAT = ir.FloatType()
INT = ir.IntType(64)
VECTOR = ir.VectorType(FLOAT, LANES)
FLOATS = types.Array(types.float32, 1, "C")
OFFSETS = types.Array(types.int64, 1, "C")
#: The arithmetic may be reordered and fused, and must still show NaN and infinity to the loss.
FLAGS = ("reassoc", "contract", "nsz", "arcp")

#: What `fold` emits for an index: from values to values.
Body = Callable[[ir.Value, list[ir.Value]], list[ir.Value]]


# --- Emitting --------------------------------------------------------------------------------------------------


def constant(value: float) -> ir.Constant:
    """A vector that has `value` in all lanes."""
    return ir.Constant(VECTOR, [float(value)] * LANES)


def integer(value: int) -> ir.Constant:
    """An index."""
    return ir.Constant(INT, value)


def data_of(context: Any, builder: ir.IRBuilder, array_type: types.Array, value: ir.Value) -> ir.Value:
    """The pointer to the first element of an array."""
    return context.make_array(array_type)(context, builder, value).data


def element(builder: ir.IRBuilder, data: ir.Value, index: ir.Value) -> ir.Value:
    """data[index]."""
    return builder.load(builder.gep(data, [index]))


def load(builder: ir.IRBuilder, data: ir.Value, index: ir.Value) -> ir.Value:
    """The vector that starts at data[index]."""
    loaded = builder.load(builder.bitcast(builder.gep(data, [index]), VECTOR.as_pointer()))
    loaded.align = 4
    return loaded


def store(builder: ir.IRBuilder, value: ir.Value, data: ir.Value, index: ir.Value) -> None:
    """Put a vector to where data[index] starts."""
    pointer = builder.bitcast(builder.gep(data, [index]), value.type.as_pointer())
    builder.store(value, pointer).align = 4


def splat(builder: ir.IRBuilder, scalar: ir.Value) -> ir.Value:
    """A vector that has `scalar` in all lanes."""
    undefined = ir.Constant(VECTOR, ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


def call_vector(builder: ir.IRBuilder, name: str, *arguments: ir.Value) -> ir.Value:
    """Call the LLVM intrinsic `name` on vectors."""
    signature = ir.FunctionType(VECTOR, [VECTOR] * len(arguments))
    function = cgutils.get_or_insert_function(builder.module, signature, f"llvm.{name}.v{LANES}f32")
    return builder.call(function, arguments)


def fold(
    builder: ir.IRBuilder,
    start: ir.Value,
    stop: ir.Value,
    step: int,
    initial: Sequence[ir.Value],
    body: Body,
) -> list[ir.Value]:
    """Emit `for index in range(start, stop, step): values = body(index, values)`, the values in registers."""
    entry = builder.block
    loop, done = builder.append_basic_block("fold"), builder.append_basic_block("folded")
    builder.cbranch(builder.icmp_signed("<", start, stop), loop, done)

    builder.position_at_end(loop)
    index = builder.phi(INT)
    values = [builder.phi(value.type) for value in initial]
    results = body(index, values)
    following = builder.add(index, integer(step))
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


def sum_lanes(builder: ir.IRBuilder, vectors: list[ir.Value]) -> ir.Value:
    """The vector whose lane `i` is the sum of all lanes of `vectors[i]`; `LANES` vectors, a power of two.

    A tree: each level adds the halves of two vectors into one, so that 16 sums of 16 lanes take 15 additions. Lanes
    that stay where they are come by a blend, which costs less than a shuffle.
    """
    lanes = range(LANES)

    def pick(a: ir.Value, b: ir.Value, sources: list[int]) -> ir.Value:
        return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), LANES), sources))

    while len(vectors) > 1:
        half = len(vectors) // 2
        stay = [lane + LANES * (lane & half > 0) for lane in lanes]  # of two vectors, one after the other
        cross = [(lane ^ half) + LANES * (lane & half > 0) for lane in lanes]
        pairs = zip(vectors[:half], vectors[half:], strict=True)
        vectors = [builder.fadd(pick(a, b, stay), pick(a, b, cross), flags=FLAGS) for a, b in pairs]
    return vectors[0]


def sum_vector(builder: ir.IRBuilder, vector: ir.Value) -> ir.Value:
    """The sum of the lanes of one vector."""
    signature = ir.FunctionType(FLOAT, [FLOAT, VECTOR])
    add = cgutils.get_or_insert_function(builder.module, signature, f"llvm.vector.reduce.fadd.v{LANES}f32")
    return builder.call(add, [ir.Constant(FLOAT, 0.0), vector], fastmath=("reassoc",))


def switch_width(builder: ir.IRBuilder, width: ir.Value, most: int, emit: Callable[[int], None]) -> None:
    """Emit code for each width from 1 to `most`, the one of which runs that is asked for."""
    done = builder.append_basic_block("done")
    switch = builder.switch(width, done)
    for case in range(1, most + 1):
        block = builder.append_basic_block(f"width{case}")
        switch.add_case(integer(case), block)
        builder.position_at_end(block)
        emit(case)
        builder.branch(done)
    builder.position_at_end(done)
