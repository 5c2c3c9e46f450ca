"""The embedding matrix of a tokeniser."""

import warnings

import numpy as np
import pytest

from embedtrain import DataError, SettingError, WordVectors


@pytest.fixture
def vectors():
    words = ["king", "queen", "paris", *(f"w{number}" for number in range(97))]
    return WordVectors(words, np.random.default_rng(0).normal(size=(100, 12)).astype(np.float32))


@pytest.mark.parametrize(
    "index", [{"king": 1, "stranger": 3, "paris": 4}, {"paris": 4, "stranger": np.int64(3), "king": 1}]
)
def test_rows_are_where_they_are_wanted(vectors, index):
    table = vectors.embedding_matrix(index)
    assert (table.shape, table.dtype) == ((5, 12), np.float32)
    assert np.array_equal(table[[1, 4]], [vectors["king"], vectors["paris"]])
    assert not table[[0, 2, 3]].any()


def test_unknown_words_get_what_is_wanted(vectors):
    words = ["", "stranger", "king", "other"]
    mean = vectors.embedding_matrix(words, "mean", padding=0)
    assert mean[[1, 3]] == pytest.approx(np.tile(vectors.vectors.mean(axis=0), (2, 1)), abs=1e-6)
    assert not mean[0].any()
    given = vectors.embedding_matrix(words, np.arange(12))
    assert given[[0, 1, 3]].tolist() == [list(range(12))] * 3
    assert all(np.array_equal(table[2], vectors["king"]) for table in (mean, given))


@pytest.mark.parametrize(
    ("index", "settings", "message"),
    [
        ({"a": -1}, {}, "integers from 0 on, got -1 for 'a'"),
        ({"a": 1.5}, {}, "integers from 0 on"),
        ({"a": 1, "b": 1}, {}, "'a' and 'b' have the same row 1"),
        (["a", "a"], {}, "appears twice"),
        ("king", {}, "got str"),
        ({"a": 0}, {"unknown": "x"}, "unknown must be"),
        ({"a": 0}, {"unknown": np.zeros(3)}, "a vector of 12 values"),
        ({"a": 10**12}, {}, "of memory"),
        ({"a": True}, {}, "integers from 0 on, got True for 'a'"),
        ([("the", 1), ("of", 2)], {}, r"of type str, got \('the', 1\)"),
        ([["the"]], {}, r"of type str, got \['the'\]"),
        ({"a": 0}, {"unknown": ["a"] * 12}, r"unknown must be .* or a vector of 12 values, got \['a', 'a'"),
        ({"a": 0}, {"unknown": np.full(12, np.nan)}, "row 0 would not be finite"),
        ({"a": 0}, {"padding": -1}, "integers from 0 on, got -1 for 'padding'"),
    ],
)
def test_bad_indices_are_refused(vectors, index, settings, message):
    with pytest.raises(ValueError, match=message):
        vectors.embedding_matrix(index, **settings)


@pytest.mark.filterwarnings("error")
def test_padding_may_lie_beyond_the_words(vectors):
    table = vectors.embedding_matrix(["king"], np.ones(12), padding=3)
    assert table.shape == (4, 12)
    assert not table[1:].any()


def test_words_of_which_none_is_known_are_warned_of(vectors):
    with pytest.warns(UserWarning, match="none of the 2 words in word_index has a vector; check their case") as warned:
        assert not vectors.embedding_matrix({"King": 0, "Queen": 1}).any()
    assert warned[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        vectors.embedding_matrix({"King": 0, "queen": 1})
        assert vectors.embedding_matrix({}).shape == (0, 12)


@pytest.mark.filterwarnings("ignore:none of the")
def test_no_vectors_have_no_mean():
    vectors = WordVectors([], np.empty((0, 3), np.float32))
    with pytest.raises(SettingError, match="unknown='mean' needs vectors, and there are none"):
        vectors.embedding_matrix({"x": 1}, "mean")
    assert vectors.embedding_matrix({"x": 1}).tolist() == [[0] * 3] * 2


@pytest.mark.parametrize(("words", "unknown"), [(["x", "king"], "mean"), (["king", "w1"], "zeros")])
def test_a_vector_that_is_not_finite_is_not_handed_on(vectors, words, unknown):
    table = vectors.vectors.copy()
    table[vectors.index["w1"]] = np.nan
    vectors = WordVectors(vectors.words, table)
    with pytest.raises(
        DataError, match=r"^row [01] would not be finite, for a vector is not; leave its word out of the"
    ):
        vectors.embedding_matrix(words, unknown)
