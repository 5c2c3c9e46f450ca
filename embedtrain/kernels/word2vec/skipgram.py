"""Skip-gram: a centre predicts its contexts, or by hierarchical softmax its contexts predict the centre.

Negative sampling: `ROWS` consecutive centres are the inputs of a tile; its outputs are the noise words, which the tiles
of a block share, and the tokens that their windows reach. Wide windows are trained in portions.

Hierarchical softmax: inputs are the contexts of one centre, `ROWS` at a time, outputs the nodes on the centre's path.
"""

import numpy as np

from embedtrain.kernels.compilation import inlined
from embedtrain.kernels.integers import maximum, minimum
from embedtrain.kernels.simd.rows import fill
from embedtrain.kernels.simd.tiles import COLUMNS, ROWS
from embedtrain.kernels.simd.window_weights import set_tile_weights
from embedtrain.kernels.word2vec.huffman import set_path_offsets, set_path_weights
from embedtrain.kernels.word2vec.negatives import add_mean_input, mark_noise, may_be_noise, update_means
from embedtrain.kernels.word2vec.tile_step import tile_step, whole_columns
from embedtrain.kernels.word2vec.windows import fetch_rows, fill_offsets, redirect_frozen, set_row_offsets


@inlined
def noise_step(W, C, tile, noise, kept, frozen, windows, t0, t1, n_contexts, n_tokens, config, lr, with_loss):
    """Train the centres [t0, t1) by negative sampling, if the model has it; returns the loss.

    The centres have `n_contexts` in all.
    """
    if tile is None:
        return 0.0
    dim, n_centres, n_noise = config.dim, t1 - t0, config.n_noise
    set_row_offsets(tile.outputs, 0, noise.words, 0, n_noise, dim)
    mark_noise(noise, 1)
    fill(noise.excluded, 0, n_noise, np.float32(0))
    control = config.baseline > 0 and lr > 0
    if control:
        update_means(noise, W, C, kept, windows, t0, t1, config)
    loss = 0.0
    for i in range(0, n_centres, config.tile_centres):
        n_rows = minimum(config.tile_centres, n_centres - i)
        # prefetch the rows of the same centres of the next block, and a part of its noise
        ahead, part = t1 + i + config.window, i * n_noise // n_centres
        fetch_rows(W, kept.inputs, t1 + i, minimum(t1 + i + n_rows, n_tokens), dim)
        fetch_rows(C, kept.words, ahead, minimum(ahead + n_rows, n_tokens), dim)
        fetch_rows(C, noise.following, part, (i + n_rows) * n_noise // n_centres, dim)

        # train the tile, one portion of its windows after another
        set_inputs(tile, kept.inputs, t0 + i, n_rows, frozen, config)
        low, high = windows.begins[i], windows.ends[i]
        for row in range(i + 1, i + n_rows):
            low, high = minimum(low, windows.begins[row]), maximum(high, windows.ends[row])
        for begin in range(low, high, config.tile_tokens):
            end = minimum(begin + config.tile_tokens, high)
            n_outputs = set_outputs(tile, noise, kept, windows, t0, i, n_rows, begin, end, lr, config)
            loss += tile_step(W, W, C, tile, n_outputs, dim, lr, config.baseline, with_loss)
    mark_noise(noise, 0)
    if control and tile.fixed is None:
        add_mean_input(C, noise, n_contexts, lr, config)
    return loss


@inlined
def set_inputs(tile, inputs, t, n_rows, frozen, config):
    """Write the row offsets of inputs[t:t + n_rows], padded to `ROWS`, and of the rows to update."""
    set_row_offsets(tile.inputs, 0, inputs, t, t + n_rows, config.dim)
    fill_offsets(tile.inputs, n_rows, ROWS - n_rows, config.input_padding_row)
    if frozen.words.size:
        redirect_frozen(tile.update_rows, tile.inputs, ROWS, frozen, config.dim)


@inlined
def set_outputs(tile, noise, kept, windows, t0, i, n_rows, begin, end, lr, config):
    """Write the outputs after the noise words, the tokens [begin, end), and all weights; returns the number of outputs.

    The inputs are `n_rows` centres from t0 + i on. A noise word's weight counts contexts that are other words, so that
    the expected gradient is word2vec's, and no word is a negative sample in its own context.
    """
    weights, mean_weights, n_noise = tile.weights, tile.mean_weights, config.n_noise
    n_used = n_noise + end - begin
    n_outputs = whole_columns(n_used)
    set_row_offsets(tile.outputs, n_noise, kept.words, begin, end, config.dim)
    fill_offsets(tile.outputs, n_used, n_outputs - n_used, config.padding_row)
    # weights as if no context were a noise word, so that all noise words have the same; the mean has their sum
    set_tile_weights(
        weights, n_noise, begin, end, n_outputs, windows.begins, windows.ends, i, t0 + i, n_rows, config.noise_weight
    )
    rate = lr * config.baseline
    for row in range(ROWS):
        mean_weights[row] = rate * np.float32(n_noise) * weights[row]
    # exclude contexts from the weight of a noise word that is the same word
    for token in range(begin, end):
        if may_be_noise(noise, kept.words[token]):
            for k in range(n_noise):
                if noise.words[k] == kept.words[token]:
                    for row in range(ROWS):
                        excluded = config.noise_weight * weights[(n_noise + token - begin) * ROWS + row]
                        weights[k * ROWS + row] += excluded
                        mean_weights[row] += rate * excluded
                        noise.excluded[k] += excluded
    return n_used


@inlined
def path_step(W, N, tile, tree, kept, frozen, windows, t0, t1, n_tokens, config, lr, with_loss):
    """Train the centres [t0, t1) by hierarchical softmax, if the model has it; returns the loss."""
    if tile is None:
        return 0.0
    dim = config.dim
    loss = 0.0
    for t in range(t0, t1):
        # prefetch the last context of the same centre of the next block
        ahead = t + t1 - t0 + config.window
        fetch_rows(W, kept.inputs, ahead, minimum(ahead + 1, n_tokens), dim)
        begin, end = windows.begins[t - t0], windows.ends[t - t0]
        n_contexts = end - begin - 1
        if n_contexts > 0:
            n_nodes = set_path_offsets(tile.outputs, tree, kept.words[t], COLUMNS, dim)
            # score ROWS contexts at a time against the path
            for context in range(0, n_contexts, ROWS):
                n_rows = minimum(ROWS, n_contexts - context)
                for row in range(ROWS):
                    token = begin + context + row
                    token += token >= t
                    tile.inputs[row] = kept.inputs[token] * dim if row < n_rows else tree.local.input_padding_row
                if frozen.words.size:
                    redirect_frozen(tile.update_rows, tile.inputs, ROWS, frozen, dim)
                set_path_weights(tile.weights, tree, kept.words[t], n_nodes, COLUMNS, n_rows, ROWS)
                loss += tile_step(W, W, N, tile, n_nodes, dim, lr, np.float32(0), with_loss)
    return loss
