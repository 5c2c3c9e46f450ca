"""The product of two rows, and a step of AdaGrad between them, against their equations."""

import numpy as np
import pytest

from embedtrain.kernels.compilation import callable_from_python
from embedtrain.kernels.simd.adagrad import adagrad_step, dot
from embedtrain.kernels.simd.lanes import LANES, aligned_zeros

VECTORS = [1, 2, 3, 4, 5, 7, 8, 9, 19]


product, move = callable_from_python(dot, "dot"), callable_from_python(adagrad_step, "adagrad_step")


def between_canaries(row, before):
    """A flat array with a row in it, and a canary row before and after it."""
    flat = aligned_zeros(before + 2 * len(row))
    flat[:] = 77
    flat[before : before + len(row)] = row
    return flat


def step(X, X_sums, Y, Y_sums, g):
    """The four rows after a step."""
    dim = len(X)
    x, y = dim, 2 * dim
    tables = [between_canaries(row, at) for row, at in ((X, x), (X_sums, x), (Y, y), (Y_sums, y))]
    found = move(tables[0], tables[1], x, tables[2], tables[3], y, dim, np.float32(g), x, y, x, y)
    right = product(tables[0], x, tables[2], y, dim)
    assert np.array_equal(found, right, equal_nan=True), "the product is that after the step"
    for table, at in zip(tables, (x, x, y, y), strict=True):
        assert (table[:at] == 77).all(), "elements before the row were written"
        assert (table[at + dim :] == 77).all(), "elements after the row were written"
    return [table[at : at + dim] for table, at in zip(tables, (x, x, y, y), strict=True)]


def random_rows(seed, dim):
    rng = np.random.default_rng(seed)
    X, Y = rng.normal(0, 1, (2, dim)).astype(np.float32)
    X_sums, Y_sums = 10 ** rng.uniform(0, 6, (2, dim)).astype(np.float32)
    return X, X_sums, Y, Y_sums


@pytest.mark.parametrize("n_vectors", VECTORS)
def test_product_of_rows(n_vectors):
    dim = n_vectors * LANES
    X, _, Y, _ = random_rows(n_vectors, dim)
    found = product(between_canaries(X, dim), dim, between_canaries(Y, 2 * dim), 2 * dim, dim)
    X, Y = X.astype(np.float64), Y.astype(np.float64)
    assert found == pytest.approx(X @ Y, abs=1e-6 * np.abs(X * Y).sum())


@pytest.mark.parametrize("shared", ["neither", "x", "y"])
@pytest.mark.parametrize("n_vectors", VECTORS)
def test_step_and_the_product_of_the_next_rows(n_vectors, shared):
    dim = n_vectors * LANES
    X, X_sums, Y, Y_sums = (np.stack(pair) for pair in zip(random_rows(1, dim), random_rows(2, dim), strict=True))
    tables = [table.ravel().copy() for table in (X, X_sums, Y, Y_sums)]
    next_x, next_y = 0 if shared == "x" else dim, 0 if shared == "y" else dim
    found = move(tables[0], tables[1], 0, tables[2], tables[3], 0, dim, np.float32(0.5), next_x, next_y, dim, dim)
    for table, right in zip(tables, step(X[0], X_sums[0], Y[0], Y_sums[0], 0.5), strict=True):
        assert table[:dim].tobytes() == right.tobytes()
    for table, before in zip(tables, (X, X_sums, Y, Y_sums), strict=True):
        assert table[dim:].tobytes() == before[1].tobytes()
    assert found == product(tables[0], next_x, tables[2], next_y, dim)


@pytest.mark.parametrize("n_vectors", VECTORS)
@pytest.mark.parametrize("g", [0.5, -3.0])
def test_step_between_rows(n_vectors, g):
    rows = random_rows(n_vectors, n_vectors * LANES)
    X, X_sums, Y, Y_sums = (row.astype(np.float64) for row in rows)
    found = step(*rows, g)
    assert found[0] - X == pytest.approx(-g * Y / np.sqrt(X_sums), abs=1e-6)
    assert found[1] == pytest.approx(X_sums + (g * Y) ** 2, rel=2e-7)
    assert found[2] - Y == pytest.approx(-g * X / np.sqrt(Y_sums), abs=1e-6)
    assert found[3] == pytest.approx(Y_sums + (g * X) ** 2, rel=2e-7)


def test_steps_are_scaled_over_the_whole_range_of_sums():
    sums = np.float32(10.0) ** np.linspace(0, 38, 4 * LANES, dtype=np.float32)
    zeros, ones = np.zeros_like(sums), np.ones_like(sums)
    moved = step(zeros, sums, ones, ones, -1.0)[0]
    assert moved == pytest.approx(1 / np.sqrt(sums.astype(np.float64)), rel=1e-6)


@pytest.mark.parametrize("g", [1e-30, -0.5, 1e15, -1e30])
def test_elements_whose_sums_are_infinite_keep_every_bit(g):
    X, X_sums, Y, Y_sums = random_rows(0, 3 * LANES)
    X[:6] = [0.0, -0.0, 1.0, 1e-40, -1e-45, 3e38]
    frozen = np.arange(len(X)) % 5 < 3
    X_sums[frozen] = Y_sums[~frozen] = np.inf
    Y[:6] *= 1e-8  # other than 0, for the elements named above
    new_X, new_X_sums, new_Y, new_Y_sums = step(X, X_sums, Y, Y_sums, g)
    assert new_X[frozen].tobytes() == X[frozen].tobytes()
    assert new_Y[~frozen].tobytes() == Y[~frozen].tobytes()
    assert (new_X_sums[frozen] == np.inf).all()
    assert (new_Y_sums[~frozen] == np.inf).all()
    if abs(g) > 1e-3:
        assert (new_X[~frozen] != X[~frozen]).all(), "the others move"


@pytest.mark.parametrize("g", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_shows(g):
    new_X, _, new_Y, _ = step(*random_rows(1, LANES), g)
    assert not np.isfinite(new_X).any()
    assert not np.isfinite(new_Y).any()


def test_sums_that_are_no_numbers_show():
    X, X_sums, Y, Y_sums = random_rows(1, LANES)
    assert np.isnan(step(X, X_sums * np.nan, Y, Y_sums, 0.5)[0]).all()
