"""The tile step against its equations, in value and by finite differences."""

import naive
import numpy as np
import pytest

from embedtrain.kernels.simd.lanes import LANES
from embedtrain.kernels.simd.tiles import COLUMNS, ROWS, TILE_VECTORS
from embedtrain.kernels.word2vec.tile_step import make_tile, tile_step, whole_columns

N_WORDS = 30
GUARD = 77
PADDING = -1  # the guard row before the table, which is read


def filled_tile(inputs, outputs, weights, dim, update_rows=None, mean=None, mean_weights=0):
    """A `Tile` for lists of words, with padding; what is not used of it is NaN, or out of every table."""
    tile = make_tile(len(outputs), dim, frozen=update_rows is not None)
    for rest in (tile.weights, tile.scores):
        rest[:] = np.nan
    tile.outputs[:] = -(1 << 40)
    tile.inputs[:] = np.array(inputs) * dim
    if update_rows is not None:
        tile.update_rows[:] = np.array(update_rows) * dim
    n_padded = whole_columns(len(outputs))
    tile.outputs[: len(outputs)], tile.outputs[len(outputs) : n_padded] = np.array(outputs) * dim, PADDING * dim
    tile.weights[: weights.size], tile.weights[weights.size : n_padded * ROWS] = weights.T.ravel(), 0
    tile.mean_output[:] = 0 if mean is None else mean
    tile.mean_weights[:ROWS] = mean_weights
    return tile


def step(W, C, tile, n_outputs, lr, baseline=0.0, with_loss=True):
    """Run the kernel on copies of two matrices with a guard row before and after; returns them and the loss."""
    n_words, dim = W.shape
    tables = []
    for table in (W, C):
        rows = np.full((n_words + 2, dim), GUARD, np.float32)
        rows[1:-1] = table
        tables.append(rows)
    moved = tile._replace(inputs=tile.inputs + dim, update_rows=tile.update_rows + dim, outputs=tile.outputs + dim)
    flat_W, flat_C = (rows.reshape(-1) for rows in tables)
    loss = tile_step(
        flat_W, flat_W, flat_C, moved, n_outputs, dim, np.float32(lr), np.float32(baseline), with_loss
    )  # fmt: skip
    for rows in tables:
        assert (rows[[0, -1]] == GUARD).all(), "a row beside the table was written"
    return tables[0][1:-1], tables[1][1:-1], loss


def random_case(rng, n_outputs, dim, n_words=N_WORDS):
    """Tables and a tile of random weights of both signs, some of them 0, with repeated words among its rows."""
    W, C = (rng.normal(0, 0.5, (n_words, dim)).astype(np.float32) for _ in range(2))
    inputs, outputs = rng.integers(0, n_words, ROWS), rng.integers(0, n_words, n_outputs)
    weights = rng.uniform(-1, 1, (ROWS, n_outputs)).astype(np.float32)
    weights[rng.random(weights.shape) < 0.3] = 0
    return W, C, inputs, outputs, weights


def doubles(*arrays):
    return [array.astype(np.float64) for array in arrays]


@pytest.mark.parametrize("n_vectors", [*range(1, TILE_VECTORS + 3), 2 * TILE_VECTORS + 1])
@pytest.mark.parametrize("n_outputs", [1, 2, 3, 4, 5, 27, 80])
@pytest.mark.parametrize("baseline", [0, 0.1])
def test_step_and_loss_are_the_plain_form(n_outputs, n_vectors, baseline):
    rng, dim = np.random.default_rng(n_outputs + n_vectors), n_vectors * LANES
    W, C, inputs, outputs, weights = random_case(rng, n_outputs, dim)
    mean, mean_weights = rng.normal(size=dim).astype(np.float32), np.array([0.3, -0.2, 0, 0.1][:ROWS], np.float32)
    tile = filled_tile(inputs, outputs, weights, dim, mean=mean, mean_weights=mean_weights)
    new_W, new_C, loss = step(W, C, tile, n_outputs, 0.1, baseline)
    W, C = doubles(W, C)
    added = np.outer(mean_weights, mean)
    right = naive.tile_step(W, C, inputs, outputs, weights, 0.1, baseline=baseline, added=added)
    assert new_W == pytest.approx(right[0], abs=2e-6)
    assert new_C == pytest.approx(right[1], abs=2e-6)
    assert loss == pytest.approx(naive.logistic_loss(W, C, inputs, outputs, weights), rel=1e-5)


def test_steps_go_to_another_table_of_sums():
    """As the means of CBOW, whose steps go to the rows of a window."""
    W, C, inputs, outputs, weights = random_case(np.random.default_rng(8), 8, 2 * LANES)
    tile, sums = filled_tile(inputs, outputs, weights, 2 * LANES), np.full_like(W, 3)
    new_W, new_C = W.copy(), C.copy()
    tables = sums.reshape(-1), new_W.reshape(-1), new_C.reshape(-1)
    tile_step(*tables, tile, 8, 2 * LANES, np.float32(0.1), np.float32(0), False)
    right = naive.tile_step(*doubles(W, C), inputs, outputs, weights, 0.1)
    assert new_W.tobytes() == W.tobytes()
    assert sums - 3 == pytest.approx(right[0] - W, abs=1e-6)
    assert new_C == pytest.approx(right[1], abs=2e-6)


def test_an_output_that_is_listed_twice_has_moved_the_second_time():
    """Two equal pairs with two outputs, or with one twice: the second time its row is another."""
    W, C = np.full((2, LANES), 0.5, np.float32), np.full((2, LANES), 0.5, np.float32)
    weights = np.zeros((ROWS, COLUMNS), np.float32)
    weights[0, :2] = 1
    moved, moved_output = [], []
    for outputs in ([0, 1], [0, 0]):
        listed = outputs + [1] * (COLUMNS - 2)
        new_W, new_C, _ = step(W, C, filled_tile([0] * ROWS, listed, weights, LANES), COLUMNS, 0.5)
        moved.append(new_W[0, 0] - 0.5)
        moved_output.append(new_C[0, 0] - 0.5)
    g = 0.5 * (1 - naive.sigmoid(np.float64(0.25 * LANES)))
    assert moved == pytest.approx([2 * g * 0.5, 2 * g * 0.5 + g * g * 0.5], rel=1e-4)
    assert moved_output == pytest.approx([g * 0.5, 2 * g * 0.5], rel=1e-4)


def test_loss_can_be_left_out():
    W, C, inputs, outputs, weights = random_case(np.random.default_rng(0), 12, LANES)
    tile = filled_tile(inputs, outputs, weights, LANES)
    assert step(W, C, tile, 12, 0.1, with_loss=False)[2] == 0
    assert (step(W, C, tile, 12, 0.1, with_loss=False)[0] == step(W, C, tile, 12, 0.1)[0]).all()


def test_a_step_of_size_0_takes_the_loss_and_moves_not_a_byte():
    W, C, inputs, outputs, weights = random_case(np.random.default_rng(5), 12, LANES)
    W[inputs[0], ::2] = C[outputs[0], ::2] = -0.0  # which adding 0 would change
    tile = filled_tile(inputs, outputs, weights, LANES, mean=1, mean_weights=1)
    new_W, new_C, loss = step(W, C, tile, 12, 0, 0.1)
    assert (new_W.tobytes(), new_C.tobytes()) == (W.tobytes(), C.tobytes())
    assert loss == step(W, C, tile, 12, 0.1)[2] > 0
    assert step(W, C, tile, 12, 0, with_loss=False)[2] == 0


@pytest.mark.parametrize("frozen", [[2], [0, 3, 5, 8], range(10)])
def test_frozen_rows_stay_while_outputs_learn_from_them(frozen):
    W, C, inputs, outputs, weights = random_case(np.random.default_rng(6), 20, 5 * LANES)
    inputs = np.array([2, 3, 2, 8][:ROWS])
    W[frozen, ::2] = -0.0
    discarded = N_WORDS - 1
    W[discarded] = np.nan  # never read
    update_rows = np.where(np.isin(inputs, frozen), discarded, inputs)
    tile = filled_tile(inputs, outputs, weights, W.shape[1], update_rows, mean=1, mean_weights=0.1)
    new_W, new_C, loss = step(W, C, tile, 20, 0.1)
    before = W
    W, C = doubles(W, C)
    right_W, right_C = naive.tile_step(W, C, inputs, outputs, weights, 0.1, frozen=frozen, added=0.1)
    assert new_W[frozen].tobytes() == before[frozen].tobytes()
    assert new_W[:discarded] == pytest.approx(right_W[:discarded], abs=3e-6)
    assert new_C == pytest.approx(right_C, abs=3e-6)
    assert loss == pytest.approx(naive.logistic_loss(W, C, inputs, outputs, weights), rel=1e-5)


def test_plain_form_agrees_with_finite_differences():
    """Also where rows are listed twice, at a rate so low that it does not matter which step is first."""
    rng = np.random.default_rng(1)
    W, C, inputs, outputs, weights = random_case(rng, 12, 4, n_words=6)
    W, C, weights = doubles(W, C, weights)
    lr = 1e-7
    new_W, new_C = naive.tile_step(W, C, inputs, outputs, weights, lr)
    for moved, f, table in (
        (W - new_W, lambda W_: naive.logistic_loss(W_, C, inputs, outputs, weights), W),
        (C - new_C, lambda C_: naive.logistic_loss(W, C_, inputs, outputs, weights), C),
    ):
        assert moved / lr == pytest.approx(naive.numerical_gradient(f, table), abs=1e-6)


def test_kernel_agrees_with_finite_differences():
    """In a whole step, where each output is listed once; inputs are listed twice."""
    rng = np.random.default_rng(2)
    W, C, inputs, _, weights = random_case(rng, 12, LANES, n_words=12)
    inputs, outputs = inputs % 3, rng.permutation(12)
    new_W, new_C, _ = step(W, C, filled_tile(inputs, outputs, weights, LANES), 12, 1.0)
    W64, C64, weights64 = doubles(W, C, weights)
    gradient_W = naive.numerical_gradient(lambda x: naive.logistic_loss(x, C64, inputs, outputs, weights64), W64)
    gradient_C = naive.numerical_gradient(lambda x: naive.logistic_loss(W64, x, inputs, outputs, weights64), C64)
    assert len(set(inputs)) < ROWS
    assert W - new_W == pytest.approx(gradient_W, abs=1e-5)
    assert C - new_C == pytest.approx(gradient_C, abs=1e-5)


def test_untouched_rows_stay_bit_identical():
    rng = np.random.default_rng(3)
    W, C, inputs, outputs, weights = random_case(rng, 16, LANES)
    tile = filled_tile(inputs % 7, outputs % 9, weights, LANES, mean=1, mean_weights=1)
    new_W, new_C, _ = step(W, C, tile, 16, 0.1, 0.1)
    others = ~np.isin(np.arange(N_WORDS), inputs % 7), ~np.isin(np.arange(N_WORDS), outputs % 9)
    assert (new_W[others[0]] == W[others[0]]).all()
    assert (new_C[others[1]] == C[others[1]]).all()


def test_rows_without_weights_do_not_move():
    """As those of padding do, at any baseline."""
    W, C, inputs, outputs, _ = random_case(np.random.default_rng(3), 16, LANES)
    weights = np.full((ROWS, 16), -0.0, np.float32)
    new_W, new_C, loss = step(W, C, filled_tile(inputs, outputs, weights, LANES, mean=5), 16, 0.1, 0.1)
    assert (new_W == W).all()
    assert (new_C == C).all()
    assert loss == 0


def test_one_word_everywhere_receives_every_step():
    W, C = np.full((1, LANES), 0.1, np.float32), np.full((1, LANES), 0.2, np.float32)
    inputs, outputs = np.zeros(ROWS, int), np.zeros(24, int)
    weights = np.ones((ROWS, 24), np.float32)
    weights[:, :16] = -1
    new_W, new_C, _ = step(W, C, filled_tile(inputs, outputs, weights, LANES), 24, 0.01)
    right_W, right_C = naive.tile_step(*doubles(W, C), inputs, outputs, weights, 0.01)
    assert new_W == pytest.approx(right_W, abs=1e-6)
    assert new_C == pytest.approx(right_C, abs=1e-6)


@pytest.mark.parametrize("score", [0.0, 1e-3, 5.0, -5.0, 30.0, -30.0, 79.0, -79.0])
@pytest.mark.parametrize("baseline", [0, 0.25])
def test_sigmoid_and_loss_hold_over_the_whole_range(score, baseline):
    W, C = np.zeros((1, LANES), np.float32), np.zeros((1, LANES), np.float32)
    W[0, 0], C[0, 0] = 1, score
    weights = np.zeros((ROWS, 4), np.float32)
    weights[0, 0], weights[1, 3] = -1, 1
    tile = filled_tile(np.zeros(ROWS, int), np.zeros(4, int), weights, LANES)
    _, new_C, loss = step(W, C, tile, 4, 1.0, baseline)
    moved = baseline - naive.sigmoid(np.float64(score)) + (1 - naive.sigmoid(np.float64(score)))
    assert new_C[0, 0] - C[0, 0] == pytest.approx(moved, rel=1e-5, abs=1e-5)
    assert loss == pytest.approx(naive.softplus(score) + naive.softplus(-score), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("table", [0, 1])
def test_loss_shows_what_is_not_finite(value, table):
    W, C, inputs, outputs, weights = random_case(np.random.default_rng(4), 16, LANES)
    (W, C)[table][[inputs, outputs][table][0]] = value
    weights = np.where(np.arange(16) < 8, -1, 1)[None].repeat(ROWS, axis=0).astype(np.float32)
    _, _, loss = step(W, C, filled_tile(inputs, outputs, weights, LANES), 16, 0.1)
    assert not np.isfinite(loss)
