"""The block step: one SGD step of logistic regression between many inputs and many output rows at once.

    S = X Y^T    G = lr * |weight| * (label - sigmoid(S))    X += G Y    Y += G^T X

X (n_inputs, dim) are the inputs: rows of W, or means of them. Y (n_outputs, dim) are rows of C or of the tree's
nodes N: first `n_noise` that are scored against all inputs, then others of which each group of inputs has a range.
S, G and the weights are (n_inputs, stride) with a stride of at least n_outputs. A pair's label is 1 where its weight is
positive, 0 where it is negative.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined
from embedtrain.kernels.simd.lanes import LANES
from embedtrain.kernels.simd.sigmoid import logistic_gradient, logistic_loss
from embedtrain.kernels.simd.tiles import COLUMNS, ROWS, SLICE, add_tile, dot_tile


class Band(NamedTuple):
    """Weights of (input, output) pairs: each group of `ROWS` inputs has a range of outputs, in whole groups of `ROWS`.

    Other pairs in a range, and padding of a group, have weight 0.
    """

    output_begin: NDArray[np.int64]  # (n_inputs / ROWS,) the outputs of a group of inputs ...
    output_end: NDArray[np.int64]  # ... both ascending
    input_begin: NDArray[np.int64]  # (n_outputs / ROWS,) the inputs of a group of outputs
    input_end: NDArray[np.int64]
    weights: NDArray[np.float32]  # (n_inputs * stride,)


class Block(NamedTuple):
    """Inputs, outputs and weights, which block builders write and the block step reads."""

    inputs: NDArray[np.int64]  # (n_inputs,) first element of each input's row in W; unused where inputs are means
    update_rows: NDArray[np.int64]  # (n_inputs,) of the row to update: the same array unless words are frozen
    outputs: NDArray[np.int64]  # (n_outputs,) first element of each output row
    band: Band
    scores: NDArray[np.float32]  # (n_inputs * stride,) S, then G
    X: NDArray[np.float32]  # (n_inputs * dim,) the inputs before the step
    x_rows: NDArray[np.int64]  # (n_inputs,) where each of them starts


@inlined
def score_gradient(block, n_inputs, n_noise, stride, lr, with_loss):
    """Turn S into G; returns the loss, the sum of |weight| * softplus(S or -S), or 0 without `with_loss`."""
    weights, G = block.band.weights, block.scores
    loss = 0.0
    for i in range(n_inputs):
        begin, end = block.band.output_begin[i // ROWS], block.band.output_end[i // ROWS]
        if with_loss:
            loss += logistic_loss(G, i * stride, weights, n_noise)
            loss += logistic_loss(G, i * stride + begin, weights, end - begin)
        logistic_gradient(G, i * stride, weights, n_noise, lr)
        logistic_gradient(G, i * stride + begin, weights, end - begin, lr)
    return loss


@inlined
def block_step(update_table, C, block, n_inputs, n_outputs, n_noise, dim, lr, with_loss):
    """Take the step of all pairs of a block, computed from the rows before it.

    X must be filled; the steps of the inputs are added to the rows `update_rows` of `update_table`. With lr = 0 no byte
    of the tables changes. Returns the loss, or 0 without `with_loss`.
    """
    outputs, X, x_rows, update_rows = block.outputs, block.X, block.x_rows, block.update_rows
    output_begin, output_end = block.band.output_begin, block.band.output_end
    input_begin, input_end = block.band.input_begin, block.band.input_end
    G = block.scores
    stride = G.size // x_rows.size

    # S = X Y^T, a tile of ROWS x COLUMNS scores at a time: the noise, then each group's own range
    for i in range(0, n_inputs, ROWS):
        for k in range(0, n_noise, COLUMNS):
            dot_tile(X, x_rows, i, C, outputs, k, dim, G, i * stride + k, stride)
        for k in range(output_begin[i // ROWS], output_end[i // ROWS], COLUMNS):
            dot_tile(X, x_rows, i, C, outputs, k, dim, G, i * stride + k, stride)

    # S becomes G, in place
    loss = score_gradient(block, n_inputs, n_noise, stride, lr, with_loss)
    if lr == 0:  # adding a step of 0 would still turn -0 into 0
        return loss

    # X += G Y, then Y += G^T X with the copies of X; SLICE elements at a time, of which a block's rows fit in L1
    for d in range(0, dim, SLICE):
        vectors = min(SLICE, dim - d) // LANES
        for i in range(0, n_inputs, ROWS):
            begin, end, g = output_begin[i // ROWS], output_end[i // ROWS], i * stride
            add_tile(update_table, update_rows, i, d, vectors, G, g, stride, 1, C, outputs, n_noise, begin, end)
        for k in range(0, n_outputs, ROWS):
            begin, end = input_begin[k // ROWS], input_end[k // ROWS]
            add_tile(C, outputs, k, d, vectors, G, k, 1, stride, X, x_rows, 0, begin, end)
    return loss
