"""Blocks of skip-gram: each centre asks for its contexts, or its contexts ask for the centre's path in a tree."""

import numpy as np

from embedtrain.kernels.compilation import inlined
from embedtrain.kernels.simd.rows import copy_row, fill
from embedtrain.kernels.simd.tiles import ROWS
from embedtrain.kernels.word2vec.block_step import block_step
from embedtrain.kernels.word2vec.huffman import lay_path, weigh_path
from embedtrain.kernels.word2vec.negatives import mark_noise, may_be_noise
from embedtrain.kernels.word2vec.windows import (
    fetch_rows,
    fill_rows,
    find_askers,
    name_rows,
    name_slots,
    spare_frozen,
    weigh_windows,
    whole_groups,
)


@inlined
def noise_step(W, C, block, noise, kept, frozen, windows, t0, t1, n_tokens, shape, lr, with_loss):
    """A step of negative sampling for the centres [t0, t1), if there is any; returns its loss."""
    if block is None:
        return 0.0
    window, dim = shape.window, shape.dim
    fetch_rows(W, kept.words, t1, min(2 * t1 - t0, n_tokens), dim)
    fetch_rows(C, kept.words, t1 + window, min(2 * t1 - t0 + window, n_tokens), dim)
    fetch_rows(C, noise.following, 0, shape.n_noise, dim)
    n_inputs, n_outputs = build_noise_block(block, noise, kept, frozen, windows, t0, t1, n_tokens, shape)
    take_rows(W, block, n_inputs, dim)
    return block_step(W, C, block, n_inputs, n_outputs, shape.n_noise, dim, lr, with_loss)


@inlined
def path_step(W, N, block, tree, kept, frozen, windows, t0, t1, n_tokens, shape, lr, with_loss):
    """A step of hierarchical softmax for the centres [t0, t1), if there is any; returns its loss."""
    if block is None:
        return 0.0
    fetch_rows(W, kept.words, t1 + shape.window, min(2 * t1 - t0 + shape.window, n_tokens), shape.dim)
    n_inputs, n_outputs = build_path_block(block, tree, kept, frozen, windows, t0, t1, shape.dim)
    take_rows(W, block, n_inputs, shape.dim)
    return block_step(W, N, block, n_inputs, n_outputs, 0, shape.dim, lr, with_loss)


@inlined
def take_rows(W, block, n_inputs, dim):
    """X = the rows of the inputs."""
    for i in range(n_inputs):
        copy_row(block.X, block.x_rows[i], W, block.inputs[i], dim)


@inlined
def build_noise_block(block, noise, kept, frozen, windows, t0, t1, n_tokens, shape):
    """Negative sampling: inputs are the centres [t0, t1), outputs the noise words and the tokens around.

    Output `n_noise + s` is the token `t0 - window + s`. Returns the numbers of inputs and outputs, in whole groups.
    """
    n_noise, window, dim = shape.n_noise, shape.window, shape.dim
    share = np.float32(shape.negative) / np.float32(n_noise)
    n_inputs = whole_groups(t1 - t0)
    fill_rows(block.inputs, 0, n_inputs, shape.sink)
    name_rows(block.inputs, 0, kept.words, t0, t1, dim)
    name_rows(block.outputs, 0, noise.words, 0, n_noise, dim)
    n_slots = name_slots(block.outputs, n_noise, kept, t0, t1, n_tokens, shape)
    if frozen.words.size:
        spare_frozen(block.moved, block.inputs, n_inputs, frozen, dim)
    weigh_noise(block.band, windows, n_inputs, n_noise, share)
    weigh_windows(block.band, kept, windows, t0, t1, n_noise, window)
    spare_contexts(block.band, noise, kept, t0, t1, n_slots, n_tokens, n_noise, window, share)
    find_askers(block.band, n_inputs, n_noise + n_slots, n_noise)
    return n_inputs, n_noise + n_slots


@inlined
def weigh_noise(band, windows, n_inputs, n_noise, share):
    """Ask every input for noise as often as for all its contexts, in expectation."""
    stride = band.weights.size // (band.asked_begin.size * ROWS)
    for i in range(n_inputs):
        n_contexts = windows.ends[i] - windows.begins[i] - 1
        fill(band.weights, i * stride, n_noise, np.float32(-n_contexts) * share)


@inlined
def spare_contexts(band, noise, kept, t0, t1, n_slots, n_tokens, n_noise, window, share):
    """Take a noise word's weight back from the inputs whose context it is: no word is pushed from its own context."""
    words, begins, ends = kept.words, kept.begins, kept.ends
    weights, stride = band.weights, band.weights.size // (band.asked_begin.size * ROWS)
    mark_noise(noise, 1)
    for token in range(max(0, t0 - window), min(t0 - window + n_slots, n_tokens)):
        if may_be_noise(noise, words[token]):
            column = n_noise + token - t0 + window
            first, last = max(begins[token], token - window, t0), min(ends[token], token + window + 1, t1)
            for k in range(n_noise):
                if noise.words[k] == words[token]:
                    for row in range((first - t0) * stride, (last - t0) * stride, stride):
                        weights[row + k] += share * weights[row + column]
    mark_noise(noise, 0)


@inlined
def build_path_block(block, tree, kept, frozen, windows, t0, t1, dim):
    """Hierarchical softmax: inputs are the contexts of each centre in [t0, t1), which all ask for the centre's path.

    Returns the numbers of inputs and outputs, in whole groups.
    """
    inputs, outputs, band = block.inputs, block.outputs, block.band
    weights, stride = band.weights, band.weights.size // (band.asked_begin.size * ROWS)
    n_inputs, n_outputs = 0, 0
    for t in range(t0, t1):
        begin, end = windows.begins[t - t0], windows.ends[t - t0]
        if end - begin > 1:
            input, output = n_inputs, n_outputs
            name_rows(inputs, input, kept.words, begin, t, dim)
            name_rows(inputs, input + t - begin, kept.words, t + 1, end, dim)
            last = input + end - begin - 1
            n_inputs = whole_groups(last)
            fill_rows(inputs, last, n_inputs - last, tree.own.input_sink)
            path_end = lay_path(outputs, output, tree, kept.words[t], dim)
            n_outputs = whole_groups(path_end)
            fill_rows(outputs, path_end, n_outputs - path_end, tree.own.sink)

            first = input * stride + output
            fill(weights, first, n_outputs - output, np.float32(0))
            weigh_path(weights, first, tree, kept.words[t])
            for row in range(input + 1, last):
                copy_row(weights, row * stride + output, weights, first, n_outputs - output)
            for row in range(last, n_inputs):
                fill(weights, row * stride + output, n_outputs - output, np.float32(0))
            for group in range(input // ROWS, n_inputs // ROWS):
                band.asked_begin[group], band.asked_end[group] = output, n_outputs
            for group in range(output // ROWS, n_outputs // ROWS):
                band.asking_begin[group], band.asking_end[group] = input, n_inputs
    if frozen.words.size:
        spare_frozen(block.moved, inputs, n_inputs, frozen, dim)
    return n_inputs, n_outputs
