"""Tiles: their shape follows the machine that Numba compiles for, and they are what their equations say."""

import os

import naive
import numpy as np
import pytest

from embedtrain.kernels.compilation import callable_from_python
from embedtrain.kernels.simd import lanes as vectors
from embedtrain.kernels.simd import rows, sigmoid, tiles
from embedtrain.kernels.simd.lanes import aligned_zeros

LANES = vectors.LANES


@pytest.mark.parametrize(
    ("triple", "features", "shape"),
    [
        ("x86_64-unknown-linux-gnu", "+avx,+avx2,+avx512f,+avx512vl", (16, 32)),
        ("x86_64-unknown-linux-gnu", "+avx,+avx2,-avx512f", (8, 16)),
        ("x86_64-apple-darwin", "+avx,-avx2", (8, 16)),
        ("x86_64-pc-windows-msvc", "+sse2,-avx,-avx2", (4, 16)),
        ("aarch64-unknown-linux-gnu", "+neon", (4, 32)),
        ("arm64-apple-darwin", "", (4, 32)),
    ],
)
def test_vector_shape(triple, features, shape):
    assert vectors.vector_shape(triple, features) == shape


def test_tiles_fit_the_registers():
    registers = vectors.REGISTERS
    assert tiles.ROWS * tiles.COLUMNS + tiles.COLUMNS + 1 <= registers
    assert tiles.ROWS * tiles.VECTORS + tiles.VECTORS + 1 <= registers
    assert 3 * rows.ROW_VECTORS + 1 <= registers
    assert tiles.ROWS * tiles.COLUMNS % vectors.LANES == 0, "the sums of a tile fill whole vectors"


def test_forced_machine_is_the_one_compiled_for():
    assert vectors.LANES == int(os.environ.get("EXPECTED_LANES", vectors.LANES))


# --- One row against many, and logistic functions ---------------------------------------------------------------------


dot_row, exchange_row, sum_rows, add_to_rows, logistic_gradient, logistic_loss = (
    callable_from_python(getattr(module, name), name)
    for module, name in (
        (tiles, "dot_row"), (rows, "exchange_row"), (rows, "sum_rows"), (rows, "add_to_rows"),
        (sigmoid, "logistic_gradient"), (sigmoid, "logistic_loss"),
    )
)  # fmt: skip


def normal(n, seed):
    array = aligned_zeros(n)
    array[:] = np.random.default_rng(seed).normal(size=n)
    return array


@pytest.mark.parametrize("n_vectors", [1, 2, 3, 7])
def test_dot_row_multiplies_one_row_by_as_many_as_a_vector_holds(n_vectors):
    dim = n_vectors * LANES
    X, Y, S = normal(3 * dim, 1), normal(9 * dim, 2), aligned_zeros(3 * LANES)
    y_rows = np.random.default_rng(3).integers(0, 9, 2 * LANES) * dim
    dot_row(X, np.array([0, 2 * dim]), 1, Y, y_rows, LANES - 1, dim, S, LANES, 0)
    picked = Y.reshape(9, dim)[y_rows[LANES - 1 : 2 * LANES - 1] // dim]
    assert S[LANES : 2 * LANES] == pytest.approx(picked @ X[2 * dim :], rel=1e-4, abs=1e-4)
    assert (S[:LANES] == 0).all()
    assert (S[2 * LANES :] == 0).all()


@pytest.mark.parametrize("n_vectors", range(1, rows.ROW_VECTORS + 1))
@pytest.mark.parametrize("n_rows", [0, 1, 5])
def test_exchange_row_moves_each_row_and_sums_them_as_they_were(n_rows, n_vectors):
    """Also a row that comes twice: it is added as it has become."""
    begin, width = LANES, n_vectors * LANES
    dim = begin + width + LANES
    E, X, Y, G = normal(2 * dim, 1), normal(2 * dim, 2), normal(9 * dim, 3), normal(9, 4)
    y_rows = np.array([7, 4, 2, 4, 0, 8, 1]) * dim
    right_E, right_Y = E.astype(float), Y.astype(float).reshape(9, dim)
    part = slice(begin, begin + width)
    for k in range(1, 1 + n_rows):
        y, x = right_Y[y_rows[k] // dim], X[dim:][part]
        right_E[dim:][part] += G[k] * y[part]
        y[part] += G[k] * x
    exchange_row(E, X, dim, begin, n_vectors, Y, y_rows, 1, 1 + n_rows, G)
    assert E == pytest.approx(right_E, abs=1e-5)
    assert Y.reshape(9, dim) == pytest.approx(right_Y, abs=1e-5)


@pytest.mark.parametrize("n_vectors", range(1, rows.ROW_VECTORS + 1))
@pytest.mark.parametrize(("begin", "skip", "end"), [(1, 3, 6), (1, 1, 6), (1, 5, 6), (2, 2, 3), (0, 6, 7)])
def test_rows_but_for_one_are_summed_and_moved(begin, skip, end, n_vectors):
    """Also twice, where a row is listed twice."""
    d, width = LANES, n_vectors * LANES
    dim = d + width + LANES
    many, one, at = normal(9 * dim, 1), normal(2 * dim, 2), np.array([7, 4, 2, 4, 0, 8, 1]) * dim
    part, others = slice(d, d + width), [k for k in range(begin, end) if k != skip]

    summed, right = one.copy(), one.astype(float)
    right[dim:][part] = 0.25 * sum((many[at[k] :][part].astype(float) for k in others), np.zeros(width))
    sum_rows(summed, dim, d, n_vectors, np.float32(0.25), many, at, begin, skip, end)
    assert summed == pytest.approx(right, abs=1e-6)

    moved, right = many.copy(), many.astype(float)
    for k in others:
        right[at[k] :][part] += 0.25 * one[dim:][part]
    add_to_rows(moved, at, begin, skip, end, d, n_vectors, np.float32(0.25), one, dim)
    assert moved == pytest.approx(right, abs=1e-6)


def test_the_sign_of_a_weight_is_the_label():
    """Positive weights have label 1, negative ones 0; pairs of weight 0 do not count."""
    scores, weights = normal(4 * LANES, 1) * 5, normal(4 * LANES, 2)
    weights[::5] = 0
    weights[1::10] = -0.0
    s, n = LANES // 2, 2 * LANES + 1  # in whole vectors: 3
    part = slice(s, s + 3 * LANES)
    S, w = scores[part].astype(float), weights[part].astype(float)
    assert logistic_loss(scores, s, weights, n) == pytest.approx(
        (np.abs(w) * naive.softplus(np.where(w > 0, -S, S))).sum(), rel=1e-5
    )
    G = scores.copy()
    logistic_gradient(G, s, weights, n, np.float32(0.3))
    assert G[part] == pytest.approx(0.3 * np.abs(w) * ((w > 0) - naive.sigmoid(S)), abs=1e-6)
    assert (G[part][w == 0] == 0).all()
    assert (np.delete(G, np.arange(4 * LANES)[part]) == np.delete(scores, np.arange(4 * LANES)[part])).all()


def test_scores_of_weight_0_may_be_anything():
    scores, weights = normal(LANES, 1), aligned_zeros(LANES)
    scores[0], scores[1], scores[2] = np.nan, np.inf, -np.inf
    assert logistic_loss(scores, 0, weights, LANES) == 0
    logistic_gradient(scores, 0, weights, LANES, np.float32(1))
    assert (scores == 0).all()
