"""Negative samples: noise words shared by a block, drawn by the alias method, and a filter to look them up."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined
from embedtrain.kernels.random import draw_alias, random_at
from embedtrain.kernels.word2vec.windows import FORWARD

_MARKS = 4096  # size of the noise filter, a power of two


class Noise(NamedTuple):
    """Noise words, drawn one block ahead so that their rows can be prefetched, and their distribution."""

    words: NDArray[np.int32]  # (n_noise,)
    following: NDArray[np.int32]  # (n_noise,) of the next block
    marks: NDArray[np.uint8]  # (_MARKS,) 1 for hashes of noise words, to avoid searching all
    thresholds: NDArray[np.uint32]  # (n_words,) for `draw_alias`
    aliases: NDArray[np.int32]


def make_noise(n_noise: int, thresholds: NDArray[np.uint32], aliases: NDArray[np.int32]) -> Noise:
    """Allocate the memory of a thread for `n_noise` noise words per block."""
    words, following = np.zeros(n_noise, np.int32), np.zeros(n_noise, np.int32)
    return Noise(words, following, np.zeros(_MARKS, np.uint8), thresholds, aliases)


@inlined
def draw_noise(noise, state):
    """Make the drawn noise current and draw the next, if the model has noise; returns the generator's state."""
    if noise is None:
        return state
    words, following = noise.words, noise.following
    for k in range(words.size):
        words[k] = following[k]
        state += FORWARD
        following[k] = draw_alias(random_at(state, 0), noise.thresholds, noise.aliases)
    return state


@inlined
def mark_noise(noise, mark):
    """Add the noise words to the filter (mark 1), or remove them (0)."""
    for word in noise.words:
        noise.marks[word & (_MARKS - 1)] = mark


@inlined
def may_be_noise(noise, word):
    """Whether the filter has the hash of a word."""
    return noise.marks[word & (_MARKS - 1)]
