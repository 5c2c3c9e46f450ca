"""Steps of CBOW: the mean of a window predicts its centre, by negative sampling or along the centre's Huffman path.

Means of neighbouring windows share nearly all their rows, and each row receives the whole step of every mean it is in;
if neighbours were scored together, these rows would receive nearly the same step several times. So centres scored
together are CENTRE_STRIDE tokens apart: a block of 64 is trained as 0, 16, 32, 48, then as 1, 17, 33, 49, and so on.
"""

import numpy as np

from embedtrain.kernels.compilation import inlined
from embedtrain.kernels.integers import minimum
from embedtrain.kernels.simd.lanes import LANES
from embedtrain.kernels.simd.rows import ROW_VECTORS, fill
from embedtrain.kernels.simd.sigmoid import logistic_gradient, logistic_loss
from embedtrain.kernels.simd.tiles import ROWS, dot_row, exchange_row
from embedtrain.kernels.word2vec.huffman import set_path_offsets, set_path_weights
from embedtrain.kernels.word2vec.tile_step import tile_step
from embedtrain.kernels.word2vec.window_means import add_mean_step, compute_mean
from embedtrain.kernels.word2vec.windows import fetch_rows, fill_offsets, set_row_offsets

#: Tokens between the centres of a tile.
CENTRE_STRIDE = 16
#: Centres of a tile, which are scored together and share noise words.
CENTRES_PER_TILE = ROWS


@inlined
def noise_step(W, C, tile, noise, mean, kept, windows, t0, t1, n_tokens, config, lr, with_loss):
    """Train the centres [t0, t1) by negative sampling, if the model has it; returns their loss."""
    if tile is None:
        return 0.0
    n_centres, dim = t1 - t0, config.dim
    tile_centres = (n_centres + CENTRE_STRIDE - 1) // CENTRE_STRIDE  # at most CENTRES_PER_TILE
    loss = 0.0
    for first in range(minimum(CENTRE_STRIDE, n_centres)):
        # score the tile's means against its centres and its own noise words
        set_noise_tile(tile, noise, kept, windows, t0, n_centres, first, config)
        for input, i in enumerate(range(first, n_centres, CENTRE_STRIDE)):
            fetch_context(W, kept, t1 + first * tile_centres + input, n_tokens, config)
            compute_mean(mean.inputs, input * dim, W, mean, windows, t0, i, config)
        fill(mean.steps, 0, CENTRES_PER_TILE * dim, np.float32(0))
        n_outputs = CENTRES_PER_TILE + config.n_noise
        loss += tile_step(mean.steps, mean.inputs, C, tile, n_outputs, dim, lr, np.float32(0), with_loss)
        # add each mean's step to the rows of its window
        if lr > 0:
            for input, i in enumerate(range(first, n_centres, CENTRE_STRIDE)):
                fetch_outputs(C, noise, kept, t0, t1, first + 1, input, tile_centres, n_tokens, config)
                add_mean_step(W, mean, input * dim, windows, t0, i, config)
    return loss


@inlined
def set_noise_tile(tile, noise, kept, windows, t0, n_centres, first, config):
    """Write the outputs and weights of a tile: the centres first, first + CENTRE_STRIDE, …, then `n_noise` noise words.

    Its inputs are the means of their windows.
    """
    outputs, weights, n_noise = tile.outputs, tile.weights, config.n_noise
    first_noise = first * n_noise
    fill_offsets(outputs, 0, CENTRES_PER_TILE, config.padding_row)
    set_row_offsets(outputs, CENTRES_PER_TILE, noise.words, first_noise, first_noise + n_noise, config.dim)
    fill(weights, 0, (CENTRES_PER_TILE + n_noise) * CENTRES_PER_TILE, np.float32(0))
    for input in range(CENTRES_PER_TILE):
        i = first + input * CENTRE_STRIDE
        if i < n_centres and windows.ends[i] - windows.begins[i] > 1:
            centre = kept.words[t0 + i]
            outputs[input], weights[input * CENTRES_PER_TILE + input] = centre * config.dim, np.float32(1)
            for k in range(n_noise):  # no word is a negative sample in its own context
                if noise.words[first_noise + k] != centre:
                    weights[(CENTRES_PER_TILE + k) * CENTRES_PER_TILE + input] = -config.noise_weight


# Rows are prefetched one by one between the sums, which this hardly delays; outputs, for which threads compete most,
# just before they are scored.


@inlined
def fetch_context(W, kept, centre, n_tokens, config):
    """Prefetch the row of the last word in the window of a centre, if there is one."""
    last = centre + config.window
    fetch_rows(W, kept.inputs, last, minimum(last + 1, n_tokens), config.dim)


@inlined
def fetch_outputs(C, noise, kept, t0, t1, first, input, tile_centres, n_tokens, config):
    """Prefetch outputs of the tile that starts at `first`: the centre of `input`, and its share of the noise words.

    CENTRE_STRIDE is the first tile of the next tile.
    """
    words, part = noise.words, config.n_noise // tile_centres
    if first == CENTRE_STRIDE:
        t0, first, words = t1, 0, noise.following
    centre, begin = t0 + first + CENTRE_STRIDE * input, first * config.n_noise + input * part
    fetch_rows(C, kept.words, centre, minimum(centre + 1, n_tokens), config.dim)
    fetch_rows(C, words, begin, begin + part, config.dim)


@inlined
def path_step(W, N, tile, tree, mean, kept, windows, t0, t1, n_tokens, config, lr, with_loss):
    """Train the centres [t0, t1) by hierarchical softmax, if the model has it, one mean x at a time.

    g = lr * ((1 if the path goes to the lighter child of y else 0) - sigmoid(x . y))    x += g y    y += g x

    Returns the loss, or 0 without `with_loss`.
    """
    if tile is None:
        return 0.0
    n_centres, dim = t1 - t0, config.dim
    tile_centres = (n_centres + CENTRE_STRIDE - 1) // CENTRE_STRIDE
    inputs, outputs, weights, G = tile.inputs, tile.outputs, tile.weights, tile.scores  # of one input, X[0]
    X = mean.inputs
    loss = 0.0
    for first in range(CENTRE_STRIDE):
        for input, i in enumerate(range(first, n_centres, CENTRE_STRIDE)):
            fetch_context(W, kept, t1 + first * tile_centres + input, n_tokens, config)
            if windows.ends[i] - windows.begins[i] > 1:
                # score the mean against LANES nodes at a time
                n_nodes = set_path_offsets(outputs, tree, kept.words[t0 + i], LANES, dim)
                set_path_weights(weights, tree, kept.words[t0 + i], n_nodes, LANES, 1, 1)
                compute_mean(X, 0, W, mean, windows, t0, i, config)
                for k in range(0, n_nodes, LANES):
                    dot_row(X, inputs, N, outputs, k, dim, G)
                if with_loss:
                    loss += logistic_loss(G, weights, n_nodes)
                # update the nodes, collect the mean's step and add it to the rows of its window
                if lr > 0:
                    logistic_gradient(G, weights, n_nodes, lr, np.float32(0))
                    fill(mean.steps, 0, dim, np.float32(0))
                    for d in range(0, dim, ROW_VECTORS * LANES):
                        vectors = minimum(ROW_VECTORS, (dim - d) // LANES)
                        exchange_row(
                            mean.steps, inputs, X, inputs, N, outputs, n_nodes, G, tile.mean_output,
                            tile.mean_weights, d, vectors,
                        )  # fmt: skip
                    add_mean_step(W, mean, 0, windows, t0, i, config)
    return loss
