"""Skip-gram with negative sampling: from token ids to blocks, block by block through a chunk of the corpus."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.alignment import aligned_zeros, padded
from embedtrain.kernels.compilation import kernel
from embedtrain.kernels.logistic import Block, block_step
from embedtrain.kernels.sampling import below, draw_alias, is_kept, random_at
from embedtrain.kernels.tiles import ROWS, fill, prefetch_row
from embedtrain.kernels.vectors import LANES

_MARKS = 4096  # size of the noise filter, a power of two
_FORWARD = np.uint64(1)


class Kept(NamedTuple):
    """The tokens of a chunk that subsampling keeps, with the neighbours beyond its borders."""

    words: NDArray[np.int32]
    begins: NDArray[np.int32]  # first kept token of the same sentence
    ends: NDArray[np.int32]  # one past the last


@kernel
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


class Noise(NamedTuple):
    """Negative samples that a block shares, drawn one block ahead so that their rows arrive in time."""

    words: NDArray[np.int32]
    following: NDArray[np.int32]
    marks: NDArray[np.uint8]  # (_MARKS,) 1 where a noise word falls: a filter against searching them all


@kernel
def draw_noise(noise, distribution, state, C, dim):
    """Make the drawn noise current, draw the next and fetch its rows; returns the generator's state."""
    words, following = noise.words, noise.following
    thresholds, aliases = distribution
    for k in range(words.size):
        words[k] = following[k]
        state += _FORWARD
        following[k] = draw_alias(random_at(state, 0), thresholds, aliases)
        prefetch_row(C, following[k] * dim, dim)
    return state


# Unsigned indices let these loops be vectorised: Numba looks at every signed one, whether it counts from the end.


@kernel
def name_rows(rows, at, words, begin, end, dim):
    """rows[at], rows[at + 1], … = first elements of the rows of words[begin:end]."""
    at, begin = np.uint64(at), np.uint64(begin)
    for i in range(np.uint64(end) - begin):
        rows[at + i] = words[begin + i] * dim


@kernel
def fill_rows(rows, at, n, row):
    """rows[at], …, rows[at + n - 1] = row."""
    at = np.uint64(at)
    for i in range(np.uint64(n)):
        rows[at + i] = row


@kernel
def place_rows(block, noise, kept, t0, t1, n_tokens, window, dim, sink):
    """Name the rows of a block: an input for each centre in [t0, t1), an output for each noise word and token around.

    Output `n_noise + s` is the token `t0 - window + s`. Returns the numbers of inputs and outputs, in whole groups.
    """
    n_noise = noise.words.size
    n_inputs = (t1 - t0 + ROWS - 1) // ROWS * ROWS
    n_slots = (t1 - t0 + 2 * window + ROWS - 1) // ROWS * ROWS
    first, last = max(0, t0 - window), min(t0 - window + n_slots, n_tokens)
    fill_rows(block.inputs, 0, n_inputs, sink)
    name_rows(block.inputs, 0, kept.words, t0, t1, dim)
    fill_rows(block.outputs, n_noise, n_slots, sink)
    name_rows(block.outputs, 0, noise.words, 0, n_noise, dim)
    name_rows(block.outputs, n_noise + first - (t0 - window), kept.words, first, last, dim)
    return n_inputs, n_noise + n_slots


class Frozen(NamedTuple):
    """The words whose rows in W stay as they are, and where their steps go instead."""

    words: NDArray[np.uint8]  # (n_words,) 1 for those that stay; empty where all learn
    waste: int  # first element of a row in W that nobody reads, and that is this thread's alone


@kernel
def spare_frozen(block, frozen, kept, t0, t1, n_inputs):
    """Send the steps of frozen words to the waste row: their contexts learn from them, their own rows stay."""
    inputs, moved, words = block.inputs, block.moved, kept.words
    for i in range(n_inputs):
        moved[i] = inputs[i]
    for t in range(t0, t1):
        if frozen.words[words[t]]:
            moved[t - t0] = frozen.waste


@kernel
def weigh_windows(block, kept, t0, t1, n_inputs, n_noise, window, furthest, share, stride, state):
    """Ask every input for the tokens in its window, and for noise as often as for all of them, in expectation.

    Returns the number of pairs of a centre and a context, and the generator's state.
    """
    begins, ends, weights = kept.begins, kept.ends, block.weights
    asked_begin, asked_end = block.asked_begin, block.asked_end
    shift = n_noise + window - t0  # from tokens to outputs
    n_pairs = 0
    for i in range(0, n_inputs, ROWS):
        first, last = t0 + i, min(t0 + i + ROWS, t1) - 1
        low = (max(begins[first], first - window) + shift) // ROWS * ROWS
        high = (min(ends[last], last + window + 1) + shift + ROWS - 1) // ROWS * ROWS
        asked_begin[i // ROWS], asked_end[i // ROWS] = low, high
        for t in range(first, last + 1):
            reach = window
            if furthest:
                state += _FORWARD
                reach = 1 + below(random_at(state, 0), furthest)
            begin, end = max(begins[t], t - reach), min(ends[t], t + reach + 1)
            row = (t - t0) * stride
            fill(weights, row, n_noise, (end - begin - 1) * share)
            fill(weights, row + low, high - low, np.float32(0))
            for token in range(begin, end):
                weights[row + shift + token] = np.float32(1)
            weights[row + shift + t] = np.float32(0)
            n_pairs += end - begin - 1
        for mute in range(last + 1 - t0, i + ROWS):
            fill(weights, mute * stride, n_noise, np.float32(0))
            fill(weights, mute * stride + low, high - low, np.float32(0))
    return n_pairs, state


@kernel
def spare_contexts(block, noise, kept, t0, t1, n_slots, n_tokens, window, stride, share):
    """Take a noise word's weight back from the inputs whose context it is: no word is pushed from its own context."""
    words, begins, ends = kept.words, kept.begins, kept.ends
    weights, noise_words, marks = block.weights, noise.words, noise.marks
    n_noise = noise_words.size
    for k in range(n_noise):
        marks[noise_words[k] & (_MARKS - 1)] = 1
    for token in range(max(0, t0 - window), min(t0 - window + n_slots, n_tokens)):
        if marks[words[token] & (_MARKS - 1)]:
            column = n_noise + token - t0 + window
            first, last = max(begins[token], token - window, t0), min(ends[token], token + window + 1, t1)
            for k in range(n_noise):
                if noise_words[k] == words[token]:
                    for row in range((first - t0) * stride, (last - t0) * stride, stride):
                        weights[row + k] -= share * weights[row + column]
    for k in range(n_noise):
        marks[noise_words[k] & (_MARKS - 1)] = 0


@kernel
def find_askers(block, n_inputs, n_outputs, n_noise):
    """The inputs that ask each group of outputs: all ask for the noise, and a contiguous range for each token."""
    asked_begin, asked_end = block.asked_begin, block.asked_end
    asking_begin, asking_end = block.asking_begin, block.asking_end
    for group in range(n_noise // ROWS):
        asking_begin[group], asking_end[group] = 0, n_inputs
    low, high = 0, 0
    for output in range(n_noise, n_outputs, ROWS):
        while low < n_inputs and asked_end[low // ROWS] <= output:
            low += ROWS
        while high < n_inputs and asked_begin[high // ROWS] <= output:
            high += ROWS
        asking_begin[output // ROWS], asking_end[output // ROWS] = low, high


@kernel
def build_block(block, noise, kept, frozen, t0, t1, n_tokens, window, furthest, share, stride, dim, sink, state):
    """Fill `block` for the centre tokens [t0, t1).

    Returns its numbers of inputs, outputs and pairs, and the generator's state.
    """
    n_noise = noise.words.size
    n_inputs, n_outputs = place_rows(block, noise, kept, t0, t1, n_tokens, window, dim, sink)
    if frozen.words.size:
        spare_frozen(block, frozen, kept, t0, t1, n_inputs)
    n_pairs, state = weigh_windows(block, kept, t0, t1, n_inputs, n_noise, window, furthest, share, stride, state)
    spare_contexts(block, noise, kept, t0, t1, n_outputs - n_noise, n_tokens, window, stride, share)
    find_askers(block, n_inputs, n_outputs, n_noise)
    return n_inputs, n_outputs, n_pairs, state


@kernel
def fetch_rows(W, C, kept, t0, t1, n_tokens, window, dim):
    """Fetch the rows of the next block's centre and context words."""
    words = kept.words
    for token in range(t1, min(t1 + t1 - t0, n_tokens)):
        prefetch_row(W, words[token] * dim, dim)
    for token in range(t1 + window, min(t1 + t1 - t0 + window, n_tokens)):
        prefetch_row(C, words[token] * dim, dim)


class Text(NamedTuple):
    """The corpus as numbers."""

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]


class Sampling(NamedTuple):
    """Which tokens are kept, and which words are noise."""

    keep_thresholds: NDArray[np.uint32]  # (n_types,) for `is_kept`
    noise_thresholds: NDArray[np.uint32]  # (n_words,) for `draw_alias`
    noise_aliases: NDArray[np.int32]


class Shape(NamedTuple):
    """The numbers that stay the same during a run."""

    window: int  # no more than what a sentence has beside a centre
    furthest: int  # each centre draws its reach from 1 to this, as word2vec does; 0: it reaches over the whole window
    negative: int
    n_inputs: int  # centres in a block
    dim: int  # padded
    sink: int  # first element of the row that fills incomplete groups
    loss_every: int  # loss is taken in one of so many blocks


class Scratch(NamedTuple):
    """What belongs to one thread: its memory, and its waste row."""

    kept: Kept
    noise: Noise
    block: Block
    frozen: Frozen


@kernel
def train_chunk(W, C, text, begin, end, sampling, shape, scratch, key, state, first_lr, last_lr):
    """Train on the tokens [begin, end) as centres, the learning rate falling linearly from `first_lr` to `last_lr`.

    `key` decides which tokens of the epoch are kept, `state` all else that is random here.
    With both rates 0 the tables stay as they are, byte for byte: the loss is that of a text they do not learn from.
    Returns (summed loss, pairs in that sum, centres trained on).
    """
    window, furthest, dim, sink = shape.window, shape.furthest, shape.dim, shape.sink
    kept, noise, block, frozen = scratch
    distribution = (sampling.noise_thresholds, sampling.noise_aliases)
    n_noise = noise.words.size
    share = np.float32(shape.negative) / np.float32(n_noise)
    stride = block.weights.size // block.inputs.size
    first, last, n_tokens = keep_tokens(text.ids, text.offsets, begin, end, sampling.keep_thresholds, key, window, kept)

    loss, n_pairs = 0.0, 0
    state = draw_noise(noise, distribution, state, C, dim)
    for number, t0 in enumerate(range(first, last, shape.n_inputs)):
        t1 = min(t0 + shape.n_inputs, last)
        state = draw_noise(noise, distribution, state, C, dim)
        fetch_rows(W, C, kept, t0, t1, n_tokens, window, dim)
        n_inputs, n_outputs, pairs, state = build_block(
            block, noise, kept, frozen, t0, t1, n_tokens, window, furthest, share, stride, dim, sink, state
        )
        lr = first_lr + (last_lr - first_lr) * np.float32(t0 - first) / np.float32(last - first)
        with_loss = number % shape.loss_every == 0
        loss += block_step(W, C, block, n_inputs, n_outputs, n_noise, stride, dim, lr, with_loss)
        n_pairs += pairs if with_loss else 0
    return loss, n_pairs, last - first


NONE_FROZEN = Frozen(np.zeros(0, np.uint8), 0)


def make_scratch(shape: Shape, n_noise: int, largest_chunk: int, frozen: Frozen = NONE_FROZEN) -> Scratch:
    """Memory for a thread: chunks of at most `largest_chunk` tokens, `n_noise` shared negatives a block."""
    n_kept = largest_chunk + 2 * shape.window + 1
    n_outputs = n_noise + -(-(shape.n_inputs + 2 * shape.window) // ROWS) * ROWS
    stride = padded(n_outputs) + LANES  # a whole vector more, since the last one asked may begin anywhere
    groups = -(-shape.n_inputs // ROWS)
    rows = groups * ROWS

    def places(n: int) -> NDArray[np.int64]:
        return np.zeros(n, np.int64)

    inputs = places(rows)
    return Scratch(
        Kept(*(np.zeros(n_kept, np.int32) for _ in range(3))),
        Noise(np.zeros(n_noise, np.int32), np.zeros(n_noise, np.int32), np.zeros(_MARKS, np.uint8)),
        Block(
            inputs=inputs,
            moved=places(rows) if frozen.words.size else inputs,
            outputs=places(n_outputs),
            asked_begin=places(groups),
            asked_end=places(groups),
            asking_begin=places(n_outputs // ROWS),
            asking_end=places(n_outputs // ROWS),
            weights=aligned_zeros(rows * stride),
            scores=aligned_zeros(rows * stride),
            X=aligned_zeros(rows * shape.dim),
            x_rows=np.arange(rows, dtype=np.int64) * shape.dim,
        ),
        frozen,
    )
