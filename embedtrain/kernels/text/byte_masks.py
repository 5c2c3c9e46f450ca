"""Bytes of text in words of 8 bytes, and blocks of 64 bytes as masks with a bit for each.

The first byte is the lowest of a word, and its bit the lowest of a mask (little-endian).
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba.types import float32, int64, uint8, uint64, void

from embedtrain.kernels.compilation import inlined
from embedtrain.kernels.integers import minimum
from embedtrain.kernels.simd.lanes import ANY, INT, emits

BLOCK, WORD = 64, 8  # bytes
PADDING = BLOCK  # bytes after a text, or after the spellings in a table, that may be read
ONE, ALL = np.uint64(1), np.uint64(0xFFFFFFFFFFFFFFFF)

BYTES = ir.VectorType(ir.IntType(8), BLOCK)
_FALSE, _WIDE = ir.IntType(1)(0), ir.IntType(128)


@emits(uint64, ANY, int64)
def load_word(b, text, position):
    """The 8 bytes text[position:position + 8], the first lowest."""
    return b.load_at(text, position, kind=INT, align=1)


@emits(void, ANY, int64, uint64)
def store_word(b, text, position, word):
    """text[position:position + 8] = the bytes of `word`."""
    b.store_at(word, text, position, align=1)


@emits(uint64, ANY, int64, uint8, uint8)
def bytes_between(b, text, position, low, high):
    """A mask whose bit i is low <= text[position + i] <= high, for the 64 bytes of a block."""
    block = b.load_at(text, position, kind=BYTES, align=1)
    inside = b.icmp_unsigned("<=", b.sub(block, b.splat(low, BLOCK)), b.splat(b.sub(high, low), BLOCK))
    return b.bitcast(inside, INT)


def _product(b, x, y):
    """The lower and the upper half of the product of 128 bits."""
    product = b.mul(b.zext(x, _WIDE), b.zext(y, _WIDE))
    return b.trunc(product, INT), b.trunc(b.lshr(product, _WIDE(64)), INT)


@emits(uint64, uint64, uint64)
def mix_product(b, x, y):
    """Mix: the halves of the product of 128 bits, xored (from wyhash; Wang Yi 2019)."""
    return b.xor(*_product(b, x, y))


@emits(uint64, uint64, uint64)
def high_product(b, x, y):
    """The upper half of the product of 128 bits."""
    return _product(b, x, y)[1]


@emits(int64, uint64)
def trailing_zeros(b, bits):
    """The number of lowest bits that are 0, 64 if all are."""
    return b.cttz(bits, _FALSE)


@emits(uint64, uint64)
def leading_zeros(b, bits):
    """The number of highest bits that are 0, 64 if all are."""
    return b.ctlz(bits, _FALSE)


@emits(uint64, uint64)
def reversed_bytes(b, word):
    """The word with its first byte highest, to compare words as byte strings."""
    return b.bswap(word)


@emits(float32, uint64)
def nearest_float32(b, bits):
    """The float32 nearest to the float64 with these bits, halfway the even one."""
    return b.fptrunc(b.bitcast(bits, ir.DoubleType()), ir.FloatType())


@inlined
def low_bits(n):
    """The lowest n bits, 0 <= n; all from 64 on."""
    return (ONE << np.uint64(n)) - ONE if n < BLOCK else ALL


@inlined
def first_bytes(text, begin, end):
    """The first 8 bytes of text[begin:end] as a word, zeros where there are fewer; 7 more may be read."""
    return load_word(text, begin) & (ALL >> np.uint64(8 * (WORD - minimum(WORD, end - begin))))


@inlined
def equal_bytes(text, begin, end, other, at):
    """Whether text[begin:end] and other[at:at + end - begin] are equal, of at least 8 bytes."""
    for shift in range(0, end - begin - WORD, WORD):
        if load_word(text, begin + shift) != load_word(other, at + shift):
            return False
    return load_word(text, end - WORD) == load_word(other, at + end - begin - WORD)


@inlined
def copy_bytes(into, at, text, begin, end):
    """Copy text[begin:end] to into[at:], and up to 7 bytes that follow."""
    for shift in range(0, end - begin, WORD):
        store_word(into, at + shift, load_word(text, begin + shift))
