"""The table of types, the distinct tokens of a text: look-up, sorting and packing.

A hash table with open addressing: slots of (key, number), and the concatenated spellings in order of numbers.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined, kernel
from embedtrain.kernels.integers import maximum, minimum
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

_FACTOR = np.uint64(0xB492B66FBE98F273)  # of hashes: a prime of CityHash, the best of 15 tried
_HALF = np.uint64(32)
FREE, _BYTE = np.uint64(0), np.uint64(0xFF)
NUMBER = 1  # the element of a slot with the number of its type


class Types(NamedTuple):
    """The types so far; the arrays have capacity for more."""

    slots: NDArray[np.uint64]  # (a power of two,) key, see `spelling_key`, or 0 where free; number; key; …
    starts: NDArray[np.int64]  # (capacity + 1,) where the bytes of each type start in `text`
    text: NDArray[np.uint8]  # bytes of all types, one after the other, and PADDING more
    counts: NDArray[np.int64]  # (capacity,) which is at most 3/4 of the slots
    first_seen: NDArray[np.int64]  # (capacity,) chunk << 32 | line in the chunk


@inlined
def spelling_key(text, begin, end):
    """The key of a spelling: up to 8 bytes are their own key, longer ones have a hash whose first byte is 1.

    The two kinds of keys and 0, a free slot, are distinct, since no byte of a token is below 0x21.
    """
    if end - begin <= WORD:
        return first_bytes(text, begin, end)
    code = np.uint64(end - begin)
    for position in range(begin, end - WORD, WORD):
        code = mix_product(code ^ load_word(text, position), _FACTOR)
    return (mix_product(code ^ load_word(text, end - WORD), _FACTOR) & ~_BYTE) | ONE


@inlined
def first_slot(slots, key):
    """The first slot to probe for a key, mixed again, since hashes are not uniform enough."""
    return np.int64(mix_product(key, _FACTOR) >> _HALF) & (slots.size - 2)


@inlined
def matches(types, number, text, begin, end):
    """Whether text[begin:end], of at least 8 bytes, is the spelling of a type."""
    start, stop = types.starts[number], types.starts[number + ONE]
    return stop - start == end - begin and equal_bytes(text, begin, end, types.text, start)


@inlined
def find_slot(types, text, begin, end, key):
    """The slot of the type text[begin:end], or the free slot for it."""
    slots = types.slots
    # linear probing: a short key is the spelling itself, a hash may belong to another spelling
    slot = first_slot(slots, key)
    while slots[slot] != key or (key & _BYTE == ONE and not matches(types, slots[slot + NUMBER], text, begin, end)):
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
    """Add the new type text[begin:end] in its free slot, with count 0."""
    start = types.starts[number]
    copy_bytes(types.text, start, text, begin, end)
    types.starts[number + 1] = start + end - begin
    types.slots[slot] = key
    types.slots[slot + NUMBER] = np.uint64(number)
    types.counts[number] = 0
    types.first_seen[number] = seen


@kernel
def fill_slots(types, n_types):
    """Enter all types into slots that are all free."""
    slots = types.slots
    for number in range(n_types):
        key = spelling_key(types.text, types.starts[number], types.starts[number + 1])
        slot = first_slot(slots, key)
        while slots[slot] != FREE:
            slot = (slot + 2) & (slots.size - 1)
        slots[slot] = key
        slots[slot + NUMBER] = np.uint64(number)


@kernel
def merge_types(into, n_into, text, starts, counts, first_seen, begin, numbers):
    """Add the types text[starts[t]:starts[t + 1]], t = begin, begin + 1, …, to `into`, and write their numbers there.

    Returns the new number of types in `into`, and the first t that did not fit (`counts.size` if all did).
    """
    for number in range(begin, counts.size):
        start, end = starts[number], starts[number + 1]
        key = spelling_key(text, start, end)
        slot = find_slot(into, text, start, end, key)
        if into.slots[slot] == FREE:
            if not has_room(into, n_into, end - start):
                return n_into, number
            add_type(into, slot, n_into, text, start, end, key, first_seen[number])
            n_into += 1
        same = np.int64(into.slots[slot + NUMBER])
        into.counts[same] += counts[number]
        into.first_seen[same] = minimum(into.first_seen[same], first_seen[number])
        numbers[number] = same
    return n_into, counts.size


# --- Order ------------------------------------------------------------------------------------------------------------

STACK_ROWS = 128  # of `sort_types`, enough for fewer than 2^63 types


@inlined
def sort_key(types, number, depth):
    """The sort key of a type: below depth 0 the inverted count, else the 8 bytes from `depth` on."""
    if depth < 0:
        return ~np.uint64(types.counts[number])
    begin, end = types.starts[number] + depth, types.starts[number + 1]
    return reversed_bytes(first_bytes(types.text, begin, end)) if begin < end else FREE


@inlined
def exchange(order, keys, i, k):
    """Exchange two elements."""
    order[i], order[k] = order[k], order[i]
    keys[i], keys[k] = keys[k], keys[i]


@inlined
def partition(order, keys, begin, end):
    """Move the keys of [begin, end) below a pivot to the front, those above to the back; returns the range between."""
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
def push(stack, n_stack, begin, end, depth):
    """Push the part [begin, end), if it has at least two elements; returns the size of the stack."""
    if end - begin < 2:
        return n_stack
    stack[n_stack, 0], stack[n_stack, 1], stack[n_stack, 2] = begin, end, depth
    return n_stack + 1


@kernel
def sort_types(types, order, keys, stack):
    """Sort the numbers of types in `order` by count, descending, ties by their bytes; no two types may be equal.

    Multikey quicksort (Bentley, Sedgewick 1997) with words of 8 bytes for characters. `keys` (n,) is scratch, `stack`
    (STACK_ROWS, 3) is that of parts to sort.
    """
    for i in range(order.size):
        keys[i] = sort_key(types, order[i], -WORD)
    n_stack = push(stack, 0, 0, order.size, -WORD)
    while n_stack > 0:
        n_stack -= 1
        begin, end, depth = stack[n_stack, 0], stack[n_stack, 1], stack[n_stack, 2]
        low, high = partition(order, keys, begin, end)
        # keys equal to the pivot are compared by the next word
        if high - low > 1:
            for i in range(low, high):
                keys[i] = sort_key(types, order[i], depth + WORD)
        # three parts, the largest first: it is popped last, so that the stack grows by two for each halving
        if high - low >= maximum(low - begin, end - high):
            n_stack = push(stack, n_stack, low, high, depth + WORD)
            n_stack = push(stack, n_stack, begin, low, depth)
            n_stack = push(stack, n_stack, high, end, depth)
        elif low - begin >= end - high:
            n_stack = push(stack, n_stack, begin, low, depth)
            n_stack = push(stack, n_stack, low, high, depth + WORD)
            n_stack = push(stack, n_stack, high, end, depth)
        else:
            n_stack = push(stack, n_stack, high, end, depth)
            n_stack = push(stack, n_stack, low, high, depth + WORD)
            n_stack = push(stack, n_stack, begin, low, depth)


@kernel
def pack_spellings(types, order, starts, text):
    """Copy the spelling of each type in `order` to its start in `text`."""
    for i in range(order.size):
        number = order[i]
        copy_bytes(text, starts[i], types.text, types.starts[number], types.starts[number + 1])
