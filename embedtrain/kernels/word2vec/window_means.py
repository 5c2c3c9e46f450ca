"""Inputs that are means of windows: how they are formed, and what of their steps goes back to the rows of W."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined
from embedtrain.kernels.simd.lanes import LANES
from embedtrain.kernels.simd.rows import ROW_VECTORS, add_to_rows, sum_rows
from embedtrain.kernels.word2vec.windows import name_slots, spare_frozen


class Mean(NamedTuple):
    """The rows of the tokens that stand around the centres [t0, t1) of a block: slot s is the token t0 - window + s."""

    rows: NDArray[np.int64]  # (n_slots,) first element of each token's row in W
    moved: NDArray[np.int64]  # (n_slots,) of the row in W that takes its step: the same array, unless rows are frozen
    steps: NDArray[np.float32]  # (n_inputs * dim,) of the means that are taken at once


@inlined
def name_contexts(mean, kept, frozen, t0, t1, n_tokens, shape):
    """Name the rows of the tokens around the centres [t0, t1), if inputs are means."""
    if mean is not None:
        n_slots = name_slots(mean.rows, 0, kept, t0, t1, n_tokens, shape)
        if frozen.words.size:
            spare_frozen(mean.moved, mean.rows, n_slots, frozen, shape.dim)


@inlined
def take_mean(X, x, W, mean, windows, t0, i, shape):
    """X[x:] = the mean of the rows of W around the centre t0 + i, or 0 where there are none."""
    begin, end, shift = windows.begins[i], windows.ends[i], shape.window - t0
    weight = np.float32(1) / np.float32(max(end - begin - 1, 1))
    for d in range(0, shape.dim, ROW_VECTORS * LANES):
        vectors = min(ROW_VECTORS, (shape.dim - d) // LANES)
        sum_rows(X, x, d, vectors, weight, W, mean.rows, begin + shift, shape.window + i, end + shift)


@inlined
def spread_step(W, mean, x, windows, t0, i, shape):
    """Let the rows of W around the centre t0 + i take the step of their mean, steps[x:].

    The whole step, as in word2vec.c, or if `shape.corrected` what the gradient says: their share of the mean (İrsoy,
    Benton, Stratos, "Corrected CBOW performs as well as skip-gram", 2021).
    """
    begin, end, shift = windows.begins[i], windows.ends[i], shape.window - t0
    share = np.float32(1) / np.float32(max(end - begin - 1, 1)) if shape.corrected else np.float32(1)
    for d in range(0, shape.dim, ROW_VECTORS * LANES):
        vectors = min(ROW_VECTORS, (shape.dim - d) // LANES)
        add_to_rows(W, mean.moved, begin + shift, shape.window + i, end + shift, d, vectors, share, mean.steps, x)
