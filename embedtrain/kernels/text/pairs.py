"""Count pairs of adjacent words, and join those that are phrases.

Both use a hash table of (key, value) slots with open addressing; a key is a left and a right number. A sequence of
words leads from node to node: the value of a key has, in its low half, the left number of the next key.
"""

import numpy as np

from embedtrain.kernels.compilation import inlined, kernel
from embedtrain.kernels.integers import minimum
from embedtrain.kernels.sentences import sentence_at
from embedtrain.kernels.simd.rows import prefetch
from embedtrain.kernels.text.byte_masks import ONE, mix_product

POSITION, N_USED, N_NODES = range(3)  # the state of `count_pairs` between calls, an int64 array
_AHEAD = 24  # pairs whose slots are prefetched

BEGINS, CONTINUES, CONNECTS, DROPPED = np.uint8(1), np.uint8(2), np.uint8(4), np.uint8(8)  # kinds of types

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
HALF, FREE = np.uint64(32), np.uint64(0)
NODE = ONE << HALF  # added to the numbers of nodes, which tells them from counts


@inlined
def pair_key(left, right):
    """The key of two numbers below 2 ** 32 - 1, never 0; the high half of `left` is ignored."""
    return (np.uint64(left) + ONE) << HALF | np.uint64(right)


@inlined
def first_slot(slots, key):
    """The first slot to probe for a key."""
    return np.int64(mix_product(key, _FACTOR) >> HALF) & (slots.size - 2)


@inlined
def pair_slot(slots, key):
    """The slot of a key, or the free slot for it."""
    slot = first_slot(slots, key)
    while slots[slot] != key and slots[slot] != FREE:
        slot = (slot + 2) & (slots.size - 1)
    return slot


@kernel
def fill_pairs(entries, slots):
    """Enter (key, value) pairs, one after the other, into slots with room for them; a key of 0 is left out."""
    for i in range(0, entries.size, 2):
        if entries[i] != FREE:
            slot = pair_slot(slots, entries[i])
            slots[slot], slots[slot + 1] = entries[i], entries[i + 1]


@inlined
def add_pair(ids, position, border, kinds, slots, state):
    """Count the pair that begins at a position; returns whether there was room."""
    left = np.uint64(ids[position])
    for at in range(position + 1, border):
        kind = kinds[ids[at]]
        if kind == DROPPED:
            continue
        key = pair_key(left, ids[at])
        slot = pair_slot(slots, key)
        if slots[slot] == FREE:
            if 8 * (state[N_USED] + 1) > 3 * slots.size:
                return False
            slots[slot] = key
            state[N_USED] += 1
            if kind == CONNECTS:
                slots[slot + 1] = NODE + np.uint64(kinds.size + state[N_NODES])
                state[N_NODES] += 1
        if kind == BEGINS:
            slots[slot + 1] += ONE
            break
        left = slots[slot + 1]
    return True


@kernel
def count_pairs(ids, offsets, kinds, part, n_parts, slots, state, lefts):
    """Count the pairs whose left word has `part` as remainder by `n_parts`, a power of two.

    `kinds` (n_types + 1,) is BEGINS, CONNECTS or DROPPED; connectors are nodes, numbered from n_types + 1 on. Starts
    from `state`; returns False if the slots are three quarters full: then call again with more. `lefts` is scratch for
    positions, of a stretch of tokens.
    """
    sentence = sentence_at(offsets, state[POSITION])
    for begin in range(state[POSITION], ids.size, lefts.size - 1):
        # the positions of left words, without a branch
        n = 0
        for position in range(begin, minimum(begin + lefts.size - 1, ids.size)):
            lefts[n] = position
            n += np.int64(ids[position]) & (n_parts - 1) == part
        for i in range(n):
            later = minimum(lefts[minimum(i + _AHEAD, n - 1)], ids.size - 2)
            prefetch(slots, first_slot(slots, pair_key(ids[later], ids[later + 1])))
            position = lefts[i]
            while position >= offsets[sentence + 1]:
                sentence += 1
            begins = kinds[ids[position]] == BEGINS
            if begins and not add_pair(ids, position, offsets[sentence + 1], kinds, slots, state):
                state[POSITION] = position
                return False
    return True


@kernel
def join_pairs(ids, borders, kinds, slots, joined, joined_borders):
    """Join the longest phrases, from left to right, into `joined` and its borders; returns the number of tokens.

    `kinds` (n_types,) has BEGINS and CONTINUES of the words of phrases. The high half of a value is 1 + the phrase that
    ends there, or 0. Dropped tokens within phrases disappear.
    """
    n = 0
    for sentence in range(borders.size - 1):
        position, border = borders[sentence] - borders[0], borders[sentence + 1] - borders[0]
        joined_borders[sentence] = n
        while position < border:
            word = ids[position]
            position += 1
            if kinds[word] & BEGINS:
                left = np.uint64(word)
                for at in range(position, border):
                    kind = kinds[ids[at]]
                    if kind == DROPPED:
                        continue
                    if not kind & CONTINUES:
                        break
                    slot = pair_slot(slots, pair_key(left, ids[at]))
                    if slots[slot] == FREE:
                        break
                    left = slots[slot + 1]
                    if left >> HALF:
                        word, position = np.int32((left >> HALF) - ONE), at + 1
            joined[n] = word
            n += 1
    joined_borders[borders.size - 1] = n
    return n
