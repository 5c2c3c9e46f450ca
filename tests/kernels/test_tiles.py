"""Tiles: their shape follows the machine that Numba compiles for, and they are what their equations say."""

import os

import naive
import numpy as np
import pytest

from embedtrain.kernels.compilation import callable_from_python
from embedtrain.kernels.simd import lanes as vectors
from embedtrain.kernels.simd import rows, sigmoid, tiles, window_weights
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
    registers, n, v = vectors.REGISTERS, tiles.COLUMNS, tiles.TILE_VECTORS
    assert tiles.ROWS * n + n + 1 <= registers
    assert tiles.ROWS * v + v + tiles.ROWS <= registers, "sums, an output row, and its coefficients"
    assert 3 * rows.ROW_VECTORS + 1 <= registers
    assert tiles.ROWS * n % LANES == 0, "the sums of a tile fill whole vectors"
    assert LANES % tiles.ROWS == 0, "a vector has whole outputs"
    assert n % (LANES // tiles.ROWS) == 0, "so has a group of outputs"


def test_forced_machine_is_the_one_compiled_for():
    assert vectors.LANES == int(os.environ.get("EXPECTED_LANES", vectors.LANES))


dot_tile, dot_row, exchange_tile, exchange_row, sum_rows, add_to_rows, add_row, move_towards = (
    callable_from_python(getattr(module, name), name)
    for module, name in (
        (tiles, "dot_tile"), (tiles, "dot_row"), (tiles, "exchange_tile"), (tiles, "exchange_row"),
        (rows, "sum_rows"), (rows, "add_to_rows"), (rows, "add_row"), (rows, "move_towards"),
    )
)  # fmt: skip
logistic_gradient, logistic_loss, set_tile_weights = (
    callable_from_python(getattr(module, name), name)
    for module, name in (
        (sigmoid, "logistic_gradient"), (sigmoid, "logistic_loss"), (window_weights, "set_tile_weights"),
    )
)  # fmt: skip


def normal(n, seed):
    array = aligned_zeros(n)
    array[:] = np.random.default_rng(seed).normal(size=n)
    return array


# --- A few rows and many ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_vectors", [1, 2, 3, 7])
@pytest.mark.parametrize(
    ("dot", "n_rows", "n_columns"), [(dot_tile, tiles.ROWS, tiles.COLUMNS), (dot_row, 1, LANES)], ids=["tile", "row"]
)
def test_scores_of_a_few_rows_with_a_group_of_many(dot, n_rows, n_columns, n_vectors):
    """Output by output; only of the group of columns that is given."""
    dim, rng = n_vectors * LANES, np.random.default_rng(3)
    X, Y, S = normal(5 * dim, 1), normal(9 * dim, 2), aligned_zeros(3 * n_rows * n_columns)
    x_rows, y_rows = rng.integers(0, 5, n_rows), rng.integers(0, 9, 3 * n_columns)
    k = n_columns - 1  # groups may begin anywhere
    dot(X, x_rows * dim, Y, y_rows * dim, k, dim, S)
    right = Y.reshape(9, dim)[y_rows[k : k + n_columns]] @ X.reshape(5, dim)[x_rows].T
    part = slice(k * n_rows, (k + n_columns) * n_rows)
    assert S[part].reshape(n_columns, n_rows) == pytest.approx(right, rel=1e-4, abs=1e-4)
    assert (np.delete(S, np.arange(S.size)[part]) == 0).all()


@pytest.mark.parametrize("n_outputs", [0, 1, 5, 8])
@pytest.mark.parametrize(
    ("exchange", "n_rows", "n_vectors"),
    [(exchange_tile, tiles.ROWS, n) for n in range(1, tiles.TILE_VECTORS + 1)]
    + [(exchange_row, 1, n) for n in range(1, rows.ROW_VECTORS + 1)],
    ids=lambda value: str(value) if isinstance(value, int) else value.py_func.__name__,
)
def test_rows_are_exchanged_in_order(exchange, n_rows, n_vectors, n_outputs):
    """Also outputs and inputs that come twice, a mean that is added, and other rows than the inputs for their steps."""
    d, width, rng = LANES, n_vectors * LANES, np.random.default_rng(n_outputs)
    dim = d + width + LANES
    E, X, Y, G, M, m = (
        normal(6 * dim, 1),
        normal(5 * dim, 2),
        normal(9 * dim, 3),
        normal(40, 4),
        normal(dim, 5),
        normal(4, 6),
    )
    e_rows, x_rows = rng.integers(0, 6, n_rows), rng.integers(0, 5, n_rows)
    y_rows = np.array([7, 4, 2, 4, 0, 8, 1, 7])
    right_E, right_X, right_Y = (rows.astype(float).reshape(-1, dim) for rows in (E, X, Y))
    part = slice(d, d + width)
    sums = np.outer(m[:n_rows], M[part].astype(float))
    for k in range(n_outputs):
        g, y = G[k * n_rows : (k + 1) * n_rows].astype(float), right_Y[y_rows[k]]
        sums += np.outer(g, y[part])
        y[part] += g @ right_X[x_rows, part]
    for row, total in zip(e_rows, sums, strict=True):
        right_E[row, part] += total
    exchange(E, e_rows * dim, X, x_rows * dim, Y, y_rows * dim, n_outputs, G, M, m, d, n_vectors)
    assert E.reshape(6, dim) == pytest.approx(right_E, abs=1e-5)
    assert Y.reshape(9, dim) == pytest.approx(right_Y, abs=1e-5)
    outside = np.delete(np.arange(dim), part)
    assert (E.reshape(6, dim)[:, outside] == right_E[:, outside]).all()
    assert (Y.reshape(9, dim)[:, outside] == right_Y[:, outside]).all()


@pytest.mark.parametrize("n_vectors", [1, tiles.TILE_VECTORS])
def test_inputs_that_take_their_own_steps_are_exchanged_as_they_were(n_vectors):
    dim = n_vectors * LANES
    X, Y, G, x_rows = normal(6 * dim, 1), normal(2 * dim, 2), normal(2 * tiles.ROWS, 3), np.array([3, 0, 3, 5]) * dim
    apart, outputs = X.copy(), Y.copy()
    zeros = aligned_zeros(dim), aligned_zeros(tiles.ROWS)
    exchange_tile(apart, x_rows, X, x_rows, outputs, np.array([0, dim]), 2, G, *zeros, 0, n_vectors)
    exchange_tile(X, x_rows, X, x_rows, Y, np.array([0, dim]), 2, G, *zeros, 0, n_vectors)
    assert X.tobytes() == apart.tobytes()
    assert Y.tobytes() == outputs.tobytes()


# --- One row and many, and rows ---------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("n_vectors", [1, 2, 5])
def test_a_row_is_added_to_another_and_moved_towards_it(n_vectors):
    dim = n_vectors * LANES
    X, Y, M = normal(3 * dim, 1), normal(4 * dim, 2), normal(2 * dim, 3)
    added, moved = Y.copy(), M.copy()
    add_row(added, 2 * dim, np.float32(-0.3), X, dim, dim)
    move_towards(moved, np.float32(0.25), X, 2 * dim, dim)
    right_Y, right_M = Y.astype(float), M.astype(float)
    right_Y[2 * dim : 3 * dim] -= 0.3 * X[dim : 2 * dim]
    right_M[:dim] += 0.25 * (X[2 * dim :] - right_M[:dim])
    assert added == pytest.approx(right_Y, abs=1e-6)
    assert moved == pytest.approx(right_M, abs=1e-6)
    assert (added[: 2 * dim] == Y[: 2 * dim]).all()
    assert (moved[dim:] == M[dim:]).all()


def test_a_mean_that_moves_all_the_way_from_0_is_the_row():
    X, M = normal(4 * LANES, 1), aligned_zeros(4 * LANES)
    move_towards(M, np.float32(1), X, 0, 4 * LANES)
    assert M.tobytes() == X.tobytes()


# --- Weights of a tile ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_rows", range(1, tiles.ROWS + 1))
@pytest.mark.parametrize("n_noise", [4, 12, 16])
def test_weights_of_a_tile_count_contexts_in_a_range_of_tokens(n_noise, n_rows):
    """For windows with, without and beside their centre, within, across and beyond the range."""
    rng, i, centre, share, rest = np.random.default_rng(n_noise), 2, 100, 5 / n_noise, 16
    begins, ends = (np.full(i + tiles.ROWS, 10**6 * sign, np.int32) for sign in (-1, 1))  # of other centres
    for _ in range(200):
        low = centre + int(rng.integers(-12, 12))
        high = low + int(rng.integers(1, 12))
        n_outputs = -(-(n_noise + high - low) // tiles.COLUMNS) * tiles.COLUMNS
        own = centre + np.arange(tiles.ROWS)
        begins[i:] = own - rng.integers(0, 10, tiles.ROWS)
        ends[i:] = own + 1 + rng.integers(0, 10, tiles.ROWS)
        weights = aligned_zeros(n_outputs * tiles.ROWS + rest)
        weights[:] = np.nan
        set_tile_weights(weights, n_noise, low, high, n_outputs, begins, ends, i, centre, n_rows, np.float32(share))
        right = np.zeros((n_outputs, tiles.ROWS))
        for row in range(n_rows):
            tokens = [t for t in range(begins[i + row], ends[i + row]) if t != own[row] and low <= t < high]
            right[:n_noise, row] = -share * len(tokens)
            right[[n_noise + t - low for t in tokens], row] = 1
        assert weights[:-rest].reshape(n_outputs, tiles.ROWS) == pytest.approx(right, rel=1e-6)
        assert np.isnan(weights[-rest:]).all(), "elements after the weights were written"


# --- Logistic functions -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("baseline", [0, 0.1])
def test_the_sign_of_a_weight_is_the_label(baseline):
    """Positive weights have label 1, negative ones 0, less the baseline; pairs of weight 0 do not count."""
    scores, weights = normal(4 * LANES, 1) * 5, normal(4 * LANES, 2)
    weights[::5] = 0
    weights[1::10] = -0.0
    n = 2 * LANES + 1  # in whole vectors: 3
    part = slice(0, 3 * LANES)
    S, w = scores[part].astype(float), weights[part].astype(float)
    assert logistic_loss(scores, weights, n) == pytest.approx(
        (np.abs(w) * naive.softplus(np.where(w > 0, -S, S))).sum(), rel=1e-5
    )
    G = scores.copy()
    logistic_gradient(G, weights, n, np.float32(0.3), np.float32(baseline))
    errors = np.where(w > 0, 1 - naive.sigmoid(S), baseline - naive.sigmoid(S))
    assert G[part] == pytest.approx(0.3 * np.abs(w) * errors, abs=1e-6)
    assert (G[part][w == 0] == 0).all()
    assert (G[3 * LANES :] == scores[3 * LANES :]).all()


def test_scores_of_weight_0_may_be_anything():
    scores, weights = normal(LANES, 1), aligned_zeros(LANES)
    scores[0], scores[1], scores[2] = np.nan, np.inf, -np.inf
    assert logistic_loss(scores, weights, LANES) == 0
    logistic_gradient(scores, weights, LANES, np.float32(1), np.float32(0.1))
    assert (scores == 0).all()
