"""Whole chunks of all models against the plain forms, in value and by finite differences."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import naive
import numpy as np
import pytest
from small_text import (
    KEY,
    LENGTHS,
    NONE_FROZEN,
    STATE,
    Sampling,
    readonly,
    small_sampling,
    small_text,
    small_tree,
)

from embedtrain.kernels.simd.lanes import LANES, aligned_zeros, padded
from embedtrain.kernels.simd.tiles import ROWS
from embedtrain.kernels.word2vec import subwords
from embedtrain.kernels.word2vec import train_chunk as word2vec
from embedtrain.kernels.word2vec.cbow import CENTRE_STRIDE
from embedtrain.kernels.word2vec.negatives import _MEAN_CENTRES, _MEAN_ROWS, make_noise
from embedtrain.kernels.word2vec.windows import Frozen, Text
from embedtrain.models.distributions import alias_table, keep_thresholds
from embedtrain.training.tables import EmbeddingTable

N_WORDS, N_TYPES, DIM = 12, 15, 6
COUNTS = [89, 55, 34, 21, 13, 8, 5, 3, 2, 2, 1, 1]


class Mode(NamedTuple):
    """What is trained; the kernel is compiled once for each, but for `corrected`."""

    model: str
    negative: int = 0
    hs: bool = False
    corrected: bool = False

    @property
    def noise(self):
        return self.negative > 0

    def __str__(self):
        loss = "-".join(["noise"] * self.noise + ["paths"] * self.hs)
        return f"{self.model}{'-corrected' * self.corrected}-{loss}"


LOSSES = {"noise": (5, False), "paths": (0, True), "both": (5, True)}
MODES = [Mode("skipgram", *loss) for loss in LOSSES.values()]
MODES += [Mode("cbow", *loss, corrected) for loss in LOSSES.values() for corrected in (False, True)]
COMPILED = [mode for mode in MODES if not mode.corrected]  # where `corrected` cannot matter
every_mode = pytest.mark.parametrize("mode", MODES, ids=str)
every_kernel = pytest.mark.parametrize("mode", COMPILED, ids=str)


# --- Tables and threads -----------------------------------------------------------------------------------------------

GUARD = 64  # elements beside a table


class Tables(NamedTuple):
    """W, and C or N where a mode has them; some values are -0."""

    W: EmbeddingTable
    C: EmbeddingTable | None
    N: EmbeddingTable | None

    @property
    def flat(self):
        return [None if table is None else table.flat for table in self]

    @property
    def bytes(self):
        return [table.flat.tobytes() for table in self if table is not None]

    @property
    def doubles(self):
        """The rows of W, C and N for the plain form; what is not there is empty."""
        return [np.zeros((0, 1)) if table is None else table.rows.astype(np.float64) for table in self]


def guarded_table(n_rows, dim, *scratch):
    """A table of random values with guards before and after it."""
    like = EmbeddingTable.zeros(n_rows, dim, *scratch)
    memory = aligned_zeros(like.flat.size + 2 * GUARD)
    memory[:GUARD] = memory[-GUARD:] = 77
    flat = memory[GUARD:-GUARD]
    rows = flat[: n_rows * padded(dim)].reshape(n_rows, -1)[:, :dim]
    rows[:] = np.random.default_rng(n_rows + dim).normal(0, 0.4, rows.shape)
    rows[::3, 1:2] = -0.0
    return EmbeddingTable(flat, rows, like.scratch)


def random_tables(mode, n_words=N_WORDS, dim=DIM, n_copies=5, n_threads=1):
    """Tables with the scratch rows of each thread."""
    n_nodes = n_words - 1
    return Tables(
        guarded_table(n_words, dim, n_threads, {"discarded": 1, "padding": 1}),
        guarded_table(n_words, dim) if mode.noise else None,
        guarded_table(n_nodes, dim, n_threads, {"local": min(n_copies, n_nodes) + 1}) if mode.hs else None,
    )


def config_of(
    mode, window=3, block=None, *, dim=DIM, n_words=N_WORDS, max_window=None, loss_every=1, n_noise=8,
    tile_centres=ROWS, tile_tokens=100, baseline=0.1,
):  # fmt: skip
    """A configuration; windows are drawn from the whole of `window`, or up to `max_window`, or fixed where that is 0.

    A block of CBOW is so long that its tiles have several centres.
    """
    return word2vec.BlockConfig(
        window=window,
        max_window=window if max_window is None else max_window,
        n_noise=n_noise,
        noise_weight=np.float32(mode.negative / n_noise),
        n_centres=block or (40 if mode.model == "cbow" else 8),
        tile_centres=tile_centres,
        tile_tokens=tile_tokens,
        baseline=np.float32(baseline),
        dim=padded(dim),
        padding_row=n_words * padded(dim),
        input_padding_row=n_words * padded(dim),
        loss_every=loss_every,
        corrected=mode.corrected,
    )


def scratch_of(mode, tables, config, sampling, *, frozen=(), counts=COUNTS, thread=0, n_threads=1, fixed=None):
    """The memory of a thread."""
    tree = None
    if tables.N is not None:
        rows, (input_padding_row,) = tables.N.scratch["local"][thread], tables.W.scratch["padding"][thread]
        tree = small_tree(counts, rows, 1 / n_threads, input_padding_row)
    means = mode.model == "cbow"
    return word2vec.make_scratch(
        config,
        means=means,
        noise=(
            make_noise(word2vec.n_noise_words(config, means=means), config.dim, *sampling.noise) if mode.noise else None
        ),
        tree=tree,
        largest_chunk=1000,
        frozen=freeze(frozen, discard_row(tables, thread)) if len(frozen) else NONE_FROZEN,
        fixed=fixed,
    )


def discard_row(tables, thread=0):
    return tables.W.scratch["discarded"][thread][0]


def freeze(words, row):
    mask = np.zeros(N_WORDS, np.uint8)
    mask[list(words)] = 1
    return Frozen(mask, row)


def train(tables, text, sampling, config, scratch, first_lr, last_lr, state=STATE, span=None):
    """Run the kernel on a chunk of the text; it writes to nothing but rows, not to padding."""
    begin, end = span or (0, len(text.ids))
    result = word2vec.train_chunk(
        *tables.flat, None, text, begin, end, sampling.keep_thresholds, config, scratch,
        np.uint64(KEY), np.uint64(state), np.float32(first_lr), np.float32(last_lr),
    )  # fmt: skip
    for table in tables:
        if table is not None:
            n_rows, dim = table.rows.shape
            memory = table.flat.base
            start = (table.flat.ctypes.data - memory.ctypes.data) // 4
            assert (memory[start - GUARD : start] == 77).all()
            assert (memory[start + table.flat.size :][:GUARD] == 77).all()
            rows = table.flat[: (n_rows + 1) * config.dim].reshape(n_rows + 1, config.dim)
            assert (rows[n_rows] == 0).all(), "the padding row stays zero"
            assert (rows[:, dim:] == 0).all(), "padding stays zero"
    if scratch.tree is not None:
        local = scratch.tree.local
        assert (tables.W.flat[local.input_padding_row :][: config.dim] == 0).all()
        assert (tables.N.flat[local.padding_row :][: config.dim] == 0).all()
    return result


def train_plainly(
    mode, tables, text, sampling, config, first_lr, last_lr, *, frozen=(), counts=COUNTS, span=None, word_rows=None,
    fixed=None,
):  # fmt: skip
    """What `train` does, in float64 from W, C and N; returns them and what the kernel returns.

    With subwords, (n_words, n_rows) `word_rows` says how often each row of W is one of each word's.
    """
    W, C, N = tables
    word_rows = np.eye(len(W)) if word_rows is None else word_rows
    begin, end = span or (0, len(text.ids))
    paths = naive.huffman_paths(counts) if mode.hs else []
    middles = naive.centres(*text, begin, end, sampling.keep_thresholds, KEY)
    blocks = naive.draw_blocks(
        middles, sampling.noise if mode.noise else None, window=config.max_window or config.window,
        dynamic=config.max_window > 0, n_noise=word2vec.n_noise_words(config, means=mode.model == "cbow"),
        block=config.n_centres, state=STATE,
    )  # fmt: skip
    running = naive.RunningMeans(W.shape[1], _MEAN_ROWS, _MEAN_CENTRES)
    loss, pairs, done = 0.0, 0, 0
    for number, block in enumerate(blocks):
        lr, before = first_lr + (last_lr - first_lr) * done / len(middles), loss
        n_contexts = np.array([len(words) for words in block.contexts])
        rows = W
        W = composed = naive.composed(rows, word_rows)
        if mode.model == "skipgram":
            if mode.noise:
                W, C, noise_loss = naive.skipgram_noise(
                    W, C, block, running, negative=mode.negative, tile_centres=config.tile_centres,
                    tile_tokens=config.tile_tokens, baseline=float(config.baseline), lr=lr, frozen=frozen,
                    fixed=bool(fixed),
                )  # fmt: skip
                loss += noise_loss
            for scored in naive.skipgram_paths(block, paths, ROWS) if mode.hs else ():
                loss += naive.logistic_loss(W, N, *scored)
                W, N = naive.tile_step(W, N, *scored, lr, frozen=frozen)
        else:
            for part in naive.tiles(block, CENTRE_STRIDE, config.n_noise) if mode.noise else ():
                scored = naive.cbow_noise(part, mode.negative, len(W))
                loss += naive.logistic_loss(W, C, *scored)
                moves = {"frozen": frozen, "fixed": bool(fixed)}
                W, C = naive.tile_step(W, C, *scored, lr, shares=shares(mode, part), **moves)
            for part in naive.tiles(block, CENTRE_STRIDE) if mode.hs else ():
                for single in naive.tiles(part, len(part.centres)):
                    scored = naive.cbow_path(single, paths, len(W))
                    loss += naive.logistic_loss(W, N, *scored)
                    W, N = naive.tile_step(W, N, *scored, lr, frozen=frozen, shares=shares(mode, single))
        W = rows + (word_rows > 0).T @ (W - composed)
        done += len(block.centres)
        if number % config.loss_every and pairs:
            loss = before
        else:
            pairs += n_contexts.sum() if mode.model == "skipgram" else (n_contexts > 0).sum()
    return (W, C, N), (loss, pairs, len(middles))


def shares(mode, block):
    """By how much contexts move more than the gradient of their mean says."""
    return 1 if mode.corrected else np.array([len(words) for words in block.contexts])


def check(tables, right, tolerance=2e-5):
    for table, rows in zip(tables, right, strict=True):
        if table is not None:
            assert table.rows == pytest.approx(rows, abs=tolerance)


def compare(mode, text, sampling, config, rates, *, n_copies=5, frozen=(), counts=COUNTS, tolerance=2e-5, fixed=None):
    """Train a chunk in both ways; returns the tables of the kernel."""
    n_words, dim = config.padding_row // config.dim, DIM if config.dim == padded(DIM) else config.dim - 1
    tables = random_tables(mode, n_words, dim, n_copies)
    options = {"frozen": frozen, "counts": counts, "fixed": fixed}
    right, figures = train_plainly(mode, tables.doubles, text, sampling, config, *rates, **options)
    tables.W.flat[discard_row(tables) :][: config.dim] = np.inf  # never read
    scratch = scratch_of(mode, tables, config, sampling, **options)
    assert train(tables, text, sampling, config, scratch, *rates) == pytest.approx(figures, rel=1e-5)
    check(tables, right, tolerance)
    return tables


# --- Values -----------------------------------------------------------------------------------------------------------


@every_mode
@pytest.mark.parametrize("window", [1, 2, 5, 60])
@pytest.mark.parametrize(("block", "n_noise"), [(1, 4), (4, 8), (32, 12), (64, 16)])
def test_chunk_trains_as_the_plain_form(text, sampling, mode, window, block, n_noise):
    config = config_of(mode, min(window, max(LENGTHS) - 1), block, max_window=window, n_noise=n_noise)
    rates = 0.1 / window, 0.04 / window  # wide windows take many steps at once
    compare(mode, text, sampling, config, rates)


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode.noise and not mode.hs], ids=str)
@pytest.mark.parametrize("n_vectors", [2, 5])
def test_fixed_contexts_stay_byte_for_byte_while_words_learn(text, sampling, mode, n_vectors):
    config = config_of(mode, dim=n_vectors * LANES - 1)
    start = random_tables(mode, N_WORDS, DIM if config.dim == padded(DIM) else config.dim - 1)
    tables = compare(mode, text, sampling, config, (0.03, 0.01), fixed=True)
    assert tables.C.rows.tobytes() == start.C.rows.tobytes()
    assert (tables.W.rows != start.W.rows).any(axis=1).all()


@every_mode
@pytest.mark.parametrize("n_vectors", [1, 2, 3, 4, 5, 6, 7, 9])
def test_vectors_of_any_length(text, sampling, mode, n_vectors):
    compare(mode, text, sampling, config_of(mode, dim=n_vectors * LANES - 1), (0.03, 0.01), tolerance=5e-5)


@every_mode
@pytest.mark.parametrize("block", [1, 16, 64])
def test_windows_of_fixed_width(text, sampling, mode, block):
    compare(mode, text, sampling, config_of(mode, block=block, max_window=0), (0.03, 0.01))


@every_mode
@pytest.mark.parametrize("lengths", [(1,) * 40, (1, 1, 2, 1, 1, 1, 3, 1, 1, 1, 1, 2), (2,) * 50], ids=str)
def test_short_sentences(sampling, mode, lengths):
    text = small_text(lengths=lengths)
    for block in (1, 8, 64):
        compare(mode, text, sampling, config_of(mode, block=block), (0.03, 0.01))


@every_mode
@pytest.mark.parametrize("n_words", [2, 3])
def test_tiny_vocabularies(mode, n_words):
    """Every word is its own context, noise many times over, and a child of the root."""
    text, sampling = small_text(n_words), small_sampling(n_words, n_words)
    for block in (8, 64):
        config = config_of(mode, block=block, n_words=n_words)
        compare(mode, text, sampling, config, (0.08 / block, 0.03 / block), counts=[5, 3, 2][:n_words])


@every_mode
def test_sentences_of_one_word_said_again_and_again(sampling, mode):
    text = small_text()._replace(ids=readonly(np.repeat(np.arange(11, dtype=np.int32), 11)))
    compare(mode, text, sampling, config_of(mode), (0.03, 0.01))


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode.hs], ids=str)
@pytest.mark.parametrize("n_copies", [1, 4, 64])
@pytest.mark.parametrize("counts", [[7] * 40, [1 << k for k in range(39, -1, -1)]], ids=["balanced", "deepest"])
def test_trees_with_any_number_of_copies(mode, counts, n_copies):
    n_words = len(counts)
    text, sampling = small_text(n_words), small_sampling(n_words, n_words)
    for block in (2, None):
        config = config_of(mode, block=block, n_words=n_words)
        compare(mode, text, sampling, config, (0.02, 0.01), counts=counts, n_copies=n_copies)


@every_kernel
def test_loss_of_some_blocks_and_their_pairs(text, sampling, mode):
    compare(mode, text, sampling, config_of(mode, block=20 if mode.model == "cbow" else 4, loss_every=3), (0.03, 0.01))


@every_kernel
def test_the_first_block_with_pairs_has_a_loss(mode):
    """Blocks of 20 sentences of one word, then one of two sentences of two words; the loss is of every eighth."""
    text, sampling = small_text(lengths=[1] * 36 + [2, 2]), small_sampling(keep=1)
    compare(mode, text, sampling, config_of(mode, block=20, loss_every=8), (0.03, 0.01))
    tables, config = random_tables(mode), config_of(mode, block=20, loss_every=8)
    _, n_pairs, _ = train(tables, text, sampling, config, scratch_of(mode, tables, config, sampling), 0.03, 0.01)
    assert n_pairs > 0


SKIPGRAM = MODES[0]


@pytest.mark.parametrize("tile_centres", [1, 2, 4])
@pytest.mark.parametrize("tile_tokens", [1, 3, 7, 100])
@pytest.mark.parametrize("n_noise", [4, 12, 16])
def test_tiles_and_portions_of_any_size(text, sampling, n_noise, tile_tokens, tile_centres):
    """In windows wider than most sentences, in blocks that are not whole tiles, with frozen words."""
    config = config_of(
        SKIPGRAM, 20, 10, n_noise=n_noise, tile_tokens=tile_tokens, tile_centres=tile_centres, max_window=0
    )
    compare(SKIPGRAM, text, sampling, config, (0.005, 0.002), frozen=[1, 5])


@pytest.mark.parametrize("baseline", [0, 0.1, 0.5])
@pytest.mark.parametrize("block", [1, 4, 30])
def test_running_means_over_many_blocks(sampling, block, baseline):
    """Over more rows than are in a mean, and in blocks with fewer centres than enter it, or more."""
    text = small_text(lengths=LENGTHS * 8)
    config = config_of(SKIPGRAM, 2, block, n_noise=16, baseline=baseline)
    compare(SKIPGRAM, text, sampling, config, (0.02, 0.01), tolerance=1e-4)


@pytest.mark.parametrize("mode", [mode for mode in MODES if mode.model == "skipgram"], ids=str)
@pytest.mark.parametrize("tile_tokens", [1, 4])
def test_portions_at_rate_0_have_the_same_loss(text, sampling, mode, tile_tokens):
    losses = []
    for tokens in (tile_tokens, 100):
        config, tables = config_of(mode, 20, 10, tile_tokens=tokens), random_tables(mode)
        losses.append(train(tables, text, sampling, config, scratch_of(mode, tables, config, sampling), 0, 0))
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


@every_mode
@pytest.mark.parametrize("span", [(3, 118), (20, 60), (60, 61)])
def test_chunks_that_end_within_sentences(text, sampling, mode, span):
    config, tables = config_of(mode), random_tables(mode)
    right, figures = train_plainly(mode, tables.doubles, text, sampling, config, 0.03, 0.01, span=span)
    result = train(tables, text, sampling, config, scratch_of(mode, tables, config, sampling), 0.03, 0.01, span=span)
    assert result == pytest.approx(figures, rel=1e-5)
    check(tables, right)


@every_kernel
def test_memory_is_used_again(text, sampling, mode):
    """What one chunk leaves in a thread's memory does not matter to the next."""
    config, tables = config_of(mode, block=30), random_tables(mode)
    scratch = scratch_of(mode, tables, config, sampling)
    doubles = tables.doubles
    for span in ((0, 121), (60, 61), (3, 80), (0, 121)):
        doubles, figures = train_plainly(mode, doubles, text, sampling, config, 0.02, 0.01, span=span)
        result = train(tables, text, sampling, config, scratch, 0.02, 0.01, span=span)
        assert result == pytest.approx(figures, rel=1e-5)
        check(tables, doubles, 5e-5)


@every_kernel
def test_a_chunk_gives_the_same_bytes_in_any_memory(text, sampling, mode):
    """New or used by another chunk: whose tables were other ones, so that nothing of it may count."""
    config, tables = config_of(mode, baseline=0.5), random_tables(mode)
    used = scratch_of(mode, tables, config, sampling)
    for table in tables:
        if table is not None:
            table.rows[:] *= 7
    train(tables, text, sampling, config, used, 0.05, 0.05, STATE + 1, span=(0, 50))
    results = []
    for scratch in (used, None):
        tables = random_tables(mode)
        scratch = scratch or scratch_of(mode, tables, config, sampling)
        results.append((train(tables, text, sampling, config, scratch, 0.05, 0.02), *tables.bytes))
    assert results[0] == results[1]


@every_kernel
def test_nothing_is_kept(text, mode):
    sampling, config, tables = small_sampling(keep=0), config_of(mode), random_tables(mode)
    before = [table.rows.copy() for table in tables if table is not None]
    assert train(tables, text, sampling, config, scratch_of(mode, tables, config, sampling), 0.1, 0.1) == (0, 0, 0)
    assert all((table.rows == rows).all() for table, rows in zip(filter(None, tables), before, strict=True))


# --- What stays as it is ----------------------------------------------------------------------------------------------


@every_mode
@pytest.mark.parametrize("block", [1, 8, 64])
def test_chunk_at_rate_0_measures_the_loss_and_moves_not_a_byte(text, sampling, mode, block):
    config, tables = config_of(mode, block=block), random_tables(mode)
    before = [table.rows.tobytes() for table in tables if table is not None]
    _, figures = train_plainly(mode, tables.doubles, text, sampling, config, 0, 0)
    scratch = scratch_of(mode, tables, config, sampling)
    assert train(tables, text, sampling, config, scratch, 0, 0) == pytest.approx(figures, rel=1e-5)
    assert [table.rows.tobytes() for table in tables if table is not None] == before


@every_mode
@pytest.mark.parametrize("frozen", [[4], [0, 3, 7, 8, 11], range(N_WORDS)], ids=str)
@pytest.mark.parametrize("block", [1, 8, 64])
def test_chunk_with_frozen_words_trains_as_the_plain_form(text, sampling, mode, block, frozen):
    before = random_tables(mode).W.rows[frozen].tobytes()
    tables = compare(mode, text, sampling, config_of(mode, block=block), (0.05, 0.02), frozen=frozen)
    assert tables.W.rows[frozen].tobytes() == before


@every_kernel
def test_freezing_no_word_changes_nothing(text, sampling, mode):
    config, results = config_of(mode), []
    for none in (NONE_FROZEN, Frozen(np.zeros(N_WORDS, np.uint8), 0)):
        tables = random_tables(mode)
        scratch = scratch_of(mode, tables, config, sampling)
        if none is not NONE_FROZEN:
            scratch = word2vec.make_scratch(
                config, means=mode.model == "cbow", noise=scratch.noise, tree=scratch.tree, largest_chunk=1000,
                frozen=none._replace(discard_row=discard_row(tables)),
            )  # fmt: skip
        update_rows = [(tile.update_rows, tile.inputs) for tile in scratch.tiles[:2] if tile is not None]
        update_rows += [(scratch.mean.update_rows, scratch.mean.rows)] if scratch.mean else []
        assert all((steps is rows) == (none is NONE_FROZEN) for steps, rows in update_rows), (
            "no copy where nothing is frozen"
        )
        results.append((train(tables, text, sampling, config, scratch, 0.05, 0.02), *tables.bytes))
    assert results[0] == results[1]


@every_kernel
def test_one_thread_gives_the_same_bytes_every_time(text, sampling, mode):
    config, results = config_of(mode), []
    for _ in range(2):
        tables = random_tables(mode)
        figures = train(tables, text, sampling, config, scratch_of(mode, tables, config, sampling), 0.05, 0.02)
        results.append((figures, *tables.bytes))
    assert results[0] == results[1]


@every_kernel
def test_frozen_rows_stay_while_threads_race(sampling, mode):
    ids = np.random.default_rng(11).integers(0, N_TYPES, 1000).astype(np.int32)
    text = small_text()._replace(ids=readonly(ids), offsets=readonly(np.arange(0, len(ids) + 1, 50)))
    frozen, learning = [0, 3, 7, 8, 11], [1, 2, 4, 5, 6, 9, 10]
    config, tables = config_of(mode), random_tables(mode, n_threads=2)
    before = [table.rows.copy() for table in tables if table is not None]
    start = threading.Barrier(2)

    def work(number):
        scratch = scratch_of(mode, tables, config, sampling, frozen=frozen, thread=number, n_threads=2)
        start.wait()
        for repetition in range(100):
            train(tables, text, sampling, config, scratch, 0.001, 0.001, STATE + 100 * repetition + number)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))
    W, *others = (table.rows for table in tables if table is not None)
    assert W[frozen].tobytes() == before[0][frozen].tobytes()
    assert (W[learning] != before[0][learning]).all()
    assert all((rows != rows_before).all() for rows, rows_before in zip(others, before[1:], strict=True))
    assert all(np.isfinite(rows).all() for rows in (W, *others))
    for thread in range(2):
        assert tables.W.flat[discard_row(tables, thread) :][:DIM].all(), "each thread has its own"


# --- Finite differences, and what is not finite -----------------------------------------------------------------------

SINGLE = [Mode("skipgram", 5), Mode("skipgram", 0, True), Mode("cbow", 5, False, True), Mode("cbow", 0, True, True)]


def one_block(mode, lengths=(3, 9, 4), span=(1, 13)):
    """A text of which one block is trained."""
    text, sampling = small_text(5, lengths), small_sampling(5, 5, keep=1)
    block = 64 if mode.model == "cbow" else 16
    config = config_of(mode, window=2, block=block, dim=DIM, n_words=5, max_window=0, baseline=0)
    return text, sampling, config, {"counts": [9, 4, 3, 2, 1], "span": span}


def scored_together(mode, n_words=16):
    """A tile in which no output is listed twice, or the path of one centre.

    Of skip-gram four centres with noise words, or one with a path; of CBOW two with noise words, or one with a path.
    """
    apart = [0, 1, 2, *[0] * (CENTRE_STRIDE - 1), 3, 4, 5, 6]  # sentences of one word are not trained
    words, lengths, span = {
        ("skipgram", False): ([*range(8)], (3, 5), (2, 6)),
        ("skipgram", True): ([*range(8)], (3, 5), (5, 6)),
        ("cbow", False): (apart, (3, *(1,) * (CENTRE_STRIDE - 1), 4), (2, CENTRE_STRIDE + 3)),
        ("cbow", True): ([*range(8)], (3, 5), (5, 6)),
    }[mode.model, mode.hs]
    noise = (np.arange(n_words) > 7) / (n_words - 8)
    text = Text(readonly(np.array(words, np.int32)), readonly(np.cumsum([0, *lengths])))
    sampling = Sampling(keep_thresholds(np.ones(n_words), n_words), alias_table(noise))
    block = CENTRE_STRIDE * 2 if mode.model == "cbow" else ROWS
    config = config_of(mode, 2, block, n_words=n_words, max_window=0, n_noise=4, baseline=0)
    return text, sampling, config, {"counts": [*range(n_words, 0, -1)], "span": span}


def gradients(mode, tables, config, text, sampling, options):
    """Central differences of the plain loss by W, C and N."""
    doubles = tables.doubles
    for number, table in enumerate(doubles):

        def loss(rows, number=number):
            changed = [rows if i == number else doubles[i] for i in range(3)]
            return train_plainly(mode, changed, text, sampling, config, 0, 0, **options)[1][0]

        yield naive.numerical_gradient(loss, table)


@pytest.mark.parametrize("mode", SINGLE, ids=str)
def test_chunk_agrees_with_finite_differences(mode):
    text, sampling, config, options = scored_together(mode)
    tables = random_tables(mode, 16)
    before, slopes = tables.doubles, list(gradients(mode, tables, config, text, sampling, options))
    scratch = scratch_of(mode, tables, config, sampling, counts=options["counts"])
    train(tables, text, sampling, config, scratch, 1, 1, span=options["span"])
    if mode.noise:
        assert len(set(scratch.noise.words[: config.n_noise])) == config.n_noise, "none is listed twice"
    for table, rows, slope in zip(tables, before, slopes, strict=True):
        if table is not None:
            assert np.abs(slope).max() > 0.1
            assert rows - table.rows == pytest.approx(slope, abs=1e-4)


@pytest.mark.parametrize("mode", SINGLE, ids=str)
def test_plain_form_agrees_with_finite_differences(mode):
    """Also where means follow each other, of many centres: at a rate so low that it does not matter."""
    text, sampling, config, options = one_block(mode)
    lr = 1e-7
    tables = random_tables(mode, 5)
    after, _ = train_plainly(mode, tables.doubles, text, sampling, config, lr, lr, **options)
    slopes = gradients(mode, tables, config, text, sampling, options)
    for rows, moved, slope in zip(tables.doubles, after, slopes, strict=True):
        assert (rows - moved) / lr == pytest.approx(slope, abs=1e-4)


@pytest.mark.parametrize("mode", [Mode("cbow", 5), Mode("cbow", 0, True)], ids=str)
def test_rows_receive_a_share_of_the_step_of_a_mean(mode):
    text, sampling, config, options = one_block(mode)
    moved, others = [], []
    for corrected, share in ((True, 1), (False, 1), (False, 0.25)):
        tables = random_tables(mode, 5)
        before = tables.doubles[0]
        scratch = scratch_of(mode, tables, config, sampling, counts=options["counts"])
        changed = config._replace(corrected=corrected, mean_share=np.float32(share))
        train(tables, text, sampling, changed, scratch, 1, 1, span=(6, 7))
        moved.append(tables.W.rows - before)
        others.append([table.flat.tobytes() for table in tables[1:] if table is not None])
    assert np.abs(moved[0]).max() > 0.01
    assert moved[1] == pytest.approx(4 * moved[0], abs=1e-6)  # two on each side
    assert moved[2] == pytest.approx(moved[0], abs=1e-6)
    assert others[0] == others[1] == others[2]


@every_kernel
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rates", [(0.01, 0.005), (0, 0)], ids=str)
def test_loss_shows_what_is_not_finite(text, sampling, mode, value, rates):
    for number in range(3):
        config, tables = config_of(mode), random_tables(mode)
        if tables[number] is not None:
            tables[number].rows[5] = value
            scratch = scratch_of(mode, tables, config, sampling)
            loss, *_ = word2vec.train_chunk(
                *tables.flat, None, text, 0, len(text.ids), sampling.keep_thresholds, config, scratch, np.uint64(KEY),
                np.uint64(STATE), *map(np.float32, rates),
            )  # fmt: skip
            assert not np.isfinite(loss), f"table {number}"


# --- Subwords -------------------------------------------------------------------------------------------------------

N_NGRAMS = 9


def random_word_rows(n_words=N_WORDS):
    """How often each row is one of a word: its own once, and up to seven n-grams, of which some occur twice."""
    word_rows = np.zeros((n_words, n_words + N_NGRAMS), int)
    word_rows[range(n_words), range(n_words)] = 1
    for word, n in enumerate(np.random.default_rng(3).integers(0, 8, n_words)):
        np.add.at(word_rows[word], n_words + np.random.default_rng(word).integers(0, N_NGRAMS, n), 1)
    return word_rows


def flat_word_rows(table, word_rows):
    """As the kernel takes them: distinct ones first, then again those that a word has twice."""
    flat = [[*np.flatnonzero(row), *np.repeat(range(len(row)), np.maximum(row - 1, 0))] for row in word_rows]
    starts = np.cumsum([0, *map(len, flat)])
    ends = starts[:-1] + (word_rows > 0).sum(axis=1)
    return subwords.WordRows(
        table.flat, starts, ends, np.concatenate(flat).astype(np.int64) * padded(table.rows.shape[1])
    )


def train_with_subwords(mode, text, sampling, config, rates, dim=DIM, n_times=1):
    """Train a chunk `n_times`; returns tables, what they were, figures and the rows of words."""
    word_rows = random_word_rows()
    tables = random_tables(mode, dim=dim)._replace(W=guarded_table(N_WORDS + N_NGRAMS, dim, 1, {"padding": 1}))
    before = tables.doubles
    config = config._replace(input_padding_row=0)
    scratch = scratch_of(mode, tables, config, sampling)
    tree = scratch.tree and scratch.tree._replace(local=scratch.tree.local._replace(input_padding_row=0))
    scratch = word2vec.make_scratch(
        config, means=mode.model == "cbow", noise=scratch.noise, tree=tree, largest_chunk=1000, frozen=scratch.frozen,
        n_composed=N_WORDS,
    )  # fmt: skip
    rows = flat_word_rows(tables.W, word_rows)
    for _ in range(n_times):
        figures = word2vec.train_chunk(
            scratch.composed.vectors, *tables.flat[1:], rows, text, 0, len(text.ids), sampling.keep_thresholds, config,
            scratch, np.uint64(KEY), np.uint64(STATE), *map(np.float32, rates),
        )  # fmt: skip
    assert (scratch.composed.vectors[: config.dim] == 0).all(), "the padding row stays zero"
    assert (scratch.composed.slots == -1).all()
    return tables, before, figures, word_rows


@every_mode
@pytest.mark.parametrize(("window", "block"), [(1, 1), (3, 8), (3, 64), (60, 5)])
def test_chunk_with_subwords_trains_as_the_plain_form(text, sampling, mode, window, block):
    config = config_of(mode, min(window, max(LENGTHS) - 1), block, max_window=window)
    tables, before, figures, word_rows = train_with_subwords(mode, text, sampling, config, (0.03, 0.01))
    right, plain = train_plainly(mode, before, text, sampling, config, 0.03, 0.01, word_rows=word_rows)
    assert figures == pytest.approx(plain, rel=1e-5)
    check(tables, right, 5e-5)


@every_mode
@pytest.mark.parametrize("n_vectors", [1, 3, 9])
def test_subwords_in_used_memory(text, sampling, mode, n_vectors):
    config, dim = config_of(mode, dim=n_vectors * LANES - 1), n_vectors * LANES - 1
    tables, right, _, word_rows = train_with_subwords(mode, text, sampling, config, (0.01, 0.01), dim, n_times=2)
    for _ in range(2):
        right, _ = train_plainly(mode, right, text, sampling, config, 0.01, 0.01, word_rows=word_rows)
    check(tables, right, 1e-4)


@every_mode
def test_chunk_with_subwords_at_rate_0_moves_not_a_byte(text, sampling, mode):
    config = config_of(mode)
    first, *_ = train_with_subwords(mode, text, sampling, config, (0, 0))
    assert first.bytes == train_with_subwords(mode, text, sampling, config, (0, 0), n_times=3)[0].bytes
    tables, before, figures, word_rows = train_with_subwords(mode, text, sampling, config, (0, 0))
    right, plain = train_plainly(mode, before, text, sampling, config, 0, 0, word_rows=word_rows)
    assert figures == pytest.approx(plain, rel=1e-5)
    check(tables, right, 0)


def test_words_are_composed():
    word_rows, table = random_word_rows(), guarded_table(N_WORDS + N_NGRAMS, DIM)
    rows, dim = flat_word_rows(table, word_rows), padded(DIM)
    composed = guarded_table(N_WORDS, DIM)
    composed.rows[:] = 0
    subwords.compose_words(composed.flat, rows, 2, 7, dim)
    assert composed.rows[2:7] == pytest.approx(naive.composed(table.rows.astype(float), word_rows)[2:7], abs=1e-6)
    assert not composed.rows[7:].any()


def test_a_step_of_all_rows_is_the_gradient_times_their_number():
    """Adding a step of a mean whole to its rows moves each by the gradient times the number of rows."""
    rng, word_rows = np.random.default_rng(1), np.minimum(random_word_rows(), 1)
    W, C = rng.normal(size=(N_WORDS + N_NGRAMS, DIM)), rng.normal(size=(N_WORDS, DIM))
    inputs, outputs, weights = np.array([4]), np.array([1, 2, 3]), np.array([[1, -2, -1]])

    def loss(rows):
        return naive.logistic_loss(naive.composed(rows, word_rows), C, inputs, outputs, weights)

    vectors = naive.composed(W, word_rows)
    moved, _ = naive.tile_step(vectors, C, inputs, outputs[:1], weights[:, :1], 1e-3)
    for k in (1, 2):  # output by output, from the scores before
        moved += naive.tile_step(vectors, C, inputs, outputs[k : k + 1], weights[:, k : k + 1], 1e-3)[0] - vectors
    step = word_rows.T @ (moved - vectors)
    assert step == pytest.approx(-1e-3 * word_rows[4].sum() * naive.numerical_gradient(loss, W), abs=1e-9)
