"""The tiles of skip-gram against their plain forms."""

import itertools

import naive
import numpy as np
import pytest
from small_text import KEY, STATE, blocks_of_chunk, small_tree

from embedtrain.kernels.simd.lanes import aligned_zeros, padded
from embedtrain.kernels.simd.tiles import ROWS
from embedtrain.kernels.word2vec import skipgram
from embedtrain.kernels.word2vec.negatives import mark_noise
from embedtrain.kernels.word2vec.train_chunk import BlockConfig
from embedtrain.kernels.word2vec.windows import Frozen, set_row_offsets

N_WORDS, DIM = 12, padded(6)
COUNTS = [89, 55, 34, 21, 13, 8, 5, 3, 2, 2, 1, 1]
DISCARD = 88 * DIM


def config_of(window, dynamic, block, *, n_noise=16, tile_centres=ROWS, tile_tokens=100, baseline=0.0):
    return BlockConfig(
        window, window if dynamic else 0, n_noise, np.float32(5 / n_noise), block, tile_centres, tile_tokens,
        np.float32(baseline), DIM, N_WORDS * DIM, N_WORDS * DIM, loss_every=1, corrected=False,
    )  # fmt: skip


def plain_blocks(text, sampling, config, with_noise):
    middles = naive.centres(*text, 5, 110, sampling.keep_thresholds, KEY)
    return naive.draw_blocks(
        middles, sampling.noise if with_noise else None, window=config.window, dynamic=config.max_window > 0,
        n_noise=config.n_noise, block=config.n_centres, state=STATE,
    )  # fmt: skip


def check_tiles(text, sampling, config, frozen):
    """Fill all tiles of a chunk, and compare inputs, outputs and weights; returns the number of tiles."""
    n_noise, lr, n_tiles = config.n_noise, np.float32(0.1), 0
    blocks = blocks_of_chunk(text, sampling, config, 5, 110, means=False, with_noise=True, frozen=frozen)
    for (scratch, t0, t1, _), block in zip(blocks, plain_blocks(text, sampling, config, True), strict=True):
        kept, windows, noise, *_, (tile, *_) = scratch
        set_row_offsets(tile.outputs, 0, noise.words, 0, n_noise, DIM)
        mark_noise(noise, 1)
        noise.excluded[:] = 0
        right_tiles = naive.skipgram_tiles(block, 5, config.tile_centres, config.tile_tokens)
        noise_weights = np.zeros(n_noise)
        for i in range(0, t1 - t0, config.tile_centres):
            n_rows = min(config.tile_centres, t1 - t0 - i)
            members = slice(i, i + n_rows)
            low, high = windows.begins[members].min(), windows.ends[members].max()
            skipgram.set_inputs(tile, kept.words, t0 + i, n_rows, frozen, config)
            for begin in range(low, high, config.tile_tokens):
                end, (inputs, outputs, right) = min(begin + config.tile_tokens, high), next(right_tiles)
                tile.weights[:] = np.nan
                n_outputs = skipgram.set_outputs(
                    tile, noise, kept, windows, t0, i, n_rows, begin, end, lr, config
                )  # fmt: skip
                n_tiles += 1
                n_padded = skipgram.whole_columns(n_outputs)
                assert n_outputs == n_noise + end - begin
                assert (tile.outputs[n_outputs:n_padded] // DIM == N_WORDS).all(), "padding"
                weights = tile.weights[: n_padded * ROWS].reshape(n_padded, ROWS).T
                words = tile.outputs[:n_padded] // DIM
                assert (tile.inputs // DIM).tolist() == inputs.tolist() + [N_WORDS] * (ROWS - n_rows)
                hidden = (tile.inputs < N_WORDS * DIM) & (tile.inputs // DIM % 2 == 1) & (frozen.words.size > 0)
                assert (tile.update_rows == np.where(hidden, DISCARD, tile.inputs)).all()
                assert (weights[n_rows:] == 0).all(), "padding"
                assert (weights[:, words == N_WORDS] == 0).all(), "padding"
                (used,) = np.nonzero(weights[:, n_noise:].any(axis=0))
                assert words[:n_noise].tolist() + words[n_noise:][used].tolist() == outputs.tolist()
                assert weights[:n_rows, :n_noise] == pytest.approx(right[:, :n_noise], rel=1e-5, abs=1e-6)
                assert (weights[:n_rows, n_noise + used] == right[:, n_noise:]).all()
                noise_sums = right[:, :n_noise].sum(axis=1)
                assert tile.mean_weights[:n_rows] == pytest.approx(
                    0.1 * config.baseline * noise_sums, rel=1e-5, abs=1e-6
                )
                assert (tile.mean_weights[n_rows:] == 0).all()
                noise_weights += right[:, :n_noise].sum(axis=0)
        assert next(right_tiles, None) is None
        share, n_contexts = 5 / n_noise, sum(map(len, block.contexts))
        assert noise.excluded[:n_noise] - share * n_contexts == pytest.approx(noise_weights, rel=1e-5, abs=1e-4)
        mark_noise(noise, 0)
    return n_tiles


NONE_FROZEN = Frozen(np.zeros(0, np.uint8), 0)


@pytest.mark.parametrize("window", [1, 2, 5, 9])
@pytest.mark.parametrize("dynamic", [True, False])
@pytest.mark.parametrize("block", [1, 4, 8, 30])
def test_tiles_are_those_of_the_plain_form(text, sampling, window, dynamic, block):
    check_tiles(text, sampling, config_of(window, dynamic, block), NONE_FROZEN)


@pytest.mark.parametrize("tile_centres", [1, 2, 4])
@pytest.mark.parametrize("tile_tokens", [1, 3, 7, 100])
@pytest.mark.parametrize("n_noise", [4, 12, 16])
def test_tiles_of_any_size(text, sampling, n_noise, tile_tokens, tile_centres):
    config = config_of(40, True, 10, n_noise=n_noise, tile_centres=tile_centres, tile_tokens=tile_tokens, baseline=0.3)
    n_tiles = check_tiles(text, sampling, config, Frozen(np.arange(N_WORDS, dtype=np.uint8) % 2, DISCARD))
    assert n_tiles > 80 * 5 / (tile_centres * tile_tokens)


@pytest.mark.parametrize("window", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("dynamic", [True, False])
def test_contexts_are_scored_along_the_path_of_their_centre(text, sampling, window, dynamic):
    """The last of them are left in the tile."""
    config, n_nodes = config_of(window, dynamic, 1), N_WORDS - 1
    copies = [(100 + k) * DIM for k in range(4)]
    tree = small_tree(COUNTS, copies, input_padding_row=77 * DIM)
    frozen = Frozen(np.arange(N_WORDS, dtype=np.uint8) % 2, DISCARD)
    W, N = aligned_zeros(100 * DIM), aligned_zeros(104 * DIM)
    paths = naive.huffman_paths(COUNTS)
    blocks = blocks_of_chunk(text, sampling, config, 5, 110, means=False, tree=tree, frozen=frozen)
    for (scratch, t0, t1, n_tokens), block in zip(blocks, plain_blocks(text, sampling, config, False), strict=True):
        kept, windows, *_, (_, tile, *_) = scratch
        tile.weights[:] = np.nan
        skipgram.path_step(
            W, N, tile, tree, kept, frozen, windows, t0, t1, n_tokens, config, np.float32(0), True
        )  # fmt: skip
        (*_, last), path = [None, *naive.skipgram_paths(block, paths, ROWS)], paths[block.centres[0]]
        if last is None:
            assert np.isnan(tile.weights).all(), "without contexts nothing is scored"
            continue
        right_inputs, right_nodes, right_weights = last
        inputs, update_rows = tile.inputs // DIM, tile.update_rows // DIM
        n_used, n_rows = len(path), len(right_inputs)
        assert inputs.tolist() == right_inputs.tolist() + [77] * (ROWS - n_rows)
        assert (update_rows == np.where((inputs < N_WORDS) & (inputs % 2 == 1), 88, inputs)).all()
        outputs = tile.outputs[:n_used] // DIM
        near_root = right_nodes >= n_nodes - 3
        assert (outputs == np.where(near_root, right_nodes - (n_nodes - 3) + 100, right_nodes)).all(), "copies"
        weights = tile.weights[: skipgram.whole_columns(n_used) * ROWS].reshape(-1, ROWS)
        assert (weights[:n_used, :n_rows] == right_weights.T).all()
        assert (weights[n_used:] == 0).all()
        assert (weights[:, n_rows:] == 0).all()
        assert (tile.outputs[n_used : len(weights)] == 103 * DIM).all(), "padding"


def test_expected_weight_of_noise_is_negative_for_each_pair(text, sampling):
    """Over many blocks a pair meets `negative` noise words, less those that are its own context."""
    noise = naive.alias_probabilities(*sampling.noise)
    middles = naive.centres(*text, 0, 121, sampling.keep_thresholds, KEY)
    total = expected = 0.0
    for state in range(300):
        blocks = naive.draw_blocks(
            middles, sampling.noise, window=3, dynamic=False, n_noise=16, block=8, state=state * 10_000
        )
        for *_, weights in itertools.chain.from_iterable(naive.skipgram_tiles(block, 5, 4) for block in blocks):
            total += -weights[weights < 0].sum()
    for _, sentence, place in middles:
        expected += 300 * sum(5 * (1 - noise[word]) for word in naive.contexts(sentence, place, 3))
    assert total == pytest.approx(expected, rel=0.01)
