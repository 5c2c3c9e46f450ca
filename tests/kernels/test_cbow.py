"""The means and blocks of CBOW against their plain forms."""

import naive
import numpy as np
import pytest
from small_text import KEY, STATE, blocks_of_chunk

from embedtrain.kernels.simd.lanes import aligned_zeros, padded
from embedtrain.kernels.word2vec import cbow
from embedtrain.kernels.word2vec import window_means as means
from embedtrain.kernels.word2vec.cbow import CENTRE_STRIDE, CENTRES_PER_TILE
from embedtrain.kernels.word2vec.train_chunk import BlockConfig, n_noise_words
from embedtrain.kernels.word2vec.windows import Frozen

N_WORDS, DIM, N_NOISE = 12, padded(6), 8
DISCARD = N_WORDS + 1  # a row after the padding row

every_block = pytest.mark.parametrize(
    ("window", "dynamic", "block"),
    [(window, dynamic, block) for window in (1, 2, 5, 9) for dynamic in (True, False) for block in (1, 20, 64)],
)


def config_of(window, dynamic, block, corrected=False):
    max_window = window if dynamic else 0
    return BlockConfig(
        window, max_window, N_NOISE, np.float32(5 / N_NOISE), block, tile_centres=0, tile_tokens=0,
        baseline=np.float32(0), dim=DIM, padding_row=N_WORDS * DIM, input_padding_row=N_WORDS * DIM, loss_every=1,
        corrected=corrected,
    )  # fmt: skip


def plain_blocks(text, sampling, config, *, with_noise=False):
    middles = naive.centres(*text, 5, 110, sampling.keep_thresholds, KEY)
    return naive.draw_blocks(
        middles, sampling.noise if with_noise else None, window=config.window, dynamic=config.max_window > 0,
        n_noise=n_noise_words(config, means=True), block=config.n_centres, state=STATE,
    )  # fmt: skip


def random_rows(n_rows, seed):
    """A table without what fills groups, and its memory: after the rows of words the padding row and a discard row."""
    flat = aligned_zeros(n_rows * DIM)
    rows = flat.reshape(n_rows, DIM)
    rows[:N_WORDS] = np.random.default_rng(seed).normal(size=(N_WORDS, DIM))
    return flat, rows


@every_block
def test_inputs_are_means_of_windows(text, sampling, window, dynamic, block):
    config, (W, rows) = config_of(window, dynamic, block), random_rows(DISCARD + 1, 1)
    rows[N_WORDS:] = np.nan  # never read
    blocks = blocks_of_chunk(text, sampling, config, 5, 110, means=True)
    for (scratch, t0, t1, n_tokens), right in zip(blocks, plain_blocks(text, sampling, config), strict=True):
        kept, windows, _, _, mean, frozen, *_ = scratch
        means.set_context_offsets(mean, kept, frozen, t0, t1, n_tokens, config)
        X = aligned_zeros(block * DIM)
        for i in range(t1 - t0):
            means.compute_mean(X, i * DIM, W, mean, windows, t0, i, config)
        expected = naive.means(right, N_WORDS) @ rows[:N_WORDS].astype(float)
        assert X.reshape(block, DIM)[: t1 - t0] == pytest.approx(expected, abs=1e-6)


@every_block
@pytest.mark.parametrize("corrected", [True, False])
def test_steps_go_to_the_windows_but_not_to_frozen_words(text, sampling, window, dynamic, block, corrected):
    config, (W, rows) = config_of(window, dynamic, block, corrected), random_rows(DISCARD + 1, 2)
    frozen = Frozen(np.arange(N_WORDS, dtype=np.uint8) % 2, DISCARD * DIM)
    before = rows[1:N_WORDS:2].tobytes()
    blocks = blocks_of_chunk(text, sampling, config, 5, 110, means=True, frozen=frozen)
    for (scratch, t0, t1, n_tokens), right in zip(blocks, plain_blocks(text, sampling, config), strict=True):
        kept, windows, _, _, mean, frozen, *_ = scratch
        means.set_context_offsets(mean, kept, frozen, t0, t1, n_tokens, config)
        steps = np.random.default_rng(t0).normal(size=(t1 - t0, DIM)).astype(np.float32)
        n_contexts = np.array([[len(words)] for words in right.contexts])
        shares = steps if corrected else steps * n_contexts
        expected = naive.add_steps(
            rows[:N_WORDS].astype(float), naive.means(right, N_WORDS), shares, range(1, N_WORDS, 2)
        )
        for i, step in enumerate(steps):
            mean.steps[-DIM:] = step
            means.add_mean_step(W, mean, mean.steps.size - DIM, windows, t0, i, config)
        assert rows[:N_WORDS] == pytest.approx(expected, abs=2e-5)
        assert (rows[N_WORDS] == 0).all(), "the padding row stays zero"
        rows[:N_WORDS] = expected
    assert rows[1:N_WORDS:2].tobytes() == before


@every_block
def test_tiles_are_those_of_the_plain_form(text, sampling, window, dynamic, block):
    config = config_of(window, dynamic, block)
    blocks = blocks_of_chunk(text, sampling, config, 5, 110, means=True, with_noise=True)
    for (scratch, t0, t1, _), whole in zip(blocks, plain_blocks(text, sampling, config, with_noise=True), strict=True):
        kept, windows, noise, *_, (*_, filled, _) = scratch
        for first, right in enumerate(naive.tiles(whole, CENTRE_STRIDE, N_NOISE)):
            filled.weights[:] = np.nan
            cbow.set_noise_tile(filled, noise, kept, windows, t0, t1 - t0, first, config)
            weights = filled.weights.reshape(-1, CENTRES_PER_TILE)[: CENTRES_PER_TILE + N_NOISE].T
            _, right_outputs, right_weights = naive.cbow_noise(right, 5, N_WORDS)
            n = len(right.centres)
            columns = [*range(n), *range(CENTRES_PER_TILE, CENTRES_PER_TILE + N_NOISE)]  # without padding
            trained = [i for i in range(n) if right.contexts[i]]
            outputs = filled.outputs[: CENTRES_PER_TILE + N_NOISE] // DIM
            assert outputs[trained].tolist() == [right.centres[i] for i in trained]
            assert outputs[CENTRES_PER_TILE:].tolist() == right.noise == right_outputs[n:].tolist()
            assert (np.delete(outputs[:CENTRES_PER_TILE], trained) == N_WORDS).all(), "padding"
            assert weights[:n, columns] == pytest.approx(right_weights)
            assert (weights[n:] == 0).all(), "padding"
            assert (weights[:, n:CENTRES_PER_TILE] == 0).all()


def test_inputs_of_a_tile_are_the_rows_of_means_and_no_mean_is_added(text, sampling):
    (scratch, *_), *_ = blocks_of_chunk(text, sampling, config_of(2, True, 64), 5, 110, means=True, with_noise=True)
    tile = scratch.tiles.cbow_noise
    assert tile.update_rows is tile.inputs
    assert (tile.inputs == np.arange(CENTRES_PER_TILE) * DIM).all()
    assert (tile.mean_output == 0).all()
    assert (tile.mean_weights == 0).all()
