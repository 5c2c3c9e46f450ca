"""A small text as kernels take it, and what they need with it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.word2vec import train_chunk as word2vec
from embedtrain.kernels.word2vec.huffman import Tree, make_local_nodes
from embedtrain.kernels.word2vec.negatives import draw_noise, make_noise
from embedtrain.kernels.word2vec.windows import Frozen, Text, draw_windows, subsample
from embedtrain.models.distributions import alias_table, huffman_paths, keep_thresholds

#: Borders everywhere: sentences of one word and of many.
LENGTHS = (1, 40, 2, 1, 7, 30, 3, 25, 1, 11)
NONE_FROZEN = Frozen(np.zeros(0, np.uint8), 0)
#: Keys of what is random: which tokens are kept, and all else.
KEY, STATE = 77, 123_456


class Sampling(NamedTuple):
    """Which tokens are kept, and how noise is drawn."""

    keep_thresholds: NDArray[np.uint32]
    noise: tuple[NDArray[np.uint32], NDArray[np.int32]]


def readonly(array):
    """As a corpus is mapped from disk: kernels are compiled for arrays that cannot be written."""
    array.setflags(write=False)
    return array


def small_text(n_types=15, lengths=LENGTHS):
    """Sentences over few words, so that each is repeated."""
    ids = np.random.default_rng(8).integers(0, n_types, sum(lengths)).astype(np.int32)
    return Text(readonly(ids), readonly(np.cumsum([0, *lengths])))


def small_sampling(n_words=12, n_types=15, keep=None):
    """Every word is kept with a probability of its own, or with `keep`; the types that are no words are cut."""
    rng = np.random.default_rng(9)
    probability = rng.uniform(0.5, 1, n_words) if keep is None else np.full(n_words, float(keep))
    return Sampling(keep_thresholds(probability, n_types), alias_table(rng.dirichlet(np.ones(n_words))))


def small_tree(counts, rows, share=1.0, input_padding_row=0):
    """Huffman's tree, with copies of the nodes near its root and a padding row at these elements of N."""
    counts = np.array(counts, np.int64)
    return Tree(*huffman_paths(counts), make_local_nodes(len(counts) - 1, rows, share, input_padding_row))


def blocks_of_chunk(text, sampling, config, begin, end, *, means, with_noise=False, tree=None, frozen=NONE_FROZEN):
    """For each block of a chunk: the thread's memory with the noise and windows drawn, its tokens, and all tokens."""
    noise = None
    if with_noise:
        noise = make_noise(word2vec.n_noise_words(config, means=means), config.dim, *sampling.noise)
    scratch = word2vec.make_scratch(config, means=means, noise=noise, tree=tree, largest_chunk=128, frozen=frozen)
    first, last, n_tokens = subsample(
        *text, begin, end, sampling.keep_thresholds, np.uint64(KEY), config.window, config.shuffled, scratch.kept
    )
    state = np.uint64(STATE)
    state = np.uint64(draw_noise(noise, state))
    for t0 in range(first, last, config.n_centres):
        t1 = min(t0 + config.n_centres, last)
        state = np.uint64(draw_noise(noise, state))
        *_, state = draw_windows(scratch.windows, scratch.kept, t0, t1, config.window, config.max_window, state)
        state = np.uint64(state)
        yield scratch, t0, t1, n_tokens
