"""The block step: one SGD step of logistic regression between many rows of W and many rows of C at once."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import kernel
from embedtrain.kernels.tiles import (
    COLUMNS,
    ROWS,
    SLICE,
    add_tile,
    copy_row,
    dot_tile,
    logistic_gradient,
    logistic_loss,
)
from embedtrain.kernels.vectors import LANES


class Block(NamedTuple):
    """Which rows meet, and how much each meeting weighs: what a block builder fills and the block step reads.

    Output rows are in two parts: `n_noise` rows with label 0, each asked by every input, then rows with label 1, of
    which each group of `ROWS` inputs asks a contiguous range (a band). Everything comes in whole groups of `ROWS`; a
    weight of 0 mutes what only fills a group.
    """

    inputs: NDArray[np.int64]  # (n_inputs,) first element of each input row in W
    moved: NDArray[np.int64]  # (n_inputs,) of the row in W that takes its step: the same array, unless rows are frozen
    outputs: NDArray[np.int64]  # (n_outputs,) first element of each output row in C
    asked_begin: NDArray[np.int64]  # (n_inputs / ROWS,) the outputs with label 1 that a group of inputs asks ...
    asked_end: NDArray[np.int64]  # ... both ends rise from group to group
    asking_begin: NDArray[np.int64]  # (n_outputs / ROWS,) the inputs that ask a group of outputs
    asking_end: NDArray[np.int64]
    weights: NDArray[np.float32]  # (n_inputs * stride,)
    scores: NDArray[np.float32]  # (n_inputs * stride,) scores, then coefficients
    X: NDArray[np.float32]  # (n_inputs * dim,) the input rows as they were before the step
    x_rows: NDArray[np.int64]  # (n_inputs,) where each of them starts


@kernel
def score_gradient(block, n_inputs, n_noise, stride, lr, with_loss):
    """Turn the scores S of a block into coefficients G = lr * weight * (label - sigmoid(S)).

    Returns the summed loss, sum of weight * softplus(S or -S), or 0 without `with_loss`.
    """
    weights, G = block.weights, block.scores
    noise, context = np.float32(0), np.float32(1)
    loss = 0.0
    for i in range(n_inputs):
        begin, end = block.asked_begin[i // ROWS], block.asked_end[i // ROWS]
        if with_loss:
            loss += logistic_loss(G, i * stride, weights, n_noise, noise)
            loss += logistic_loss(G, i * stride + begin, weights, end - begin, context)
        logistic_gradient(G, i * stride, weights, n_noise, noise, lr)
        logistic_gradient(G, i * stride + begin, weights, end - begin, context, lr)
    return loss


@kernel
def block_step(W, C, block, n_inputs, n_outputs, n_noise, stride, dim, lr, with_loss):
    """One step on all questions of a block, from the rows as they were before it.

    S = X Y^T    G = lr * weight * (label - sigmoid(S))    X += G Y    Y += G^T X

    The steps of X go to the rows `moved`. With lr = 0 not a byte of the tables changes.
    Returns the loss, or 0 without `with_loss`.
    """
    inputs, moved, outputs, X, x_rows = block.inputs, block.moved, block.outputs, block.X, block.x_rows
    asked_begin, asked_end = block.asked_begin, block.asked_end
    asking_begin, asking_end = block.asking_begin, block.asking_end
    G = block.scores

    for i in range(n_inputs):
        copy_row(X, x_rows[i], W, inputs[i], dim)

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
            add_tile(W, moved, i, d, vectors, G, i * stride, stride, 1, C, outputs, 0, n_noise)
            add_tile(W, moved, i, d, vectors, G, i * stride, stride, 1, C, outputs, begin, end)
        for k in range(0, n_outputs, ROWS):
            begin, end = asking_begin[k // ROWS], asking_end[k // ROWS]
            add_tile(C, outputs, k, d, vectors, G, k, 1, stride, X, x_rows, begin, end)
    return loss
