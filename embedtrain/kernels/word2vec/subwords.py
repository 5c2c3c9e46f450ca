"""Inputs with subwords: the vector of a word is the mean of its own row and those of its character n-grams.

The vectors of a block's words, each word once, are composed in a table of the thread, and the block's steps train them
in the place of rows. A step g, added whole to all rows of a word, moves their mean by g: so what a vector has moved in
the block is added to each of its rows, where fastText composes and adds for each pair. An n-gram that a word has twice
counts twice in the mean and moves once; if it moved twice, words such as "-----" would diverge.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined, kernel
from embedtrain.kernels.integers import minimum
from embedtrain.kernels.simd.lanes import LANES, aligned_zeros
from embedtrain.kernels.simd.rows import ROW_VECTORS, add_row, add_to_rows, copy_row, sum_rows


class WordRows(NamedTuple):
    """The rows of each word: its own, then those of its n-grams."""

    table: NDArray[np.float32]  # of all rows, flat
    starts: NDArray[np.int64]  # (n_words + 1,) where the rows of each word start
    ends: NDArray[np.int64]  # (n_words,) where those end that move, and rows start that it has had before
    rows: NDArray[np.int64]  # (starts[-1],) first element of each row


class Composed(NamedTuple):
    """The vectors of the words of a block, in slots from 1 on; the memory of a thread."""

    vectors: NDArray[np.float32]  # (n_slots * dim,) the first is the padding row
    before: NDArray[np.float32]  # (n_slots * dim,) the vectors before the block
    words: NDArray[np.int32]  # (n_slots,)
    slots: NDArray[np.int32]  # (n_words,) the slots of words while a block is composed, else -1


def make_composed(n_words: int, n_inputs: int, dim: int) -> Composed:
    """Allocate the memory of a thread for blocks of at most `n_inputs` different words."""
    n_slots = n_inputs + 1
    vectors, before = (aligned_zeros(n_slots * dim) for _ in range(2))
    return Composed(vectors, before, np.zeros(n_slots, np.int32), np.full(n_words, -1, np.int32))


@inlined
def compose_block(composed, word_rows, kept, begin, end, dim):
    """Compose the words of the tokens [begin, end), if there are subwords; returns the end of their slots."""
    if word_rows is None:
        return 1
    words, slots = composed.words, composed.slots
    n_slots = 1
    for token in range(begin, end):
        word = kept.words[token]
        if slots[word] < 0:
            slots[word] = n_slots
            words[n_slots] = word
            n_slots += 1
        kept.inputs[token] = slots[word]
    for slot in range(1, n_slots):
        slots[words[slot]] = -1
        compose_word(composed.vectors, slot * dim, word_rows, words[slot], dim)
        copy_row(composed.before, slot * dim, composed.vectors, slot * dim, dim)
    return n_slots


@inlined
def compose_word(Y, y, word_rows, word, dim):
    """Y[y:] = the mean of the rows of a word."""
    begin, end = word_rows.starts[word], word_rows.starts[word + 1]
    weight = np.float32(1) / np.float32(end - begin)
    for d in range(0, dim, ROW_VECTORS * LANES):
        vectors = minimum(ROW_VECTORS, (dim - d) // LANES)
        sum_rows(Y, y, d, vectors, weight, word_rows.table, word_rows.rows, begin, end, end)


@inlined
def add_block(composed, word_rows, n_slots, dim):
    """Add what the vectors of a block have moved to all rows of their words, if there are subwords."""
    if word_rows is None:
        return
    table, starts, ends, rows = word_rows
    X = composed.vectors
    for slot in range(1, n_slots):
        x, begin, end = slot * dim, starts[composed.words[slot]], ends[composed.words[slot]]
        add_row(X, x, np.float32(-1), composed.before, x, dim)
        for d in range(0, dim, ROW_VECTORS * LANES):
            vectors = minimum(ROW_VECTORS, (dim - d) // LANES)
            add_to_rows(table, rows, begin, end, end, d, vectors, np.float32(1), X, x)


@kernel
def compose_words(Y, word_rows, begin, end, dim):
    """Write the vectors of the words [begin, end) to their rows of Y."""
    for word in range(begin, end):
        compose_word(Y, word * dim, word_rows, word, dim)
