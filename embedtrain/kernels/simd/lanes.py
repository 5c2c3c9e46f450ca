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


# --- Emitting ---------------------------------------------------------------------------------------------------------

FLOAT, INT, INT32 = ir.FloatType(), ir.IntType(64), ir.IntType(32)
VECTOR = ir.VectorType(FLOAT, LANES)
#: Arithmetic may be reordered and fused, but must propagate NaN and infinity to the loss.
_FLAGS = ("reassoc", "contract", "nsz", "arcp")


def constant(value: float) -> ir.Constant:
    """A vector that has `value` in all lanes."""
    return ir.Constant(VECTOR, [float(value)] * LANES)


def _with_flags(operation: Callable[..., ir.Value]) -> Callable[..., ir.Value]:
    return lambda b, x, y, flags=_FLAGS: operation(b, x, y, flags=flags)


class VectorBuilder(ir.IRBuilder):  # type: ignore[misc]
    """LLVM's builder with arrays, vectors and loops; an index is the sum of the terms that are given."""

    fadd, fsub = _with_flags(ir.IRBuilder.fadd), _with_flags(ir.IRBuilder.fsub)
    fmul, fdiv = _with_flags(ir.IRBuilder.fmul), _with_flags(ir.IRBuilder.fdiv)

    def pointer(self, data: ir.Value, index: ir.Value, *terms: ir.Value) -> ir.Value:
        """&data[index + …], the sum of all terms."""
        for term in terms:
            index = self.add(index, term)
        return self.gep(data, [index])

    def element(self, data: ir.Value, *index: ir.Value) -> ir.Value:
        """data[index]."""
        return self.load(self.pointer(data, *index))

    def load_at(self, data: ir.Value, *index: ir.Value, kind: ir.Type = VECTOR, align: int = 4) -> ir.Value:
        """The vector, or value of another `kind`, that starts at data[index]."""
        loaded = self.load(self.bitcast(self.pointer(data, *index), kind.as_pointer()))
        loaded.align = align
        return loaded

    def store_at(self, value: ir.Value, data: ir.Value, *index: ir.Value, align: int = 4) -> None:
        """Store a vector or another value from data[index] on."""
        self.store(value, self.bitcast(self.pointer(data, *index), value.type.as_pointer())).align = align

    def prefetch_line(self, data: ir.Value, at: ir.Value) -> None:
        """Prefetch the cache line of data[at] for reading; prefetching for writing would take it from other threads."""
        byte_pointer = ir.IntType(8).as_pointer()
        signature = ir.FunctionType(ir.VoidType(), [byte_pointer, INT32, INT32, INT32])
        fetch = cgutils.get_or_insert_function(self.module, signature, "llvm.prefetch.p0")
        self.call(fetch, [self.bitcast(self.pointer(data, at), byte_pointer), INT32(0), INT32(3), INT32(1)])

    def splat(self, scalar: ir.Value, lanes: int = LANES) -> ir.Value:
        """A vector that has `scalar` in all lanes."""
        undefined = ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined)
        first = self.insert_element(undefined, scalar, INT32(0))
        return self.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(INT32, lanes), [0] * lanes))

    def call_vector(self, name: str, *arguments: ir.Value) -> ir.Value:
        """Call the LLVM intrinsic `name` on vectors."""
        signature = ir.FunctionType(VECTOR, [VECTOR] * len(arguments))
        function = cgutils.get_or_insert_function(self.module, signature, f"llvm.{name}.v{LANES}f32")
        return self.call(function, arguments)

    def fma(self, x: ir.Value, y: ir.Value, z: ir.Value) -> ir.Value:
        """X * y + z for vectors, fused where the machine can; LLVM's own fma would call a function elsewhere."""
        return self.call_vector("fmuladd", x, y, z)

    def loop(
        self,
        start: ir.Value,
        stop: ir.Value,
        step: int,
        initial: Sequence[ir.Value],
        body: Callable[[ir.Value, list[ir.Value]], list[ir.Value] | None],
    ) -> list[ir.Value]:
        """Emit `for index in range(start, stop, step): values = body(index, values)`, the values in registers."""
        entry = self.block
        loop, done = self.append_basic_block("loop"), self.append_basic_block("done")
        self.cbranch(self.icmp_signed("<", start, stop), loop, done)

        self.position_at_end(loop)
        index = self.phi(INT)
        values = [self.phi(value.type) for value in initial]
        results = body(index, values) or []
        following = self.add(index, INT(step))
        tail = self.block
        self.cbranch(self.icmp_signed("<", following, stop), loop, done)
        for phi, before, after in zip([index, *values], [start, *initial], [following, *results], strict=True):
            phi.add_incoming(before, entry)
            phi.add_incoming(after, tail)

        self.position_at_end(done)
        finals = [self.phi(value.type) for value in initial]
        for phi, before, after in zip(finals, initial, results, strict=True):
            phi.add_incoming(before, entry)
            phi.add_incoming(after, tail)
        return finals

    def switch_width(self, width: ir.Value, most: int, emit: Callable[[list[ir.Value]], None]) -> None:
        """Emit code for each width from 1 to `most` vectors, and a switch to that of `width`.

        `emit` takes the first elements of the vectors.
        """
        done = self.append_basic_block("done")
        switch = self.switch(width, done)
        for case in range(1, most + 1):
            block = self.append_basic_block(f"width{case}")
            switch.add_case(INT(case), block)
            self.position_at_end(block)
            emit([INT(v * LANES) for v in range(case)])
            self.branch(done)
        self.position_at_end(done)

    def sum_lanes(self, vectors: list[ir.Value]) -> ir.Value:
        """The vector whose lane `i` is the sum of all lanes of `vectors[i]`; `LANES` vectors, a power of two.

        A tree: each level adds the halves of two vectors into one, so that 16 sums of 16 lanes take 15 additions. Lanes
        that keep their position need a blend, which costs less than a shuffle.
        """
        lanes = range(LANES)

        def pick(x: ir.Value, y: ir.Value, sources: list[int]) -> ir.Value:
            return self.shuffle_vector(x, y, ir.Constant(ir.VectorType(INT32, LANES), sources))

        while len(vectors) > 1:
            half = len(vectors) // 2
            stay = [lane + LANES * (lane & half > 0) for lane in lanes]  # of two vectors, one after the other
            cross = [(lane ^ half) + LANES * (lane & half > 0) for lane in lanes]
            pairs = zip(vectors[:half], vectors[half:], strict=True)
            vectors = [self.fadd(pick(x, y, stay), pick(x, y, cross)) for x, y in pairs]
        return vectors[0]

    def sum_vector(self, vector: ir.Value) -> ir.Value:
        """The sum of the lanes of one vector."""
        signature = ir.FunctionType(FLOAT, [FLOAT, VECTOR])
        total = cgutils.get_or_insert_function(self.module, signature, f"llvm.vector.reduce.fadd.v{LANES}f32")
        return self.call(total, [FLOAT(0.0), vector], fastmath=("reassoc",))


# --- Intrinsics -------------------------------------------------------------------------------------------------------

FLOATS = types.Array(types.float32, 1, "C")
OFFSETS = types.Array(types.int64, 1, "C")
#: A parameter of any type.
ANY = None


def emits(result: Any, *parameters: Any) -> Callable[[Callable[..., ir.Value | None]], Any]:
    """Make an intrinsic of a function that emits its code, with Numba's types of the result and the parameters.

    The function takes the builder, then the arguments, for arrays the pointers to their first elements. It returns the
    result, None for `void`.
    """

    def decorate(emit: Callable[..., ir.Value | None]) -> Any:
        def type_call(typing: Any, *given: Any) -> tuple[Any, Callable[..., ir.Value]]:
            known = zip(parameters, given, strict=True)

            def generate(context: Any, b: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
                values = [
                    context.make_array(kind)(context, b, value).data if isinstance(kind, types.Array) else value
                    for kind, value in zip(signature.args, arguments, strict=True)
                ]
                own = VectorBuilder(b.block)
                value = emit(own, *values)
                b.position_at_end(own.block)
                return context.get_dummy_value() if value is None else value

            return result(*(own if kind is ANY else kind for kind, own in known)), generate

        type_call.__name__, type_call.__doc__ = emit.__name__, emit.__doc__
        type_call.__wrapped__ = emit  # type: ignore[attr-defined]  # Numba reads the names of parameters from it
        return intrinsic(type_call)

    return decorate
