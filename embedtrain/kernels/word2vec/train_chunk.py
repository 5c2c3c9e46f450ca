"""Train skip-gram or CBOW, with negative sampling, hierarchical softmax or both, on a chunk of the corpus.

A chunk's tokens are subsampled, and its centres trained block by block. Skip-gram and CBOW differ in their inputs
(CBOW has a `mean`), negative sampling and hierarchical softmax in their outputs: rows of C for centres, contexts and
`noise`, rows of N for the nodes of the `tree`. Unused arguments are None, and Numba compiles no code for them.
"""

from typing import NamedTuple

import numpy as np

from embedtrain.kernels.compilation import kernel
from embedtrain.kernels.integers import minimum
from embedtrain.kernels.simd.lanes import LANES, aligned_zeros, padded
from embedtrain.kernels.simd.tiles import ROWS
from embedtrain.kernels.word2vec import cbow, skipgram
from embedtrain.kernels.word2vec.block_step import Band, Block
from embedtrain.kernels.word2vec.huffman import Tree, load_local, merge_local
from embedtrain.kernels.word2vec.negatives import Noise, draw_noise
from embedtrain.kernels.word2vec.window_means import WindowMeans, set_context_offsets
from embedtrain.kernels.word2vec.windows import Frozen, Kept, Windows, draw_windows, subsample, whole_groups

_MERGE_EVERY = 64  # blocks; merging every 16 costs a twentieth of the speed of two threads


class BlockConfig(NamedTuple):
    """The parameters of all blocks of a run."""

    window: int  # the largest that a sentence can fill
    max_window: int  # each centre draws its window from 1 to this, as word2vec.c does; 0: all have `window`
    negative: int
    n_noise: int  # noise words shared by centres, with a total weight of `negative` for each context
    n_centres: int  # in a block
    dim: int  # padded
    padding_row: int  # first element of the row of zeros in W and C that fills incomplete groups
    loss_every: int  # the loss is computed in one of this many blocks, and in the first with pairs
    corrected: bool  # whether CBOW divides the step of a mean among its contexts


class Blocks(NamedTuple):
    """The blocks that a model uses; None for the others."""

    skipgram_noise: Block | None = None
    skipgram_paths: Block | None = None
    cbow_noise: Block | None = None
    cbow_paths: cbow.PathBlock | None = None


class Scratch(NamedTuple):
    """The memory of one thread."""

    kept: Kept
    windows: Windows
    noise: Noise | None
    tree: Tree | None
    mean: WindowMeans | None
    frozen: Frozen
    blocks: Blocks


@kernel
def train_chunk(W, C, N, text, begin, end, keep_thresholds, config, scratch, key, state, first_lr, last_lr):
    """Train on the tokens [begin, end) as centres, the learning rate falling linearly from `first_lr` to `last_lr`.

    `key` determines which tokens of the epoch are kept, `state` is the generator's for all other random numbers. With
    both rates 0 no byte of the tables changes, and the loss is that of held-out text.
    Returns (summed loss, number of predictions in that sum, centres trained on).
    """
    kept, windows, noise, tree, mean, frozen, blocks = scratch
    window = config.window
    first, last, n_tokens = subsample(text.ids, text.offsets, begin, end, keep_thresholds, key, window, kept)

    loss, n_pairs = 0.0, 0
    state = draw_noise(noise, state)
    load_local(N, tree, config.dim)
    for number, t0 in enumerate(range(first, last, config.n_centres)):
        t1 = minimum(t0 + config.n_centres, last)
        # random numbers in a fixed order: the next block's noise, then this block's windows
        state = draw_noise(noise, state)
        n_contexts, n_predicted, state = draw_windows(windows, kept, t0, t1, window, config.max_window, state)
        set_context_offsets(mean, kept, frozen, t0, t1, n_tokens, config)
        lr = first_lr + (last_lr - first_lr) * np.float32(t0 - first) / np.float32(last - first)
        with_loss = number % config.loss_every == 0 or n_pairs == 0  # no chunk with pairs is without a loss

        # no code is compiled for those whose block is None
        loss += skipgram.noise_step(
            W, C, blocks.skipgram_noise, noise, kept, frozen, windows, t0, t1, n_tokens, config, lr, with_loss
        )
        loss += skipgram.path_step(
            W, N, blocks.skipgram_paths, tree, kept, frozen, windows, t0, t1, n_tokens, config, lr, with_loss
        )
        loss += cbow.noise_step(
            W, C, blocks.cbow_noise, noise, mean, kept, windows, t0, t1, n_tokens, config, lr, with_loss
        )
        loss += cbow.path_step(
            W, N, blocks.cbow_paths, tree, mean, kept, windows, t0, t1, n_tokens, config, lr, with_loss
        )
        if last_lr > 0 and (number % _MERGE_EVERY == _MERGE_EVERY - 1 or t1 == last):
            merge_local(N, tree, config.dim)
        if with_loss:  # skip-gram predicts each context, CBOW each centre with contexts
            n_pairs += n_contexts if mean is None else n_predicted
    return loss, n_pairs, last - first


# --- Memory -----------------------------------------------------------------------------------------------------------


def make_scratch(
    config: BlockConfig, *, means: bool, noise: Noise | None, tree: Tree | None, largest_chunk: int, frozen: Frozen
) -> Scratch:
    """Allocate the memory of a thread for chunks of at most `largest_chunk` tokens."""
    assert not means or config.n_centres <= cbow.CENTRE_STRIDE * cbow.CENTRES_PER_TILE
    n_kept = largest_chunk + 2 * config.window + 1
    n_centres = whole_groups.py_func(config.n_centres)
    n_slots = whole_groups.py_func(config.n_centres + 2 * config.window)
    windows = Windows(np.zeros(n_centres, np.int32), np.zeros(n_centres, np.int32))
    kept = Kept(*(np.zeros(n_kept, np.int32) for _ in range(3)))
    frozen_rows = frozen.words.size > 0
    mean = _make_mean(n_slots, config.dim, frozen_rows) if means else None
    blocks = Blocks()
    if noise is not None and means:
        n_outputs = cbow.CENTRES_PER_TILE + config.n_noise
        blocks = blocks._replace(cbow_noise=_make_tile(cbow.CENTRES_PER_TILE, n_outputs, config.dim))
    elif noise is not None:
        block = _make_block(n_centres, config.n_noise + n_slots, config.dim, frozen_rows)
        blocks = blocks._replace(skipgram_noise=block)
    if tree is not None:
        longest = int(np.diff(tree.starts).max())
        if means:
            blocks = blocks._replace(cbow_paths=_make_path_block(padded(longest), config.dim))
        else:
            n_contexts, n_nodes = whole_groups.py_func(2 * config.window), whole_groups.py_func(longest)
            block = _make_block(config.n_centres * n_contexts, config.n_centres * n_nodes, config.dim, frozen_rows)
            blocks = blocks._replace(skipgram_paths=block)
    return Scratch(kept, windows, noise, tree, mean, frozen, blocks)


def n_noise_words(config: BlockConfig, *, means: bool) -> int:
    """The number of noise words drawn for a block."""
    return cbow.CENTRE_STRIDE * config.n_noise if means else config.n_noise


def _make_block(n_inputs: int, n_outputs: int, dim: int, frozen: bool) -> Block:
    inputs = np.zeros(n_inputs, np.int64)
    stride = padded(n_outputs) + LANES  # a vector more, since the last one read need not be aligned
    return Block(
        inputs=inputs,
        update_rows=np.zeros(n_inputs, np.int64) if frozen else inputs,
        outputs=np.zeros(n_outputs, np.int64),
        band=Band(
            output_begin=np.zeros(n_inputs // ROWS, np.int64),
            output_end=np.zeros(n_inputs // ROWS, np.int64),
            input_begin=np.zeros(n_outputs // ROWS, np.int64),
            input_end=np.zeros(n_outputs // ROWS, np.int64),
            weights=aligned_zeros(n_inputs * stride),
        ),
        scores=aligned_zeros(n_inputs * stride),
        X=aligned_zeros(n_inputs * dim),
        x_rows=np.arange(n_inputs, dtype=np.int64) * dim,
    )


def _make_tile(n_inputs: int, n_outputs: int, dim: int) -> Block:
    """A block of all pairs of inputs and outputs; the steps of inputs are added to a table with the rows of X."""
    block = _make_block(n_inputs, n_outputs, dim, frozen=False)
    block.band.output_end[:], block.band.input_end[:] = n_outputs, n_inputs
    return block._replace(update_rows=block.x_rows)


def _make_mean(n_slots: int, dim: int, frozen: bool) -> WindowMeans:
    rows = np.zeros(n_slots, np.int64)
    update_rows = np.zeros(n_slots, np.int64) if frozen else rows
    return WindowMeans(rows, update_rows, aligned_zeros(cbow.CENTRES_PER_TILE * dim))


def _make_path_block(longest: int, dim: int) -> cbow.PathBlock:
    return cbow.PathBlock(
        outputs=np.zeros(longest, np.int64),
        weights=aligned_zeros(longest),
        scores=aligned_zeros(longest),
        X=aligned_zeros(dim),
        x_rows=np.zeros(1, np.int64),
    )
