"""The loop of all four word2vec models: block by block through a chunk of the corpus.

Skip-gram and CBOW differ in what inputs are made of (`mean`), negative sampling and hierarchical softmax in which
outputs are asked (`noise` with its table C, `tree` with its table N). What a model does not have is None, and Numba
leaves it out of the code.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined, kernel
from embedtrain.kernels.simd.alignment import aligned_zeros, padded
from embedtrain.kernels.simd.lanes import LANES
from embedtrain.kernels.simd.tiles import ROWS
from embedtrain.kernels.word2vec import cbow, skipgram
from embedtrain.kernels.word2vec.block_step import Band, Block
from embedtrain.kernels.word2vec.huffman import Tree, copy_top, merge_top
from embedtrain.kernels.word2vec.negatives import Noise, draw_noise
from embedtrain.kernels.word2vec.window_means import Mean, name_contexts
from embedtrain.kernels.word2vec.windows import NONE_FROZEN, Frozen, Kept, Windows, draw_windows, keep_tokens

_MERGE_EVERY = 64  # blocks; four times as often costs a twentieth of the speed of two threads


class Shape(NamedTuple):
    """The numbers that stay the same during a run."""

    window: int  # no more than what a sentence has beside a centre
    furthest: int  # each centre draws its reach from 1 to this, as word2vec does; 0: it reaches over the whole window
    negative: int
    n_noise: int  # noise words that an input asks, each as often as makes `negative` of them
    n_centres: int  # in a block
    dim: int  # padded
    sink: int  # first element of the row in W and C that fills incomplete groups
    loss_every: int  # loss is taken in one of so many blocks
    corrected: bool  # whether CBOW's contexts take their share of a step, not all of it


class Blocks(NamedTuple):
    """The questions of a block; None where a model does not ask them."""

    skipgram_noise: Block | None = None
    skipgram_paths: Block | None = None
    cbow_noise: Block | None = None
    cbow_paths: cbow.PathBlock | None = None


class Scratch(NamedTuple):
    """What belongs to one thread: its memory, and its waste row."""

    kept: Kept
    windows: Windows
    noise: Noise | None
    tree: Tree | None
    mean: Mean | None
    frozen: Frozen
    blocks: Blocks


@inlined
def draw(noise, state):
    """The noise of the next block, if there is any; returns the generator's state."""
    if noise is None:
        return state
    return draw_noise(noise, state)


@inlined
def begin_paths(N, tree, dim):
    """Let a thread's copies of nodes start from the shared rows, if there is a tree."""
    if tree is not None:
        copy_top(N, tree.own, dim)


@inlined
def share_paths(N, tree, dim):
    """Merge what a thread's copies of nodes learnt into the shared rows, if there is a tree."""
    if tree is not None:
        merge_top(N, tree.own, dim)


@kernel
def train_chunk(W, C, N, text, begin, end, keep_thresholds, shape, scratch, key, state, first_lr, last_lr):
    """Train on the tokens [begin, end) as centres, the learning rate falling linearly from `first_lr` to `last_lr`.

    `key` decides which tokens of the epoch are kept, `state` all else that is random here.
    With both rates 0 the tables stay as they are, byte for byte: the loss is that of a text they do not learn from.
    Returns (summed loss, pairs of an input and what it predicts in that sum, centres trained on).
    """
    kept, windows, noise, tree, mean, frozen, blocks = scratch
    window = shape.window
    first, last, n_tokens = keep_tokens(text.ids, text.offsets, begin, end, keep_thresholds, key, window, kept)

    loss, n_pairs = 0.0, 0
    state = draw(noise, state)
    begin_paths(N, tree, shape.dim)
    for number, t0 in enumerate(range(first, last, shape.n_centres)):
        t1 = min(t0 + shape.n_centres, last)
        state = draw(noise, state)
        n_contexts, n_asking, state = draw_windows(windows, kept, t0, t1, window, shape.furthest, state)
        name_contexts(mean, kept, frozen, t0, t1, n_tokens, shape)
        lr = first_lr + (last_lr - first_lr) * np.float32(t0 - first) / np.float32(last - first)
        with_loss = number % shape.loss_every == 0
        loss += skipgram.noise_step(
            W, C, blocks.skipgram_noise, noise, kept, frozen, windows, t0, t1, n_tokens, shape, lr, with_loss
        )
        loss += skipgram.path_step(
            W, N, blocks.skipgram_paths, tree, kept, frozen, windows, t0, t1, n_tokens, shape, lr, with_loss
        )
        loss += cbow.noise_step(
            W, C, blocks.cbow_noise, noise, mean, kept, windows, t0, t1, n_tokens, shape, lr, with_loss
        )
        loss += cbow.path_step(
            W, N, blocks.cbow_paths, tree, mean, kept, windows, t0, t1, n_tokens, shape, lr, with_loss
        )
        if last_lr > 0 and (number % _MERGE_EVERY == _MERGE_EVERY - 1 or t1 == last):
            share_paths(N, tree, shape.dim)
        if with_loss:
            n_pairs += n_contexts if mean is None else n_asking
    return loss, n_pairs, last - first


# --- Memory -----------------------------------------------------------------------------------------------------------


def make_scratch(
    shape: Shape, *, means: bool, noise: Noise | None, tree: Tree | None, largest_chunk: int, frozen: Frozen
) -> Scratch:
    """Memory for a thread: chunks of at most `largest_chunk` tokens."""
    assert not means or shape.n_centres <= cbow.APART * cbow.MEANS
    n_kept = largest_chunk + 2 * shape.window + 1
    n_centres = _whole_groups(shape.n_centres)
    n_slots = _whole_groups(shape.n_centres + 2 * shape.window)
    windows = Windows(np.zeros(n_centres, np.int32), np.zeros(n_centres, np.int32))
    kept = Kept(*(np.zeros(n_kept, np.int32) for _ in range(3)))
    mean = _make_mean(n_slots, shape.dim, frozen) if means else None
    blocks = Blocks()
    if noise is not None and means:
        blocks = blocks._replace(cbow_noise=_make_tile(cbow.MEANS, cbow.MEANS + shape.n_noise, shape.dim))
    elif noise is not None:
        blocks = blocks._replace(skipgram_noise=_make_block(n_centres, shape.n_noise + n_slots, shape.dim, frozen))
    if tree is not None:
        longest = int(np.diff(tree.starts).max())
        if means:
            blocks = blocks._replace(cbow_paths=_make_path_block(padded(longest), shape.dim))
        else:
            n_contexts, n_nodes = _whole_groups(2 * shape.window), _whole_groups(longest)
            block = _make_block(shape.n_centres * n_contexts, shape.n_centres * n_nodes, shape.dim, frozen)
            blocks = blocks._replace(skipgram_paths=block)
    return Scratch(kept, windows, noise, tree, mean, frozen, blocks)


def n_noise_words(shape: Shape, *, means: bool) -> int:
    """How many noise words a block draws."""
    return cbow.APART * shape.n_noise if means else shape.n_noise


def _whole_groups(n: int) -> int:
    return -(-n // ROWS) * ROWS


def _places(n: int) -> NDArray[np.int64]:
    return np.zeros(n, np.int64)


def _row_starts(n: int, dim: int) -> NDArray[np.int64]:
    return np.arange(n, dtype=np.int64) * dim


def _make_band(n_inputs: int, n_outputs: int) -> Band:
    asked, asking = n_inputs // ROWS, n_outputs // ROWS
    ranges = _places(asked), _places(asked), _places(asking), _places(asking)
    return Band(*ranges, aligned_zeros(n_inputs * _stride(n_outputs)))


def _stride(n_outputs: int) -> int:
    return padded(n_outputs) + LANES  # a whole vector more, since the last one asked may begin anywhere


def _make_block(n_inputs: int, n_outputs: int, dim: int, frozen: Frozen) -> Block:
    inputs = _places(n_inputs)
    return Block(
        inputs=inputs,
        moved=_places(n_inputs) if frozen.words.size else inputs,
        outputs=_places(n_outputs),
        band=_make_band(n_inputs, n_outputs),
        scores=aligned_zeros(n_inputs * _stride(n_outputs)),
        X=aligned_zeros(n_inputs * dim),
        x_rows=_row_starts(n_inputs, dim),
    )


def _make_tile(n_inputs: int, n_outputs: int, dim: int) -> Block:
    """A block in which all ask all; the table that takes their steps has the places of the inputs."""
    block = _make_block(n_inputs, n_outputs, dim, NONE_FROZEN)
    block.band.asked_end[:], block.band.asking_end[:] = n_outputs, n_inputs
    return block._replace(moved=block.x_rows)


def _make_mean(n_slots: int, dim: int, frozen: Frozen) -> Mean:
    rows = _places(n_slots)
    return Mean(rows, _places(n_slots) if frozen.words.size else rows, aligned_zeros(cbow.MEANS * dim))


def _make_path_block(longest: int, dim: int) -> cbow.PathBlock:
    return cbow.PathBlock(
        outputs=_places(longest),
        weights=aligned_zeros(longest),
        scores=aligned_zeros(longest),
        X=aligned_zeros(dim),
        x_rows=_row_starts(1, dim),
    )
