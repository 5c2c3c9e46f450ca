"""PPMI-SVD: matrix, vectors, files, folding-in, and what is refused."""

import hashlib

import generate
import naive_counts
import numpy as np
import planted
import pytest
from runs import TOY
from scipy import sparse
from text_files import refused

from embedtrain import (
    Counts,
    DataError,
    EmbedtrainWarning,
    SettingError,
    WordVectors,
    cooccurrence_counts,
    train_glove,
    train_svd,
)
from embedtrain.counts import weighting
from embedtrain.counts.rows import CsrMatrix
from embedtrain.models import factorization
from embedtrain.training import count_data

TEXT = list(generate.sentences(3000, 3))


@pytest.fixture(autouse=True)
def _many_tasks(monkeypatch):
    """Small matrices in as many tasks as large ones."""
    monkeypatch.setattr(weighting, "_TASK_CELLS", 1000)


@pytest.fixture(scope="module")
def counts():
    """Counts of the small text."""
    return cooccurrence_counts(TEXT, min_count=1, window=2, progress=False)


def train(data, **settings):
    return train_svd(data, **{"dim": 20, "threads": 1, "progress": False, **settings})


def square(cells):
    return sparse.csr_array(np.array(cells, np.float64))


def named(n, letter="w"):
    return [f"{letter}{number}" for number in range(n)]


def matrix_of(vectors):
    """What the factors multiply to: a matrix of the rank of the vectors."""
    values, p = vectors.factors.singular_values, vectors.settings["singular_exponent"]
    return vectors.vectors @ (vectors.context_vectors * values ** (1 - 2 * p)).T


def digest(vectors):
    parts = vectors.vectors, vectors.context_vectors, vectors.factors.singular_values
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).hexdigest()


# --- What is computed -------------------------------------------------------------------------------------------------


def test_planted_classes_and_analogies_are_recovered():
    vectors = train(TOY, dim=100, threads=2)
    assert planted.class_accuracy(vectors) >= 0.9
    assert np.mean([planted.analogy_accuracy(vectors, relation) for relation in generate.PAIRS]) >= 0.5


@pytest.mark.parametrize(("smoothing", "shift", "exponent"), [(0.75, 1, 0.5), (1, 1, 0), (0, 2, 1), (0.75, 5, 0.25)])
def test_vectors_multiply_to_the_information(smoothing, shift, exponent):
    rng = np.random.default_rng(1)
    cells = np.rint(rng.gamma(0.3, 5, (30, 30)))
    words = named(30)
    expected = naive_counts.positive_information(cells, smoothing, shift)
    vectors = train(square(cells), words=words, dim=30, smoothing=smoothing, shift=shift, singular_exponent=exponent)
    np.testing.assert_allclose(matrix_of(vectors), expected, atol=5e-3)
    U, values, _V = np.linalg.svd(expected)
    np.testing.assert_allclose(vectors.factors.singular_values, values[: vectors.vector_size], rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(abs(vectors.vectors[:, 0]), abs(U[:, 0]) * values[0] ** exponent, rtol=1e-3, atol=1e-5)


def test_fewer_dimensions_are_the_first_columns(counts):
    wide, narrow = train(counts, dim=30), train(counts, dim=10)
    np.testing.assert_allclose(wide.vectors[:, :9], narrow.vectors[:, :9], atol=2e-3)


def test_contexts_are_added(counts):
    plain, added = train(counts), train(counts, add_contexts=True)
    np.testing.assert_array_equal(added.vectors, plain.vectors + plain.context_vectors)
    np.testing.assert_array_equal(added.word_vectors, plain.vectors)


def test_text_and_its_counts_give_the_same_bytes(counts, tmp_path):
    text = train(TEXT, min_count=1, window=2)
    assert digest(text) == digest(train(counts))
    counts.save(tmp_path / "counts.npz")
    assert digest(text) == digest(train(tmp_path / "counts.npz"))
    assert text.settings | {"counts": counts.settings} == text.settings | train(counts).settings


def test_the_transpose_of_symmetric_counts_is_that_of_exchanged_weights():
    rng = np.random.default_rng(3)
    cells = sparse.triu(sparse.random_array((400, 400), density=0.2, rng=rng, data_sampler=rng.random))
    cells = sparse.csr_array((cells + cells.T).astype(np.float32) * 30)
    counts = CsrMatrix(cells.indptr.astype(np.int64), cells.indices.astype(np.int32), cells.data)
    rows, columns = (factorization._factors(rng.random(400) ** 3) for _ in range(2))
    builder = weighting.MatrixBuilder(2, 1 << 30, ".")
    expected = builder.transposed(builder.weighted("information", counts, rows, columns), 400)
    found = builder.weighted("information", counts, columns, rows)
    assert 1000 < len(found.columns) < len(cells.data) - 1000
    assert all(mine.tobytes() == other.tobytes() for mine, other in zip(found, expected, strict=True))


def test_threads_and_memory_change_nothing(tmp_path, monkeypatch):
    expected = digest(train(TEXT, min_count=1))
    for threads in (2, 8):
        assert digest(train(TEXT, min_count=1, threads=threads)) == expected
    assert digest(train(TEXT, min_count=1, memory="60M", temp_folder=tmp_path)) == expected
    monkeypatch.setattr(count_data, "parse_bytes", lambda *_: 40_000_000)  # matrices in files
    assert digest(train(TEXT, min_count=1, memory="40M", temp_folder=tmp_path)) == expected


@pytest.mark.parametrize("is_text", [True, False])
def test_memory_is_required_before_counting(monkeypatch, counts, is_text):
    monkeypatch.setattr("embedtrain.machine.memory.available_memory", lambda: 10_000)
    monkeypatch.setattr(count_data.CountData, "of", None)
    with refused("vectors and the basis of the decomposition need", SettingError):
        train(TEXT, min_count=1) if is_text else train(counts)


@pytest.mark.parametrize("kind", ["csc_array", "coo_array", "csr_matrix", "lil_array"])
def test_any_sparse_matrix_works_also_a_rectangular_one(kind):
    cells = np.rint(np.random.default_rng(2).gamma(0.3, 5, (25, 12)))
    matrix = getattr(sparse, kind)(sparse.coo_array(cells))
    vectors = train(matrix, words=named(25), context_words=iter(named(12, "c")), dim=12, smoothing=0.75, shift=1)
    np.testing.assert_allclose(matrix_of(vectors), naive_counts.positive_information(cells), atol=5e-3)
    assert (vectors.context_vectors.shape, vectors.factors.context_words) == ((12, vectors.vector_size), named(12, "c"))


# --- Files and new words ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_square", [True, False])
def test_rows_folded_in_have_the_vectors_of_training_also_from_a_file(tmp_path, is_square):
    cells = np.rint(np.random.default_rng(2).gamma(0.3, 5, (25, 25 if is_square else 14)))
    columns = {} if is_square else {"context_words": named(14, "c")}
    vectors = train(square(cells), words=named(25), dim=8, **columns)
    vectors.save(tmp_path / "x.npz")
    for known in (vectors, WordVectors.load(tmp_path / "x.npz")):
        for row in (0, 7, 24):
            np.testing.assert_allclose(known.fold_in(cells[row]), vectors.vectors[row], atol=1e-4)
            np.testing.assert_allclose(known.fold_in(square(cells)[[row]]), vectors.vectors[row], atol=1e-4)
            mapping = dict(zip(columns.get("context_words", named(25)), cells[row], strict=True), other=9)
            np.testing.assert_array_equal(known.fold_in(mapping), known.fold_in(cells[row]))
    loaded = WordVectors.load(tmp_path / "x.npz")
    assert loaded.factors.context_words == columns.get("context_words")
    assert loaded.factors.singular_values.tolist() == vectors.factors.singular_values.tolist()
    few = WordVectors.load(tmp_path / "x.npz", limit=5)
    assert few.factors is None
    assert (few.context_vectors is None) == (not is_square)


def test_what_cannot_be_folded_in_is_refused(counts):
    vectors, n = train(counts), len(counts)
    mappings = {vectors.words[0]: "x"}, {vectors.words[0]: None}
    for wrong in (np.ones(n - 1), np.ones((2, n)), np.full(n, "x"), 1.0, "a", [vectors.words[0]], *mappings):
        with refused(f"counts must be a number for each of the {n:,} contexts in the order of words, or a mapping"):
            vectors.fold_in(wrong)
    for wrong in (np.zeros(n), np.full(n, -1.0), np.full(n, np.nan), np.full(n, np.inf), {}, {"unknown": 1}):
        with refused(
            r"counts must be finite and at least 0, and one of them, of a known context \(.* to .*\), above 0"
        ):
            vectors.fold_in(wrong)
    for other in (train(counts, add_contexts=True), WordVectors(["a"], np.ones((1, 2), np.float32))):
        with refused("fold_in needs the context vectors and singular values of train_svd", SettingError):
            other.fold_in(np.ones(n))
    with refused("only vectors of train_lsa have documents", SettingError):
        _ = vectors.documents


# --- Bad input --------------------------------------------------------------------------------------------------------


def test_a_low_rank_gives_fewer_dimensions_and_a_note():
    with pytest.warns(EmbedtrainWarning, match=r"the matrix of 3 × 3 has only 2 dimensions .*, not dim=20"):
        vectors = train(square([[8, 1, 0], [1, 8, 0], [8, 1, 0]]), words=["a", "b", "c"])
    assert vectors.vector_size == 2
    np.testing.assert_allclose(vectors["a"], vectors["c"], rtol=1e-4)


def test_rows_of_zeros_have_vectors_of_zeros_and_a_note():
    cells = np.rint(np.random.default_rng(2).gamma(0.3, 5, (9, 9)))
    cells[4] = 0
    with pytest.warns(EmbedtrainWarning, match="1 of the 9 words has no pair with information above 0: vectors of 0"):
        vectors = train(square(cells), words=named(9), dim=2)
    assert not vectors["w4"].any()
    assert np.isfinite(vectors.vectors).all()
    assert vectors.most_similar("w1")


@pytest.mark.parametrize("shift", [1.0, 1e6])
def test_nothing_to_learn_from_is_refused(shift):
    cells = [[1, 1], [1, 1]] if shift == 1 else [[5, 1], [1, 5]]
    with refused("no pair of words has information above 0: there is nothing to learn from; lower shift"):
        train(square(cells), words=["a", "b"], shift=shift)


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_counts_that_are_none_are_refused(wrong):
    with refused('the count of "b" .row 1. beside "a" .column 0. is'):
        train(square([[1, 2], [wrong, 1]]), words=["a", "b"])
    with refused('the count of "b" .row 1. beside "y" .column 1. is'):
        train(square([[1, 2, 3], [2, wrong, 1]]), words=["a", "b"], context_words=["x", "y", "z"])


def test_matrices_and_words_that_do_not_fit_are_refused(counts):
    matrix = square([[1, 2, 3], [4, 5, 6]])
    with refused("at least two words are needed"):
        train(square([[1.0]]), words=["a"])
    with refused("no cell of the matrix is above 0"):
        train(square([[0, 0], [0, 0]]), words=["a", "b"])
    with refused("the matrix must be square"):
        train(matrix, words=["a", "b"])
    with refused("every column needs one of context_words: 3 columns, 2 words"):
        train(matrix, words=["a", "b"], context_words=["c", "d"])
    with refused("add_contexts needs the same words as rows and columns", SettingError):
        train(matrix, words=["a", "b"], context_words=["c", "d", "e"], add_contexts=True)
    with refused("context_words is for counts without words", SettingError):
        train(TEXT, context_words=["a"])
    with refused("window says how text is counted", SettingError):
        train(counts, window=3)
    rectangular = Counts(matrix, ["a", "b"], context_words=["c", "d", "e"])
    assert len(train(rectangular, dim=1)) == 2
    with refused("add_contexts needs the same words as rows and columns", SettingError):
        train(rectangular, add_contexts=True)
    with refused("counts with context_words are for train_svd", SettingError):
        train_glove(rectangular)
    with refused("counts with context_words are not saved"):
        rectangular.save("x.npz")
    with refused("at least two different words are needed"):
        train([["a", "a"]], min_count=1)


@pytest.mark.parametrize("name", ["epochs", "lr", "init", "checkpoint", "resume", "callback", "loss", "x_max"])
def test_settings_of_gradient_descent_are_refused(name):
    with pytest.raises(TypeError, match=f"train_svd.. got an unexpected keyword argument '{name}'"):
        train(TEXT, **{name: 1})


@pytest.mark.parametrize(
    ("setting", "rule"),
    [({"dim": 0}, "at least 1"), ({"smoothing": -1}, "between 0 and 1"), ({"shift": 0}, "above 0"),
     ({"singular_exponent": 2}, "between 0 and 1"), ({"shift": float("nan")}, "above 0")],
    ids=str,
)  # fmt: skip
def test_settings_out_of_range_are_refused(setting, rule):
    with refused(rf"{next(iter(setting))} must be .*{rule}", SettingError):
        train(TEXT, **setting)


def test_damaged_factors_in_a_file_are_refused(tmp_path, counts):
    vectors = train(counts, dim=3)
    vectors.save(tmp_path / "x.npz")
    arrays = dict(np.load(tmp_path / "x.npz"))
    for name, wrong in (("singular_values", np.ones(2)), ("word_weights", np.ones(1)), ("context_weights", np.ones(1))):
        np.savez(tmp_path / "y.npz", **{**arrays, name: wrong})
        with refused("its singular values or weights do not fit its vectors", DataError):
            WordVectors.load(tmp_path / "y.npz")
