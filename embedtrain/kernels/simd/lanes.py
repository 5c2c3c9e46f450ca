"""Vectors of the target machine, and intrinsics on them, written as LLVM IR.

Vectors are explicit because automatic vectorisation may fall back to scalar code, or to half the register width. A row
is given by its offset, its first element in the flat table, and padded with zeros to whole vectors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.registry import cpu_target
from numba.extending import intrinsic
from numpy.typing import NDArray

# --- The target -------------------------------------------------------------------------------------------------------


def vector_shape(triple: str, features: str) -> tuple[int, int]:
    """Float32 lanes and vector registers of the machine that Numba compiles for."""
    if "+avx512f" in features:
        return 16, 32
    if "+avx2" in features or "+avx," in features + ",":
        return 8, 16
    return (4, 32) if triple.startswith(("aarch64", "arm64")) else (4, 16)


_TRIPLE, _CPU, _FEATURES = cpu_target.target_context.codegen().magic_tuple()
LANES, REGISTERS = vector_shape(_TRIPLE, _FEATURES)
CACHE_LINE = 16  # float32 elements


def padded(n: int) -> int:
    """Round `n` elements up to whole vectors."""
    return -(-n // LANES) * LANES


def aligned_zeros(n: int) -> NDArray[np.float32]:
    """Allocate `n` zeros that start at a cache line."""
    memory = np.zeros(n + CACHE_LINE, np.float32)
    start = -memory.ctypes.data // 4 % CACHE_LINE
    return memory[start : start + n]


# --- Intrinsics -------------------------------------------------------------------------------------------------------

FLOATS = types.Array(types.float32, 1, "C")
OFFSETS = types.Array(types.int64, 1, "C")
#: A parameter of any type.
ANY = None


def emits(result: Any, *parameters: Any) -> Callable[[Callable[..., ir.Value | None]], Any]:
    """Make an intrinsic of a function that emits its code, with Numba's types of the result and the parameters.

    The function takes the IR builder, then the arguments, for arrays the pointers to their first elements. It returns
    the result, None for `void`.
    """

    def decorate(emit: Callable[..., ir.Value | None]) -> Any:
        def type_call(typing: Any, *given: Any) -> tuple[Any, Callable[..., ir.Value]]:
            known = zip(parameters, given, strict=True)

            def generate(context: Any, b: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
                values = (
                    context.make_array(kind)(context, b, value).data if isinstance(kind, types.Array) else value
                    for kind, value in zip(signature.args, arguments, strict=True)
                )
                value = emit(b, *values)
                return context.get_dummy_value() if value is None else value

            return result(*(own if kind is ANY else kind for kind, own in known)), generate

        type_call.__name__, type_call.__doc__ = emit.__name__, emit.__doc__
        type_call.__wrapped__ = emit  # type: ignore[attr-defined]  # Numba reads the names of parameters from it
        return intrinsic(type_call)

    return decorate


# --- Emitting ---------------------------------------------------------------------------------------------------------

FLOAT, INT, INT32 = ir.FloatType(), ir.IntType(64), ir.IntType(32)
VECTOR = ir.VectorType(FLOAT, LANES)
#: Arithmetic may be reordered and fused, but must propagate NaN and infinity to the loss.
FLAGS = ("reassoc", "contract", "nsz", "arcp")


def constant(value: float) -> ir.Constant:
    """A vector that has `value` in all lanes."""
    return ir.Constant(VECTOR, [float(value)] * LANES)


def integer(value: int) -> ir.Constant:
    """An index."""
    return ir.Constant(INT, value)


def pointer(b: ir.IRBuilder, data: ir.Value, index: ir.Value, *terms: ir.Value) -> ir.Value:
    """&data[index + …], the sum of all terms."""
    for term in terms:
        index = b.add(index, term)
    return b.gep(data, [index])


def element(b: ir.IRBuilder, data: ir.Value, *index: ir.Value) -> ir.Value:
    """data[index]."""
    return b.load(pointer(b, data, *index))


def load(b: ir.IRBuilder, data: ir.Value, *index: ir.Value) -> ir.Value:
    """The vector that starts at data[index]."""
    loaded = b.load(b.bitcast(pointer(b, data, *index), VECTOR.as_pointer()))
    loaded.align = 4
    return loaded


def store(b: ir.IRBuilder, value: ir.Value, data: ir.Value, *index: ir.Value) -> None:
    """Store a vector from data[index] on."""
    b.store(value, b.bitcast(pointer(b, data, *index), value.type.as_pointer())).align = 4


def splat(b: ir.IRBuilder, scalar: ir.Value, lanes: int = LANES) -> ir.Value:
    """A vector that has `scalar` in all lanes."""
    undefined = ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined)
    first = b.insert_element(undefined, scalar, INT32(0))
    return b.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(INT32, lanes), [0] * lanes))


def call_vector(b: ir.IRBuilder, name: str, *arguments: ir.Value) -> ir.Value:
    """Call the LLVM intrinsic `name` on vectors."""
    signature = ir.FunctionType(VECTOR, [VECTOR] * len(arguments))
    return b.call(cgutils.get_or_insert_function(b.module, signature, f"llvm.{name}.v{LANES}f32"), arguments)


def fma(b: ir.IRBuilder, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
    """X * y + z."""
    return call_vector(b, "fmuladd", x, y, z)


def add(b: ir.IRBuilder, x: ir.Value, y: ir.Value) -> ir.Value:
    """X + y."""
    return b.fadd(x, y, flags=FLAGS)


def multiply(b: ir.IRBuilder, x: ir.Value, y: ir.Value) -> ir.Value:
    """X * y."""
    return b.fmul(x, y, flags=FLAGS)


def emit_loop(
    b: ir.IRBuilder,
    start: ir.Value,
    stop: ir.Value,
    step: int,
    initial: Sequence[ir.Value],
    body: Callable[[ir.Value, list[ir.Value]], list[ir.Value] | None],
) -> list[ir.Value]:
    """Emit `for index in range(start, stop, step): values = body(index, values)`, the values in registers."""
    entry = b.block
    loop, done = b.append_basic_block("loop"), b.append_basic_block("done")
    b.cbranch(b.icmp_signed("<", start, stop), loop, done)

    b.position_at_end(loop)
    index = b.phi(INT)
    values = [b.phi(value.type) for value in initial]
    results = body(index, values) or []
    following = b.add(index, integer(step))
    tail = b.block
    b.cbranch(b.icmp_signed("<", following, stop), loop, done)
    for phi, before, after in zip([index, *values], [start, *initial], [following, *results], strict=True):
        phi.add_incoming(before, entry)
        phi.add_incoming(after, tail)

    b.position_at_end(done)
    finals = [b.phi(value.type) for value in initial]
    for phi, before, after in zip(finals, initial, results, strict=True):
        phi.add_incoming(before, entry)
        phi.add_incoming(after, tail)
    return finals


def switch_width(b: ir.IRBuilder, width: ir.Value, most: int, emit: Callable[[list[ir.Value]], None]) -> None:
    """Emit code for each width from 1 to `most` vectors, and a switch to that of `width`.

    `emit` takes the first elements of the vectors.
    """
    done = b.append_basic_block("done")
    switch = b.switch(width, done)
    for case in range(1, most + 1):
        block = b.append_basic_block(f"width{case}")
        switch.add_case(integer(case), block)
        b.position_at_end(block)
        emit([integer(v * LANES) for v in range(case)])
        b.branch(done)
    b.position_at_end(done)


def sum_lanes(b: ir.IRBuilder, vectors: list[ir.Value]) -> ir.Value:
    """The vector whose lane `i` is the sum of all lanes of `vectors[i]`; `LANES` vectors, a power of two.

    A tree: each level adds the halves of two vectors into one, so that 16 sums of 16 lanes take 15 additions. Lanes
    that keep their position need a blend, which costs less than a shuffle.
    """
    lanes = range(LANES)

    def pick(x: ir.Value, y: ir.Value, sources: list[int]) -> ir.Value:
        return b.shuffle_vector(x, y, ir.Constant(ir.VectorType(INT32, LANES), sources))

    while len(vectors) > 1:
        half = len(vectors) // 2
        stay = [lane + LANES * (lane & half > 0) for lane in lanes]  # of two vectors, one after the other
        cross = [(lane ^ half) + LANES * (lane & half > 0) for lane in lanes]
        pairs = zip(vectors[:half], vectors[half:], strict=True)
        vectors = [add(b, pick(x, y, stay), pick(x, y, cross)) for x, y in pairs]
    return vectors[0]


def sum_vector(b: ir.IRBuilder, vector: ir.Value) -> ir.Value:
    """The sum of the lanes of one vector."""
    signature = ir.FunctionType(FLOAT, [FLOAT, VECTOR])
    total = cgutils.get_or_insert_function(b.module, signature, f"llvm.vector.reduce.fadd.v{LANES}f32")
    return b.call(total, [FLOAT(0.0), vector], fastmath=("reassoc",))
