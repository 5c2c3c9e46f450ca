"""The loop of all four word2vec models: block by block through a chunk of the corpus.

Skip-gram and CBOW differ in what inputs are made of (`mean`), negative sampling and hierarchical softmax in which
outputs are asked (`noise` with its table C, `tree` with its table N). What a model does not have is None, and Numba
leaves it out of the code.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels import cbow, skipgram
from embedtrain.kernels.alignment import aligned_zeros, padded
from embedtrain.kernels.compilation import kernel
from embedtrain.kernels.huffman import Tree, copy_top, merge_top
from embedtrain.kernels.logistic import Band, Block, Mean
from embedtrain.kernels.noise import Noise, draw_noise
from embedtrain.kernels.tiles import ROWS
from embedtrain.kernels.vectors import LANES
from embedtrain.kernels.windows import Frozen, Kept, Windows, draw_windows, keep_tokens

_MERGE_EVERY = 16  # blocks


class Shape(NamedTuple):
    """The numbers that stay the same during a run."""

    window: int  # no more than what a sentence has beside a centre
    furthest: int  # each centre draws its reach from 1 to this, as word2vec does; 0: it reaches over the whole window
    negative: int
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


@kernel
def draw(noise, state, C, dim):
    """The noise of the next block, if there is any; returns the generator's state."""
    if noise is None:
        return state
    return draw_noise(noise, state, C, dim)


@kernel
def begin_paths(N, tree, dim):
    """Let a thread's copies of nodes start from the shared rows, if there is a tree."""
    if tree is not None:
        copy_top(N, tree.own, dim)


@kernel
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
    state = draw(noise, state, C, shape.dim)
    begin_paths(N, tree, shape.dim)
    for number, t0 in enumerate(range(first, last, shape.n_centres)):
        t1 = min(t0 + shape.n_centres, last)
        state = draw(noise, state, C, shape.dim)
        n_contexts, n_asking, state = draw_windows(windows, kept, t0, t1, window, shape.furthest, state)
        n_rows = cbow.form_means(mean, kept, frozen, windows, t0, t1, n_tokens, shape)
        lr = first_lr + (last_lr - first_lr) * np.float32(t0 - first) / np.float32(last - first)
        with_loss = number % shape.loss_every == 0
        loss += skipgram.noise_step(
            W, C, blocks.skipgram_noise, noise, kept, frozen, windows, t0, t1, n_tokens, shape, lr, with_loss
        )
        loss += skipgram.path_step(
            W, N, blocks.skipgram_paths, tree, kept, frozen, windows, t0, t1, n_tokens, shape, lr, with_loss
        )
        loss += cbow.noise_step(
            W, C, blocks.cbow_noise, noise, mean, kept, windows, t0, t1, n_tokens, n_rows, shape, lr, with_loss
        )
        loss += cbow.path_step(
            W, N, blocks.cbow_paths, tree, mean, kept, windows, t0, t1, n_tokens, n_rows, shape, lr, with_loss
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
    n_kept = largest_chunk + 2 * shape.window + 1
    n_centres = _whole_groups(shape.n_centres)
    n_slots = _whole_groups(shape.n_centres + 2 * shape.window)
    windows = Windows(np.zeros(n_centres, np.int32), np.zeros(n_centres, np.int32))
    kept = Kept(*(np.zeros(n_kept, np.int32) for _ in range(3)))
    mean = _make_mean(n_centres, n_slots, shape.dim, frozen) if means else None
    blocks = Blocks()
    if noise is not None and means:
        blocks = blocks._replace(cbow_noise=_make_block(n_centres, len(noise.words) + n_centres, shape.dim, frozen))
    elif noise is not None:
        blocks = blocks._replace(skipgram_noise=_make_block(n_centres, len(noise.words) + n_slots, shape.dim, frozen))
    if tree is not None:
        longest = int(np.diff(tree.starts).max())
        if means:
            blocks = blocks._replace(cbow_paths=_make_path_block(n_centres, padded(longest), shape.dim))
        else:
            n_contexts, n_nodes = _whole_groups(2 * shape.window), _whole_groups(longest)
            block = _make_block(shape.n_centres * n_contexts, shape.n_centres * n_nodes, shape.dim, frozen)
            blocks = blocks._replace(skipgram_paths=block)
    return Scratch(kept, windows, noise, tree, mean, frozen, blocks)


def _whole_groups(n: int) -> int:
    return -(-n // ROWS) * ROWS


def _places(n: int) -> NDArray[np.int64]:
    return np.zeros(n, np.int64)


def _make_band(n_inputs: int, n_outputs: int) -> Band:
    groups, stride = n_inputs // ROWS, _stride(n_outputs)
    asked, asking = (_places(groups), _places(groups)), (_places(n_outputs // ROWS), _places(n_outputs // ROWS))
    return Band(*asked, *asking, aligned_zeros(n_inputs * stride))


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
        x_rows=np.arange(n_inputs, dtype=np.int64) * dim,
    )


def _make_mean(n_inputs: int, n_rows: int, dim: int, frozen: Frozen) -> Mean:
    rows = _places(n_rows)
    return Mean(
        rows=rows,
        moved=_places(n_rows) if frozen.words.size else rows,
        band=_make_band(n_inputs, n_rows),
        shares=np.zeros(n_inputs, np.float32),
        steps=aligned_zeros(n_inputs * dim),
    )


def _make_path_block(n_inputs: int, longest: int, dim: int) -> cbow.PathBlock:
    return cbow.PathBlock(
        begins=_places(n_inputs),
        ends=_places(n_inputs),
        outputs=_places(n_inputs * longest),
        weights=aligned_zeros(n_inputs * longest),
        scores=aligned_zeros(n_inputs * longest),
        X=aligned_zeros(n_inputs * dim),
        x_rows=np.arange(n_inputs, dtype=np.int64) * dim,
    )
