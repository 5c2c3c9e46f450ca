"""The plain form of GloVe: NumPy in float64, biases apart from vectors, cell after cell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Parameters(NamedTuple):
    """What is learnt; or of each of these numbers its gradient, or its sum of squares."""

    w: NDArray[np.float64]  # (n_words, dim)
    c: NDArray[np.float64]  # (n_words, dim)
    b: NDArray[np.float64]  # (n_words,) biases of words
    d: NDArray[np.float64]  # (n_words,) biases of contexts, b~ in the paper


class Counts(NamedTuple):
    """Cells of the matrix of counts."""

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    values: NDArray[np.float64]


def weight(x: NDArray, x_max: float, alpha: float) -> NDArray:
    """f(x) of the paper."""
    return np.where(x < x_max, (x / x_max) ** alpha, 1.0)


def errors(parameters: Parameters, counts: Counts) -> NDArray:
    """w_i . c_j + b_i + b~_j - log X_ij  of every cell."""
    w, c, b, d = parameters
    i, j, x = counts
    return (w[i] * c[j]).sum(axis=1) + b[i] + d[j] - np.log(x)


def cost(parameters: Parameters, counts: Counts, weights: NDArray) -> float:
    """Sum of 1/2 f(X_ij) e^2 over all cells."""
    return float((0.5 * weights * errors(parameters, counts) ** 2).sum())


def gradients(parameters: Parameters, counts: Counts, weights: NDArray) -> Parameters:
    """The gradient of `cost`."""
    i, j, _ = counts
    g = weights * errors(parameters, counts)
    result = Parameters(*(np.zeros_like(array) for array in parameters))
    np.add.at(result.w, i, g[:, None] * parameters.c[j])
    np.add.at(result.c, j, g[:, None] * parameters.w[i])
    np.add.at(result.b, i, g)
    np.add.at(result.d, j, g)
    return result


def adagrad(
    parameters: Parameters, sums: Parameters, counts: Counts, weights: NDArray, lr: float
) -> tuple[Parameters, Parameters, float]:
    """Parameters and sums of squares after a step on each cell in turn, and the cost that each had before its step."""
    total = 0.0
    for cell in range(len(weights)):
        one, own = Counts(*(array[[cell]] for array in counts)), weights[[cell]]
        total += cost(parameters, one, own)
        g = np.abs(lr * own * errors(parameters, one))
        rate = lr / max(1.0, g.item())  # no step is longer than the row it goes along
        steps = Parameters(*(rate * gradient for gradient in gradients(parameters, one, own)))
        parameters = Parameters(*(p - s / np.sqrt(q) for p, s, q in zip(parameters, steps, sums, strict=True)))
        sums = Parameters(*(q + s**2 for q, s in zip(sums, steps, strict=True)))
    return parameters, sums, total


def order_in_tile(row: int, column: int) -> tuple[int, ...]:
    """What the cells of a tile are sorted by."""
    block, sub_tile = (row >> 9, column >> 9), (row >> 4, column >> 4)
    return (*block, *sub_tile, (column - row) & 15, row)
