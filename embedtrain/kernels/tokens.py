"""From bytes of UTF-8 text to numbers: tokens found, types numbered in order of appearance and counted.

A token is a maximal run of characters that are neither whitespace (as in Python's `str.split`) nor control
characters; a line feed also ends a sentence. Bytes that are no UTF-8 are token bytes like others.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import kernel

# How a byte begins: inside a token, a separator by itself, a line feed, a control character, or the first byte of what
# may be a separator of two or three bytes.
_TOKEN, _SPACE, _NEWLINE, _CONTROL, _LEAD = range(5)
_KINDS = np.full(256, _TOKEN, np.uint8)
_KINDS[:0x20] = _CONTROL
_KINDS[0x7F] = _CONTROL
_KINDS[[*range(0x09, 0x0E), *range(0x1C, 0x21)]] = _SPACE
_KINDS[0x0A] = _NEWLINE
_KINDS[[0xC2, 0xE1, 0xE2, 0xE3]] = _LEAD

_SEED, _PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)  # FNV-1a (Fowler, Noll, Vo)
_FREE, _LOW, _HALF = np.uint64(0), np.uint64(0xFFFFFFFF), np.uint64(1 << 32)


class Types(NamedTuple):
    """The types seen so far, found by open addressing; the arrays leave room for more."""

    slots: NDArray[np.uint64]  # (a power of two,) upper half of the hash, and number + 1 below; 0 where free
    hashes: NDArray[np.uint64]  # (capacity,)
    starts: NDArray[np.int64]  # (capacity + 1,) where the bytes of each type start in `text`
    text: NDArray[np.uint8]  # bytes of all types, one after the other
    counts: NDArray[np.int64]  # (capacity,)
    first_seen: NDArray[np.int64]  # (capacity,) piece << 32 | line in the piece


# What `tokenise` remembers between calls, in an int64 array of `STATE` elements.
POSITION, N_TYPES, N_TOKENS, N_BREAKS, N_LINES, N_CONTROLS, FIRST_CONTROL = range(7)
STATE = 7


@kernel
def separator_width(text, position):
    """Bytes of the separator that begins at `position`, 0 inside a token. Two more bytes must follow in `text`."""
    first = text[position]
    kind = _KINDS[first]
    if kind == _TOKEN:
        return 0
    if kind != _LEAD:
        return 1
    second, third = text[position + 1], text[position + 2]
    if first == 0xC2:  # U+0080 to U+009F are control characters but U+0085; U+00A0 is the no-break space
        return 2 if 0x80 <= second <= 0xA0 else 0
    if first == 0xE1:  # U+1680
        return 3 if second == 0x9A and third == 0x80 else 0
    if first == 0xE3:  # U+3000
        return 3 if second == 0x80 and third == 0x80 else 0
    if second == 0x80:  # U+2000 to U+200A, U+2028, U+2029, U+202F
        return 3 if 0x80 <= third <= 0x8A or 0xA8 <= third <= 0xA9 or third == 0xAF else 0
    return 3 if second == 0x81 and third == 0x9F else 0  # U+205F


@kernel
def is_control(text, position):
    """Whether the separator at `position` is a control character rather than whitespace."""
    first, second = text[position], text[position + 1]
    return _KINDS[first] == _CONTROL or (first == 0xC2 and second < 0xA0 and second != 0x85)


@kernel
def find_slot(slots, starts, store, text, begin, end, code):
    """The slot that holds the type text[begin:end], or the free slot where it belongs; `code` is its hash."""
    mask = slots.size - 1
    slot = np.int64(code) & mask
    entry = slots[slot]
    while entry != _FREE:
        if (entry ^ code) < _HALF:  # the upper halves agree
            start = starts[np.int64(entry & _LOW) - 1]
            if starts[np.int64(entry & _LOW)] - start == end - begin:
                same = 0
                while begin + same < end and text[begin + same] == store[start + same]:
                    same += 1
                if begin + same == end:
                    break
        slot = (slot + 1) & mask
        entry = slots[slot]
    return slot


@kernel
def has_room(types, n_types, length):
    """Whether one more type of `length` bytes fits; slots stay at most half full."""
    return n_types < types.counts.size and types.starts[n_types] + length <= types.text.size


@kernel
def add_type(types, slot, number, text, begin, end, code, seen):
    """Put the new type text[begin:end] into its free slot, with count 0."""
    start = types.starts[number]
    for position in range(end - begin):
        types.text[start + position] = text[begin + position]
    types.starts[number + 1] = start + end - begin
    types.slots[slot] = (code & ~_LOW) | np.uint64(number + 1)
    types.hashes[number] = code
    types.counts[number] = 0
    types.first_seen[number] = seen


@kernel
def tokenise(text, n, piece, types, state, ids, breaks):
    """Number the tokens of text[:n] into `ids`; `breaks` tells how many stand before each end of a sentence.

    Goes on from `state`. Returns 0 at the end, or the length of a new type for which `types` has no room: then
    make some and call again.
    """
    slots, starts, store, counts = types.slots, types.starts, types.text, types.counts
    position, n_types, n_tokens = state[POSITION], state[N_TYPES], state[N_TOKENS]
    n_breaks, n_lines, lacking = state[N_BREAKS], state[N_LINES], 0
    while position < n:
        width = separator_width(text, position)
        if width:
            if text[position] == 0x0A:
                n_lines += 1
                if n_breaks == 0 or breaks[n_breaks - 1] < n_tokens:
                    breaks[n_breaks] = n_tokens
                    n_breaks += 1
            elif is_control(text, position):
                if state[N_CONTROLS] == 0:
                    state[FIRST_CONTROL] = piece << 32 | n_lines
                state[N_CONTROLS] += 1
            position += width
            continue

        begin, code = position, _SEED
        while position < n and not separator_width(text, position):
            code = (code ^ np.uint64(text[position])) * _PRIME
            position += 1
        slot = find_slot(slots, starts, store, text, begin, position, code)
        number = np.int64(slots[slot] & _LOW) - 1
        if number < 0:
            if not has_room(types, n_types, position - begin):
                lacking, position = position - begin, begin
                break
            number = n_types
            add_type(types, slot, number, text, begin, position, code, piece << 32 | n_lines)
            n_types += 1
        counts[number] += 1
        ids[n_tokens] = number
        n_tokens += 1
    state[POSITION], state[N_TYPES], state[N_TOKENS] = position, n_types, n_tokens
    state[N_BREAKS], state[N_LINES] = n_breaks, n_lines
    return lacking


@kernel
def merge_types(into, n_into, types, n_types, begin, numbers):
    """Add the types from `begin` on to `into`, counts included, and write their numbers there into `numbers`.

    Returns how many types `into` has now, and where it stopped for want of room (`n_types` if it did not).
    """
    for number in range(begin, n_types):
        start, end, code = types.starts[number], types.starts[number + 1], types.hashes[number]
        slot = find_slot(into.slots, into.starts, into.text, types.text, start, end, code)
        if into.slots[slot] == _FREE:
            if not has_room(into, n_into, end - start):
                return n_into, number
            add_type(into, slot, n_into, types.text, start, end, code, types.first_seen[number])
            n_into += 1
        same = np.int64(into.slots[slot] & _LOW) - 1
        into.counts[same] += types.counts[number]
        into.first_seen[same] = min(into.first_seen[same], types.first_seen[number])
        numbers[number] = same
    return n_into, n_types
