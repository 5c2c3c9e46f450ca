"""Blocks of CBOW: the mean of a window asks for the centre, or for the centre's path in a tree."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import kernel
from embedtrain.kernels.huffman import lay_path, weigh_path
from embedtrain.kernels.logistic import block_step, spread_steps, take_means
from embedtrain.kernels.noise import mark_noise, may_be_noise
from embedtrain.kernels.sigmoid import logistic_gradient, logistic_loss
from embedtrain.kernels.tiles import (
    ROW_VECTORS,
    ROWS,
    dot_row,
    exchange_row,
    fill,
)
from embedtrain.kernels.vectors import LANES
from embedtrain.kernels.windows import (
    fetch_rows,
    fill_rows,
    find_askers,
    name_rows,
    name_slots,
    spare_frozen,
    weigh_windows,
    whole_groups,
)


@kernel
def form_means(mean, kept, frozen, windows, t0, t1, n_tokens, shape):
    """Let the inputs be the means of the windows of the centres [t0, t1).

    A row of a window takes an input's whole step, as in word2vec.c, or if `shape.corrected` what the gradient says: its
    share of the mean (İrsoy, Benton, Stratos, "Corrected CBOW performs as well as skip-gram", 2021). Returns the
    number of rows, in whole groups; 0 if inputs are no means.
    """
    if mean is None:
        return 0
    window, dim = shape.window, shape.dim
    n_rows = name_slots(mean.rows, 0, kept, t0, t1, n_tokens, window, dim, shape.sink)
    if frozen.words.size:
        spare_frozen(mean.moved, mean.rows, n_rows, frozen, dim)
    weigh_windows(mean.band, kept, windows, t0, t1, 0, window, True)
    n_inputs = whole_groups(t1 - t0)
    find_askers(mean.band, n_inputs, n_rows, 0)
    for i in range(n_inputs):
        n_contexts = windows.ends[i] - windows.begins[i] - 1
        mean.shares[i] = np.float32(1) if shape.corrected else np.float32(n_contexts)
    return n_rows


@kernel
def noise_step(W, C, block, noise, mean, kept, windows, t0, t1, n_tokens, n_rows, shape, lr, with_loss):
    """A step of negative sampling for the centres [t0, t1), if there is any; returns its loss."""
    if block is None:
        return 0.0
    n_noise, dim = noise.words.size, shape.dim
    share = np.float32(shape.negative) / np.float32(n_noise)
    fetch_rows(W, kept.words, t1 + shape.window, min(2 * t1 - t0 + shape.window, n_tokens), dim)
    fetch_rows(C, kept.words, t1, min(2 * t1 - t0, n_tokens), dim)
    n_inputs, n_outputs = build_noise_block(block, noise, kept, windows, t0, t1, share, dim, shape.sink)
    return block_step(W, C, block, mean, n_inputs, n_outputs, n_noise, n_rows, dim, lr, with_loss)


@kernel
def build_noise_block(block, noise, kept, windows, t0, t1, share, dim, sink):
    """Negative sampling: outputs are the noise words and the centres, of which each input asks its own.

    Returns the numbers of inputs and outputs, in whole groups.
    """
    n_noise, words, band = noise.words.size, kept.words, block.band
    weights, stride = band.weights, band.weights.size // (band.asked_begin.size * ROWS)
    n_inputs = whole_groups(t1 - t0)
    name_rows(block.outputs, 0, noise.words, 0, n_noise, dim)
    fill_rows(block.outputs, n_noise, n_inputs, sink)
    name_rows(block.outputs, n_noise, words, t0, t1, dim)
    mark_noise(noise, 1)
    for i in range(n_inputs):
        row, group = i * stride, n_noise + i // ROWS * ROWS
        asks = windows.ends[i] - windows.begins[i] > 1
        fill(weights, row, n_noise, -share if asks else np.float32(0))
        fill(weights, row + group, ROWS, np.float32(0))
        band.asked_begin[i // ROWS], band.asked_end[i // ROWS] = group, group + ROWS
        if asks:
            weights[row + n_noise + i] = np.float32(1)
            if may_be_noise(noise, words[t0 + i]):
                for k in range(n_noise):
                    if noise.words[k] == words[t0 + i]:
                        weights[row + k] = np.float32(0)
    mark_noise(noise, 0)
    find_askers(band, n_inputs, n_noise + n_inputs, n_noise)
    return n_inputs, n_noise + n_inputs


class PathBlock(NamedTuple):
    """Inputs, each of which asks for nodes of its own; the padding between paths is not asked."""

    begins: NDArray[np.int64]  # (n_inputs,) the outputs of each input ...
    ends: NDArray[np.int64]  # ... end here; what pads them to whole vectors follows
    outputs: NDArray[np.int64]  # (n_outputs,) first element of each row in N
    weights: NDArray[np.float32]  # (n_outputs,) 1 or -1 for the side that a path goes on, 0 for padding
    scores: NDArray[np.float32]  # (n_outputs,) scores, then coefficients
    X: NDArray[np.float32]  # (n_inputs * dim,)
    x_rows: NDArray[np.int64]  # (n_inputs,)


@kernel
def build_path_block(block, tree, kept, windows, t0, t1, dim):
    """Hierarchical softmax: each input asks for the path of its centre; returns the number of inputs."""
    outputs, weights = block.outputs, block.weights
    n_outputs = 0
    for centre in range(t1 - t0):
        begin = end = n_outputs
        if windows.ends[centre] - windows.begins[centre] > 1:
            end = lay_path(outputs, begin, tree, kept.words[t0 + centre], dim)
            n_outputs = (end + LANES - 1) // LANES * LANES
            fill_rows(outputs, end, n_outputs - end, tree.own.sink)
            fill(weights, n_outputs - LANES, LANES, np.float32(0))
            weigh_path(weights, begin, tree, kept.words[t0 + centre])
        block.begins[centre], block.ends[centre] = begin, end
    return t1 - t0


@kernel
def path_step(W, N, block, tree, mean, kept, windows, t0, t1, n_tokens, n_rows, shape, lr, with_loss):
    """A step of hierarchical softmax for the centres [t0, t1), if there is any: one mean x after the other.

    g = lr * (1 if the path goes to the lighter child of y, else 0 - sigmoid(x . y))    x += g y    y += g x

    Returns the loss, or 0 without `with_loss`.
    """
    if block is None:
        return 0.0
    X, x_rows, outputs, weights, G = block.X, block.x_rows, block.outputs, block.weights, block.scores
    dim = shape.dim
    fetch_rows(W, kept.words, t1 + shape.window, min(2 * t1 - t0 + shape.window, n_tokens), dim)
    n_inputs = build_path_block(block, tree, kept, windows, t0, t1, dim)
    take_means(X, x_rows, W, mean, whole_groups(n_inputs), dim)
    fill(mean.steps, 0, whole_groups(n_inputs) * dim, np.float32(0))
    loss = 0.0
    for i in range(n_inputs):
        begin, end = block.begins[i], block.ends[i]
        for k in range(begin, end, LANES):
            dot_row(X, x_rows, i, N, outputs, k, dim, G, k, 0)
        if with_loss:
            loss += logistic_loss(G, begin, weights, end - begin)
        if lr > 0:
            logistic_gradient(G, begin, weights, end - begin, lr)
            for d in range(0, dim, ROW_VECTORS * LANES):
                vectors = min(ROW_VECTORS, (dim - d) // LANES)
                exchange_row(mean.steps, X, x_rows[i], d, vectors, N, outputs, begin, end, G)
    if lr > 0:
        spread_steps(W, mean, whole_groups(n_inputs), n_rows, x_rows, dim)
    return loss
