"""Negative samples: noise words shared by a block, drawn by the alias method, and their control variate.

The centres of a block share few noise words, so the gradient of negative sampling is noisy. A *control variate* reduces
this noise: a part of the gradient that can be known without drawing noise words is taken from its expectation. With
p(k) the noise distribution, n_i the number of contexts of centre x_i, and a constant a, the expected step is

    of a centre x_i:       -lr n_i negative E_k[sigmoid(x_i . y_k) y_k]
                         = -lr n_i negative (E_k[(sigmoid(x_i . y_k) - a) y_k] + a E_k[y_k])
    of a noise word y_k:   -lr negative p(k) sum_i n_i sigmoid(x_i . y_k) x_i
                         = -lr negative p(k) (sum_i n_i (sigmoid(x_i . y_k) - a) x_i + a sum_i n_i E_i[x_i])

The drawn noise words give the first terms, with sigmoid - a, the *baseline*, instead of sigmoid. In the second, the
means of y_k over the noise distribution and of x_i over the text are running means. So the expected step is the same,
but for terms of order a p(k) where a context is itself a noise word, and as far as the mean of x_i counts all centres
alike. As most sigmoids of noise are near their mean, sigmoid - a is small, and the variance for each draw falls to
about half. (Control variates: Hammersley and Handscomb, "Monte Carlo methods", 1964, section 5.5.)
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined
from embedtrain.kernels.integers import minimum
from embedtrain.kernels.random import draw_alias, random_at
from embedtrain.kernels.simd.lanes import aligned_zeros, padded
from embedtrain.kernels.simd.rows import add_row, fill, move_towards
from embedtrain.kernels.word2vec.windows import FORWARD

_MARKS = 4096  # size of the noise filter, a power of two
_MEAN_ROWS = 400  # in a running mean, about; 1,000 and 2,000 are as accurate
_MEAN_CENTRES = 16  # of a block that enter a running mean


class Noise(NamedTuple):
    """Noise words, drawn one block ahead so that their rows can be prefetched, and their distribution."""

    words: NDArray[np.int32]  # (n_noise,)
    following: NDArray[np.int32]  # (n_noise,) of the next block
    marks: NDArray[np.uint8]  # (_MARKS,) 1 for hashes of noise words, to avoid searching all
    thresholds: NDArray[np.uint32]  # (n_words,) for `draw_alias`
    aliases: NDArray[np.int32]
    excluded: NDArray[np.float32]  # (n_noise,) weight in a block for contexts that are the noise word itself, left out
    mean_output: NDArray[np.float32]  # (dim,) running mean of the rows of noise words in C ...
    mean_input: NDArray[np.float32]  # (dim,) ... and of those of centres in W
    n_rows: NDArray[np.int64]  # (2,) rows in these means, at most _MEAN_ROWS


def make_noise(n_noise: int, dim: int, thresholds: NDArray[np.uint32], aliases: NDArray[np.int32]) -> Noise:
    """Allocate the memory of a thread for `n_noise` noise words per block."""
    words, following = np.zeros(n_noise, np.int32), np.zeros(n_noise, np.int32)
    return Noise(
        words,
        following,
        np.zeros(_MARKS, np.uint8),
        thresholds,
        aliases,
        aligned_zeros(padded(n_noise)),
        aligned_zeros(dim),
        aligned_zeros(dim),
        np.zeros(2, np.int64),
    )


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


@inlined
def reset_means(noise):
    """Start the running means anew, as each chunk does, so that they do not depend on the thread."""
    if noise is not None:
        fill(noise.mean_output, 0, noise.mean_output.size, np.float32(0))
        fill(noise.mean_input, 0, noise.mean_input.size, np.float32(0))
        noise.n_rows[0] = noise.n_rows[1] = 0


@inlined
def update_means(noise, W, C, kept, windows, t0, t1, config):
    """Move the running means towards the rows of a block's noise words and of its first centres with contexts."""
    n_rows, dim = noise.n_rows, config.dim
    for k in range(config.n_noise):
        n_rows[0] = minimum(n_rows[0] + 1, _MEAN_ROWS)
        move_towards(noise.mean_output, np.float32(1) / np.float32(n_rows[0]), C, noise.words[k] * dim, dim)
    for i in range(minimum(_MEAN_CENTRES, t1 - t0)):
        if windows.ends[i] - windows.begins[i] > 1:
            n_rows[1] = minimum(n_rows[1] + 1, _MEAN_ROWS)
            move_towards(noise.mean_input, np.float32(1) / np.float32(n_rows[1]), W, kept.inputs[t0 + i] * dim, dim)


@inlined
def add_mean_input(C, noise, n_contexts, lr, config):
    """Add the mean centre's part of the steps of a block, with `n_contexts` in all, to its noise words."""
    for k in range(config.n_noise):
        weight = lr * config.baseline * (noise.excluded[k] - config.noise_weight * np.float32(n_contexts))
        add_row(C, noise.words[k] * config.dim, weight, noise.mean_input, 0, config.dim)
