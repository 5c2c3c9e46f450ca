"""The means and blocks of CBOW against their plain forms."""

import naive
import numpy as np
import pytest
from small_text import KEY, STATE, band_matrix, blocks_of_chunk, by_word, small_sampling, small_text, small_tree

from embedtrain.kernels import cbow
from embedtrain.kernels.alignment import padded
from embedtrain.kernels.tiles import ROWS
from embedtrain.kernels.vectors import LANES
from embedtrain.kernels.windows import Frozen
from embedtrain.kernels.word2vec import Shape

N_WORDS, DIM, N_NOISE = 12, padded(6), 16
COUNTS = [89, 55, 34, 21, 13, 8, 5, 3, 2, 2, 1, 1]

every_block = pytest.mark.parametrize(
    ("window", "dynamic", "block"),
    [(window, dynamic, block) for window in (1, 2, 5, 9) for dynamic in (True, False) for block in (1, 4, 8, 30)],
)


@pytest.fixture(scope="module")
def text():
    return small_text()


@pytest.fixture(scope="module")
def sampling():
    return small_sampling()


def shape_of(window, dynamic, block, corrected=False):
    furthest = window if dynamic else 0
    return Shape(window, furthest, 5, block, DIM, N_WORDS * DIM, loss_every=1, corrected=corrected)


def plain_blocks(text, sampling, window, dynamic, block, n_noise=0):
    middles = naive.centres(*text, 5, 110, sampling.keep_thresholds, KEY)
    table = sampling.noise if n_noise else None
    return naive.draw_blocks(middles, table, window=window, dynamic=dynamic, n_noise=n_noise, block=block, state=STATE)


@every_block
@pytest.mark.parametrize("corrected", [True, False])
def test_inputs_are_means_of_windows(text, sampling, window, dynamic, block, corrected):
    shape = shape_of(window, dynamic, block, corrected)
    frozen = Frozen(np.arange(N_WORDS, dtype=np.uint8) % 2, 88 * DIM)
    blocks = blocks_of_chunk(text, sampling, shape, 5, 110, means=True, frozen=frozen)
    for (scratch, t0, t1, n_tokens), right in zip(
        blocks, plain_blocks(text, sampling, window, dynamic, block), strict=True
    ):
        kept, windows, _, _, mean, frozen, _ = scratch
        n_rows = cbow.form_means(mean, kept, frozen, windows, t0, t1, n_tokens, shape)
        n_inputs = -(-(t1 - t0) // ROWS) * ROWS
        weights, words = band_matrix(mean.band, n_inputs, n_rows), mean.rows[:n_rows] // DIM
        assert (weights[t1 - t0 :] == 0).all(), "what fills a group is muted"
        assert by_word(weights, words, N_WORDS)[: t1 - t0] == pytest.approx(naive.means(right, N_WORDS))
        assert (mean.moved[:n_rows] // DIM == np.where((words < N_WORDS) & (words % 2 == 1), 88, words)).all()
        n_contexts = np.array([len(words) for words in right.contexts])
        assert (mean.shares[: t1 - t0] == (1 if corrected else n_contexts)).all()


@every_block
def test_blocks_ask_what_the_plain_form_asks(text, sampling, window, dynamic, block):
    shape = shape_of(window, dynamic, block)
    blocks = blocks_of_chunk(text, sampling, shape, 5, 110, means=True, n_noise=N_NOISE)
    plain = plain_blocks(text, sampling, window, dynamic, block, N_NOISE)
    for (scratch, t0, t1, _), right in zip(blocks, plain, strict=True):
        kept, windows, noise, _, _, _, (*_, filled, _) = scratch
        n_inputs, n_outputs = cbow.build_noise_block(
            filled, noise, kept, windows, t0, t1, np.float32(5 / N_NOISE), DIM, shape.sink
        )
        weights = band_matrix(filled.band, n_inputs, n_outputs, N_NOISE)
        _, right_outputs, right_weights = naive.cbow_noise(right, 5, N_WORDS)
        n_right = len(right_outputs)
        assert (filled.outputs[:n_right] // DIM).tolist() == right_outputs.tolist()
        assert (filled.outputs[n_right:n_outputs] == shape.sink).all()
        assert weights[: t1 - t0, :n_right] == pytest.approx(right_weights)
        assert (weights[t1 - t0 :] == 0).all(), "what fills a group is muted"
        assert (weights[:, n_right:] == 0).all()


@every_block
def test_means_ask_the_path_of_their_centre(text, sampling, window, dynamic, block):
    copies = [(100 + k) * DIM for k in range(12)]
    tree = small_tree(COUNTS, copies)
    blocks = blocks_of_chunk(text, sampling, shape_of(window, dynamic, block), 5, 110, means=True, tree=tree)
    paths = naive.huffman_paths(COUNTS)
    for (scratch, t0, t1, _), right in zip(blocks, plain_blocks(text, sampling, window, dynamic, block), strict=True):
        kept, windows, *_, (*_, filled) = scratch
        assert cbow.build_path_block(filled, tree, kept, windows, t0, t1, DIM) == t1 - t0
        for i, (centre, words) in enumerate(zip(right.centres, right.contexts, strict=True)):
            begin, end = filled.begins[i], filled.ends[i]
            fill = slice(end, begin + -(-(end - begin) // LANES) * LANES)
            nodes, sides = (filled.outputs[begin:end] // DIM - 100).tolist(), filled.weights[begin:end].tolist()
            assert list(zip(nodes, sides, strict=True)) == (paths[centre] if words else [])
            assert (filled.outputs[fill] == copies[-1]).all()
            assert (filled.weights[fill] == 0).all(), "what fills a vector is muted"
