"""Co-occurrences: for each word, all its windows summed at once, found by an index of its positions.

A row of the matrix lies in a dense array while it is summed. Columns that were touched are listed, marked in a
bitmap and read from it in ascending order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined, kernel
from embedtrain.kernels.simd.rows import prefetch
from embedtrain.kernels.text.byte_masks import ONE, trailing_zeros

BITS = 64  # of a word of a bitmap
_FIRST, _WORD = np.int32(-(2**31)), np.int32(2**31 - 1)  # the sign bit of a sentence's first token, and the others
_NONE = np.uint64(0)
_AHEAD = 6  # occurrences whose windows are asked for before their turn: rare words stand anywhere in memory


class Index(NamedTuple):
    """A stretch of kept tokens, and where in it each word is counted."""

    tokens: NDArray[np.int32]  # (n + 1,) ids; negative where a sentence begins, and after the last
    starts: NDArray[np.int64]  # (n_words + 1,) where the positions of each word start
    positions: NDArray[np.int32]  # places in `tokens`, ascending for each word


class Tally(NamedTuple):
    """The row that is being summed; all zeros between rows but for `touched`."""

    sums: NDArray[np.int64]  # (n_words,)
    touched: NDArray[np.int32]  # (n_words + 1,) columns in the order of their first count
    columns: NDArray[np.uint64]  # a bit for each column
    groups: NDArray[np.uint64]  # a bit for each element of `columns`


# --- The index --------------------------------------------------------------------------------------------------------


@kernel
def count_words(ids, begin, end, counts):
    """Count each word in ids[begin:end]; ids from `counts.size` on are cut."""
    for position in range(begin, end):
        word = ids[position]
        if word < counts.size:
            counts[word] += 1


@inlined
def sentence_at(offsets, position):
    """The sentence of a token."""
    return np.searchsorted(offsets, position, side="right") - 1


@kernel
def begin_before(ids, offsets, position, n_words, window):
    """From where on the `window` kept tokens before `position` lie, or those of them that its sentence has."""
    start = offsets[sentence_at(offsets, position)]
    begin = position
    while window > 0 and position > start:
        position -= 1
        if ids[position] < n_words:
            window -= 1
            begin = position
    return begin


@kernel
def end_after(ids, offsets, position, n_words, window):
    """Up to where the `window` kept tokens after ids[:position] lie, or those that the last token's sentence has."""
    stop = offsets[sentence_at(offsets, position - 1) + 1]
    end = position
    while window > 0 and position < stop:
        if ids[position] < n_words:
            window -= 1
            end = position + 1
        position += 1
    return end


@kernel
def keep_tokens(ids, offsets, begin, end, n_words, tokens, place):
    """Write the kept tokens of ids[begin:end] to tokens[place:]; the place after them."""
    sentence = sentence_at(offsets, begin)
    is_first = begin_before(ids, offsets, begin, n_words, 1) == begin
    for position in range(begin, end):
        if position == offsets[sentence + 1]:
            sentence += 1
            is_first = True
        word = ids[position]
        if word < n_words:
            tokens[place] = word | _FIRST if is_first else word
            is_first = False
            place += 1
    return place


@kernel
def index_tokens(tokens, begin, end, following, positions):
    """Write the places of tokens[begin:end] to `positions`, each where the next of its word belongs."""
    for place in range(begin, end):
        word = tokens[place] & _WORD
        positions[following[word]] = place
        following[word] += 1


# --- Rows -------------------------------------------------------------------------------------------------------------


@inlined
def add(tally, n_touched, column, count):
    """Add to a column's sum, without a branch; the number of touched columns."""
    old = tally.sums[column]
    tally.touched[n_touched] = column  # stays if it is new
    tally.sums[column] = old + count
    return n_touched + (old == 0)


@inlined
def add_windows(index, word, weights, symmetric, tally):
    """Sum all windows of a word, `weights` by distance; the number of touched columns."""
    tokens, positions = index.tokens, index.positions
    window = weights.size - 1
    n_touched = 0
    for occurrence in range(index.starts[word], index.starts[word + 1]):
        place = np.int64(positions[occurrence])
        ahead = np.int64(positions[min(occurrence + _AHEAD, positions.size - 1)])
        prefetch(tokens, ahead - window)
        prefetch(tokens, ahead)
        prefetch(tokens, ahead + window)
        if tokens[place] >= 0:
            for distance in range(1, window + 1):
                token = tokens[place - distance]
                n_touched = add(tally, n_touched, np.int64(token & _WORD), weights[distance])
                if token < 0:
                    break
        if symmetric:
            for distance in range(1, window + 1):
                token = tokens[place + distance]
                if token < 0:
                    break
                n_touched = add(tally, n_touched, np.int64(token), weights[distance])
    return n_touched


@kernel
def take_row(tally, n_touched, columns, sums, at):
    """Move the row to columns[at:] and sums[at:], columns ascending; where it ends."""
    for k in range(n_touched):
        element = np.int64(tally.touched[k]) // BITS
        tally.columns[element] |= ONE << np.uint64(tally.touched[k] % BITS)
        tally.groups[element // BITS] |= ONE << np.uint64(element % BITS)
    for group in range(tally.groups.size):
        elements = tally.groups[group]
        tally.groups[group] = _NONE
        while elements:
            element = group * BITS + trailing_zeros(elements)
            elements &= elements - ONE
            bits = tally.columns[element]
            tally.columns[element] = _NONE
            while bits:
                column = element * BITS + trailing_zeros(bits)
                bits &= bits - ONE
                columns[at], sums[at] = column, tally.sums[column]
                tally.sums[column] = 0
                at += 1
    return at


@kernel
def count_rows(index, first, weights, symmetric, tally, columns, sums, lengths):
    """Count as many rows as there are `lengths`, from `first` on; the cells of all of them."""
    n = 0
    for row in range(lengths.size):
        n_touched = add_windows(index, first + row, weights, symmetric, tally)
        at = take_row(tally, n_touched, columns, sums, n)
        lengths[row] = at - n
        n = at
    return n


# --- Pieces -----------------------------------------------------------------------------------------------------------


@kernel
def add_cells(columns, sums, begin, end, tally, n_touched):
    """Add cells of a row that were summed before; the number of touched columns."""
    for cell in range(begin, end):
        n_touched = add(tally, n_touched, np.int64(columns[cell]), sums[cell])
    return n_touched


@kernel
def merge_rows(columns, sums, starts, tally, merged_columns, merged_sums, lengths):
    """Add up rows that several pieces have; the cells of all of them.

    Row r of piece k is in `columns` and `sums` from starts[k, r] to starts[k, r + 1].
    """
    n = 0
    for row in range(lengths.size):
        n_touched = 0
        for piece in range(starts.shape[0]):
            n_touched = add_cells(columns, sums, starts[piece, row], starts[piece, row + 1], tally, n_touched)
        at = take_row(tally, n_touched, merged_columns, merged_sums, n)
        lengths[row] = at - n
        n = at
    return n
