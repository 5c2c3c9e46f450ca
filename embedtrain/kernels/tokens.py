"""From bytes of UTF-8 text to numbers: tokens found, types numbered in order of appearance and counted.

A token is a maximal run of characters that are neither whitespace (as in Python's `str.split`) nor control
characters; a line feed also ends a sentence. Bytes that are no UTF-8 are token bytes like others.

Text is looked at in blocks of 64 bytes, whose bytes are told apart by vector comparisons with a bit for each byte as
their result, and spellings in words of 8 bytes. Both take the first byte for the lowest: a little-endian machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types as numba_types
from numba.extending import intrinsic
from numpy.typing import NDArray

from embedtrain.kernels.compilation import kernel

_BLOCK, _WORD = 64, 8  # bytes
PADDING = _BLOCK  # bytes after a text, or after the spellings in a table, that may be looked at

_FACTOR = np.uint64(0xB492B66FBE98F273)  # of hashes (a prime of CityHash): of 15, the one that spreads words best
_HALF = np.uint64(32)
_FREE, _ONE, _BYTE, _ALL = np.uint64(0), np.uint64(1), np.uint64(0xFF), np.uint64(0xFFFFFFFFFFFFFFFF)
_HIGH_BITS = np.uint64(0x8080808080808080)
_NUMBER = 1  # where a slot has the number of its type


class Types(NamedTuple):
    """The types seen so far, found by open addressing; the arrays leave room for more."""

    slots: NDArray[np.uint64]  # (a power of two,) pairs: key, see `key_of`, 0 where free; number
    starts: NDArray[np.int64]  # (capacity + 1,) where the bytes of each type start in `text`
    text: NDArray[np.uint8]  # bytes of all types, one after the other, and PADDING more
    counts: NDArray[np.int64]  # (capacity,) of at most 3/4 of the slots
    first_seen: NDArray[np.int64]  # (capacity,) piece << 32 | line in the piece


# What `tokenise` remembers between calls, in an int64 array of `STATE` elements.
POSITION, N_TYPES, N_TOKENS, N_BREAKS, N_LINES, N_CONTROLS, FIRST_CONTROL = range(7)
STATE = 7


# --- Words and blocks of bytes ----------------------------------------------------------------------------------------

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
        vector = ir.VectorType(ir.IntType(8), _BLOCK)
        block = builder.load(_pointer(context, builder, signature.args[0], array, at, vector))
        block.align = 1

        def splat(byte: ir.Value) -> ir.Value:
            undefined = ir.Constant(vector, ir.Undefined)
            first = builder.insert_element(undefined, byte, ir.IntType(32)(0))
            zeros = ir.Constant(ir.VectorType(ir.IntType(32), _BLOCK), [0] * _BLOCK)
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


@kernel
def below(n):
    """The lowest n bits, 0 <= n; all from 64 on."""
    return (_ONE << np.uint64(n)) - _ONE if n < _BLOCK else _ALL


@kernel
def first_bytes(text, begin, end):
    """The first 8 bytes of text[begin:end] as a word, zeros where there are less; 7 more may be looked at."""
    return load_word(text, begin) & (_ALL >> np.uint64(8 * (_WORD - min(_WORD, end - begin))))


@kernel
def are_same(text, begin, end, other, at):
    """Whether text[begin:end] and other[at:at + end - begin] are the same, of at least 8 bytes."""
    for shift in range(0, end - begin - _WORD, _WORD):
        if load_word(text, begin + shift) != load_word(other, at + shift):
            return False
    return load_word(text, end - _WORD) == load_word(other, at + end - begin - _WORD)


@kernel
def copy_bytes(into, at, text, begin, end):
    """Copy text[begin:end] to `at`; what follows there, 7 bytes at most, is spoilt."""
    for shift in range(0, end - begin, _WORD):
        store_word(into, at + shift, load_word(text, begin + shift))


# --- Types ------------------------------------------------------------------------------------------------------------


@kernel
def key_of(text, begin, end):
    """What slots know types by. A token holds no byte below 0x21, so that three kinds of words differ in their first.

    Up to 8 bytes are their own key. Of more it is a hash, whose first byte is 1; and 0 is no key.
    """
    if end - begin <= _WORD:
        return first_bytes(text, begin, end)
    code = np.uint64(end - begin)
    for position in range(begin, end - _WORD, _WORD):
        code = fold(code ^ load_word(text, position), _FACTOR)
    return (fold(code ^ load_word(text, end - _WORD), _FACTOR) & ~_BYTE) | _ONE


@kernel
def home_of(slots, key):
    """The slot to begin with in search for a key. One product is not enough for its lower half to be even."""
    return np.int64(fold(key, _FACTOR) >> _HALF) & (slots.size - 2)


@kernel
def is_type(types, number, text, begin, end):
    """Whether text[begin:end] is the type, of at least 8 bytes."""
    start, stop = types.starts[number], types.starts[number + _ONE]
    return stop - start == end - begin and are_same(text, begin, end, types.text, start)


@kernel
def find_slot(types, text, begin, end, key):
    """The slot that holds the type text[begin:end], or the free slot where it belongs."""
    slots = types.slots
    slot = home_of(slots, key)
    while slots[slot] != key or (key & _BYTE == _ONE and not is_type(types, slots[slot + _NUMBER], text, begin, end)):
        if slots[slot] == _FREE:
            break
        slot = (slot + 2) & (slots.size - 1)
    return slot


@kernel
def has_room(types, n_types, length):
    """Whether one more type of `length` bytes fits."""
    return n_types < types.counts.size and types.starts[n_types] + length <= types.text.size - PADDING


@kernel
def add_type(types, slot, number, text, begin, end, key, seen):
    """Put the new type text[begin:end] into its free slot, with count 0."""
    start = types.starts[number]
    copy_bytes(types.text, start, text, begin, end)
    types.starts[number + 1] = start + end - begin
    types.slots[slot] = key
    types.slots[slot + _NUMBER] = np.uint64(number)
    types.counts[number] = 0
    types.first_seen[number] = seen


@kernel
def fill_slots(types, n_types):
    """Put all types into slots that are all free."""
    slots = types.slots
    for number in range(n_types):
        key = key_of(types.text, types.starts[number], types.starts[number + 1])
        slot = home_of(slots, key)
        while slots[slot] != _FREE:
            slot = (slot + 2) & (slots.size - 1)
        slots[slot] = key
        slots[slot + _NUMBER] = np.uint64(number)


@kernel
def merge_types(into, n_into, text, starts, counts, first_seen, begin, numbers):
    """Add the types text[starts[t]:starts[t + 1]] from `begin` on to `into`, and write their numbers into `numbers`.

    Returns how many types `into` has now, and where it stopped for want of room (at `counts.size` if it did not).
    """
    for number in range(begin, counts.size):
        start, end = starts[number], starts[number + 1]
        key = key_of(text, start, end)
        slot = find_slot(into, text, start, end, key)
        if into.slots[slot] == _FREE:
            if not has_room(into, n_into, end - start):
                return n_into, number
            add_type(into, slot, n_into, text, start, end, key, first_seen[number])
            n_into += 1
        same = np.int64(into.slots[slot + _NUMBER])
        into.counts[same] += counts[number]
        into.first_seen[same] = min(into.first_seen[same], first_seen[number])
        numbers[number] = same
    return n_into, counts.size


# --- Tokens -----------------------------------------------------------------------------------------------------------


@kernel
def wide_separator(text, position):
    """Bytes of the separator outside ASCII that begins at `position`, 0 if none does."""
    first, second, third = text[position], text[position + 1], text[position + 2]
    if first == 0xC2:  # U+0080 to U+009F are control characters but U+0085; U+00A0 is the no-break space
        return 2 if 0x80 <= second <= 0xA0 else 0
    if first == 0xE1:  # U+1680
        return 3 if second == 0x9A and third == 0x80 else 0
    if first == 0xE3:  # U+3000
        return 3 if second == 0x80 and third == 0x80 else 0
    if first != 0xE2:
        return 0
    if second == 0x80:  # U+2000 to U+200A, U+2028, U+2029, U+202F
        return 3 if 0x80 <= third <= 0x8A or 0xA8 <= third <= 0xA9 or third == 0xAF else 0
    return 3 if second == 0x81 and third == 0x9F else 0  # U+205F


@kernel
def is_control(text, position):
    """Whether the separator at `position` is a control character rather than whitespace."""
    first, second = text[position], text[position + 1]
    if first == 0xC2:
        return second < 0xA0 and second != 0x85
    return first < 0x09 or 0x0E <= first <= 0x1B or first == 0x7F


@kernel
def separators(text, position, n):
    """Bits for the block at `position` that ends at n at the latest: bytes of separators, and where one begins that
    is a line feed or may be a control character; then bits for the block after it: bytes of a separator from this one.
    """
    inside = below(n - position)
    special = bytes_between(text, position, 0x00, 0x1F) | bytes_between(text, position, 0x7F, 0x7F)
    found = special | bytes_between(text, position, 0x20, 0x20) | ~inside
    leads = bytes_between(text, position, 0xC2, 0xC2) | bytes_between(text, position, 0xE1, 0xE3)
    after = _FREE
    leads &= inside
    while leads:
        at = lowest(leads)
        leads &= leads - _ONE
        width = wide_separator(text, position + at)
        if width and position + at + width <= n:
            found |= below(width) << np.uint64(at)
            if width == 2:
                special |= _ONE << np.uint64(at)
            if at + width > _BLOCK:
                after = below(at + width - _BLOCK)
    return found, special & inside, after


@kernel
def pass_separator(text, position, piece, n_tokens, state, breaks):
    """Note in `state` and `breaks` what the separator at `position` is, after so many tokens."""
    if text[position] == 0x0A:
        state[N_LINES] += 1
        n_breaks = state[N_BREAKS]
        if n_breaks == 0 or breaks[n_breaks - 1] < n_tokens:
            breaks[n_breaks] = n_tokens
            state[N_BREAKS] += 1
    elif is_control(text, position):
        if state[N_CONTROLS] == 0:
            state[FIRST_CONTROL] = piece << 32 | state[N_LINES]
        state[N_CONTROLS] += 1


@kernel
def tokenise(text, n, piece, types, state, ids, breaks):
    """Number the tokens of text[:n] into `ids`; `breaks` tells how many stand before each end of a sentence.

    Goes on from `state`. Returns 0 at the end, or the length of a new type for which `types` has no room: then
    make some and call again. `PADDING` bytes must follow the text, whatever they are.
    """
    slots, counts = types.slots, types.counts
    n_types, n_tokens = state[N_TYPES], state[N_TOKENS]
    block, begin, before, after = state[POSITION], 0, _ONE, _FREE  # before: a separator stands before the block
    while block <= n:  # a block at n ends a token there
        carried = after
        found, special, after = separators(text, block, n)
        found |= carried
        follow = found << _ONE | before
        begins, ends = ~found & follow, found & ~follow
        if before:
            begin = block + lowest(begins)
            begins &= begins - _ONE
        before = found >> np.uint64(_BLOCK - 1)
        while True:
            stop = lowest(special)
            until = ends & below(stop + 1)  # tokens that end at the special separator at the latest
            ends ^= until
            while until:
                end = block + lowest(until)
                until &= until - _ONE
                key = key_of(text, begin, end)
                slot = find_slot(types, text, begin, end, key)
                if slots[slot] == _FREE:
                    if not has_room(types, n_types, end - begin):
                        state[POSITION], state[N_TYPES], state[N_TOKENS] = begin, n_types, n_tokens
                        return end - begin
                    add_type(types, slot, n_types, text, begin, end, key, piece << 32 | state[N_LINES])
                    n_types += 1
                number = np.int64(slots[slot + _NUMBER])
                counts[number] += 1
                ids[n_tokens] = number
                n_tokens += 1
                begin = block + lowest(begins)
                begins &= begins - _ONE
            if not special:
                break
            pass_separator(text, block + stop, piece, n_tokens, state, breaks)
            special &= special - _ONE
        block += _BLOCK
    state[POSITION], state[N_TYPES], state[N_TOKENS] = n, n_types, n_tokens
    return 0


@kernel
def renumber(ids, ranks):
    """ids[i] = ranks[ids[i]] for all i."""
    for i in range(np.uint64(ids.size)):
        ids[i] = ranks[ids[i]]


# --- All types --------------------------------------------------------------------------------------------------------

WAITING = 128  # rows that `sort_types` needs for fewer than 2^63 types


@kernel
def sort_key(types, number, depth):
    """What types are compared by: their counts, descending, then 8 bytes after 8 bytes from `depth` 0 on."""
    if depth < 0:
        return ~np.uint64(types.counts[number])
    begin, end = types.starts[number] + depth, types.starts[number + 1]
    return reversed_bytes(first_bytes(types.text, begin, end)) if begin < end else _FREE


@kernel
def exchange(order, keys, i, k):
    """Let two elements change places."""
    order[i], order[k] = order[k], order[i]
    keys[i], keys[k] = keys[k], keys[i]


@kernel
def partition(order, keys, begin, end):
    """Bring the lesser keys of [begin, end) to the front, the greater to the back; where the pivot's equals lie."""
    pivot = keys[begin + np.int64(fold(np.uint64(end), _FACTOR) % np.uint64(end - begin))]
    at = begin
    while at < end:
        key = keys[at]
        if key < pivot:
            exchange(order, keys, at, begin)
            begin += 1
            at += 1
        elif key > pivot:
            end -= 1
            exchange(order, keys, at, end)
        else:
            at += 1
    return begin, end


@kernel
def put_off(waiting, n_waiting, begin, end, depth):
    """Let [begin, end) wait to be sorted, if there is anything to sort; how many parts wait now."""
    if end - begin < 2:
        return n_waiting
    waiting[n_waiting, 0], waiting[n_waiting, 1], waiting[n_waiting, 2] = begin, end, depth
    return n_waiting + 1


@kernel
def sort_types(types, order, keys, waiting):
    """Sort the numbers of types in `order` by count, descending, ties by their bytes; no two types may be the same.

    Multikey quicksort (Bentley, Sedgewick 1997) with words for characters: what has the pivot's word is then sorted
    by the next. `keys` is scratch for the words, `waiting` has WAITING rows of three: of a part's parts the largest
    waits longest, so that two wait for each halving.
    """
    for i in range(order.size):
        keys[i] = sort_key(types, order[i], -_WORD)
    n_waiting = put_off(waiting, 0, 0, order.size, -_WORD)
    while n_waiting > 0:
        n_waiting -= 1
        begin, end, depth = waiting[n_waiting, 0], waiting[n_waiting, 1], waiting[n_waiting, 2]
        low, high = partition(order, keys, begin, end)
        if high - low > 1:
            for i in range(low, high):
                keys[i] = sort_key(types, order[i], depth + _WORD)
        if high - low >= max(low - begin, end - high):
            n_waiting = put_off(waiting, n_waiting, low, high, depth + _WORD)
            n_waiting = put_off(waiting, n_waiting, begin, low, depth)
            n_waiting = put_off(waiting, n_waiting, high, end, depth)
        elif low - begin >= end - high:
            n_waiting = put_off(waiting, n_waiting, begin, low, depth)
            n_waiting = put_off(waiting, n_waiting, low, high, depth + _WORD)
            n_waiting = put_off(waiting, n_waiting, high, end, depth)
        else:
            n_waiting = put_off(waiting, n_waiting, high, end, depth)
            n_waiting = put_off(waiting, n_waiting, low, high, depth + _WORD)
            n_waiting = put_off(waiting, n_waiting, begin, low, depth)


@kernel
def place(types, order, starts):
    """Where each of the types in `order` starts if their spellings stand one after the other, and the last ends."""
    starts[0] = 0
    for i in range(order.size):
        number = order[i]
        starts[i + 1] = starts[i] + types.starts[number + 1] - types.starts[number]


@kernel
def gather(types, order, starts, text):
    """Write the spellings of the types in `order` into `text`, where each starts."""
    for i in range(order.size):
        number = order[i]
        copy_bytes(text, starts[i], types.text, types.starts[number], types.starts[number + 1])


@kernel
def is_ascii(text, begin, end):
    """Whether no byte of text[begin:end] is above 0x7F."""
    for position in range(begin, end, _WORD):
        if first_bytes(text, position, end) & _HIGH_BITS:
            return False
    return True


@kernel
def may_follow(first, second):
    """Whether `second` may follow the byte `first` that begins a character: in its shortest form and no surrogate."""
    low = 0xA0 if first == 0xE0 else 0x90 if first == 0xF0 else 0x80
    high = 0x9F if first == 0xED else 0x8F if first == 0xF4 else 0xBF
    return low <= second <= high


@kernel
def is_utf8(text, begin, end):
    """Whether text[begin:end] is UTF-8 (Unicode 15, table 3-7)."""
    position = begin
    while position < end:
        first = text[position]
        if first >= 0x80:
            if first < 0xC2 or first > 0xF4 or not may_follow(first, text[position + 1]):
                return False
            position += 1
            for _ in range((first >= 0xE0) + (first >= 0xF0)):
                position += 1
                if not 0x80 <= text[position] <= 0xBF:
                    return False
        position += 1
    return position == end


@kernel
def mark_invalid(types, invalid):
    """invalid[number] = whether the type is not UTF-8."""
    for number in range(invalid.size):
        begin, end = types.starts[number], types.starts[number + 1]
        invalid[number] = not is_ascii(types.text, begin, end) and not is_utf8(types.text, begin, end)
