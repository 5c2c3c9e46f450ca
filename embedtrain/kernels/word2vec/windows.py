"""From a chunk of the corpus to a block: subsampling, windows, row offsets, and the weights of contexts.

Rows are given by their offset, the first element in their flat table: `word * dim`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined
from embedtrain.kernels.integers import maximum, minimum
from embedtrain.kernels.random import is_kept, permuted, random_at, random_below
from embedtrain.kernels.sentences import sentence_at
from embedtrain.kernels.simd.rows import prefetch_row

FORWARD = np.uint64(1)


class Text(NamedTuple):
    """The encoded corpus."""

    ids: NDArray[np.int32]  # (n_tokens,)
    offsets: NDArray[np.int64]  # (n_sentences + 1,) where sentences begin


class Kept(NamedTuple):
    """The tokens of a chunk that subsampling keeps, with neighbours outside the chunk."""

    words: NDArray[np.int32]  # (n_kept,)
    inputs: NDArray[np.int32]  # (n_kept,) rows in W: the same array unless there are subwords
    begins: NDArray[np.int32]  # (n_kept,) first kept token of the same sentence
    ends: NDArray[np.int32]  # (n_kept,) one past the last


@inlined
def word_at(ids, offsets, sentence, position, key, shuffled):
    """The word at a position, perhaps after its sentence is shuffled."""
    if shuffled:
        begin = offsets[sentence]
        position = begin + permuted(random_at(key, begin), position - begin, offsets[sentence + 1] - begin)
    return ids[position]


@inlined
def subsample(ids, offsets, lo, hi, thresholds, key, window, shuffled, kept):
    """Collect the kept tokens of positions [lo, hi), and up to `window` more on each side in the same sentence.

    If `shuffled`, each sentence is in a random order that `key` determines, so that all its pairs of tokens have the
    same chance of being at most `window` apart.
    Returns (first, last, n): `kept` holds n tokens, of which [first, last) are from [lo, hi).
    """
    words, begins, ends = kept.words, kept.begins, kept.ends
    # go back from lo to `window` kept tokens before it, or to the begin of its sentence
    sentence = sentence_at(offsets, lo)
    first, start = 0, lo
    while start > offsets[sentence] and first < window:
        start -= 1
        first += is_kept(key, start, thresholds[word_at(ids, offsets, sentence, start, key, shuffled)])

    # sentence by sentence; a token that is not kept is overwritten by the next
    n, last = 0, 0
    while start < hi:
        begin, border = n, offsets[sentence + 1]
        for position in range(start, minimum(border, hi)):
            words[n] = word_at(ids, offsets, sentence, position, key, shuffled)
            begins[n] = begin
            n += is_kept(key, position, thresholds[words[n]])
        # after hi, up to `window` more kept tokens of its sentence
        last, position = n, hi
        while position < border and n < last + window:
            words[n] = word_at(ids, offsets, sentence, position, key, shuffled)
            begins[n] = begin
            n += is_kept(key, position, thresholds[words[n]])
            position += 1
        for token in range(begin, n):
            ends[token] = n
        start = border
        sentence += 1
    return first, last, n


class Windows(NamedTuple):
    """The window of each centre of a block, with the centre."""

    begins: NDArray[np.int32]  # (n_centres,) first token
    ends: NDArray[np.int32]  # (n_centres,) one past the last


@inlined
def draw_windows(windows, kept, t0, t1, window, max_window, state):
    """Draw the windows of the centres [t0, t1) from 1 to `max_window` or, if that is 0, use `window`.

    Returns the numbers of contexts and of centres with contexts, and the generator's state.
    """
    begins, ends = windows
    n_contexts, n_centres = 0, 0
    for t in range(t0, t1):
        reach = window
        if max_window:
            state += FORWARD
            reach = 1 + random_below(random_at(state, 0), max_window)
        begin, end = maximum(kept.begins[t], t - reach), minimum(kept.ends[t], t + reach + 1)
        begins[t - t0], ends[t - t0] = begin, end
        n_contexts += end - begin - 1
        n_centres += end - begin > 1
    return n_contexts, n_centres, state


# Unsigned indices allow vectorisation of these loops: Numba checks whether signed ones are negative.


@inlined
def set_row_offsets(rows, at, words, begin, end, dim):
    """rows[at:] = the row offsets of words[begin:end]."""
    at, begin = np.uint64(at), np.uint64(begin)
    for i in range(np.uint64(end) - begin):
        rows[at + i] = words[begin + i] * dim


@inlined
def fill_offsets(rows, at, n, row):
    """rows[at:at + n] = row."""
    at = np.uint64(at)
    for i in range(np.uint64(n)):
        rows[at + i] = row


@inlined
def fetch_rows(table, words, begin, end, dim):
    """Prefetch the rows of words[begin:end]."""
    for token in range(begin, end):
        prefetch_row(table, words[token] * dim, dim)


class Frozen(NamedTuple):
    """The words whose rows in W are not trained, and the row that receives their steps instead."""

    words: NDArray[np.uint8]  # (n_words,) 1 for frozen words; empty where there are none
    discard_row: int  # first element of the thread's row in W that is never read


@inlined
def redirect_frozen(update_rows, rows, n, frozen, dim):
    """update_rows[:n] = rows[:n], with the discard row for frozen words."""
    n_words = frozen.words.size
    for i in range(n):
        word = rows[i] // dim
        update_rows[i] = frozen.discard_row if word < n_words and frozen.words[word] else rows[i]
