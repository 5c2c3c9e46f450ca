"""Blocks of skip-gram: a centre predicts its contexts, or by hierarchical softmax its contexts predict the centre.

Negative sampling: inputs are the centres, outputs the noise words and then the block's tokens with `window` more on
both sides. The range of outputs of a centre is what its window can reach.

Hierarchical softmax: inputs are the contexts of each centre, outputs the nodes on the centre's path; the contexts and
the path of a centre are a dense sub-block, on the diagonal of the block's weights.
"""

import numpy as np

from embedtrain.kernels.compilation import inlined
from embedtrain.kernels.simd.rows import copy_row, fill
from embedtrain.kernels.simd.tiles import ROWS
from embedtrain.kernels.word2vec.block_step import block_step
from embedtrain.kernels.word2vec.huffman import set_path_offsets, set_path_weights
from embedtrain.kernels.word2vec.negatives import mark_noise, may_be_noise
from embedtrain.kernels.word2vec.windows import (
    fetch_rows,
    fill_offsets,
    find_input_ranges,
    redirect_frozen,
    set_context_weights,
    set_row_offsets,
    set_slot_offsets,
    whole_groups,
)


@inlined
def noise_step(W, C, block, noise, kept, frozen, windows, t0, t1, n_tokens, config, lr, with_loss):
    """Train the centres [t0, t1) by negative sampling, if the model has it; returns the loss."""
    if block is None:
        return 0.0
    window, dim = config.window, config.dim
    # prefetch the next block's rows while this one is built
    fetch_rows(W, kept.words, t1, min(2 * t1 - t0, n_tokens), dim)
    fetch_rows(C, kept.words, t1 + window, min(2 * t1 - t0 + window, n_tokens), dim)
    fetch_rows(C, noise.following, 0, config.n_noise, dim)
    n_inputs, n_outputs = build_noise_block(block, noise, kept, frozen, windows, t0, t1, n_tokens, config)
    copy_inputs(W, block, n_inputs, dim)
    return block_step(W, C, block, n_inputs, n_outputs, config.n_noise, dim, lr, with_loss)


@inlined
def path_step(W, N, block, tree, kept, frozen, windows, t0, t1, n_tokens, config, lr, with_loss):
    """Train the centres [t0, t1) by hierarchical softmax, if the model has it; returns the loss."""
    if block is None:
        return 0.0
    fetch_rows(W, kept.words, t1 + config.window, min(2 * t1 - t0 + config.window, n_tokens), config.dim)
    n_inputs, n_outputs = build_path_block(block, tree, kept, frozen, windows, t0, t1, config.dim)
    copy_inputs(W, block, n_inputs, config.dim)
    return block_step(W, N, block, n_inputs, n_outputs, 0, config.dim, lr, with_loss)


@inlined
def copy_inputs(W, block, n_inputs, dim):
    """X = the rows of the inputs."""
    for i in range(n_inputs):
        copy_row(block.X, block.x_rows[i], W, block.inputs[i], dim)


@inlined
def build_noise_block(block, noise, kept, frozen, windows, t0, t1, n_tokens, config):
    """Fill a block of negative sampling for the centres [t0, t1); output `n_noise + s` is token `t0 - window + s`.

    Returns the numbers of inputs and outputs, in whole groups.
    """
    n_noise, window, dim = config.n_noise, config.window, config.dim
    share = np.float32(config.negative) / np.float32(n_noise)
    n_inputs = whole_groups(t1 - t0)
    fill_offsets(block.inputs, 0, n_inputs, config.padding_row)
    set_row_offsets(block.inputs, 0, kept.words, t0, t1, dim)
    set_row_offsets(block.outputs, 0, noise.words, 0, n_noise, dim)
    n_slots = set_slot_offsets(block.outputs, n_noise, kept, t0, t1, n_tokens, config)
    if frozen.words.size:
        redirect_frozen(block.update_rows, block.inputs, n_inputs, frozen, dim)
    set_noise_weights(block.band, windows, n_inputs, n_noise, share)
    set_context_weights(block.band, kept, windows, t0, t1, n_noise, window)
    mask_own_contexts(block.band, noise, kept, t0, t1, n_slots, n_tokens, n_noise, window, share)
    find_input_ranges(block.band, n_inputs, n_noise + n_slots, n_noise)
    return n_inputs, n_noise + n_slots


@inlined
def set_noise_weights(band, windows, n_inputs, n_noise, share):
    """Weigh an input's noise words by its number of contexts, so that each context has `negative` of them."""
    stride = band.weights.size // (band.output_begin.size * ROWS)
    for i in range(n_inputs):
        n_contexts = windows.ends[i] - windows.begins[i] - 1
        fill(band.weights, i * stride, n_noise, np.float32(-n_contexts) * share)


@inlined
def mask_own_contexts(band, noise, kept, t0, t1, n_slots, n_tokens, n_noise, window, share):
    """Subtract from a noise word's weight the part for contexts that are the same word.

    So the expected gradient is word2vec's, and no word is a negative sample in its own context.
    """
    words, begins, ends = kept.words, kept.begins, kept.ends
    weights, stride = band.weights, band.weights.size // (band.output_begin.size * ROWS)
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
    """Fill a block of hierarchical softmax for the centres [t0, t1), a sub-block for each centre with contexts.

    Returns the numbers of inputs and outputs, in whole groups.
    """
    inputs, outputs, band = block.inputs, block.outputs, block.band
    weights, stride = band.weights, band.weights.size // (band.output_begin.size * ROWS)
    n_inputs, n_outputs = 0, 0
    for t in range(t0, t1):
        begin, end = windows.begins[t - t0], windows.ends[t - t0]
        if end - begin > 1:
            input, output = n_inputs, n_outputs  # the sub-block's first

            # inputs [input, last) are the words before and after the centre, then padding up to a whole group
            set_row_offsets(inputs, input, kept.words, begin, t, dim)
            set_row_offsets(inputs, input + t - begin, kept.words, t + 1, end, dim)
            last = input + end - begin - 1
            n_inputs = whole_groups(last)
            fill_offsets(inputs, last, n_inputs - last, tree.local.input_padding_row)

            # outputs [output, path_end) are the nodes from the root to the centre, then padding
            path_end = set_path_offsets(outputs, output, tree, kept.words[t], dim)
            n_outputs = whole_groups(path_end)
            fill_offsets(outputs, path_end, n_outputs - path_end, tree.local.padding_row)

            # weights: the path's sides in the first row, its copies in the other contexts' rows, 0 in those of padding
            first = input * stride + output
            fill(weights, first, n_outputs - output, np.float32(0))
            set_path_weights(weights, first, tree, kept.words[t])
            for row in range(input + 1, last):
                copy_row(weights, row * stride + output, weights, first, n_outputs - output)
            for row in range(last, n_inputs):
                fill(weights, row * stride + output, n_outputs - output, np.float32(0))

            # all groups of the sub-block's inputs have all groups of its outputs
            for group in range(input // ROWS, n_inputs // ROWS):
                band.output_begin[group], band.output_end[group] = output, n_outputs
            for group in range(output // ROWS, n_outputs // ROWS):
                band.input_begin[group], band.input_end[group] = input, n_inputs
    if frozen.words.size:
        redirect_frozen(block.update_rows, inputs, n_inputs, frozen, dim)
    return n_inputs, n_outputs
