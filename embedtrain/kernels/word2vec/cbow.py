"""Steps of CBOW: the mean of a window asks for the centre, or for the centre's path in a tree.

Means of centres that follow each other are made of nearly the same rows, and every mean moves its rows by all of its
step: asked at once, each would push them as if it were alone. So a block takes its centres at a distance, and those
that are asked at once are far from each other: 0, 16, 32 and 48, then 1, 17, 33 and 49, and so on.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined
from embedtrain.kernels.simd.lanes import LANES
from embedtrain.kernels.simd.rows import ROW_VECTORS, exchange_row, fill
from embedtrain.kernels.simd.sigmoid import logistic_gradient, logistic_loss
from embedtrain.kernels.simd.tiles import ROWS, dot_row
from embedtrain.kernels.word2vec.block_step import block_step
from embedtrain.kernels.word2vec.huffman import lay_path, weigh_path
from embedtrain.kernels.word2vec.window_means import spread_step, take_mean
from embedtrain.kernels.word2vec.windows import fetch_rows, fill_rows, name_rows

#: Tokens from one centre to the next that is asked at once, or after it.
APART = 16
#: Means that are asked at once and share noise words: a tile.
MEANS = ROWS


@inlined
def noise_step(W, C, block, noise, mean, kept, windows, t0, t1, n_tokens, shape, lr, with_loss):
    """Steps of negative sampling for the centres [t0, t1), if there are any; returns their loss."""
    if block is None:
        return 0.0
    n_centres, dim = t1 - t0, shape.dim
    at_once = (n_centres + APART - 1) // APART
    loss = 0.0
    for first in range(min(APART, n_centres)):
        build_noise_block(block, noise, kept, windows, t0, n_centres, first, shape)
        for input, i in enumerate(range(first, n_centres, APART)):
            fetch_context(W, kept, t1 + first * at_once + input, n_tokens, shape)
            take_mean(block.X, input * dim, W, mean, windows, t0, i, shape)
        fill(mean.steps, 0, MEANS * dim, np.float32(0))
        loss += block_step(mean.steps, C, block, MEANS, MEANS + shape.n_noise, 0, dim, lr, with_loss)
        if lr > 0:
            for input, i in enumerate(range(first, n_centres, APART)):
                fetch_outputs(C, noise, kept, t0, t1, first + 1, input, at_once, n_tokens, shape)
                spread_step(W, mean, input * dim, windows, t0, i, shape)
    return loss


@inlined
def build_noise_block(block, noise, kept, windows, t0, n_centres, first, shape):
    """Negative sampling: the means around the centres first, first + APART, … ask for these and for noise words."""
    outputs, weights, n_noise = block.outputs, block.band.weights, shape.n_noise
    stride = weights.size // MEANS
    share, first_noise = np.float32(shape.negative) / np.float32(n_noise), first * n_noise
    fill_rows(outputs, 0, MEANS, shape.sink)
    name_rows(outputs, MEANS, noise.words, first_noise, first_noise + n_noise, shape.dim)
    for input in range(MEANS):
        i, row = first + input * APART, input * stride
        fill(weights, row, MEANS + n_noise, np.float32(0))
        if i < n_centres and windows.ends[i] - windows.begins[i] > 1:
            centre = kept.words[t0 + i]
            outputs[input], weights[row + input] = centre * shape.dim, np.float32(1)
            for k in range(n_noise):  # no word is pushed from its own context
                if noise.words[first_noise + k] != centre:
                    weights[row + MEANS + k] = -share


# Rows are fetched one by one between the sums, which they then hardly hold up; the outputs, for which threads compete
# most, only just before they are asked.


@inlined
def fetch_context(W, kept, centre, n_tokens, shape):
    """Fetch the row of the last word in the window of a centre, if there is one."""
    last = centre + shape.window
    fetch_rows(W, kept.words, last, min(last + 1, n_tokens), shape.dim)


@inlined
def fetch_outputs(C, noise, kept, t0, t1, first, input, at_once, n_tokens, shape):
    """Fetch the row of the centre first + APART * input, and its part of the noise; APART is the next block's 0."""
    words, part = noise.words, shape.n_noise // at_once
    if first == APART:
        t0, first, words = t1, 0, noise.following
    centre, begin = t0 + first + APART * input, first * shape.n_noise + input * part
    fetch_rows(C, kept.words, centre, min(centre + 1, n_tokens), shape.dim)
    fetch_rows(C, words, begin, begin + part, shape.dim)


class PathBlock(NamedTuple):
    """A mean, and the nodes that it asks for."""

    outputs: NDArray[np.int64]  # (n_outputs,) first element of each row in N
    weights: NDArray[np.float32]  # (n_outputs,) 1 or -1 for the side that a path goes on, 0 for padding
    scores: NDArray[np.float32]  # (n_outputs,) scores, then coefficients
    X: NDArray[np.float32]  # (dim,) the mean as it was before the step
    x_rows: NDArray[np.int64]  # (1,) where it starts


@inlined
def path_step(W, N, block, tree, mean, kept, windows, t0, t1, n_tokens, shape, lr, with_loss):
    """Steps of hierarchical softmax for the centres [t0, t1), if there are any: one mean x after the other.

    g = lr * (1 if the path goes to the lighter child of y, else 0 - sigmoid(x . y))    x += g y    y += g x

    Returns the loss, or 0 without `with_loss`.
    """
    if block is None:
        return 0.0
    n_centres, dim = t1 - t0, shape.dim
    at_once = (n_centres + APART - 1) // APART
    outputs, weights, X, G = block.outputs, block.weights, block.X, block.scores
    loss = 0.0
    for first in range(APART):
        for input, i in enumerate(range(first, n_centres, APART)):
            fetch_context(W, kept, t1 + first * at_once + input, n_tokens, shape)
            if windows.ends[i] - windows.begins[i] > 1:
                n_nodes = build_path_block(block, tree, kept.words[t0 + i], dim)
                take_mean(X, 0, W, mean, windows, t0, i, shape)
                for k in range(0, n_nodes, LANES):
                    dot_row(X, block.x_rows, 0, N, outputs, k, dim, G, k, 0)
                if with_loss:
                    loss += logistic_loss(G, 0, weights, n_nodes)
                if lr > 0:
                    logistic_gradient(G, 0, weights, n_nodes, lr)
                    fill(mean.steps, 0, dim, np.float32(0))
                    for d in range(0, dim, ROW_VECTORS * LANES):
                        vectors = min(ROW_VECTORS, (dim - d) // LANES)
                        exchange_row(mean.steps, X, 0, d, vectors, N, outputs, 0, n_nodes, G)
                    spread_step(W, mean, 0, windows, t0, i, shape)
    return loss


@inlined
def build_path_block(block, tree, word, dim):
    """Hierarchical softmax: ask for the path of a word; returns its length."""
    n_nodes = lay_path(block.outputs, 0, tree, word, dim)
    whole = (n_nodes + LANES - 1) // LANES * LANES
    fill_rows(block.outputs, n_nodes, whole - n_nodes, tree.own.sink)
    fill(block.weights, whole - LANES, LANES, np.float32(0))
    weigh_path(block.weights, 0, tree, word)
    return n_nodes
