"""Training by GloVe, from text or counts to vectors: what is learnt, and that nothing but the settings decides it."""

import itertools
from pathlib import Path

import generate
import naive_glove
import numpy as np
import planted
import pytest
from runs import TOY, files_in, lines_of, some_vectors, unreadable
from scipy import sparse
from text_files import refused

import embedtrain
from embedtrain import Corpus, Counts, DataError, Interrupted, SettingError, TrainingError, train_glove
from embedtrain.counts import tiles as tiling
from embedtrain.counts.tiles import build_tiles
from embedtrain.models.cooccurrence import cooccurrence_counts
from embedtrain.training.checkpoint import Checkpoint, read_settings
from embedtrain.training.tile_schedule import TileSchedule

TEXT = list(generate.sentences(3000, 3))
STILL = {"lr": 1e-30, "epochs": 1}  # a rate at which nothing is learnt


@pytest.fixture(autouse=True)
def _many_tiles(monkeypatch):
    """Small matrices in as many tiles as large ones."""
    monkeypatch.setattr(tiling, "_TILE_CELLS", 1)


@pytest.fixture(scope="module")
def toy():
    """Vectors of the committed sample."""
    return train_glove(TOY, progress=False)


@pytest.fixture(scope="module")
def counts():
    """Counts of the small text."""
    return cooccurrence_counts(TEXT, min_count=1, progress=False)


def train(corpus=TEXT, words=None, **settings):
    usual = {"dim": 8, "epochs": 2, "threads": 1, "progress": False}
    usual |= {"min_count": 1} if corpus is TEXT or isinstance(corpus, (list, Corpus)) else {}
    return train_glove(corpus, words=words, **{**usual, **settings})


def random_matrix(n_words, density=0.4, seed=0):
    """Counts as of a text, not symmetric."""
    rng = np.random.default_rng(seed)
    values = rng.lognormal(1, 2, (n_words, n_words)) * (rng.random((n_words, n_words)) < density)
    return sparse.csr_array(values.astype(np.float32))


def words_of(matrix):
    return [f"w{row}" for row in range(matrix.shape[0])]


def tables(vectors):
    """All that is learnt but the biases, to the byte."""
    found = vectors.vectors, vectors.word_vectors, vectors.context_vectors
    return [list(vectors.words), *(None if table is None else table.tobytes() for table in found)]


# --- What is learnt ---------------------------------------------------------------------------------------------------


def test_planted_classes_are_recovered(toy):
    assert planted.class_accuracy(toy) >= 0.9


@pytest.mark.parametrize("relation", generate.PAIRS)
def test_planted_analogies_are_recovered(toy, relation):
    assert planted.analogy_accuracy(toy, relation) >= 0.8


def test_loss_falls_to_a_small_part(toy):
    losses = toy.report.losses
    assert len(losses) == 25
    assert all(later < earlier for earlier, later in itertools.pairwise(losses))
    assert losses[-1] < 0.1 * losses[0]


def test_products_with_their_biases_are_the_logarithms_of_counts(tmp_path):
    matrix = random_matrix(30)
    train(matrix, words_of(matrix), dim=40, epochs=300, x_max=1e-6, checkpoint=tmp_path / "x")
    w, c, b, d = learnt(tmp_path / "x")
    rows, columns = matrix.nonzero()
    products = (w[rows] * c[columns]).sum(axis=1) + b[rows] + d[columns]
    logs = np.log(matrix.data)
    assert np.sqrt(np.mean((products - logs) ** 2)) < 0.05 * logs.std()


# --- Against the plain form -------------------------------------------------------------------------------------------


def learnt(path):
    """What a checkpoint has of the plain form's parameters."""
    names = ("word_vectors", "context_vectors", "word_biases", "context_biases")
    return naive_glove.Parameters(*(Checkpoint.load(path).tables[name].astype(np.float64) for name in names))


def cells_in_order(matrix, settings, epoch):
    """The cells of an epoch in the order of rounds, tiles and cells in them."""
    arrays = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data
    tiles = build_tiles(*arrays, x_max=settings["x_max"], alpha=settings["alpha"], threads=1)
    coo, order = matrix.tocoo(), []
    blocks = [
        np.searchsorted(borders, numbers, side="right") - 1
        for borders, numbers in ((tiles.row_borders, coo.row), (tiles.column_borders, coo.col))
    ]
    for row_block, column_block, *_ in TileSchedule(tiles.sizes, settings["lr"], settings["seed"]).tasks(epoch):
        (own,) = np.nonzero((blocks[0] == row_block) & (blocks[1] == column_block))
        corner = tiles.row_borders[row_block], tiles.column_borders[column_block]
        order += sorted(own, key=lambda n: naive_glove.order_in_tile(coo.row[n] - corner[0], coo.col[n] - corner[1]))
    assert len(order) == matrix.nnz
    assert len(tiles.sizes.ravel()) > 20, "many tiles"
    return naive_glove.Counts(coo.row[order], coo.col[order], coo.data[order].astype(np.float64))


def test_a_whole_training_is_that_of_the_plain_form(tmp_path):
    matrix, settings = random_matrix(30), {"x_max": 8.0, "alpha": 0.6, "lr": 0.2, "seed": 5}
    arguments = {"corpus": matrix, "words": words_of(matrix), "dim": 6, **settings}
    train(**{**arguments, **STILL}, checkpoint=tmp_path / "start")
    vectors = train(**arguments, checkpoint=tmp_path / "end")

    parameters, losses = learnt(tmp_path / "start"), []
    sums = naive_glove.Parameters(*(np.ones_like(array) for array in parameters))
    for epoch in range(2):
        counts = cells_in_order(matrix, settings, epoch)
        weights = naive_glove.weight(counts.values, settings["x_max"], settings["alpha"])
        parameters, sums, cost = naive_glove.adagrad(parameters, sums, counts, weights, settings["lr"])
        losses.append(cost / len(weights))
    assert vectors.report.losses == pytest.approx(losses, rel=1e-5)
    for found, right in zip(learnt(tmp_path / "end"), parameters, strict=True):
        assert found == pytest.approx(right, rel=1e-4, abs=1e-5)
    assert vectors.vectors == pytest.approx(parameters.w + parameters.c, rel=1e-4, abs=1e-5)
    assert np.abs(parameters.w - learnt(tmp_path / "start").w).max() > 0.1, "it has learnt"


# --- The same, however it comes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("threads", [1, 2, 8])
def test_threads_memory_and_the_cache_change_no_byte(tmp_path, little_memory, temporary_files, symmetric, threads):
    settings = {"symmetric": symmetric, "max_vocab": 100}
    expected = train(**settings)
    of_text = len(temporary_files)
    settings["threads"] = threads
    assert tables(train(**settings)) == tables(expected)
    temporary_files.clear()
    small = train(**settings, memory=little_memory(len(expected)), temp_folder=tmp_path)
    assert len(temporary_files) >= of_text + 6, "shards, rows and tiles were in files"
    assert set(temporary_files) == {tmp_path}
    assert not files_in(tmp_path)
    assert tables(small) == tables(expected)
    assert small.report.losses == pytest.approx(expected.report.losses, rel=1e-12)
    path = tmp_path / "text.txt"
    path.write_text(lines_of(TEXT))
    for _ in range(2):
        cached = train(path, **settings, min_count=1, cache=tmp_path / "cache")
        assert tables(cached) == tables(expected)


@pytest.mark.parametrize("symmetric", [True, False])
@pytest.mark.parametrize("threads", [1, 2])
def test_counts_in_whatever_form_give_the_same_bytes_as_their_text(tmp_path, monkeypatch, symmetric, threads):
    expected = train(symmetric=symmetric)
    counts = cooccurrence_counts(TEXT, min_count=1, symmetric=symmetric, progress=False)
    counts.save(tmp_path / "counts.npz")
    sparse.save_npz(tmp_path / "plain.npz", counts.matrix)
    (tmp_path / "words").write_text("".join(f"{word}\n" for word in counts.words))
    monkeypatch.setattr("embedtrain.machine.memory._LEAST", 1)
    for given in [
        {"corpus": counts},
        {"corpus": tmp_path / "counts.npz"},
        {"corpus": str(tmp_path / "counts.npz"), "memory": 1000},
        {"corpus": tmp_path / "plain.npz", "words": tmp_path / "words"},
        {"corpus": counts.matrix, "words": counts.words},
        {"corpus": sparse.coo_matrix(counts.matrix), "words": tuple(counts.words)},
        {"corpus": sparse.csc_array(counts.matrix).astype(np.float64), "words": counts.words, "memory": 1000},
    ]:
        found = train(**given, threads=threads, temp_folder=tmp_path)
        assert tables(found) == tables(expected)
        assert found.report.losses == pytest.approx(expected.report.losses, rel=1e-12)


def test_counts_stay_as_they_are(counts):
    before = counts.matrix.data.tobytes(), counts.matrix.indices.tobytes(), counts.matrix.indptr.tobytes()
    train(counts)
    assert (counts.matrix.data.tobytes(), counts.matrix.indices.tobytes(), counts.matrix.indptr.tobytes()) == before


def test_explicit_zeros_are_no_cells(monkeypatch):
    monkeypatch.undo()  # one tile, whose size zeros do not change
    matrix = random_matrix(30)
    zeros = np.nonzero(matrix.toarray() == 0)
    places = [np.concatenate(pair) for pair in zip(matrix.nonzero(), zeros, strict=True)]
    values = np.concatenate([matrix.data, np.zeros(len(zeros[0]), np.float32)])
    with_zeros = sparse.coo_array((values, places), shape=matrix.shape)
    assert with_zeros.nnz == 900
    found, expected = (train(one, words_of(matrix)) for one in (with_zeros, matrix))
    assert tables(found) == tables(expected)
    assert found.report.losses == expected.report.losses


# --- Settings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [np.array, tuple, iter, lambda words: dict.fromkeys(words).keys()])
def test_words_of_a_matrix_are_any_iterable(kind):
    matrix = random_matrix(9)
    words = list(words_of(matrix))
    assert list(train(matrix, kind(words)).words) == words


def test_what_the_vectors_are(counts):
    found = {kind: train(counts, vectors=kind) for kind in ("sum", "word", "context")}
    both, word, context = found["sum"], found["word"], found["context"]
    assert (both.vectors == both.word_vectors + both.context_vectors).all()
    assert both.word_vectors.tobytes() == word.vectors.tobytes() == context.word_vectors.tobytes()
    assert both.context_vectors.tobytes() == context.vectors.tobytes() == word.context_vectors.tobytes()
    assert context.context_vectors.tobytes() == context.vectors.tobytes()
    assert (both.word_vectors != both.context_vectors).any()
    for vectors in found.values():
        assert (vectors.vectors.shape, vectors.vectors.dtype) == ((len(counts), 8), np.float32)
        assert (vectors.counts == counts.counts).all()


@pytest.mark.parametrize(
    "change",
    [{"seed": 2}, {"window": 3}, {"weighting": "uniform"}, {"symmetric": False}, {"x_max": 100}, {"alpha": 0.5},
     {"min_count": 2}, {"max_vocab": 50}, {"epochs": 3}, {"lr": 0.1}, {"dim": 9}, {"vectors": "word"}],
    ids=str,
)  # fmt: skip
def test_every_setting_changes_the_result_and_is_remembered(change):
    usual, changed = train(), train(**change)
    assert usual.vectors.shape != changed.vectors.shape or (usual.vectors != changed.vectors).any()
    ((name, value),) = change.items()
    assert changed.settings[name] == value
    assert (changed.settings["model"], changed.settings["version"]) == ("glove", embedtrain.__version__)


@pytest.mark.parametrize(("x_max", "alpha"), [(10, 0.75), (100, 0.75), (10, 1), (10, 0), (1e-3, 3)])
def test_the_loss_at_the_start_is_that_of_the_weights(x_max, alpha):
    matrix = random_matrix(40)
    found = train(matrix, words_of(matrix), **STILL, x_max=x_max, alpha=alpha).report.losses
    weights = naive_glove.weight(matrix.data.astype(np.float64), x_max, alpha)
    assert found == [pytest.approx((0.5 * weights * np.log(matrix.data) ** 2).mean(), rel=0.02)]


def test_numbers_of_numpy_are_numbers(tmp_path):
    settings = {
        "dim": np.uint8(8), "x_max": np.int64(10), "alpha": np.float64(0.75), "epochs": np.int32(2),
        "threads": np.int64(1), "seed": np.uint64(1), "window": np.int8(10), "symmetric": np.True_,
        "checkpoint_every": np.float32(5),
    }  # fmt: skip
    assert tables(train(**settings, checkpoint=tmp_path / "x")) == tables(train())
    assert tables(train(resume=tmp_path / "x")) == tables(train())
    assert read_settings(tmp_path / "x")["checkpoint_every"] == 5


# --- Counts and words that do not belong together ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [{"window": 5}, {"weighting": "uniform"}, {"symmetric": False}, {"min_count": 1}, {"max_vocab": 9},
     {"read_vocab": "words"}, {"cache": "cache"}],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("form", ["counts", "file", "matrix"])
def test_what_says_how_text_is_counted_is_refused_with_counts(tmp_path, monkeypatch, counts, form, change):
    monkeypatch.chdir(tmp_path)
    counts.save("counts.npz")
    given = {"counts": (counts,), "file": ("counts.npz",), "matrix": (counts.matrix,)}[form]
    words = {"words": counts.words} if form == "matrix" else {}
    (name,) = change
    with refused(f"^{name} says how text is counted, and these are counts already; leave it out$", SettingError):
        train_glove(*given, **words, **change, progress=False)
    assert files_in(tmp_path) == {"counts.npz"}


@pytest.mark.parametrize(
    ("given", "words", "error", "message"),
    [
        (TEXT, ["a"], SettingError, "words is for counts without words; text has its own"),
        ("text.txt", "words", SettingError, "words is for counts without words; text has its own"),
        (random_matrix(3), None, SettingError, "a matrix needs words, a str for each of its rows"),
        (random_matrix(3), "words", SettingError, "a matrix needs words, a str for each of its rows"),
        (Counts(random_matrix(3), ["a", "b", "c"]), ["a", "b", "c"], SettingError, "these counts have their own words"),
        ("counts.npz", ["a", "b"], SettingError, "the words of a file of counts must be in a file too; name it"),
        ("counts.npz", "words", SettingError, "counts.npz has its own words; leave out the file of words"),
        ("plain.npz", None, SettingError, "plain.npz has no words; name the file of its words"),
        (random_matrix(3), ["a", "b"], DataError, "got 3 rows and 2 words"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_words_and_counts_that_do_not_fit_are_refused(tmp_path, monkeypatch, counts, given, words, error, message):
    monkeypatch.chdir(tmp_path)
    Path("words").write_text("a\nb\nc\n")
    Path("text.txt").write_text("a b\n" * 9)
    counts.save("counts.npz")
    sparse.save_npz("plain.npz", counts.matrix)
    with refused(message, error):
        train_glove(given, words=words, progress=False)


@pytest.mark.parametrize("output", ["checkpoint", "save_vocab"])
@pytest.mark.parametrize("place", ["plain.npz", "words"])
def test_no_output_replaces_counts_or_their_words(tmp_path, monkeypatch, counts, output, place):
    monkeypatch.chdir(tmp_path)
    sparse.save_npz("plain.npz", counts.matrix)
    Path("words").write_text("".join(f"{word}\n" for word in counts.words))
    before = Path(place).read_bytes()
    with pytest.raises(SettingError, match=rf"^{output} .*{place} would replace the .*; name another file$"):
        train("plain.npz", "words", **{output: tmp_path / place})
    assert Path(place).read_bytes() == before


# --- Stability --------------------------------------------------------------------------------------------------------


def with_one(matrix, value):
    matrix[1, 0] = value
    return matrix


RNG = np.random.default_rng(0)
NASTY = {
    "2 x 2": np.array([[1.0, 2], [3, 4]]),
    "a single cell": with_one(np.zeros((2, 2)), 7.0),
    "a single cell of many words": with_one(np.zeros((50, 50)), 1e6),
    "a huge count among ones": with_one(np.ones((30, 30)), 1e30),
    "a large count among ones": with_one(np.ones((30, 30)), 1e9),
    "all equal": np.full((30, 30), 5.0),
    "all 1": np.ones((30, 30)),
    "a star": np.pad(np.full((1, 299), 1e6), ((0, 299), (1, 0))) + np.pad(np.full((299, 1), 1e6), ((1, 0), (0, 299))),
    "one row": np.pad(np.full((1, 300), 900.0), ((0, 299), (0, 0))),
    "dense": RNG.lognormal(0, 3, (200, 200)),
    "dense and large": RNG.lognormal(10, 3, (200, 200)),
    "a diagonal": np.diag(RNG.lognormal(0, 3, 50)),
    "one direction": np.triu(RNG.lognormal(0, 3, (100, 100)), 1),
    "very small and very large": np.exp(RNG.choice([-18.0, 18.0], (100, 100))),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if len(NASTY[name]) >= 100 else ()) for name in NASTY]
)
def test_the_usual_rate_is_stable_on_any_counts(name):
    matrix = sparse.csr_array(NASTY[name])
    vectors = train(matrix, words_of(matrix), dim=100, epochs=25, threads=2)
    losses = vectors.report.losses
    assert np.isfinite(vectors.vectors).all()
    assert np.abs(vectors.vectors).max() < 50
    assert losses[-1] <= 1.000001 * losses[0]


def test_counts_too_small_to_change_a_vector_are_an_error():
    matrix = sparse.csr_array(np.full((30, 30), 1e-30))
    with pytest.raises(TrainingError, match="did not change the vectors"):
        train(matrix, words_of(matrix), dim=100, epochs=25)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("lr", [50, 1000])
def test_divergence_stops_with_epoch_rate_and_remedy_and_replaces_no_file(tmp_path, counts, lr, threads):
    checkpoint = tmp_path / "run.checkpoint"
    train(counts, checkpoint=checkpoint)
    before = checkpoint.read_bytes()
    with pytest.raises(TrainingError, match=r"^training (diverged|produced) .*; try lr=0\.05$"):
        train(counts, dim=20, lr=lr, threads=threads, checkpoint=checkpoint, temp_folder=tmp_path)
    assert checkpoint.read_bytes() == before
    assert files_in(tmp_path) == {"run.checkpoint"}


# --- Reports, callbacks and interruption ------------------------------------------------------------------------------


def test_the_report_tells_what_was_done(counts):
    for vectors, stages in ((train(), {"prepare", "read", "count", "train"}), (train(counts), {"prepare", "train"})):
        report = vectors.report
        assert (report.cells, report.words, report.unit) == (counts.matrix.nnz, len(counts), "cells")
        assert (report.threads, report.kept_share, report.valid_losses) == (1, 1.0, [])
        assert len(report.losses) == 2
        assert report.speed > 0
        assert set(report.seconds) == stages
    n_tokens = sum(map(len, TEXT))
    assert [(r.tokens, r.types, r.covered) for r in (train().report, report)] == [
        (n_tokens, len(counts), n_tokens), (0, 0, 0)
    ]  # fmt: skip


def test_a_callback_sees_every_epoch_and_may_stop(counts):
    seen = []

    def callback(epoch):
        seen.append((epoch.number, epoch.epochs, epoch.loss, epoch.valid_loss, epoch.lr, epoch.unit))
        assert epoch.speed > 0
        assert epoch.vectors.vectors.tobytes() == train(counts, epochs=epoch.number).vectors.tobytes()
        return epoch.number == 2

    report = train(counts, epochs=4, callback=callback).report
    first, second = report.losses
    assert seen == [(1, 4, first, None, 0.05, "cells"), (2, 4, second, None, 0.05, "cells")]


@pytest.mark.parametrize("threads", [1, 2])
def test_interruption_carries_the_vectors(tmp_path, counts, threads):
    def interrupt(epoch):
        raise KeyboardInterrupt

    with pytest.raises(Interrupted) as interruption:
        train(counts, epochs=3, threads=threads, callback=interrupt, temp_folder=tmp_path)
    found = interruption.value.vectors
    assert isinstance(interruption.value, KeyboardInterrupt)
    assert tables(found) == tables(train(counts, epochs=1))
    assert len(found.report.losses) == 1
    assert not files_in(tmp_path)


def test_both_kinds_of_input_save_their_vocabulary(tmp_path, counts):
    for name, given in (("text", TEXT), ("counts", counts)):
        train(given, save_vocab=tmp_path / name)
    assert (tmp_path / "text").read_bytes() == (tmp_path / "counts").read_bytes()
    lines = (tmp_path / "text").read_text().splitlines()
    assert lines == [f"{word} {count}" for word, count in zip(counts.words, counts.counts, strict=True)]


def test_vectors_of_a_matrix_without_occurrences_claim_none():
    matrix = random_matrix(5)
    assert train(matrix, words_of(matrix)).counts is None


# --- Starting from vectors, and freezing ------------------------------------------------------------------------------

WORDS = sorted({word for words in TEXT for word in words})
SHARED, NEW = WORDS[::3], [word for number, word in enumerate(WORDS) if number % 3]


def given(dim=8):
    """Vectors of every third word, and of one that the text has not."""
    return some_vectors(["not-in-the-text", *SHARED[::-1]], dim)


def rows(vectors, words, table="vectors"):
    return getattr(vectors, table)[[vectors.index[word] for word in words]]


def test_shared_words_start_from_given_vectors_and_new_ones_as_ever(tmp_path):
    given().save(tmp_path / "given.vec")
    without = train(**STILL, vectors="word")
    for init in (given(), tmp_path / "given.vec"):
        found = train(init=init, init_words="shared", **STILL, vectors="word")
        assert rows(found, SHARED).tobytes() == rows(given(), SHARED).tobytes()
        assert rows(found, NEW).tobytes() == rows(without, NEW).tobytes()
        assert found.context_vectors.tobytes() == without.context_vectors.tobytes()


def test_a_second_training_starts_from_both_tables_of_the_first():
    first = train(epochs=5)
    second = train(init=first, **STILL)
    assert tables(second) == tables(first)
    assert train(init=first, epochs=1, seed=7).report.losses[0] < train(epochs=1, seed=7).report.losses[0]


@pytest.mark.parametrize("threads", [1, 2])
def test_frozen_vectors_stay_to_the_bit_while_all_else_learns(threads):
    start = train(init=given(), **STILL, vectors="word")
    found = train(init=given(), freeze=True, vectors="word", lr=0.2, epochs=4, threads=threads)
    assert rows(found, SHARED).tobytes() == rows(given(), SHARED).tobytes()
    assert (rows(found, NEW) != rows(start, NEW)).any(axis=1).mean() > 0.95
    changed = rows(found, SHARED, "context_vectors") != rows(start, SHARED, "context_vectors")
    assert changed.any(axis=1).mean() > 0.95, "contexts of frozen words learn"
    assert found.report.losses[-1] < found.report.losses[0]


@pytest.mark.parametrize("vectors", ["sum", "context"])
def test_freezing_what_is_no_table_of_words_is_refused(vectors):
    with pytest.raises(SettingError, match=rf"^freeze keeps .*, not vectors='{vectors}'; set vectors='word'$"):
        train_glove(unreadable(), init=given(), freeze=True, vectors=vectors, dim=8)
