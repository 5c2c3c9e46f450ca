"""Neighbours of many words at once, by blocks and the top-k kernel, are those of each word alone."""

import tracemalloc

import numpy as np
import pytest

from embedtrain import DataError, SettingError, WordVectors
from embedtrain.vectors import neighbors, word_table
from embedtrain.vectors.neighbors import nearest_to_rows, row_norms

MANY = word_table._FEW  # more than these are answered by the kernel


def random_vectors(n_words, dim, dtype=np.float32, seed=0):
    table = np.random.default_rng(seed).normal(size=(n_words, dim)).astype(dtype)
    return WordVectors([f"w{row}" for row in range(n_words)], table)


@pytest.fixture
def small_blocks(monkeypatch):
    """Tiles of 16 rows and blocks of few queries, so that small tables have many."""
    monkeypatch.setattr(neighbors, "_ROWS", 16)
    monkeypatch.setattr(neighbors, "_FLOATS", 96)


def assert_same(got, wanted, abs=1e-6):
    assert [[word for word, _ in some] for some in got] == [[word for word, _ in some] for some in wanted]
    for one, other in zip(got, wanted, strict=True):
        assert [cosine for _, cosine in one] == pytest.approx([cosine for _, cosine in other], abs=abs)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
@pytest.mark.parametrize("n_words", [2, 15, 16, 17, 100])
@pytest.mark.parametrize("topn", [1, 10, 31, 99, 1000])
def test_neighbours_of_many_are_those_of_each(n_words, topn, dtype):
    vectors = random_vectors(n_words, 7, dtype)
    words = vectors.words * (2 + MANY // n_words)
    assert_same(vectors.neighbors(words, topn), [vectors.most_similar(word, topn=topn) for word in words])


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("restrict", [1, 5, 16, 40, 100, 1000])
@pytest.mark.parametrize("topn", [1, 10, 50])
def test_a_restriction_holds_for_neighbours_not_for_queries(restrict, topn):
    vectors = random_vectors(60, 5)
    got = vectors.neighbors(vectors.words, topn, restrict)
    assert_same(got, [vectors.most_similar(word, topn=topn, restrict_vocab=restrict) for word in vectors.words])
    everything = [vectors.most_similar(word, topn=60) for word in vectors.words]
    for some, all_neighbours in zip(got, everything, strict=True):
        wanted = [word for word, _ in all_neighbours if word in vectors.words[:restrict]][:topn]
        assert [word for word, _ in some] == wanted


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("n_queries", [1, 100])
@pytest.mark.parametrize("topn", [1, 5, 50, 98, 99])
def test_equal_neighbours_come_in_the_order_of_rows(topn, n_queries):
    vectors = WordVectors([f"w{row}" for row in range(100)], np.ones((100, 4), np.float32))
    words = vectors.words[:n_queries]
    for word, nearest in zip(words, vectors.neighbors(words, topn), strict=True):
        assert [other for other, _ in nearest] == [other for other in vectors.words if other != word][:topn]


def test_few_queries_need_no_kernel(monkeypatch):
    monkeypatch.setattr(word_table, "nearest_to_rows", None)
    vectors = random_vectors(30, 5)
    words = vectors.words[:MANY]
    assert vectors.neighbors(words, 3, 20) == [vectors.most_similar(word, topn=3, restrict_vocab=20) for word in words]
    with pytest.raises(TypeError):
        vectors.neighbors(vectors.words[: MANY + 1])


def test_one_word_has_one_list():
    vectors = random_vectors(30, 5)
    assert vectors.neighbors("w3", 4) == vectors.neighbors(3, 4) == vectors.most_similar("w3", topn=4)


def test_cosines_are_at_most_one():
    row = np.random.default_rng(3).normal(size=(1, 50)).astype(np.float32)
    vectors = WordVectors([f"w{number}" for number in range(60)], np.repeat(row, 60, axis=0) * np.float32(0.3))
    many = [cosine for nearest in vectors.neighbors(vectors.words) for _, cosine in nearest]
    assert max(many) <= 1
    assert max(cosine for _, cosine in vectors.most_similar("w0", topn=59)) <= 1
    for seed in range(20):
        assert random_vectors(1, 100, seed=seed).similarity("w0", "w0") <= 1
        assert vectors.most_similar(negative="w0", topn=1)[0][1] >= -1


def test_a_word_may_be_given_twice_and_none_at_all():
    vectors = random_vectors(30, 5)
    once, again = vectors.neighbors(["w3", "w3"])
    assert once == again
    assert vectors.neighbors([]) == []
    assert vectors.neighbors(["w1"], topn=0) == [[]]
    assert vectors.neighbors(vectors.words, topn=0) == [[]] * 30


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ([["w1", "w300"]], KeyError, r"^'w300' is not among the 30 words; similar spelling: w"),
        ([None], KeyError, "^None is neither a word nor a row"),
        *(
            ([["w1"], 10, wrong], SettingError, f"restrict_vocab must be .*, 0 for all, got {wrong!r}")
            for wrong in (-1, 2.5, "x")
        ),
        *(([["w1"], wrong], SettingError, f"topn must be .* of words, got {wrong!r}") for wrong in (None, 2.5, "x")),
    ],
)
def test_bad_queries_are_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        random_vectors(30, 5).neighbors(*arguments)


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
    for query in (
        lambda: vectors.neighbors(["a"]),
        lambda: vectors.neighbors(["a"] * 20),
        lambda: vectors.most_similar("a"),
        lambda: vectors.similarity("a", "b"),
        lambda: vectors.get_vector("b", norm=True),
    ):
        with pytest.raises(DataError, match=r"^the vector of 'b' has no finite length; leave the word out of the file"):
            query()
    assert vectors.similarity("a", "c") == pytest.approx(1)  # of a mapped file, only these two are read


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("scale", [1e20, 1e-30])
def test_long_and_short_vectors_have_cosines(scale):
    table = np.array([[1, 1], [1, 1.1], [1, -2]]) * scale
    vectors = WordVectors(["a", "b", "c"], table.astype(np.float32))
    assert vectors.similarity("a", "b") == pytest.approx(0.9988681, abs=1e-6)
    assert vectors.most_similar("a")[0] == ("b", pytest.approx(0.9988681, abs=1e-6))
    assert vectors.most_similar(table[0])[1] == ("b", pytest.approx(0.9988681, abs=1e-6))
    for nearest in [*vectors.neighbors(["a"]), *vectors.neighbors(["a"] * 20)]:
        assert nearest[0] == ("b", pytest.approx(0.9988681, abs=1e-6))


@pytest.mark.filterwarnings("error")
def test_vectors_of_length_zero_are_near_nothing():
    vectors = WordVectors(["a", "nought", "b", "nil"], np.array([[1, 0], [0, 0], [1, 1], [0, 0]], np.float32))
    message = "^a vector of zeros, or a sum that is 0, has no nearest words; leave out words whose vector is 0$"
    for query in (
        lambda: vectors.neighbors(["a"] * 20 + ["nought"]),
        lambda: vectors.most_similar("nought"),
        lambda: vectors.most_similar("a", "a"),
        lambda: vectors.most_similar_cosmul("a", "nil"),
        lambda: vectors.rank("nil", "a"),
    ):
        with pytest.raises(DataError, match=message):
            query()
    assert vectors.recommend(["nought"]) == []
    assert vectors.recommend([["nought"], ["a"]], topn=1) == [[], [("b", pytest.approx(0.5**0.5))]]
    lonely = WordVectors(["a", "b"], np.eye(2, dtype=np.float32))
    assert lonely.neighbors(["a"] * 20) == [[("b", 0.0)]] * 20
    assert vectors.most_similar("a") == [("b", pytest.approx(0.5**0.5)), ("nought", 0.0), ("nil", 0.0)]
    assert vectors.similarity("a", "nil") == 0


def test_norms_of_halves_do_not_overflow():
    table = np.full((3, 300), 6e4, np.float16)
    assert row_norms(table) == pytest.approx(np.linalg.norm(table.astype(np.float64), axis=1), rel=1e-6)


def test_memory_is_that_of_a_block(monkeypatch):
    monkeypatch.setattr(neighbors, "_ROWS", 256)
    monkeypatch.setattr(neighbors, "_FLOATS", 1 << 14)
    table = random_vectors(4000, 8).vectors
    norms = row_norms(table)
    rows = np.arange(4000)
    tracemalloc.start()
    found = nearest_to_rows(table, norms, rows, 5, among=4000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.rows.shape == (4000, 5)
    assert peak < 2e6  # all cosines at once would be 64 MB
