import tracemalloc

import numpy as np
import pytest

from embedtrain import DataError, SettingError, WordVectors
from embedtrain.vectors import neighbors
from embedtrain.vectors.neighbors import lengths, nearest_to_rows


def random_vectors(n_words, dim, dtype=np.float32, seed=0):
    table = np.random.default_rng(seed).normal(size=(n_words, dim)).astype(dtype)
    return WordVectors([f"w{row}" for row in range(n_words)], table)


@pytest.fixture
def small_blocks(monkeypatch):
    """Tiles of 16 rows and blocks of few queries, so that small tables have many."""
    monkeypatch.setattr(neighbors, "_ROWS", 16)
    monkeypatch.setattr(neighbors, "_FLOATS", 96)


def assert_same(got, wanted, abs=1e-6):
    assert [[word for word, _ in answers] for answers in got] == [[word for word, _ in answers] for answers in wanted]
    for one, other in zip(got, wanted, strict=True):
        assert [cosine for _, cosine in one] == pytest.approx([cosine for _, cosine in other], abs=abs)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("n_words", [2, 15, 16, 17, 100])
@pytest.mark.parametrize("topn", [1, 10, 31, 99, 1000])
def test_neighbours_of_many_are_those_of_each(n_words, topn, dtype):
    vectors = random_vectors(n_words, 7, dtype)
    assert_same(
        vectors.neighbors(vectors.words, topn), [vectors.most_similar(word, topn=topn) for word in vectors.words]
    )


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("restrict", [1, 5, 16, 40, 100, 1000])
@pytest.mark.parametrize("topn", [1, 10, 50])
def test_a_restriction_holds_for_answers_not_for_questions(restrict, topn):
    vectors = random_vectors(60, 5)
    got = vectors.neighbors(vectors.words, topn, restrict)
    assert_same(got, [vectors.most_similar(word, topn=topn, restrict_vocab=restrict) for word in vectors.words])
    assert {word for answers in got for word, _ in answers} <= set(vectors.words[:restrict])
    everything = [vectors.most_similar(word, topn=60) for word in vectors.words]
    for some, all_answers in zip(got, everything, strict=True):
        wanted = [word for word, _ in all_answers if word in vectors.words[:restrict]][:topn]
        assert [word for word, _ in some] == wanted


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("topn", [1, 5, 50, 98, 99])
def test_equal_neighbours_of_many_come_in_the_order_of_rows(topn):
    vectors = WordVectors([f"w{row}" for row in range(100)], np.ones((100, 4), np.float32))
    for word, answers in zip(vectors.words, vectors.neighbors(vectors.words, topn), strict=True):
        assert [other for other, _ in answers] == [other for other in vectors.words if other != word][:topn]


def test_a_word_may_be_asked_twice_and_none_at_all():
    vectors = random_vectors(30, 5)
    once, again = vectors.neighbors(["w3", "w3"])
    assert once == again
    assert vectors.neighbors([]) == []
    assert vectors.neighbors(["w1"], topn=0) == [[]]


def test_bad_questions_are_refused():
    vectors = random_vectors(30, 5)
    with pytest.raises(KeyError, match=r"^'w300' is not among the 30 words; near in spelling: w"):
        vectors.neighbors(["w1", "w300"])
    with pytest.raises(DataError, match=r"takes a list of words, got the str 'w1'; write \['w1'\]"):
        vectors.neighbors("w1")
    with pytest.raises(DataError, match=r"takes a list of words, got the int 5; write \[5\]"):
        vectors.neighbors(5)
    for wrong in (-1, 2.5, "x"):
        with pytest.raises(
            SettingError, match=f"restrict_vocab must be a whole number of words, 0 for all, got {wrong!r}"
        ):
            vectors.neighbors(["w1"], restrict_vocab=wrong)
    for wrong in (None, 2.5, "x"):
        with pytest.raises(SettingError, match=f"topn must be a whole number of answers, got {wrong!r}"):
            vectors.neighbors(["w1"], wrong)


def test_tables_without_rows_have_no_neighbours():
    for shape in ((0, 0), (0, 3)):
        for dtype in (np.float32, np.float16):
            vectors = WordVectors([], np.empty(shape, dtype))
            assert vectors.neighbors([]) == []
            assert vectors.most_similar(np.ones(shape[1])) == []


def test_a_value_that_is_not_finite_is_refused_with_its_word(tmp_path):
    table = np.ones((3, 2), np.float32)
    table[1, 1] = np.nan
    np.save(tmp_path / "mapped.npy", table)
    vectors = WordVectors(["a", "b", "c"], np.load(tmp_path / "mapped.npy", mmap_mode="r"))
    for ask in (
        lambda: vectors.neighbors(["a"]),
        lambda: vectors.most_similar("a"),
        lambda: vectors.similarity("a", "b"),
        lambda: vectors.get_vector("b", norm=True),
    ):
        with pytest.raises(DataError, match=r"^the vector of 'b' has no finite length; leave the word out of the file"):
            ask()
    assert vectors.similarity("a", "c") == pytest.approx(1)  # of a mapped file, only these two are read


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e20, 1e-30])
def test_long_and_short_vectors_have_cosines(scale):
    table = np.array([[1, 1], [1, 1.1], [1, -2]]) * scale
    vectors = WordVectors(["a", "b", "c"], table.astype(np.float32))
    assert vectors.similarity("a", "b") == pytest.approx(0.9988681, abs=1e-6)
    assert vectors.most_similar("a")[0] == ("b", pytest.approx(0.9988681, abs=1e-6))
    assert vectors.most_similar(table[0])[1] == ("b", pytest.approx(0.9988681, abs=1e-6))
    assert vectors.neighbors(["a"])[0][0] == ("b", pytest.approx(0.9988681, abs=1e-6))


@pytest.mark.filterwarnings("error")
def test_vectors_of_length_zero_are_near_nothing():
    vectors = WordVectors(["a", "nought", "b"], np.array([[1, 0], [0, 0], [1, 1]], np.float32))
    assert vectors.neighbors(["nought"]) == [[("a", 0.0), ("b", 0.0)]]
    assert vectors.neighbors(["b"])[0][1] == ("nought", 0.0)


def test_lengths_of_halves_do_not_overflow():
    table = np.full((3, 300), 6e4, np.float16)
    assert lengths(table) == pytest.approx(np.linalg.norm(table.astype(np.float64), axis=1), rel=1e-6)


def test_memory_is_that_of_a_block(monkeypatch):
    monkeypatch.setattr(neighbors, "_ROWS", 256)
    monkeypatch.setattr(neighbors, "_FLOATS", 1 << 14)
    table = random_vectors(4000, 8).vectors
    norms = lengths(table)
    rows = np.arange(4000)
    tracemalloc.start()
    found = nearest_to_rows(table, norms, rows, 5, among=4000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.rows.shape == (4000, 5)
    assert peak < 2e6  # all cosines at once would be 64 MB
