"""From a chunk of the corpus to windows: which tokens are kept, and which of them stand around which."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined
from embedtrain.kernels.random import below, is_kept, random_at
from embedtrain.kernels.simd.rows import fill, prefetch_row
from embedtrain.kernels.simd.tiles import ROWS

FORWARD = np.uint64(1)


class Text(NamedTuple):
    """The corpus as numbers."""

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]


class Kept(NamedTuple):
    """The tokens of a chunk that subsampling keeps, with the neighbours beyond its borders."""

    words: NDArray[np.int32]
    begins: NDArray[np.int32]  # first kept token of the same sentence
    ends: NDArray[np.int32]  # one past the last


@inlined
def keep_tokens(ids, offsets, lo, hi, thresholds, key, window, kept):
    """Collect the kept tokens of positions [lo, hi), and up to `window` more at each side in the same sentence.

    Returns (first, last, n): `kept` holds n tokens, of which [first, last) stand in [lo, hi).
    """
    words, begins, ends = kept.words, kept.begins, kept.ends
    sentence = np.searchsorted(offsets, lo, side="right") - 1
    first, start = 0, lo
    while start > offsets[sentence] and first < window:
        start -= 1
        first += is_kept(key, start, thresholds[ids[start]])

    n, last = 0, 0
    while start < hi:
        begin, border = n, offsets[sentence + 1]
        for position in range(start, min(border, hi)):
            words[n] = ids[position]
            begins[n] = begin
            n += is_kept(key, position, thresholds[ids[position]])
        last, position = n, hi
        while position < border and n < last + window:
            words[n] = ids[position]
            begins[n] = begin
            n += is_kept(key, position, thresholds[ids[position]])
            position += 1
        for token in range(begin, n):
            ends[token] = n
        start = border
        sentence += 1
    return first, last, n


class Windows(NamedTuple):
    """The tokens around each centre of a block, the centre among them."""

    begins: NDArray[np.int32]  # (n_inputs,) first token of each window
    ends: NDArray[np.int32]  # one past the last


@inlined
def draw_windows(windows, kept, t0, t1, window, furthest, state):
    """Draw the windows of the centres [t0, t1); what fills the last group of centres has windows without contexts.

    Returns the numbers of contexts and of centres that have some, and the generator's state.
    """
    begins, ends = windows
    n_contexts, n_centres = 0, 0
    for t in range(t0, t1):
        reach = window
        if furthest:
            state += FORWARD
            reach = 1 + below(random_at(state, 0), furthest)
        begin, end = max(kept.begins[t], t - reach), min(kept.ends[t], t + reach + 1)
        begins[t - t0], ends[t - t0] = begin, end
        n_contexts += end - begin - 1
        n_centres += end - begin > 1
    for mute in range(t1 - t0, whole_groups(t1 - t0)):
        begins[mute], ends[mute] = 0, 1
    return n_contexts, n_centres, state


@inlined
def whole_groups(n):
    """`n` rounded up to groups of `ROWS`."""
    return (n + ROWS - 1) // ROWS * ROWS


@inlined
def weigh_windows(band, kept, windows, t0, t1, n_before, window):
    """Let each centre in [t0, t1) ask for the tokens in its window, each with weight 1.

    Output `n_before + s` is the token `t0 - window + s`.
    """
    weights, stride = band.weights, band.weights.size // (band.asked_begin.size * ROWS)
    shift = n_before + window - t0  # from tokens to outputs
    for i in range(0, t1 - t0, ROWS):
        first, last = t0 + i, min(t0 + i + ROWS, t1) - 1
        low = (max(kept.begins[first], first - window) + shift) // ROWS * ROWS
        high = whole_groups(min(kept.ends[last], last + window + 1) + shift)
        band.asked_begin[i // ROWS], band.asked_end[i // ROWS] = low, high
        for centre in range(i, i + ROWS):
            row = centre * stride
            fill(weights, row + low, high - low, np.float32(0))
            begin, end = windows.begins[centre], windows.ends[centre]
            if end - begin > 1:
                for token in range(begin, end):
                    weights[row + shift + token] = np.float32(1)
                weights[row + shift + t0 + centre] = np.float32(0)


@inlined
def find_askers(band, n_inputs, n_outputs, n_noise):
    """The inputs that ask each group of outputs: all ask for the noise, and a contiguous range for each token."""
    asked_begin, asked_end = band.asked_begin, band.asked_end
    asking_begin, asking_end = band.asking_begin, band.asking_end
    for group in range(n_noise // ROWS):
        asking_begin[group], asking_end[group] = 0, n_inputs
    low, high = 0, 0
    for output in range(n_noise, n_outputs, ROWS):
        while low < n_inputs and asked_end[low // ROWS] <= output:
            low += ROWS
        while high < n_inputs and asked_begin[high // ROWS] <= output:
            high += ROWS
        asking_begin[output // ROWS], asking_end[output // ROWS] = low, high


# Unsigned indices let these loops be vectorised: Numba looks at every signed one, whether it counts from the end.


@inlined
def name_rows(rows, at, words, begin, end, dim):
    """rows[at], rows[at + 1], … = first elements of the rows of words[begin:end]."""
    at, begin = np.uint64(at), np.uint64(begin)
    for i in range(np.uint64(end) - begin):
        rows[at + i] = words[begin + i] * dim


@inlined
def fill_rows(rows, at, n, row):
    """rows[at], …, rows[at + n - 1] = row."""
    at = np.uint64(at)
    for i in range(np.uint64(n)):
        rows[at + i] = row


@inlined
def name_slots(rows, at, kept, t0, t1, n_tokens, shape):
    """Name the rows of the tokens from t0 - window to t1 + window, from rows[at] on; returns their number in groups."""
    begin = t0 - shape.window
    n_slots = whole_groups(t1 - t0 + 2 * shape.window)
    first, last = max(0, begin), min(begin + n_slots, n_tokens)
    fill_rows(rows, at, n_slots, shape.sink)
    name_rows(rows, at + first - begin, kept.words, first, last, shape.dim)
    return n_slots


@inlined
def fetch_rows(table, words, begin, end, dim):
    """Fetch the rows of words[begin:end]."""
    for token in range(begin, end):
        prefetch_row(table, words[token] * dim, dim)


class Frozen(NamedTuple):
    """The words whose rows in W stay as they are, and where their steps go instead."""

    words: NDArray[np.uint8]  # (n_words,) 1 for those that stay; empty where all learn
    waste: int  # first element of a row in W that nobody reads, and that is this thread's alone


NONE_FROZEN = Frozen(np.zeros(0, np.uint8), 0)


@inlined
def spare_frozen(moved, rows, n, frozen, dim):
    """moved[:n] = rows[:n], but the waste row for frozen words: others learn from them, their own rows stay."""
    n_words = frozen.words.size
    for i in range(n):
        word = rows[i] // dim
        moved[i] = frozen.waste if word < n_words and frozen.words[word] else rows[i]
