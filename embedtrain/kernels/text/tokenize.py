"""Tokenise bytes of UTF-8 text: tokens are found, numbered by type and counted.

A token is a maximal run of characters that are neither whitespace (as in Python's `str.split`) nor control
characters; a line feed also ends a sentence. Bytes that are not UTF-8 are parts of tokens. Text is read in blocks of 64
bytes, as bit masks of separators, from which the begins and ends of tokens follow.
"""

import numpy as np

from embedtrain.kernels.compilation import inlined, kernel
from embedtrain.kernels.text.byte_masks import BLOCK, ONE, bytes_between, low_bits, trailing_zeros
from embedtrain.kernels.text.type_table import FREE, NUMBER, add_type, find_slot, has_room, spelling_key

# The state of `tokenise` between calls: an int64 array of `STATE` elements.
POSITION, N_TYPES, N_TOKENS, N_LINES, N_CONTROLS, FIRST_CONTROL = range(6)
STATE = 6


@inlined
def wide_separator(text, position):
    """Number of bytes of the non-ASCII separator at `position`, 0 if there is none."""
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


@inlined
def is_control(text, position):
    """Whether the separator at `position` is a control character rather than whitespace."""
    first, second = text[position], text[position + 1]
    if first == 0xC2:
        return second < 0xA0 and second != 0x85
    return first < 0x09 or 0x0E <= first <= 0x1B or first == 0x7F


@inlined
def separators(text, position, n):
    """Masks of the block at `position` in text[:n].

    Returns the bytes of separators, and all from n on; the first bytes of separators that are a line feed or may be a
    control character; and the bytes in the next block of a separator that begins in this one.
    """
    inside = low_bits(n - position)
    # of ASCII: control characters, whitespace among them, and the space
    special = bytes_between(text, position, 0x00, 0x1F) | bytes_between(text, position, 0x7F, 0x7F)
    found = special | bytes_between(text, position, 0x20, 0x20) | ~inside
    # non-ASCII separators, only after their lead bytes
    leads = bytes_between(text, position, 0xC2, 0xC2) | bytes_between(text, position, 0xE1, 0xE3)
    after = FREE
    leads &= inside
    while leads:
        at = trailing_zeros(leads)
        leads &= leads - ONE
        width = wide_separator(text, position + at)
        if width and position + at + width <= n:
            found |= low_bits(width) << np.uint64(at)
            if width == 2:
                special |= ONE << np.uint64(at)
            if at + width > BLOCK:
                after = low_bits(at + width - BLOCK)
    return found, special & inside, after


@inlined
def pass_separator(text, position, chunk, n_tokens, state, breaks):
    """Record the special separator at `position`, after `n_tokens` tokens: a line feed or a control character."""
    if text[position] == 0x0A:
        breaks[state[N_LINES]] = n_tokens
        state[N_LINES] += 1
    elif is_control(text, position):
        if state[N_CONTROLS] == 0:
            state[FIRST_CONTROL] = chunk << 32 | state[N_LINES]
        state[N_CONTROLS] += 1


@kernel
def tokenise(text, n, chunk, types, state, ids, breaks):
    """Number the tokens of text[:n] into `ids`; breaks[i] is the number of tokens before the end of line i.

    Starts from `state`. Returns 0 at the end, or the length of a new type that does not fit into `types`; then grow it
    and call again. `PADDING` bytes of any value must follow the text.
    """
    slots, counts = types.slots, types.counts
    n_types, n_tokens = state[N_TYPES], state[N_TOKENS]
    block, begin, before, after = state[POSITION], 0, ONE, FREE  # before: 1 if a separator ends where the block begins
    while block <= n:  # a block at n ends a token there
        carried = after
        found, special, after = separators(text, block, n)
        found |= carried
        # a token begins where a separator is followed by another byte, and ends where a separator follows one
        follow = found << ONE | before
        begins, ends = ~found & follow, found & ~follow
        if before:  # else a token of the previous block continues
            begin = block + trailing_zeros(begins)
            begins &= begins - ONE
        before = found >> np.uint64(BLOCK - 1)
        while True:
            # the tokens that end before the next special separator, or all others
            stop = trailing_zeros(special)
            until = ends & low_bits(stop + 1)
            ends ^= until
            while until:
                end = block + trailing_zeros(until)
                until &= until - ONE
                # look up the token's type, and add it if it is new
                key = spelling_key(text, begin, end)
                slot = find_slot(types, text, begin, end, key)
                if slots[slot] == FREE:
                    if not has_room(types, n_types, end - begin):
                        state[POSITION], state[N_TYPES], state[N_TOKENS] = begin, n_types, n_tokens
                        return end - begin
                    add_type(types, slot, n_types, text, begin, end, key, chunk << 32 | state[N_LINES])
                    n_types += 1
                number = np.int64(slots[slot + NUMBER])
                counts[number] += 1
                ids[n_tokens] = number
                n_tokens += 1
                # the next token, which may begin in a later block
                begin = block + trailing_zeros(begins)
                begins &= begins - ONE
            if not special:
                break
            pass_separator(text, block + stop, chunk, n_tokens, state, breaks)
            special &= special - ONE
        block += BLOCK
    state[POSITION], state[N_TYPES], state[N_TOKENS] = n, n_types, n_tokens
    return 0


@kernel
def renumber(ids, ranks):
    """ids[i] = ranks[ids[i]] for all i."""
    for i in range(np.uint64(ids.size)):
        ids[i] = ranks[ids[i]]
