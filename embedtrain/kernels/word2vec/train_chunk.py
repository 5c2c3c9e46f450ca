"""Train skip-gram or CBOW, with negative sampling, hierarchical softmax or both, on a chunk of the corpus.

A chunk's tokens are subsampled, and its centres trained block by block. Skip-gram and CBOW differ in their inputs
(CBOW has a `mean`), negative sampling and hierarchical softmax in their outputs: rows of C for centres, contexts and
`noise`, rows of N for the nodes of the `tree`. With subwords, W are the `composed` vectors of the words of a block.
Unused arguments are None, and Numba compiles no code for them.
"""

from typing import NamedTuple

import numpy as np

from embedtrain.kernels.compilation import kernel
from embedtrain.kernels.integers import maximum, minimum
from embedtrain.kernels.simd.lanes import aligned_zeros
from embedtrain.kernels.simd.tiles import ROWS
from embedtrain.kernels.word2vec import cbow, skipgram
from embedtrain.kernels.word2vec.huffman import Tree, load_local, merge_local
from embedtrain.kernels.word2vec.negatives import Noise, draw_noise, reset_means
from embedtrain.kernels.word2vec.subwords import Composed, add_block, compose_block, make_composed
from embedtrain.kernels.word2vec.tile_step import Tile, make_tile
from embedtrain.kernels.word2vec.window_means import WindowMeans, set_context_offsets
from embedtrain.kernels.word2vec.windows import Frozen, Kept, Windows, draw_windows, subsample

_MERGE_EVERY = 64  # blocks; merging every 16 costs a twentieth of the speed of two threads


class BlockConfig(NamedTuple):
    """The parameters of all blocks of a run."""

    window: int  # the largest that a sentence can fill
    max_window: int  # each centre draws its window from 1 to this, as word2vec.c does; 0: all have `window`
    n_noise: int  # noise words that centres share
    noise_weight: np.float32  # of each of them for a context, negative / n_noise
    n_centres: int  # in a block
    tile_centres: int  # of skip-gram: centres that are scored together, at most ROWS ...
    tile_tokens: int  # ... with this many tokens of their windows
    baseline: np.float32  # of the control variate; 0 without
    dim: int  # padded
    padding_row: int  # first element of the row of zeros in C that fills incomplete groups ...
    input_padding_row: int  # ... and in W
    loss_every: int  # the loss is computed in one of this many blocks, and in the first with pairs
    corrected: bool  # whether CBOW divides the step of a mean among its contexts
    shuffled: bool = False  # whether sentences are shuffled, anew in every epoch
    mean_share: np.float32 = np.float32(1)  # of the step of a mean, which its rows receive in CBOW


class Tiles(NamedTuple):
    """The tiles that a model uses; None for the others."""

    skipgram_noise: Tile | None = None
    skipgram_paths: Tile | None = None
    cbow_noise: Tile | None = None
    cbow_paths: Tile | None = None


class Scratch(NamedTuple):
    """The memory of one thread."""

    kept: Kept
    windows: Windows
    noise: Noise | None
    tree: Tree | None
    mean: WindowMeans | None
    frozen: Frozen
    composed: Composed | None
    tiles: Tiles


@kernel
def train_chunk(W, C, N, word_rows, text, begin, end, keep_thresholds, config, scratch, key, state, first_lr, last_lr):
    """Train on the tokens [begin, end) as centres, the learning rate falling linearly from `first_lr` to `last_lr`.

    `key` determines which tokens of the epoch are kept, `state` is the generator's for all other random numbers. With
    both rates 0 no byte of the tables changes, and the loss is that of held-out text.
    Returns (summed loss, number of predictions in that sum, centres trained on).
    """
    kept, windows, noise, tree, mean, frozen, composed, tiles = scratch
    window = config.window
    reach = 0 if mean is None and tree is None else window  # of the tokens that are inputs
    first, last, n_tokens = subsample(
        text.ids, text.offsets, begin, end, keep_thresholds, key, window, config.shuffled, kept
    )

    loss, n_pairs = 0.0, 0
    state = draw_noise(noise, state)
    reset_means(noise)
    load_local(N, tree, config.dim)
    for number, t0 in enumerate(range(first, last, config.n_centres)):
        t1 = minimum(t0 + config.n_centres, last)
        # random numbers in a fixed order: the next block's noise, then this block's windows
        state = draw_noise(noise, state)
        n_contexts, n_predicted, state = draw_windows(windows, kept, t0, t1, window, config.max_window, state)
        n_slots = compose_block(
            composed, word_rows, kept, maximum(t0 - reach, 0), minimum(t1 + reach, n_tokens), config.dim
        )
        set_context_offsets(mean, kept, frozen, t0, t1, n_tokens, config)
        lr = first_lr + (last_lr - first_lr) * np.float32(t0 - first) / np.float32(last - first)
        with_loss = number % config.loss_every == 0 or n_pairs == 0  # no chunk with pairs is without a loss

        # no code is compiled for those whose tile is None
        loss += skipgram.noise_step(
            W, C, tiles.skipgram_noise, noise, kept, frozen, windows, t0, t1, n_contexts, n_tokens, config, lr,
            with_loss,
        )  # fmt: skip
        loss += skipgram.path_step(
            W, N, tiles.skipgram_paths, tree, kept, frozen, windows, t0, t1, n_tokens, config, lr, with_loss
        )
        loss += cbow.noise_step(
            W, C, tiles.cbow_noise, noise, mean, kept, windows, t0, t1, n_tokens, config, lr, with_loss
        )
        loss += cbow.path_step(
            W, N, tiles.cbow_paths, tree, mean, kept, windows, t0, t1, n_tokens, config, lr, with_loss
        )
        if lr > 0:
            add_block(composed, word_rows, n_slots, config.dim)
        if last_lr > 0 and (number % _MERGE_EVERY == _MERGE_EVERY - 1 or t1 == last):
            merge_local(N, tree, config.dim)
        if with_loss:  # skip-gram predicts each context, CBOW each centre with contexts
            n_pairs += n_contexts if mean is None else n_predicted
    return loss, n_pairs, last - first


# --- Memory -----------------------------------------------------------------------------------------------------------


def make_scratch(
    config: BlockConfig,
    *,
    means: bool,
    noise: Noise | None,
    tree: Tree | None,
    largest_chunk: int,
    frozen: Frozen,
    n_composed: int = 0,
    fixed: bool | None = None,
) -> Scratch:
    """Allocate the memory of a thread for chunks of at most `largest_chunk` tokens, and `n_composed` words.

    With `fixed`, rows of C are kept as they are.
    """
    assert not means or config.n_centres <= cbow.CENTRE_STRIDE * cbow.CENTRES_PER_TILE
    n_kept = largest_chunk + 2 * config.window + 1
    windows = Windows(*(np.zeros(config.n_centres + ROWS, np.int32) for _ in range(2)))
    words, begins, ends = (np.zeros(n_kept, np.int32) for _ in range(3))
    composed = make_composed(n_composed, config.n_centres + 2 * config.window, config.dim) if n_composed else None
    kept = Kept(words, np.zeros(n_kept, np.int32) if composed else words, begins, ends)
    frozen_rows = frozen.words.size > 0
    mean = _make_mean(config.n_centres + 2 * config.window, config.dim, frozen_rows) if means else None
    tiles = Tiles()
    if noise is not None and means:
        tile = make_tile(cbow.CENTRES_PER_TILE + config.n_noise, config.dim, fixed=fixed)
        tile.inputs[:] = np.arange(cbow.CENTRES_PER_TILE) * config.dim
        tiles = tiles._replace(cbow_noise=tile)
    elif noise is not None:
        reached = min(config.tile_tokens, config.tile_centres + 2 * config.window)
        tile = make_tile(
            config.n_noise + reached, config.dim, frozen=frozen_rows, mean_output=noise.mean_output, fixed=fixed
        )
        tiles = tiles._replace(skipgram_noise=tile)
    if tree is not None:
        longest = int(np.diff(tree.starts).max())
        tile = make_tile(longest, config.dim, frozen=frozen_rows and not means)
        tiles = tiles._replace(**{"cbow_paths" if means else "skipgram_paths": tile})
    return Scratch(kept, windows, noise, tree, mean, frozen, composed, tiles)


def n_noise_words(config: BlockConfig, *, means: bool) -> int:
    """The number of noise words drawn for a block."""
    return cbow.CENTRE_STRIDE * config.n_noise if means else config.n_noise


def _make_mean(n_slots: int, dim: int, frozen: bool) -> WindowMeans:
    rows = np.zeros(n_slots, np.int64)
    update_rows = np.zeros(n_slots, np.int64) if frozen else rows
    inputs, steps = (aligned_zeros(cbow.CENTRES_PER_TILE * dim) for _ in range(2))
    return WindowMeans(rows, update_rows, inputs, steps)
