"""The blocks of skip-gram against their plain forms."""

import naive
import numpy as np
import pytest
from small_text import KEY, STATE, band_matrix, blocks_of_chunk, by_word, small_tree

from embedtrain.kernels.simd.lanes import padded
from embedtrain.kernels.word2vec import skipgram
from embedtrain.kernels.word2vec.train_chunk import BlockConfig
from embedtrain.kernels.word2vec.windows import Frozen

N_WORDS, DIM, N_NOISE = 12, padded(6), 16
COUNTS = [89, 55, 34, 21, 13, 8, 5, 3, 2, 2, 1, 1]


def config_of(window, dynamic, block):
    max_window = window if dynamic else 0
    return BlockConfig(window, max_window, 5, N_NOISE, block, DIM, N_WORDS * DIM, loss_every=1, corrected=False)


def plain_blocks(text, sampling, window, dynamic, block, n_noise):
    middles = naive.centres(*text, 5, 110, sampling.keep_thresholds, KEY)
    table = sampling.noise if n_noise else None
    return naive.draw_blocks(middles, table, window=window, dynamic=dynamic, n_noise=n_noise, block=block, state=STATE)


@pytest.mark.parametrize("window", [1, 2, 5, 9])
@pytest.mark.parametrize("dynamic", [True, False])
@pytest.mark.parametrize("block", [1, 4, 8, 30])
def test_blocks_are_those_of_the_plain_form(text, sampling, window, dynamic, block):
    config = config_of(window, dynamic, block)
    blocks = blocks_of_chunk(text, sampling, config, 5, 110, means=False, with_noise=True)
    plain = plain_blocks(text, sampling, window, dynamic, block, N_NOISE)
    for (scratch, t0, t1, n_tokens), right in zip(blocks, plain, strict=True):
        kept, windows, noise, _, _, frozen, (filled, *_) = scratch
        n_inputs, n_outputs = skipgram.build_noise_block(filled, noise, kept, frozen, windows, t0, t1, n_tokens, config)
        right_inputs, right_outputs, right_weights = naive.skipgram_noise(right, 5)
        weights = band_matrix(filled.band, n_inputs, n_outputs, N_NOISE)
        inputs, outputs = filled.inputs[:n_inputs] // DIM, filled.outputs[:n_outputs] // DIM
        assert (weights[t1 - t0 :] == 0).all(), "padding"
        assert inputs[: t1 - t0].tolist() == right_inputs.tolist()
        assert (inputs[t1 - t0 :] == N_WORDS).all(), "padding"
        assert outputs[:N_NOISE].tolist() == right_outputs[:N_NOISE].tolist()
        assert weights[: t1 - t0, :N_NOISE] == pytest.approx(right_weights[:, :N_NOISE], abs=1e-6)
        for i in range(t1 - t0):
            (columns,) = np.nonzero(weights[i, N_NOISE:])
            (right_columns,) = np.nonzero(right_weights[i, N_NOISE:])
            assert (weights[i, N_NOISE + columns] == 1).all()
            assert outputs[N_NOISE + columns].tolist() == right_outputs[N_NOISE + right_columns].tolist()


@pytest.mark.parametrize("window", [1, 2, 5, 9])
@pytest.mark.parametrize("dynamic", [True, False])
@pytest.mark.parametrize("block", [1, 4, 8, 30])
def test_contexts_are_scored_along_the_path_of_their_centre(text, sampling, window, dynamic, block):
    config, n_nodes = config_of(window, dynamic, block), N_WORDS - 1
    copies = [(100 + k) * DIM for k in range(4)]
    tree = small_tree(COUNTS, copies, input_padding_row=77 * DIM)
    frozen = Frozen(np.arange(N_WORDS, dtype=np.uint8) % 2, 88 * DIM)
    blocks = blocks_of_chunk(text, sampling, config, 5, 110, means=False, tree=tree, frozen=frozen)
    plain = plain_blocks(text, sampling, window, dynamic, block, 0)
    paths = naive.huffman_paths(COUNTS)
    for (scratch, t0, t1, _), right in zip(blocks, plain, strict=True):
        kept, windows, *_, frozen, (_, filled, *_) = scratch
        n_inputs, n_outputs = skipgram.build_path_block(filled, tree, kept, frozen, windows, t0, t1, DIM)
        inputs, outputs = filled.inputs[:n_inputs] // DIM, filled.outputs[:n_outputs] // DIM
        update_rows = filled.update_rows[:n_inputs] // DIM
        weights = band_matrix(filled.band, n_inputs, n_outputs)
        assert set(inputs[inputs >= N_WORDS]) <= {77}
        assert set(outputs[outputs >= n_nodes - 3]) <= {100, 101, 102, 103}, "near the root are copies"
        assert (weights[:, outputs == 103] == 0).all(), "padding"
        assert (weights[inputs == 77] == 0).all()
        assert (update_rows == np.where((inputs < N_WORDS) & (inputs % 2 == 1), 88, inputs)).all()

        nodes = np.where((outputs >= 100) & (outputs < 103), outputs - 100 + n_nodes - 3, outputs)
        real = inputs < N_WORDS
        right_inputs, right_nodes, right_weights = naive.skipgram_paths(right, paths)
        assert inputs[real].tolist() == right_inputs.tolist()
        assert by_word(weights[real], nodes, n_nodes).tolist() == by_word(right_weights, right_nodes, n_nodes).tolist()


def test_expected_weight_of_noise_is_negative_for_each_pair(text, sampling):
    """Over many blocks a pair meets `negative` noise words, less those that are its own context."""
    noise = naive.alias_probabilities(*sampling.noise)
    middles = naive.centres(*text, 0, 121, sampling.keep_thresholds, KEY)
    total = expected = 0.0
    for state in range(300):
        for _, _, weights, _ in naive.skipgram_blocks(
            middles, sampling.noise, negative=5, window=3, dynamic=False, n_noise=16, block=8, state=state * 10_000
        ):
            total += -weights[weights < 0].sum()
    for _, sentence, place in middles:
        expected += 300 * sum(5 * (1 - noise[word]) for word in naive.contexts(sentence, place, 3))
    assert total == pytest.approx(expected, rel=0.01)
