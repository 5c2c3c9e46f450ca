"""The block step and its tiles against their equations, in value and by finite differences."""

import naive
import numpy as np
import pytest

from embedtrain.kernels.simd.lanes import LANES, aligned_zeros, padded
from embedtrain.kernels.simd.tiles import ROWS
from embedtrain.kernels.word2vec.block_step import Band, Block, block_step
from embedtrain.kernels.word2vec.skipgram import copy_inputs

N_WORDS = 30
N_NOISE = 16


def make_band(weights, ranges, n_noise=0):
    """A `Band` of the matrix of weights; `ranges` are the columns of each group of inputs beside the noise."""
    n_inputs, n_outputs = weights.shape
    stride = padded(n_outputs) + LANES
    groups = range(0, n_outputs, ROWS)
    groups_of = [[g for g, (begin, end) in enumerate(ranges) if k < n_noise or begin <= k < end] for k in groups]
    flat = aligned_zeros(n_inputs * stride)
    flat.reshape(n_inputs, stride)[:, :n_outputs] = weights
    return Band(
        output_begin=np.array([begin for begin, _ in ranges]),
        output_end=np.array([end for _, end in ranges]),
        input_begin=np.array([min(groups, default=0) * ROWS for groups in groups_of]),
        input_end=np.array([(max(groups, default=-1) + 1) * ROWS for groups in groups_of]),
        weights=flat,
    )


def make_block(inputs, outputs, ranges, weights, dim, update_rows=None):
    """A `Block` for lists of words."""
    n_inputs, band = len(inputs), make_band(weights, ranges, N_NOISE)
    return Block(
        inputs=np.array(inputs) * dim,
        update_rows=np.array(inputs if update_rows is None else update_rows) * dim,
        outputs=np.array(outputs) * dim,
        band=band,
        scores=aligned_zeros(band.weights.size),
        X=aligned_zeros(n_inputs * dim),
        x_rows=np.arange(n_inputs) * dim,
    )


def step(W, C, block, lr, with_loss=True):
    """Run the kernel on copies of two matrices with a canary row before and after; returns them and the loss."""
    n_words, dim = W.shape
    tables = []
    for table in (W, C):
        flat = aligned_zeros((n_words + 2) * dim)
        rows = flat.reshape(n_words + 2, dim)
        rows[0] = rows[-1] = 77
        rows[1:-1] = table
        tables.append(rows)
    shifted = block._replace(
        inputs=block.inputs + dim, update_rows=block.update_rows + dim, outputs=block.outputs + dim
    )
    flat_W, flat_C = (rows.ravel() for rows in tables)
    n_inputs, n_outputs = len(block.inputs), len(block.outputs)
    copy_inputs(flat_W, shifted, n_inputs, dim)
    loss = block_step(flat_W, flat_C, shifted, n_inputs, n_outputs, N_NOISE, dim, np.float32(lr), with_loss)
    for rows in tables:
        assert (rows[[0, -1]] == 77).all(), "a row beside the table was written"
    return tables[0][1:-1], tables[1][1:-1], loss


def random_case(rng, n_inputs, n_contexts, dim, n_words=N_WORDS):
    """Tables and a block with a band of contexts, random weights inside, repeated words everywhere."""
    W, C = (rng.normal(0, 0.5, (n_words, dim)).astype(np.float32) for _ in range(2))
    inputs = rng.integers(0, n_words, n_inputs)
    outputs = rng.integers(0, n_words, N_NOISE + n_contexts)
    weights = rng.random((n_inputs, N_NOISE + n_contexts)).astype(np.float32)
    ranges = []
    for i in range(0, n_inputs, ROWS):
        begin = min(i, n_contexts - ROWS)
        end = min(begin + 3 * ROWS, n_contexts)
        weights[i : i + ROWS, N_NOISE : N_NOISE + begin] = 0
        weights[i : i + ROWS, N_NOISE + end :] = 0
        ranges.append((N_NOISE + begin, N_NOISE + end))
    weights[rng.random(weights.shape) < 0.2] = 0
    weights[:, :N_NOISE] *= -1
    weights[:, N_NOISE:] *= rng.choice([1, 1, 1, -1], n_contexts)  # as the sides of a path
    return W, C, inputs, outputs, ranges, weights


@pytest.mark.parametrize("n_vectors", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize(("n_inputs", "n_contexts"), [(4, 4), (8, 20), (32, 44)])
def test_step_and_loss_are_the_plain_form(n_inputs, n_contexts, n_vectors):
    rng = np.random.default_rng(n_inputs + n_vectors)
    W, C, inputs, outputs, ranges, weights = random_case(rng, n_inputs, n_contexts, n_vectors * LANES)
    block = make_block(inputs, outputs, ranges, weights, W.shape[1])
    new_W, new_C, loss = step(W, C, block, 0.1)

    W64, C64 = W.astype(np.float64), C.astype(np.float64)
    right_W, right_C = naive.logistic_step(W64, C64, inputs, outputs, weights, 0.1)
    assert new_W == pytest.approx(right_W, abs=3e-5)
    assert new_C == pytest.approx(right_C, abs=3e-5)
    assert loss == pytest.approx(naive.logistic_loss(W64, C64, inputs, outputs, weights), rel=1e-5)


def test_loss_can_be_left_out():
    W, C, inputs, outputs, ranges, weights = random_case(np.random.default_rng(0), 8, 12, LANES)
    block = make_block(inputs, outputs, ranges, weights, LANES)
    assert step(W, C, block, 0.1, with_loss=False)[2] == 0
    assert (step(W, C, block, 0.1, with_loss=False)[0] == step(W, C, block, 0.1)[0]).all()


def test_a_step_of_size_0_takes_the_loss_and_moves_not_a_byte():
    W, C, inputs, outputs, ranges, weights = random_case(np.random.default_rng(5), 8, 12, LANES)
    W[inputs[0], ::2] = C[outputs[0], ::2] = -0.0  # which adding 0 would change
    block = make_block(inputs, outputs, ranges, weights, LANES)
    new_W, new_C, loss = step(W, C, block, 0)
    assert (new_W.tobytes(), new_C.tobytes()) == (W.tobytes(), C.tobytes())
    assert loss == step(W, C, block, 0.1)[2] > 0
    assert step(W, C, block, 0, with_loss=False)[2] == 0


@pytest.mark.parametrize("frozen", [[2], [0, 3, 5, 8], range(10)])
def test_frozen_rows_stay_while_outputs_learn_from_them(frozen):
    W, C, inputs, outputs, ranges, weights = random_case(np.random.default_rng(6), 16, 20, 5 * LANES)
    inputs %= 10
    W[frozen, ::2] = -0.0
    discarded = N_WORDS - 1
    W[discarded] = np.nan  # never read
    update_rows = np.where(np.isin(inputs, frozen), discarded, inputs)
    block = make_block(inputs, outputs, ranges, weights, W.shape[1], update_rows)
    new_W, new_C, loss = step(W, C, block, 0.1)
    W64, C64 = W.astype(np.float64), C.astype(np.float64)
    right_W, right_C = naive.logistic_step(W64, C64, inputs, outputs, weights, 0.1, frozen)
    assert new_W[frozen].tobytes() == W[frozen].tobytes()
    assert new_W[:discarded] == pytest.approx(right_W[:discarded], abs=3e-5)
    assert new_C == pytest.approx(right_C, abs=3e-5)
    assert loss == pytest.approx(naive.logistic_loss(W64, C64, inputs, outputs, weights), rel=1e-5)


def test_plain_form_agrees_with_finite_differences():
    rng = np.random.default_rng(1)
    W, C, inputs, outputs, _, weights = random_case(rng, 4, 8, 4, n_words=6)
    W, C, weights = W.astype(np.float64), C.astype(np.float64), weights.astype(np.float64)
    new_W, new_C = naive.logistic_step(W, C, inputs, outputs, weights, lr=1.0)
    for moved, f, table in (
        (W - new_W, lambda W_: naive.logistic_loss(W_, C, inputs, outputs, weights), W),
        (C - new_C, lambda C_: naive.logistic_loss(W, C_, inputs, outputs, weights), C),
    ):
        assert moved == pytest.approx(naive.numerical_gradient(f, table), abs=1e-7)


def test_kernel_agrees_with_finite_differences():
    rng = np.random.default_rng(2)
    W, C, inputs, outputs, ranges, weights = random_case(rng, 4, 8, LANES, n_words=5)
    block = make_block(inputs, outputs, ranges, weights, LANES)
    new_W, new_C, _ = step(W, C, block, 1.0)
    W64, C64, weights64 = (array.astype(np.float64) for array in (W, C, weights))
    gradient_W = naive.numerical_gradient(lambda x: naive.logistic_loss(x, C64, inputs, outputs, weights64), W64)
    gradient_C = naive.numerical_gradient(lambda x: naive.logistic_loss(W64, x, inputs, outputs, weights64), C64)
    assert W - new_W == pytest.approx(gradient_W, abs=1e-4)
    assert C - new_C == pytest.approx(gradient_C, abs=1e-4)


def test_untouched_rows_stay_bit_identical():
    rng = np.random.default_rng(3)
    W, C, inputs, outputs, ranges, weights = random_case(rng, 8, 8, LANES)
    block = make_block(inputs % 7, outputs % 9, ranges, weights, LANES)
    new_W, new_C, _ = step(W, C, block, 0.1)
    assert (new_W[7:] == W[7:]).all()
    assert (new_C[9:] == C[9:]).all()


def test_one_word_everywhere_receives_every_step():
    W, C = np.full((1, LANES), 0.1, np.float32), np.full((1, LANES), 0.2, np.float32)
    inputs, outputs = np.zeros(8, int), np.zeros(N_NOISE + 8, int)
    weights = np.ones((8, N_NOISE + 8), np.float32)
    weights[:, :N_NOISE] = -1
    block = make_block(inputs, outputs, [(N_NOISE, N_NOISE + 8)] * 2, weights, LANES)
    new_W, new_C, _ = step(W, C, block, 0.01)
    right_W, right_C = naive.logistic_step(W.astype(float), C.astype(float), inputs, outputs, weights, 0.01)
    assert new_W == pytest.approx(right_W, abs=1e-5)
    assert new_C == pytest.approx(right_C, abs=1e-5)


@pytest.mark.parametrize("score", [0.0, 1e-3, 5.0, -5.0, 30.0, -30.0, 79.0, -79.0])
def test_sigmoid_and_loss_hold_over_the_whole_range(score):
    W, C = np.zeros((1, LANES), np.float32), np.zeros((1, LANES), np.float32)
    W[0, 0], C[0, 0] = 1, score
    inputs, outputs = np.zeros(ROWS, int), np.zeros(N_NOISE + ROWS, int)
    weights = np.zeros((ROWS, N_NOISE + ROWS), np.float32)
    weights[0, 0], weights[1, N_NOISE] = -1, 1
    block = make_block(inputs, outputs, [(N_NOISE, N_NOISE + ROWS)], weights, LANES)
    _, new_C, loss = step(W, C, block, 1.0)
    moved = -naive.sigmoid(np.float64(score)) + (1 - naive.sigmoid(np.float64(score)))
    assert new_C[0, 0] - C[0, 0] == pytest.approx(moved, rel=1e-5, abs=1e-5)
    assert loss == pytest.approx(naive.softplus(score) + naive.softplus(-score), rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("table", [0, 1])
def test_loss_shows_what_is_not_finite(value, table):
    W, C, inputs, outputs, ranges, weights = random_case(np.random.default_rng(4), 8, 12, LANES)
    (W, C)[table][[inputs, outputs][table][0]] = value
    weights = np.where(np.arange(weights.shape[1]) < N_NOISE, -1, 1)[None].repeat(len(inputs), axis=0)
    _, _, loss = step(W, C, make_block(inputs, outputs, ranges, weights, LANES), 0.1)
    assert not np.isfinite(loss)
