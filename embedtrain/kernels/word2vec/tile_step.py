"""The tile step: one SGD step of logistic regression between a few input rows and many output rows at once.

    S = X Y^T    G = lr * |weight| * (label - sigmoid(S))    X += G Y    Y += G^T X

X (ROWS, dim) are the inputs: rows of W, or means of them. Y (n_outputs, dim) are rows of C or of the tree's nodes N.
A pair's label is 1 where its weight is positive, 0 where it is negative.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined
from embedtrain.kernels.integers import minimum
from embedtrain.kernels.simd.lanes import LANES, aligned_zeros, padded
from embedtrain.kernels.simd.sigmoid import logistic_gradient, logistic_loss
from embedtrain.kernels.simd.tiles import COLUMNS, ROWS, TILE_VECTORS, dot_tile, exchange_fixed_tile, exchange_tile


class Tile(NamedTuple):
    """Inputs, outputs and weights, which builders write and the step reads.

    Weights and scores are stored output by output: those of output k start at k * ROWS.
    """

    inputs: NDArray[np.int64]  # (ROWS,) first element of each input row
    update_rows: NDArray[np.int64]  # (ROWS,) of the row to update: the same array unless words are frozen
    outputs: NDArray[np.int64]  # (n_outputs, padded for `dot_row`) first element of each output row
    weights: NDArray[np.float32]  # (n_outputs * ROWS,)
    scores: NDArray[np.float32]  # (n_outputs * ROWS,) S, then G
    mean_output: NDArray[np.float32]  # (dim,) a row that is added to the inputs, the mean of noise words ...
    mean_weights: NDArray[np.float32]  # (ROWS,) ... with these weights
    fixed: bool | None = None  # True: outputs are kept as they are


def make_tile(
    n_outputs: int,
    dim: int,
    *,
    frozen: bool = False,
    mean_output: NDArray[np.float32] | None = None,
    fixed: bool | None = None,
) -> Tile:
    """Allocate a tile for at most `n_outputs` outputs; without a `mean_output`, zeros are added."""
    n_outputs = whole_columns.py_func(n_outputs)
    inputs = np.zeros(ROWS, np.int64)
    return Tile(
        inputs=inputs,
        update_rows=np.zeros(ROWS, np.int64) if frozen else inputs,
        outputs=np.zeros(padded(n_outputs), np.int64),
        weights=aligned_zeros(n_outputs * ROWS),
        scores=aligned_zeros(n_outputs * ROWS),
        mean_output=aligned_zeros(dim) if mean_output is None else mean_output,
        mean_weights=aligned_zeros(ROWS),
        fixed=fixed,
    )


@inlined
def whole_columns(n):
    """Round `n` outputs up to groups of `COLUMNS`."""
    return (n + COLUMNS - 1) // COLUMNS * COLUMNS


@inlined
def tile_step(E, X, Y, tile, n_outputs, dim, lr, baseline, with_loss):
    """Take the step of all pairs of a tile; the steps of the inputs are added to the rows `update_rows` of E.

    Weights and `outputs` have padding up to `whole_columns`. With lr = 0 no byte of the tables changes. For `baseline`
    see `negatives`. Returns the loss, the sum of |weight| * softplus(S or -S), or 0 without `with_loss`.
    """
    inputs, outputs, weights, G = tile.inputs, tile.outputs, tile.weights, tile.scores
    e_rows, M = tile.update_rows, tile.mean_output
    # S = X Y^T
    for k in range(0, n_outputs, COLUMNS):
        dot_tile(X, inputs, Y, outputs, k, dim, G)
    n_scores = whole_columns(n_outputs) * ROWS
    loss = logistic_loss(G, weights, n_scores) if with_loss else 0.0
    if lr == 0:  # adding a step of 0 would still turn -0 into 0
        return loss
    # G = lr * |weight| * (label - sigmoid(S))
    logistic_gradient(G, weights, n_scores, lr, baseline)
    # X += G Y and Y += G^T X, some vectors of all rows at a time
    for d in range(0, dim, TILE_VECTORS * LANES):
        vectors = minimum(TILE_VECTORS, (dim - d) // LANES)
        if tile.fixed is None:
            exchange_tile(E, e_rows, X, inputs, Y, outputs, n_outputs, G, M, tile.mean_weights, d, vectors)
        else:
            exchange_fixed_tile(E, e_rows, X, inputs, Y, outputs, n_outputs, G, M, tile.mean_weights, d, vectors)
    return loss
