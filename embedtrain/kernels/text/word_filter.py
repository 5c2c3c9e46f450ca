"""Filter UTF-8 text so that only words remain, with spaces between them, as tokens for `tokenise`.

Characters have classes. A word is a letter that is a word by itself, or a run that begins with a letter; marks follow
letters, and joiners (apostrophes, hyphens) stand between two letters.
"""

import numpy as np
from llvmlite import ir
from numba.types import int64, uint64, void

from embedtrain.kernels.compilation import inlined, kernel
from embedtrain.kernels.integers import minimum
from embedtrain.kernels.simd.lanes import ANY, emits
from embedtrain.kernels.text.byte_masks import (
    BLOCK,
    BYTES,
    ONE,
    bytes_between,
    load_word,
    low_bits,
    store_word,
    trailing_zeros,
)

#: Classes of characters. LETTER includes digits, SINGLE letters are words of their own, IGNORED ones are removed.
OTHER, LETTER, MARK, SINGLE, JOINER, APOSTROPHE, HYPHEN, IGNORED, CONTROL = range(9)

_SPACE = np.uint8(ord(" "))
_WRITTEN = np.zeros(9, np.uint8)  # the byte that is written for a character of a class, 0 for its own
_WRITTEN[[OTHER, APOSTROPHE, HYPHEN]] = [ord(c) for c in " '-"]
_LAST = np.array([OTHER, LETTER, OTHER, SINGLE, LETTER, LETTER, LETTER, OTHER, OTHER])  # what it leaves as `last`


@emits(void, ANY, int64, ANY, int64, uint64)
def copy_masked(b, into, at, text, position, mask):
    """into[at + i] = text[position + i] where bit i of the mask is 1, else a space, for the 64 bytes of a block."""
    block = b.load_at(text, position, kind=BYTES, align=1)
    bits = b.bitcast(mask, ir.VectorType(ir.IntType(1), BLOCK))
    b.store_at(b.select(bits, block, BYTES([ord(" ")] * BLOCK)), into, at, align=1)


@inlined
def may_follow(first, second):
    """Whether `second` may follow the lead byte `first`: no overlong form, no surrogate, at most U+10FFFF."""
    low = 0xA0 if first == 0xE0 else 0x90 if first == 0xF0 else 0x80
    high = 0x9F if first == 0xED else 0x8F if first == 0xF4 else 0xBF
    return low <= second <= high


@inlined
def decode(text, position, n):
    """The code point of the character at `position` of text[:n] and its number of bytes; -1 and 1 if not UTF-8."""
    first, second = np.int64(text[position]), np.int64(text[position + 1])
    if first < 0x80:
        return first, 1
    width = 2 + (first >= 0xE0) + (first >= 0xF0)
    if first < 0xC2 or first > 0xF4 or position + width > n or not may_follow(first, second):
        return -1, 1
    code = (first & (0x7F >> width)) << 6 | (second & 0x3F)
    for i in range(2, width):
        following = np.int64(text[position + i])
        if not 0x80 <= following <= 0xBF:
            return -1, 1
        code = code << 6 | (following & 0x3F)
    return code, width


@inlined
def classify(text, position, n, classes):
    """The class and the number of bytes of the character at `position`; bytes that are not UTF-8 are letters."""
    code, width = decode(text, position, n)
    if code < 0:
        return LETTER, width
    return np.int64(classes[code]) if code < classes.size else OTHER, width


@inlined
def letter_follows(text, position, n, classes):
    """Whether the next character from `position` on that is not ignored is a letter."""
    while position < n:
        kind, width = classify(text, position, n, classes)
        if kind != IGNORED:
            return kind == LETTER
        position += width
    return False


@inlined
def filter_ascii(text, position, n_ascii, n, classes, last, into, size):
    """Filter text[position:position + n_ascii] of at most 64 ASCII bytes; returns the next `last`."""
    inside = low_bits(n_ascii)
    letters = bytes_between(text, position, 0x61, 0x7A) | bytes_between(text, position, 0x41, 0x5A)
    letters = (letters | bytes_between(text, position, 0x30, 0x39)) & inside
    joiners = bytes_between(text, position, 0x27, 0x27) | bytes_between(text, position, 0x2D, 0x2D)
    joiners = (joiners | bytes_between(text, position, 0x5F, 0x5F)) & inside
    end = np.uint64(n_ascii - 1)
    before = letters << ONE | np.uint64(last == LETTER)
    after = letters >> ONE
    if joiners >> end and letter_follows(text, position + n_ascii, n, classes):
        after |= ONE << end
    kept = letters | (joiners & before & after)
    controls = bytes_between(text, position, 0x00, 0x1F) | bytes_between(text, position, 0x7F, 0x7F)
    copy_masked(into, size, text, position, kept | controls)
    return LETTER if kept >> end else OTHER


@inlined
def class_in_context(text, position, n, classes, last):
    """As `classify`, but OTHER for a mark or a joiner that is not part of a word."""
    kind, width = classify(text, position, n, classes)
    if kind == MARK:
        return OTHER if last == OTHER else MARK, width
    if kind == JOINER or kind == APOSTROPHE or kind == HYPHEN:
        in_word = last == LETTER and letter_follows(text, position + width, n, classes)
        return kind if in_word else OTHER, width
    return kind, width


@kernel
def filter_words(text, n, classes, into):
    """Write the words of text[:n] to `into`, with spaces, control characters and line feeds; returns their length.

    `classes[code]` is the class of a character, OTHER if it is not in the array. `into` must have 3/2 n bytes and
    `PADDING`, as a space may be added before and after every SINGLE letter; `PADDING` bytes must follow the text.
    """
    position, size, last = 0, 0, OTHER  # last: LETTER in a word, SINGLE after such a letter, else OTHER
    while position < n:
        if text[position] < 0x80:
            into[size] = _SPACE
            size += last == SINGLE
            n_ascii = minimum(trailing_zeros(bytes_between(text, position, 0x80, 0xFF)), n - position)
            last = filter_ascii(text, position, n_ascii, n, classes, last, into, size)
            position += n_ascii
            size += n_ascii
            continue
        kind, width = class_in_context(text, position, n, classes, last)
        if kind != IGNORED:
            if kind == SINGLE or (kind == LETTER and last == SINGLE):
                into[size] = _SPACE
                size += last != OTHER
            store_word(into, size, load_word(text, position))
            size += width
            if _WRITTEN[kind]:
                size -= width - 1
                into[size - 1] = _WRITTEN[kind]
            last = last if kind == MARK else _LAST[kind]
        position += width
    return size
