"""Count pairs of adjacent words, and join those that are phrases.

A hash table with open addressing: slots of (key, value), the key of a left and a right number. Connectors between the
two words lead to the number of a node, the left of the next key; the value of a node's own key is that number.
"""

import numpy as np

from embedtrain.kernels.compilation import inlined, kernel
from embedtrain.kernels.integers import minimum
from embedtrain.kernels.sentences import sentence_at
from embedtrain.kernels.simd.rows import prefetch
from embedtrain.kernels.text.byte_masks import ONE, mix_product

# The state of `count_pairs` between calls: an int64 array of `STATE` elements.
POSITION, N_USED, N_NODES = range(3)
STATE = 3
_AHEAD = 24  # pairs whose slots are prefetched

BEGINS, ENDS, CONNECTS, DROPPED = np.uint8(1), np.uint8(2), np.uint8(4), np.uint8(8)  # kinds of types, in phrases

_FACTOR = np.uint64(0x9E3779B97F4A7C15)
_HALF, FREE = np.uint64(32), np.uint64(0)


@inlined
def pair_key(left, right):
    """The key of two numbers, never 0."""
    return (np.uint64(left) + ONE) << _HALF | np.uint64(right)


@inlined
def first_slot(slots, key):
    """The first slot to probe for a key."""
    return np.int64(mix_product(key, _FACTOR) >> _HALF) & (slots.size - 2)


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
def add_pair(ids, position, border, kinds, slots, n_used, n_nodes):
    """Count the pair that begins at a position; returns the numbers of slots and nodes in use, and if it had room."""
    left = np.int64(ids[position])
    for at in range(position + 1, border):
        kind = kinds[ids[at]]
        if kind == DROPPED:
            continue
        key = pair_key(left, ids[at])
        slot = pair_slot(slots, key)
        if slots[slot] == FREE:
            if 8 * (n_used + 1) > 3 * slots.size:
                return n_used, n_nodes, False
            slots[slot] = key
            n_used += 1
            if kind == CONNECTS:
                slots[slot + 1] = np.uint64(kinds.size + n_nodes)
                n_nodes += 1
        if kind == BEGINS:
            slots[slot + 1] += ONE
            break
        left = np.int64(slots[slot + 1])
    return n_used, n_nodes, True


@kernel
def count_pairs(ids, offsets, kinds, part, n_parts, slots, state, lefts):
    """Count the pairs whose left word has `part` as remainder by `n_parts`, a power of two.

    `kinds` (n_types + 1,) is BEGINS, CONNECTS or DROPPED; connectors are nodes, numbered from n_types + 1 on. Starts
    from `state`; returns False if the slots are three quarters full: then call again with more. `lefts` is scratch for
    positions, of a stretch of tokens.
    """
    n_used, n_nodes = state[N_USED], state[N_NODES]
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
            has_room = True
            if kinds[ids[position]] == BEGINS:
                border = offsets[sentence + 1]
                n_used, n_nodes, has_room = add_pair(ids, position, border, kinds, slots, n_used, n_nodes)
            state[POSITION], state[N_USED], state[N_NODES] = position, n_used, n_nodes
            if not has_room:
                return False
    return True


@kernel
def take_pairs(slots, kinds, least, nodes, keys, counts):
    """Write the keys of nodes, and keys and counts of pairs that occur at least `least` times.

    Returns the number of all pairs, and of those written.
    """
    n_pairs, n = 0, 0
    for slot in range(0, slots.size, 2):
        key, value = slots[slot], np.int64(slots[slot + 1])
        if key == FREE:
            continue
        if kinds[np.int64(key & (ONE << _HALF) - ONE)] == CONNECTS:
            nodes[value - kinds.size] = key
            continue
        n_pairs += 1
        if value >= least:
            keys[n], counts[n] = key, value
            n += 1
    return n_pairs, n


@kernel
def join_pairs(ids, borders, kinds, slots, joined, joined_borders):
    """Join the phrases of sentences, from left to right, into `joined` and its borders; returns the number of tokens.

    `kinds` (n_types,) has BEGINS, ENDS and CONNECTS of the words of phrases; the values of their pairs are phrases or
    nodes. Dropped tokens within phrases disappear.
    """
    n = 0
    for sentence in range(borders.size - 1):
        position, border = borders[sentence] - borders[0], borders[sentence + 1] - borders[0]
        joined_borders[sentence] = n
        while position < border:
            word = ids[position]
            position += 1
            if kinds[word] & BEGINS:
                left = np.int64(word)
                for at in range(position, border):
                    kind = kinds[ids[at]]
                    if kind == DROPPED:
                        continue
                    if not kind & (ENDS | CONNECTS):
                        break
                    slot = pair_slot(slots, pair_key(left, ids[at]))
                    if slots[slot] == FREE:
                        break
                    left = np.int64(slots[slot + 1])
                    if kind & ENDS:
                        word, position = np.int32(left), at + 1
                        break
            joined[n] = word
            n += 1
    joined_borders[borders.size - 1] = n
    return n
