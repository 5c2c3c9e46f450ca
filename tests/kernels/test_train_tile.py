"""GloVe's tiles against the plain form with biases of their own, in value and by finite differences."""

from typing import NamedTuple

import numpy as np
import pytest
from naive import numerical_gradient
from naive_glove import Counts, Parameters, adagrad, cost, errors, gradients, weight
from numpy.typing import NDArray

from embedtrain.kernels.glove.train_tile import Cells, train_tile
from embedtrain.kernels.simd.lanes import aligned_zeros, padded

N_WORDS = 12
DIMS = [1, 2, 14, 15, 16, 100, 300]


class Tables(NamedTuple):
    """What the kernel gets, as matrices."""

    W: NDArray[np.float32]
    W_sums: NDArray[np.float32]
    C: NDArray[np.float32]
    C_sums: NDArray[np.float32]


def random_parameters(seed, dim, n_words=N_WORDS):
    """Values that are float32 numbers."""
    rng = np.random.default_rng(seed)
    shapes = [(n_words, dim), (n_words, dim), (n_words,), (n_words,)]
    return Parameters(*(rng.normal(0, dim**-0.5, shape).astype(np.float32).astype(np.float64) for shape in shapes))


def random_counts(seed, n, n_rows=N_WORDS, n_columns=N_WORDS):
    """Cells in any order, of which many share rows, and their weights."""
    rng = np.random.default_rng(seed)
    coords = rng.permutation(n_rows * n_columns)[:n]
    counts = Counts(coords // n_columns, coords % n_columns, rng.lognormal(1, 1.5, n))
    return counts, weight(counts.values, 10.0, 0.75)


def cells_of(counts, weights):
    rows, columns, values = counts
    coords = (rows << 16 | columns).astype(np.uint32)
    return Cells(coords, np.log(values).astype(np.float32), weights.astype(np.float32))


def rows_of(vectors, biases, bias_at, constant):
    """Rows of the kernel: the vectors, biases, what is constant, and padding."""
    n_words, dim = vectors.shape
    rows = np.zeros((n_words, padded(dim + 2)), np.float32)
    rows[:, :dim] = vectors
    rows[:, dim + bias_at], rows[:, dim + 1 - bias_at] = biases, constant
    return rows


def tables_of(parameters, sums):
    """The tables for parameters and sums; those of what is constant are infinite, and of padding 1."""
    w, c, b, d = parameters
    sums = Tables(rows_of(w, b, 0, 1), rows_of(sums.w, sums.b, 0, np.inf),
                  rows_of(c, d, 1, 1), rows_of(sums.c, sums.d, 1, np.inf))  # fmt: skip
    for table in (sums.W_sums, sums.C_sums):
        table[:, w.shape[1] + 2 :] = 1
    return sums


def parameters_of(W, C, dim):
    """What is learnt, out of two tables."""
    return Parameters(W[:, :dim], C[:, :dim], W[:, dim], C[:, dim + 1])


def ones(dim, n_words=N_WORDS):
    return Parameters(np.ones((n_words, dim)), np.ones((n_words, dim)), np.ones(n_words), np.ones(n_words))


def train(tables, cells, lr, corner=(0, 0), epochs=1):
    """The tables after some epochs on a tile, with a canary row before and after each; and the cost of the last."""
    width = tables.W.shape[1]
    memory = []
    for table in tables:
        flat = aligned_zeros((len(table) + 2) * width)
        rows = flat.reshape(-1, width)
        rows[0] = rows[-1] = 77
        rows[1:-1] = table
        memory.append(flat)
    for _ in range(epochs):
        total = train_tile(*memory, cells, corner[0] + 1, corner[1] + 1, width, np.float32(lr))
    trained = [flat.reshape(-1, width) for flat in memory]
    for rows in trained:
        assert (rows[[0, -1]] == 77).all(), "a row beside the table was written"
    return Tables(*(rows[1:-1] for rows in trained)), total


def same_parameters(found, right, tolerance):
    for name, one, other in zip(Parameters._fields, found, right, strict=True):
        assert one == pytest.approx(other, rel=tolerance, abs=tolerance), name


# --- The plain form ---------------------------------------------------------------------------------------------------


def test_plain_form_agrees_with_finite_differences():
    parameters, (counts, weights) = random_parameters(0, 3, n_words=5), random_counts(1, 14, 5, 5)
    for name, gradient in gradients(parameters, counts, weights)._asdict().items():
        right = numerical_gradient(
            lambda x, name=name: cost(parameters._replace(**{name: x}), counts, weights), getattr(parameters, name)
        )
        assert gradient == pytest.approx(right, abs=1e-7), name
        assert np.abs(gradient).max() > 0.1, name


def test_weights_of_the_paper():
    found = weight(np.array([0.1, 10.0, 50.0, 100.0, 1000.0]), 100.0, 0.75)
    assert found == pytest.approx([0.001**0.75, 0.1**0.75, 0.5**0.75, 1, 1])


# --- The kernel -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dim", DIMS)
def test_steps_and_cost_are_the_plain_form(dim):
    parameters, (counts, weights) = random_parameters(dim, dim), random_counts(dim, 100)
    tables, total = train(tables_of(parameters, ones(dim)), cells_of(counts, weights), 0.05)
    right, right_sums, right_total = adagrad(parameters, ones(dim), counts, weights, 0.05)
    same_parameters(parameters_of(tables.W, tables.C, dim), right, 2e-6)
    same_parameters(parameters_of(tables.W_sums, tables.C_sums, dim), right_sums, 2e-6)
    assert total == pytest.approx(right_total, rel=1e-6)


@pytest.mark.parametrize("shared", ["row", "column", "both"])
def test_the_error_of_a_cell_is_that_after_the_step_before(shared):
    """Its product is computed in that step's loop."""
    dim, n = 40, 20
    parameters, numbers = random_parameters(9, dim), np.zeros(n, np.int64)
    others = np.arange(n) % N_WORDS
    rows, columns = numbers if shared != "column" else others, numbers if shared != "row" else others
    counts = Counts(rows, columns, np.random.default_rng(9).lognormal(1, 1.5, n))
    tables, total = train(tables_of(parameters, ones(dim)), cells_of(counts, np.ones(n)), 0.3)
    right, right_sums, right_total = adagrad(parameters, ones(dim), counts, np.ones(n), 0.3)
    same_parameters(parameters_of(tables.W, tables.C, dim), right, 1e-5)
    same_parameters(parameters_of(tables.W_sums, tables.C_sums, dim), right_sums, 1e-5)
    assert total == pytest.approx(right_total, rel=1e-6)


def test_a_step_goes_down_the_gradient():
    dim = 4
    parameters, (counts, weights) = random_parameters(0, dim), random_counts(0, 1)
    tables, _ = train(tables_of(parameters, ones(dim)), cells_of(counts, weights), 0.125)
    learnt = parameters_of(tables.W, tables.C, dim)
    for name, old in parameters._asdict().items():
        right = numerical_gradient(lambda x, name=name: cost(parameters._replace(**{name: x}), counts, weights), old)
        assert 8 * (old - getattr(learnt, name)) == pytest.approx(right, abs=1e-6), name


@pytest.mark.parametrize("sign", [1, -1])
def test_no_step_is_longer_than_the_row_it_goes_along(sign):
    dim = 4
    parameters, (counts, _weights) = random_parameters(0, dim), random_counts(0, 1)
    counts = counts._replace(values=np.exp(np.array([sign * 60.0])))
    tables, total = train(tables_of(parameters, ones(dim)), cells_of(counts, np.ones(1)), 0.05)
    learnt = parameters_of(tables.W, tables.C, dim)
    i, j = counts.rows[0], counts.columns[0]
    assert learnt.w[i] - parameters.w[i] == pytest.approx(sign * parameters.c[j], abs=1e-6)
    assert learnt.c[j] - parameters.c[j] == pytest.approx(sign * parameters.w[i], abs=1e-6)
    assert learnt.b[i] - parameters.b[i] == pytest.approx(sign, abs=1e-6)
    assert total == pytest.approx(cost(parameters, counts, np.ones(1)), rel=1e-6), "the cost is of the whole error"


def test_a_tile_has_its_corner():
    dim, n = 5, 14
    parameters, (counts, weights) = random_parameters(3, dim), random_counts(3, n, 4, 6)
    tables, total = train(tables_of(parameters, ones(dim)), cells_of(counts, weights), 0.1, corner=(8, 5))
    moved = Counts(counts.rows + 8, counts.columns + 5, counts.values)
    right, _, right_total = adagrad(parameters, ones(dim), moved, weights, 0.1)
    same_parameters(parameters_of(tables.W, tables.C, dim), right, 2e-6)
    assert total == pytest.approx(right_total, rel=1e-6)
    assert tables.W[:8].tobytes() == tables_of(parameters, ones(dim)).W[:8].tobytes()


@pytest.mark.parametrize("n", [0, 1])
def test_tiles_of_no_cell_and_of_one(n):
    parameters, (counts, weights) = random_parameters(0, 3), random_counts(0, n)
    before = tables_of(parameters, ones(3))
    tables, total = train(before, cells_of(counts, weights), 0.1)
    assert total == pytest.approx(cost(parameters, counts, weights), rel=1e-6)
    assert (tables.W != before.W).any() == (n > 0)


@pytest.mark.parametrize("dim", [2, 14, 15])
def test_constants_never_move_and_padding_stays_zero(dim):
    counts, weights = random_counts(5, N_WORDS**2)
    tables, _ = train(tables_of(random_parameters(5, dim), ones(dim)), cells_of(counts, weights), 0.3, epochs=50)
    assert np.isfinite(tables.W).all()
    assert (tables.W_sums[:, : dim + 1] > 1).all(), "all else moved"
    assert tables.W[:, dim + 1].tobytes() == tables.C[:, dim].tobytes() == np.ones(N_WORDS, np.float32).tobytes()
    assert (tables.W_sums[:, dim + 1] == np.inf).all()
    assert (tables.C_sums[:, dim] == np.inf).all()
    assert not tables.W[:, dim + 2 :].any()
    assert not tables.C[:, dim + 2 :].any()


def test_frozen_words_keep_every_bit_while_contexts_learn_from_them():
    dim, frozen = 20, [0, 3, 7]
    parameters, (counts, weights) = random_parameters(6, dim), random_counts(6, 120)
    parameters.w[frozen, ::2] = -0.0
    parameters.w[frozen, 1] = 1e-40
    sums = ones(dim)
    sums.w[frozen] = sums.b[frozen] = np.inf
    before = tables_of(parameters, sums)
    tables, total = train(before, cells_of(counts, weights), 0.05)
    right, _, right_total = adagrad(parameters, sums, counts, weights, 0.05)
    assert tables.W[frozen].tobytes() == before.W[frozen].tobytes()
    same_parameters(parameters_of(tables.W, tables.C, dim), right, 2e-6)
    assert total == pytest.approx(right_total, rel=1e-6)
    assert (np.delete(tables.W, frozen, 0) != np.delete(before.W, frozen, 0)).any(axis=1).all()


def test_a_rate_of_0_takes_the_cost_and_moves_not_a_byte():
    dim = 7
    parameters, (counts, weights) = random_parameters(7, dim), random_counts(7, 80)
    parameters.w[:, 0] = parameters.c[:, 1] = parameters.b[::2] = -0.0
    before = tables_of(parameters, ones(dim))
    tables, total = train(before, cells_of(counts, weights), 0.0)
    assert [table.tobytes() for table in tables] == [table.tobytes() for table in before]
    assert total == pytest.approx(cost(parameters, counts, weights), rel=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("part", Parameters._fields)
def test_cost_shows_what_is_not_finite(value, part):
    parameters, (counts, weights) = random_parameters(8, 3), random_counts(8, N_WORDS**2)
    getattr(parameters, part)[4] = value
    for lr in (0.0, 0.05):
        _, total = train(tables_of(parameters, ones(3)), cells_of(counts, weights), lr)
        assert not np.isfinite(total)


def test_cost_is_exact_over_many_cells():
    """Sums in float32 would lose the last of so many."""
    n = 200_000
    parameters = Parameters(np.zeros((1, 1)), np.zeros((1, 1)), np.zeros(1), np.zeros(1))
    counts = Counts(np.zeros(n, np.int64), np.zeros(n, np.int64), np.full(n, 3.0))
    _, total = train(tables_of(parameters, ones(1, 1)), cells_of(counts, np.full(n, 0.1)), 0.0)
    assert errors(parameters, counts)[0] == -np.log(3.0)
    assert total == pytest.approx(n * 0.05 * np.log(3.0) ** 2, rel=1e-7)
