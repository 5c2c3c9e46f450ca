"""Co-occurrence counts, summed row by row (a word with all its windows) by an index of the positions of words.

While a row is summed, it is dense. Its non-zero columns are listed, marked in a bitmap, and read in ascending order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined, kernel
from embedtrain.kernels.integers import minimum
from embedtrain.kernels.sentences import sentence_at
from embedtrain.kernels.simd.rows import prefetch
from embedtrain.kernels.text.byte_masks import ONE, trailing_zeros

BITS = 64  # of a word of a bitmap
_FIRST, _WORD = np.int32(-(2**31)), np.int32(2**31 - 1)  # the sign bit marks the first token of a sentence
_NONE = np.uint64(0)
_AHEAD = 6  # occurrences whose windows are prefetched; those of a rare word are scattered in memory


class Index(NamedTuple):
    """Consecutive kept tokens, and the positions of each word among them."""

    tokens: NDArray[np.int32]  # (n + 1,) ids; negative at the begin of sentences, and after the last
    starts: NDArray[np.int64]  # (n_words + 1,) where the positions of each word start in `positions`
    positions: NDArray[np.int32]  # (n,) indices of `tokens`, ascending for each word


class Tally(NamedTuple):
    """The row that is being summed; all zeros between rows, except `touched`."""

    sums: NDArray[np.int64]  # (n_words,)
    touched: NDArray[np.int32]  # (n_words + 1,) columns in the order of their first update
    columns: NDArray[np.uint64]  # a bit for each column
    groups: NDArray[np.uint64]  # a bit for each element of `columns`


# --- The index --------------------------------------------------------------------------------------------------------


@kernel
def count_words(ids, begin, end, counts):
    """Count each word in ids[begin:end]; ids from `counts.size` on are not words of the vocabulary."""
    for position in range(begin, end):
        word = ids[position]
        if word < counts.size:
            counts[word] += 1


@kernel
def begin_before(ids, offsets, position, n_words, window):
    """The begin of the `window` kept tokens before `position`, or of as many as its sentence has."""
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
    """The end of the `window` kept tokens from `position` on, or of as many as the previous token's sentence has."""
    stop = offsets[sentence_at(offsets, position - 1) + 1]
    end = position
    while window > 0 and position < stop:
        if ids[position] < n_words:
            window -= 1
            end = position + 1
        position += 1
    return end


@kernel
def copy_kept_tokens(ids, offsets, begin, end, n_words, tokens, at):
    """Copy the kept tokens of ids[begin:end] to tokens[at:]; returns their end."""
    sentence = sentence_at(offsets, begin)
    is_first = begin_before(ids, offsets, begin, n_words, 1) == begin
    for position in range(begin, end):
        if position == offsets[sentence + 1]:
            sentence += 1
            is_first = True
        word = ids[position]
        if word < n_words:
            tokens[at] = word | _FIRST if is_first else word
            is_first = False
            at += 1
    return at


@kernel
def index_tokens(tokens, begin, end, following, positions):
    """Add tokens[begin:end] to an index; `following` (n_words,) is the index of each word's next position."""
    for position in range(begin, end):
        word = tokens[position] & _WORD
        positions[following[word]] = position
        following[word] += 1


# --- Rows -------------------------------------------------------------------------------------------------------------


@inlined
def add_count(tally, n_touched, column, count):
    """Add to a column's sum, without a branch; returns the number of touched columns."""
    old = tally.sums[column]
    tally.touched[n_touched] = column  # overwritten later unless it is new
    tally.sums[column] = old + count
    return n_touched + (old == 0)


@inlined
def add_windows(index, word, weights, symmetric, tally):
    """Sum all windows of a word, weighted by distance; returns the number of touched columns."""
    tokens, positions = index.tokens, index.positions
    window = weights.size - 1
    n_touched = 0
    for occurrence in range(index.starts[word], index.starts[word + 1]):
        position = np.int64(positions[occurrence])
        # prefetch the window of a later occurrence: a cache line at its middle and each end
        ahead = np.int64(positions[minimum(occurrence + _AHEAD, positions.size - 1)])
        prefetch(tokens, ahead - window)
        prefetch(tokens, ahead)
        prefetch(tokens, ahead + window)
        # to the left, up to the first token of the sentence, which is negative
        if tokens[position] >= 0:
            for distance in range(1, window + 1):
                token = tokens[position - distance]
                n_touched = add_count(tally, n_touched, np.int64(token & _WORD), weights[distance])
                if token < 0:
                    break
        # to the right, up to the first token of the next sentence
        if symmetric:
            for distance in range(1, window + 1):
                token = tokens[position + distance]
                if token < 0:
                    break
                n_touched = add_count(tally, n_touched, np.int64(token), weights[distance])
    return n_touched


@kernel
def take_row(tally, n_touched, columns, sums, at):
    """Move the row to columns[at:] and sums[at:], columns ascending; returns its end."""
    # mark the columns in a bitmap of two levels, then read it from the lowest bit and clear it
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
    """Count the rows of the words from `first` on, for `lengths` (n_rows,); returns the number of cells."""
    n = 0
    for row in range(lengths.size):
        n_touched = add_windows(index, first + row, weights, symmetric, tally)
        at = take_row(tally, n_touched, columns, sums, n)
        lengths[row] = at - n
        n = at
    return n


# --- Shards -----------------------------------------------------------------------------------------------------------


@kernel
def add_cells(columns, sums, begin, end, tally, n_touched):
    """Add the cells of a row of a shard; returns the number of touched columns."""
    for cell in range(begin, end):
        n_touched = add_count(tally, n_touched, np.int64(columns[cell]), sums[cell])
    return n_touched


@kernel
def merge_rows(columns, sums, starts, tally, merged_columns, merged_sums, lengths):
    """Sum the rows of several shards; returns the number of cells.

    Row r of shard k is in `columns` and `sums` from starts[k, r] to starts[k, r + 1].
    """
    n = 0
    for row in range(lengths.size):
        n_touched = 0
        for part in range(starts.shape[0]):
            n_touched = add_cells(columns, sums, starts[part, row], starts[part, row + 1], tally, n_touched)
        at = take_row(tally, n_touched, merged_columns, merged_sums, n)
        lengths[row] = at - n
        n = at
    return n
