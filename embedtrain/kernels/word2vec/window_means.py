"""The inputs of CBOW: means of the rows of W in a window, and the addition of their steps to these rows."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined
from embedtrain.kernels.integers import maximum, minimum
from embedtrain.kernels.simd.lanes import LANES
from embedtrain.kernels.simd.rows import ROW_VECTORS, add_to_rows, sum_rows
from embedtrain.kernels.word2vec.windows import redirect_frozen, set_row_offsets


class WindowMeans(NamedTuple):
    """The rows of a block's tokens: slot s is the token t0 - window + s, for centres [t0, t1)."""

    rows: NDArray[np.int64]  # (n_slots,) first element of each token's row in W
    update_rows: NDArray[np.int64]  # (n_slots,) of the row to update: the same array unless words are frozen
    inputs: NDArray[np.float32]  # (CENTRES_PER_TILE * dim,) the means of a tile
    steps: NDArray[np.float32]  # (CENTRES_PER_TILE * dim,) of these means


@inlined
def set_context_offsets(mean, kept, frozen, t0, t1, n_tokens, config):
    """Write the row offsets of the tokens in the windows of [t0, t1), if inputs are means."""
    if mean is not None:
        begin = t0 - config.window
        first, last = maximum(0, begin), minimum(t1 + config.window, n_tokens)
        set_row_offsets(mean.rows, first - begin, kept.inputs, first, last, config.dim)
        if frozen.words.size:
            redirect_frozen(mean.update_rows, mean.rows, last - begin, frozen, config.dim)


@inlined
def compute_mean(X, x, W, mean, windows, t0, i, config):
    """X[x:] = the mean of the rows of W in the window of the centre t0 + i, without its own; 0 if there are none."""
    begin, end, shift = windows.begins[i], windows.ends[i], config.window - t0
    weight = np.float32(1) / np.float32(maximum(end - begin - 1, 1))
    for d in range(0, config.dim, ROW_VECTORS * LANES):
        vectors = minimum(ROW_VECTORS, (config.dim - d) // LANES)
        sum_rows(X, x, d, vectors, weight, W, mean.rows, begin + shift, config.window + i, end + shift)


@inlined
def add_mean_step(W, mean, x, windows, t0, i, config):
    """Add the step of a mean, steps[x:], to the rows of W in the window of the centre t0 + i.

    The whole step as in word2vec.c, or a share of it if few words fill the window (`models/block_shape.py`); if
    `config.corrected`, divided by the number of rows (İrsoy, Benton, Stratos,
    "Corrected CBOW performs as well as skip-gram", 2021).
    """
    begin, end, shift = windows.begins[i], windows.ends[i], config.window - t0
    share = config.mean_share / np.float32(maximum(end - begin - 1, 1)) if config.corrected else config.mean_share
    for d in range(0, config.dim, ROW_VECTORS * LANES):
        vectors = minimum(ROW_VECTORS, (config.dim - d) // LANES)
        add_to_rows(
            W, mean.update_rows, begin + shift, config.window + i, end + shift, d, vectors, share, mean.steps, x
        )
