"""The block builder and a whole chunk against their plain forms."""

import threading
from concurrent.futures import ThreadPoolExecutor

import naive
import numpy as np
import pytest

from embedtrain.distributions import alias_table, keep_thresholds
from embedtrain.kernels import skipgram
from embedtrain.kernels.alignment import aligned_zeros, padded
from embedtrain.kernels.tiles import ROWS
from embedtrain.training.tables import Table

N_WORDS, N_TYPES, DIM = 12, 15, 6
KEY, STATE = 77, 123_456


def readonly(array):
    """As a corpus is mapped from disk: kernels are compiled for arrays that cannot be written."""
    array.setflags(write=False)
    return array


@pytest.fixture
def text():
    """Sentences of 1 to 40 tokens over few words, so that repetitions, borders and cut words are everywhere."""
    rng = np.random.default_rng(8)
    lengths = [1, 40, 2, 1, 7, 30, 3, 25, 1, 11]
    ids = rng.integers(0, N_TYPES, sum(lengths)).astype(np.int32)
    return skipgram.Text(readonly(ids), readonly(np.cumsum([0, *lengths])))


@pytest.fixture
def sampling():
    rng = np.random.default_rng(9)
    keep = rng.uniform(0.5, 1, N_WORDS)
    return skipgram.Sampling(keep_thresholds(keep, N_TYPES), *alias_table(rng.dirichlet(np.ones(N_WORDS))))


def shape_of(window=3, dynamic=True, negative=5, n_inputs=8):
    dim = padded(DIM)
    return skipgram.Shape(window, window if dynamic else 0, negative, n_inputs, dim, N_WORDS * dim, loss_every=1)


@pytest.mark.parametrize("window", [1, 3, 50])
@pytest.mark.parametrize(("begin", "end"), [(0, 121), (0, 1), (20, 60), (41, 44), (60, 61), (120, 121)])
def test_kept_tokens_and_their_neighbours_beyond_the_chunk(text, sampling, window, begin, end):
    scratch = skipgram.make_scratch(shape_of(window), 16, 128)
    first, last, n = skipgram.keep_tokens(
        *text, begin, end, sampling.keep_thresholds, np.uint64(KEY), window, scratch.kept
    )
    middles = naive.centres(*text, begin, end, sampling.keep_thresholds, KEY)
    words, begins, ends = (array.tolist() for array in scratch.kept)
    assert last - first == len(middles)
    assert last <= n
    for token, (word, sentence, place) in zip(range(first, last), middles, strict=True):
        assert words[token] == word
        near = range(max(begins[token], token - window), min(ends[token], token + window + 1))
        assert [words[t] for t in near if t != token] == naive.contexts(sentence, place, window)


@pytest.mark.parametrize("window", [1, 2, 5, 9])
@pytest.mark.parametrize("dynamic", [True, False])
@pytest.mark.parametrize("block", [4, 8, 32])
def test_blocks_ask_what_the_plain_form_asks(text, sampling, window, dynamic, block):
    shape = shape_of(window, dynamic, n_inputs=block)
    n_noise, dim = 16, shape.dim
    kept, noise, filled, frozen = scratch = skipgram.make_scratch(shape, n_noise, 128)
    stride = filled.weights.size // block
    table = (sampling.noise_thresholds, sampling.noise_aliases)
    middles = naive.centres(*text, 5, 110, sampling.keep_thresholds, KEY)
    expected = naive.skipgram_blocks(
        middles, table, window=window, dynamic=dynamic, negative=5, n_noise=n_noise, block=block, state=STATE
    )
    C = aligned_zeros((N_WORDS + 1) * dim)
    first, last, n = skipgram.keep_tokens(*text, 5, 110, sampling.keep_thresholds, np.uint64(KEY), window, scratch.kept)
    state = np.uint64(skipgram.draw_noise(noise, table, np.uint64(STATE), C, dim))
    for t0, right in zip(range(first, last, block), expected, strict=True):
        t1 = min(t0 + block, last)
        state = np.uint64(skipgram.draw_noise(noise, table, state, C, dim))
        n_inputs, n_outputs, pairs, state = skipgram.build_block(
            filled,
            noise,
            kept,
            frozen,
            t0,
            t1,
            n,
            window,
            shape.furthest,
            np.float32(5 / n_noise),
            stride,
            dim,
            shape.sink,
            state,
        )
        state = np.uint64(state)
        right_inputs, right_outputs, right_weights, _, right_pairs = right

        asked = np.zeros((n_inputs, n_outputs), bool)
        asking = np.zeros((n_inputs, n_outputs), bool)
        asked[:, :n_noise] = True
        for i in range(n_inputs):
            asked[i, filled.asked_begin[i // ROWS] : filled.asked_end[i // ROWS]] = True
        for k in range(n_outputs):
            asking[filled.asking_begin[k // ROWS] : filled.asking_end[k // ROWS], k] = True
        assert (asked == asking).all(), "the two views of who asks whom differ"

        inputs, outputs = filled.inputs[:n_inputs] // dim, filled.outputs[:n_outputs] // dim
        weights = np.where(asked, filled.weights.reshape(block, stride)[:n_inputs, :n_outputs], 0)
        assert pairs == right_pairs
        assert (weights[t1 - t0 :] == 0).all(), "what fills a group is muted"
        assert inputs[: t1 - t0].tolist() == right_inputs.tolist()
        assert outputs[:n_noise].tolist() == right_outputs[:n_noise].tolist()
        assert weights[: t1 - t0, :n_noise] == pytest.approx(right_weights[:, :n_noise], abs=1e-6)
        for i in range(t1 - t0):
            (columns,) = np.nonzero(weights[i, n_noise:])
            (right_columns,) = np.nonzero(right_weights[i, n_noise:])
            assert (weights[i, n_noise + columns] == 1).all()
            assert outputs[n_noise + columns].tolist() == right_outputs[n_noise + right_columns].tolist()


def random_tables(waste=0):
    """W and C with random values, some of them -0."""
    rng = np.random.default_rng(10)
    tables = [Table.zeros(N_WORDS, DIM, waste) for _ in range(2)]
    for table in tables:
        table.rows[:] = rng.normal(0, 0.4, (N_WORDS, DIM))
        table.rows[::3, 1] = -0.0
    return tables


def train(tables, text, sampling, shape, scratch, first_lr, last_lr, state=STATE):
    """Run the kernel on a chunk of the text; it writes neither to the sink nor to padding."""
    result = skipgram.train_chunk(
        tables[0].flat, tables[1].flat, text, 3, len(text.ids) - 3, sampling, shape, scratch,
        np.uint64(KEY), np.uint64(state), np.float32(first_lr), np.float32(last_lr),
    )  # fmt: skip
    for table in tables:
        rows = table.flat[: shape.sink + shape.dim].reshape(N_WORDS + 1, shape.dim)
        assert (rows[N_WORDS] == 0).all(), "the sink stays zero"
        assert (rows[:, DIM:] == 0).all(), "padding stays zero"
    return result


def train_plainly(tables, text, sampling, shape, n_noise, first_lr, last_lr, frozen=()):
    """What `train` does, on copies; returns W, C and what the kernel returns."""
    W, C = (table.rows.astype(np.float64) for table in tables)
    middles = naive.centres(*text, 3, len(text.ids) - 3, sampling.keep_thresholds, KEY)
    noise_table = (sampling.noise_thresholds, sampling.noise_aliases)
    loss, pairs, done = 0.0, 0, 0
    for *questions, n_pairs in naive.skipgram_blocks(
        middles,
        noise_table,
        window=shape.furthest,
        dynamic=True,
        negative=shape.negative,
        n_noise=n_noise,
        block=shape.n_inputs,
        state=STATE,
    ):
        lr = first_lr + (last_lr - first_lr) * done / len(middles)
        loss += naive.logistic_loss(W, C, *questions)
        W, C = naive.logistic_step(W, C, *questions, lr, frozen)
        pairs += n_pairs
        done += len(questions[0])
    return W, C, (loss, pairs, len(middles))


def freeze(words, waste):
    mask = np.zeros(N_WORDS, np.uint8)
    mask[list(words)] = 1
    return skipgram.Frozen(mask, waste)


@pytest.mark.parametrize("window", [2, 5, 60])
@pytest.mark.parametrize(("block", "n_noise"), [(1, 16), (4, 16), (32, 16), (64, 48)])
def test_chunk_trains_as_the_plain_form(text, sampling, window, block, n_noise):
    longest = int(np.diff(text.offsets).max())
    shape = shape_of(min(window, longest - 1), n_inputs=block)._replace(furthest=window)
    rates = 0.1 / window, 0.04 / window  # wide windows take many steps at once
    tables = random_tables()
    W, C, right = train_plainly(tables, text, sampling, shape, n_noise, *rates)
    scratch = skipgram.make_scratch(shape, n_noise, 128)
    assert train(tables, text, sampling, shape, scratch, *rates) == pytest.approx(right, rel=1e-5)
    assert tables[0].rows == pytest.approx(W, abs=2e-5)
    assert tables[1].rows == pytest.approx(C, abs=2e-5)


@pytest.mark.parametrize("block", [1, 8, 64])
def test_chunk_at_rate_0_measures_the_loss_and_moves_not_a_byte(text, sampling, block):
    shape = shape_of(n_inputs=block)
    tables = random_tables()
    before = [table.flat.tobytes() for table in tables]
    *_, right = train_plainly(tables, text, sampling, shape, 16, 0, 0)
    result = train(tables, text, sampling, shape, skipgram.make_scratch(shape, 16, 128), 0, 0)
    assert result == pytest.approx(right, rel=1e-5)
    assert [table.flat.tobytes() for table in tables] == before


@pytest.mark.parametrize("frozen", [[4], [0, 3, 7, 8, 11], range(N_WORDS)], ids=str)
@pytest.mark.parametrize("block", [1, 8, 64])
def test_chunk_with_frozen_words_trains_as_the_plain_form(text, sampling, block, frozen):
    shape = shape_of(n_inputs=block)
    tables = random_tables(waste=1)
    (waste,) = tables[0].waste
    tables[0].flat[waste:] = np.inf  # nobody reads it
    before = tables[0].rows[frozen].tobytes()
    W, C, right = train_plainly(tables, text, sampling, shape, 16, 0.05, 0.02, frozen)
    scratch = skipgram.make_scratch(shape, 16, 128, freeze(frozen, waste))
    assert train(tables, text, sampling, shape, scratch, 0.05, 0.02) == pytest.approx(right, rel=1e-5)
    assert tables[0].rows[frozen].tobytes() == before
    assert tables[0].rows == pytest.approx(W, abs=2e-5)
    assert tables[1].rows == pytest.approx(C, abs=2e-5)


def test_freezing_no_word_changes_nothing(text, sampling):
    shape, results = shape_of(), []
    for frozen in (skipgram.NONE_FROZEN, freeze([], 0)):
        tables = random_tables()
        scratch = skipgram.make_scratch(shape, 16, 128, frozen)
        assert (scratch.block.moved is scratch.block.inputs) == (frozen is skipgram.NONE_FROZEN)
        result = train(tables, text, sampling, shape, scratch, 0.05, 0.02)
        results.append((result, *(table.flat.tobytes() for table in tables)))
    assert results[0] == results[1]


def test_frozen_rows_stay_while_threads_race(sampling):
    ids = np.random.default_rng(11).integers(0, N_TYPES, 20_000).astype(np.int32)
    text = skipgram.Text(readonly(ids), readonly(np.arange(0, len(ids) + 1, 50)))
    frozen, learning = [0, 3, 7, 8, 11], [1, 2, 4, 5, 6, 9, 10]
    shape, tables = shape_of(), random_tables(waste=2)
    before = [table.rows.copy() for table in tables]
    start = threading.Barrier(2)

    def work(number):
        scratch = skipgram.make_scratch(shape, 16, len(ids), freeze(frozen, tables[0].waste[number]))
        start.wait()
        for repetition in range(10):
            train(tables, text, sampling, shape, scratch, 0.01, 0.01, STATE + 100 * repetition + number)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    W, C = (table.rows for table in tables)
    assert W[frozen].tobytes() == before[0][frozen].tobytes()
    assert (W[learning] != before[0][learning]).all()
    assert (C != before[1]).all()
    assert np.isfinite(W).all()
    assert np.isfinite(C).all()
    assert all(tables[0].flat[waste : waste + DIM].all() for waste in tables[0].waste), "each thread has its own"


def test_expected_weight_of_noise_is_negative_for_each_pair(text, sampling):
    """Over many blocks a pair meets `negative` noise words, less those that are its own context."""
    table = (sampling.noise_thresholds, sampling.noise_aliases)
    noise = naive.alias_probabilities(*table)
    middles = naive.centres(*text, 0, 121, sampling.keep_thresholds, KEY)
    total = expected = 0.0
    for state in range(300):
        for _, _, weights, labels, _ in naive.skipgram_blocks(
            middles, table, window=3, dynamic=False, negative=5, n_noise=16, block=8, state=state * 10_000
        ):
            total += weights[:, labels == 0].sum()
    for _, sentence, place in middles:
        expected += 300 * sum(5 * (1 - noise[word]) for word in naive.contexts(sentence, place, 3))
    assert total == pytest.approx(expected, rel=0.01)
