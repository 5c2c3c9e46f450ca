"""The block step: one SGD step of logistic regression between many inputs and many rows of C at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined
from embedtrain.kernels.simd.lanes import LANES
from embedtrain.kernels.simd.sigmoid import logistic_gradient, logistic_loss
from embedtrain.kernels.simd.tiles import COLUMNS, ROWS, SLICE, add_tile, dot_tile


class Band(NamedTuple):
    """Weights between inputs and outputs, in whole groups of `ROWS`: a group asks a contiguous range of the others.

    A weight of 0 mutes what is in the range and not asked, or only fills a group.
    """

    asked_begin: NDArray[np.int64]  # (n_inputs / ROWS,) the outputs that a group of inputs asks ...
    asked_end: NDArray[np.int64]  # ... both ends rise from group to group
    asking_begin: NDArray[np.int64]  # (n_outputs / ROWS,) the inputs that ask a group of outputs
    asking_end: NDArray[np.int64]
    weights: NDArray[np.float32]  # (n_inputs * stride,)


class Block(NamedTuple):
    """Which inputs and outputs meet: what a block builder fills and the block step reads.

    Outputs are in two parts: `n_noise` rows that every input asks, then rows of which it asks a band. A positive
    weight asks with label 1, a negative one with label 0.
    """

    inputs: NDArray[np.int64]  # (n_inputs,) first element of each input row in W; means are no rows of it
    moved: NDArray[np.int64]  # (n_inputs,) of the row that takes its step: for rows of W the same array, unless frozen
    outputs: NDArray[np.int64]  # (n_outputs,) first element of each output row in C
    band: Band
    scores: NDArray[np.float32]  # (n_inputs * stride,) scores, then coefficients
    X: NDArray[np.float32]  # (n_inputs * dim,) the inputs as they were before the step
    x_rows: NDArray[np.int64]  # (n_inputs,) where each of them starts


@inlined
def score_gradient(block, n_inputs, n_noise, stride, lr, with_loss):
    """Turn the scores S of a block into coefficients G = lr * |weight| * (label - sigmoid(S)).

    Returns the summed loss, sum of |weight| * softplus(S or -S), or 0 without `with_loss`.
    """
    weights, G = block.band.weights, block.scores
    loss = 0.0
    for i in range(n_inputs):
        begin, end = block.band.asked_begin[i // ROWS], block.band.asked_end[i // ROWS]
        if with_loss:
            loss += logistic_loss(G, i * stride, weights, n_noise)
            loss += logistic_loss(G, i * stride + begin, weights, end - begin)
        logistic_gradient(G, i * stride, weights, n_noise, lr)
        logistic_gradient(G, i * stride + begin, weights, end - begin, lr)
    return loss


@inlined
def block_step(stepped, C, block, n_inputs, n_outputs, n_noise, dim, lr, with_loss):
    """One step on all questions of a block, from the rows as they were before it.

    S = X Y^T    G = lr * |weight| * (label - sigmoid(S))    X += G Y    Y += G^T X

    The inputs X have been formed; the rows `moved` of the table `stepped` take their steps. With lr = 0 not a byte of
    the tables changes. Returns the loss, or 0 without `with_loss`.
    """
    outputs, X, x_rows, moved = block.outputs, block.X, block.x_rows, block.moved
    asked_begin, asked_end = block.band.asked_begin, block.band.asked_end
    asking_begin, asking_end = block.band.asking_begin, block.band.asking_end
    G = block.scores
    stride = G.size // x_rows.size

    for i in range(0, n_inputs, ROWS):
        for k in range(0, n_noise, COLUMNS):
            dot_tile(X, x_rows, i, C, outputs, k, dim, G, i * stride + k, stride)
        for k in range(asked_begin[i // ROWS], asked_end[i // ROWS], COLUMNS):
            dot_tile(X, x_rows, i, C, outputs, k, dim, G, i * stride + k, stride)

    loss = score_gradient(block, n_inputs, n_noise, stride, lr, with_loss)
    if lr == 0:  # a step of size 0 moves nothing; adding it would still make 0 of -0
        return loss

    for d in range(0, dim, SLICE):  # a slice of all rows of a block fits the innermost cache
        vectors = min(SLICE, dim - d) // LANES
        for i in range(0, n_inputs, ROWS):
            begin, end = asked_begin[i // ROWS], asked_end[i // ROWS]
            add_tile(stepped, moved, i, d, vectors, G, i * stride, stride, 1, C, outputs, n_noise, begin, end)
        for k in range(0, n_outputs, ROWS):
            begin, end = asking_begin[k // ROWS], asking_end[k // ROWS]
            add_tile(C, outputs, k, d, vectors, G, k, 1, stride, X, x_rows, 0, begin, end)
    return loss
