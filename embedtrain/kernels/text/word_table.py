"""Types: found by their spelling in open addressing, put into order, packed, looked through for what is not UTF-8."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined, kernel
from embedtrain.kernels.text.byte_masks import (
    ONE,
    PADDING,
    WORD,
    copy_bytes,
    equal_bytes,
    first_bytes,
    load_word,
    mix_product,
    reversed_bytes,
)

_FACTOR = np.uint64(0xB492B66FBE98F273)  # of hashes (a prime of CityHash): of 15, the one that spreads words best
_HALF = np.uint64(32)
FREE, _BYTE = np.uint64(0), np.uint64(0xFF)
_HIGH_BITS = np.uint64(0x8080808080808080)
NUMBER = 1  # where a slot has the number of its type


class Types(NamedTuple):
    """The types seen so far, found by open addressing; the arrays leave room for more."""

    slots: NDArray[np.uint64]  # (a power of two,) pairs: key, see `key_of`, 0 where free; number
    starts: NDArray[np.int64]  # (capacity + 1,) where the bytes of each type start in `text`
    text: NDArray[np.uint8]  # bytes of all types, one after the other, and PADDING more
    counts: NDArray[np.int64]  # (capacity,) of at most 3/4 of the slots
    first_seen: NDArray[np.int64]  # (capacity,) piece << 32 | line in the piece


@inlined
def key_of(text, begin, end):
    """What slots know types by. A token holds no byte below 0x21, so that three kinds of words differ in their first.

    Up to 8 bytes are their own key. Of more it is a hash, whose first byte is 1; and 0 is no key.
    """
    if end - begin <= WORD:
        return first_bytes(text, begin, end)
    code = np.uint64(end - begin)
    for position in range(begin, end - WORD, WORD):
        code = mix_product(code ^ load_word(text, position), _FACTOR)
    return (mix_product(code ^ load_word(text, end - WORD), _FACTOR) & ~_BYTE) | ONE


@inlined
def home_of(slots, key):
    """The slot to begin with in search for a key. One product is not enough for its lower half to be even."""
    return np.int64(mix_product(key, _FACTOR) >> _HALF) & (slots.size - 2)


@inlined
def is_type(types, number, text, begin, end):
    """Whether text[begin:end] is the type, of at least 8 bytes."""
    start, stop = types.starts[number], types.starts[number + ONE]
    return stop - start == end - begin and equal_bytes(text, begin, end, types.text, start)


@inlined
def find_slot(types, text, begin, end, key):
    """The slot that holds the type text[begin:end], or the free slot where it belongs."""
    slots = types.slots
    slot = home_of(slots, key)
    while slots[slot] != key or (key & _BYTE == ONE and not is_type(types, slots[slot + NUMBER], text, begin, end)):
        if slots[slot] == FREE:
            break
        slot = (slot + 2) & (slots.size - 1)
    return slot


@inlined
def has_room(types, n_types, length):
    """Whether one more type of `length` bytes fits."""
    return n_types < types.counts.size and types.starts[n_types] + length <= types.text.size - PADDING


@inlined
def add_type(types, slot, number, text, begin, end, key, seen):
    """Put the new type text[begin:end] into its free slot, with count 0."""
    start = types.starts[number]
    copy_bytes(types.text, start, text, begin, end)
    types.starts[number + 1] = start + end - begin
    types.slots[slot] = key
    types.slots[slot + NUMBER] = np.uint64(number)
    types.counts[number] = 0
    types.first_seen[number] = seen


@kernel
def fill_slots(types, n_types):
    """Put all types into slots that are all free."""
    slots = types.slots
    for number in range(n_types):
        key = key_of(types.text, types.starts[number], types.starts[number + 1])
        slot = home_of(slots, key)
        while slots[slot] != FREE:
            slot = (slot + 2) & (slots.size - 1)
        slots[slot] = key
        slots[slot + NUMBER] = np.uint64(number)


@kernel
def merge_types(into, n_into, text, starts, counts, first_seen, begin, numbers):
    """Add the types text[starts[t]:starts[t + 1]] from `begin` on to `into`, and write their numbers into `numbers`.

    Returns how many types `into` has now, and where it stopped for want of room (at `counts.size` if it did not).
    """
    for number in range(begin, counts.size):
        start, end = starts[number], starts[number + 1]
        key = key_of(text, start, end)
        slot = find_slot(into, text, start, end, key)
        if into.slots[slot] == FREE:
            if not has_room(into, n_into, end - start):
                return n_into, number
            add_type(into, slot, n_into, text, start, end, key, first_seen[number])
            n_into += 1
        same = np.int64(into.slots[slot + NUMBER])
        into.counts[same] += counts[number]
        into.first_seen[same] = min(into.first_seen[same], first_seen[number])
        numbers[number] = same
    return n_into, counts.size


# --- All types --------------------------------------------------------------------------------------------------------

WAITING = 128  # rows that `sort_types` needs for fewer than 2^63 types


@inlined
def sort_key(types, number, depth):
    """What types are compared by: their counts, descending, then 8 bytes after 8 bytes from `depth` 0 on."""
    if depth < 0:
        return ~np.uint64(types.counts[number])
    begin, end = types.starts[number] + depth, types.starts[number + 1]
    return reversed_bytes(first_bytes(types.text, begin, end)) if begin < end else FREE


@inlined
def exchange(order, keys, i, k):
    """Let two elements change places."""
    order[i], order[k] = order[k], order[i]
    keys[i], keys[k] = keys[k], keys[i]


@inlined
def partition(order, keys, begin, end):
    """Bring the lesser keys of [begin, end) to the front, the greater to the back; where the pivot's equals lie."""
    pivot = keys[begin + np.int64(mix_product(np.uint64(end), _FACTOR) % np.uint64(end - begin))]
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


@inlined
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
        keys[i] = sort_key(types, order[i], -WORD)
    n_waiting = put_off(waiting, 0, 0, order.size, -WORD)
    while n_waiting > 0:
        n_waiting -= 1
        begin, end, depth = waiting[n_waiting, 0], waiting[n_waiting, 1], waiting[n_waiting, 2]
        low, high = partition(order, keys, begin, end)
        if high - low > 1:
            for i in range(low, high):
                keys[i] = sort_key(types, order[i], depth + WORD)
        if high - low >= max(low - begin, end - high):
            n_waiting = put_off(waiting, n_waiting, low, high, depth + WORD)
            n_waiting = put_off(waiting, n_waiting, begin, low, depth)
            n_waiting = put_off(waiting, n_waiting, high, end, depth)
        elif low - begin >= end - high:
            n_waiting = put_off(waiting, n_waiting, begin, low, depth)
            n_waiting = put_off(waiting, n_waiting, low, high, depth + WORD)
            n_waiting = put_off(waiting, n_waiting, high, end, depth)
        else:
            n_waiting = put_off(waiting, n_waiting, high, end, depth)
            n_waiting = put_off(waiting, n_waiting, low, high, depth + WORD)
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


@inlined
def is_ascii(text, begin, end):
    """Whether no byte of text[begin:end] is above 0x7F."""
    for position in range(begin, end, WORD):
        if first_bytes(text, position, end) & _HIGH_BITS:
            return False
    return True


@inlined
def may_follow(first, second):
    """Whether `second` may follow the byte `first` that begins a character: in its shortest form and no surrogate."""
    low = 0xA0 if first == 0xE0 else 0x90 if first == 0xF0 else 0x80
    high = 0x9F if first == 0xED else 0x8F if first == 0xF4 else 0xBF
    return low <= second <= high


@inlined
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
