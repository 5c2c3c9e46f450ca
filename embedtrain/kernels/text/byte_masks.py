"""Bytes of text, many at once: words of 8, blocks of 64 as bit masks.

A word has its first byte lowest, a block the bit of its first byte: a little-endian machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types as numba_types
from numba.extending import intrinsic

from embedtrain.kernels.compilation import inlined

BLOCK, WORD = 64, 8  # bytes
PADDING = BLOCK  # bytes after a text, or after the spellings in a table, that may be looked at
ONE, ALL = np.uint64(1), np.uint64(0xFFFFFFFFFFFFFFFF)

_INT64 = ir.IntType(64)


def _pointer(context: Any, builder: ir.IRBuilder, array_type: Any, array: ir.Value, at: ir.Value, to: ir.Type) -> Any:
    """Where in a byte array something starts, however it lies."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), to.as_pointer())


@intrinsic
def load_word(typing, text, position):
    """The 8 bytes text[position:position + 8], the first lowest."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        array, at = arguments
        word = builder.load(_pointer(context, builder, signature.args[0], array, at, _INT64))
        word.align = 1
        return word

    return numba_types.uint64(text, numba_types.int64), generate


@intrinsic
def store_word(typing, text, position, word):
    """text[position:position + 8] = the bytes of `word`."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        array, at, word = arguments
        builder.store(word, _pointer(context, builder, signature.args[0], array, at, _INT64)).align = 1
        return context.get_dummy_value()

    return numba_types.void(text, numba_types.int64, numba_types.uint64), generate


@intrinsic
def bytes_between(typing, text, position, low, high):
    """Bit i tells whether low <= text[position + i] <= high, for the 64 bytes of a block."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        array, at, low, high = arguments
        vector = ir.VectorType(ir.IntType(8), BLOCK)
        block = builder.load(_pointer(context, builder, signature.args[0], array, at, vector))
        block.align = 1

        def splat(byte: ir.Value) -> ir.Value:
            undefined = ir.Constant(vector, ir.Undefined)
            first = builder.insert_element(undefined, byte, ir.IntType(32)(0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), BLOCK), [0] * BLOCK)
            return builder.shuffle_vector(first, undefined, zeros)

        above = builder.sub(block, splat(low))
        inside = builder.icmp_unsigned("<=", above, splat(builder.sub(high, low)))
        return builder.bitcast(inside, _INT64)

    return numba_types.uint64(text, numba_types.int64, numba_types.uint8, numba_types.uint8), generate


@intrinsic
def fold(typing, x, y):
    """Scramble: the halves of the product of 128 bits, one upon the other (from wyhash; Wang Yi 2019)."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        wide = ir.IntType(128)
        product = builder.mul(*(builder.zext(argument, wide) for argument in arguments))
        return builder.xor(builder.trunc(product, _INT64), builder.trunc(builder.lshr(product, wide(64)), _INT64))

    return numba_types.uint64(numba_types.uint64, numba_types.uint64), generate


@intrinsic
def lowest(typing, bits):
    """The place of the lowest bit that is set, 64 if none is."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        return builder.cttz(arguments[0], ir.IntType(1)(0))

    return numba_types.int64(numba_types.uint64), generate


@intrinsic
def reversed_bytes(typing, word):
    """The word with its first byte highest: words compare as their bytes do."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, arguments: Sequence[ir.Value]) -> ir.Value:
        return builder.bswap(arguments[0])

    return numba_types.uint64(numba_types.uint64), generate


@inlined
def below(n):
    """The lowest n bits, 0 <= n; all from 64 on."""
    return (ONE << np.uint64(n)) - ONE if n < BLOCK else ALL


@inlined
def first_bytes(text, begin, end):
    """The first 8 bytes of text[begin:end] as a word, zeros where there are less; 7 more may be looked at."""
    return load_word(text, begin) & (ALL >> np.uint64(8 * (WORD - min(WORD, end - begin))))


@inlined
def are_same(text, begin, end, other, at):
    """Whether text[begin:end] and other[at:at + end - begin] are the same, of at least 8 bytes."""
    for shift in range(0, end - begin - WORD, WORD):
        if load_word(text, begin + shift) != load_word(other, at + shift):
            return False
    return load_word(text, end - WORD) == load_word(other, at + end - begin - WORD)


@inlined
def copy_bytes(into, at, text, begin, end):
    """Copy text[begin:end] to `at`; what follows there, 7 bytes at most, is spoilt."""
    for shift in range(0, end - begin, WORD):
        store_word(into, at + shift, load_word(text, begin + shift))
