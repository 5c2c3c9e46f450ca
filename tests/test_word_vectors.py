import subprocess
import sys

import numpy as np
import pytest

from embedtrain.errors import DataError
from embedtrain.vectors.neighbors import cosines_to, highest
from embedtrain.vectors.word_vectors import WordVectors


def random_vectors(n_words, dim, seed=0):
    return np.random.default_rng(seed).normal(size=(n_words, dim)).astype(np.float32)


@pytest.fixture
def vectors():
    words = ["king", "queen", "man", "woman", "kin", "paris", "naïve", *(f"w{number}" for number in range(93))]
    return WordVectors(words, random_vectors(100, 12))


def brute_force(vectors, positive, negative):
    """All answers by float64 cosines, the nearest first."""
    rows = dict(zip(vectors.words, vectors.vectors.astype(np.float64), strict=True))

    def unit(x):
        return x / (np.linalg.norm(x) or 1)

    query = unit(sum(unit(rows[word]) for word in positive) - sum(unit(rows[word]) for word in negative))
    cosines = {word: float(unit(row) @ query) for word, row in rows.items() if word not in {*positive, *negative}}
    return sorted(cosines.items(), key=lambda item: -item[1])


def assert_same_answers(got, wanted):
    assert [word for word, _ in got] == [word for word, _ in wanted]
    assert [cosine for _, cosine in got] == pytest.approx([cosine for _, cosine in wanted], abs=1e-5)


# --- A table of words -------------------------------------------------------------------------------------------------


def test_a_word_gives_its_row(vectors):
    assert vectors["woman"].tolist() == vectors.vectors[3].tolist()
    assert vectors["naïve"].tolist() == vectors.vectors[6].tolist()


def test_words_are_in_and_others_not(vectors):
    assert "king" in vectors
    assert "King" not in vectors
    assert "" not in vectors
    assert 3 not in vectors


def test_the_length_is_the_number_of_words(vectors):
    assert len(vectors) == 100
    assert repr(vectors) == "<WordVectors: 100 words, 12 dimensions>"


@pytest.mark.parametrize(
    "ask",
    [
        lambda vectors: vectors["kings"],
        lambda vectors: vectors.most_similar("kings"),
        lambda vectors: vectors.most_similar(["man", "kings"]),
        lambda vectors: vectors.most_similar("man", negative=["kings"]),
    ],
    ids=["row", "str", "positive", "negative"],
)
@pytest.mark.parametrize("error", [KeyError, DataError])
def test_an_unknown_word_is_refused_with_close_spellings(vectors, ask, error):
    with pytest.raises(error, match=r"^'kings' is not among the 100 words; near in spelling: king, kin$"):
        ask(vectors)


def test_an_unknown_word_without_close_spellings_is_refused(vectors):
    with pytest.raises(KeyError, match=r"^'zzzzzz' is not among the 100 words$"):
        vectors["zzzzzz"]


# --- Neighbours -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("positive", "negative"),
    [
        (["king"], []),
        (["king", "woman"], ["man"]),
        (["king", "queen", "paris"], []),
        ([], ["king"]),
        ([], ["king", "man"]),
        (["w1", "w2", "w3"], ["w4", "w5"]),
    ],
)
@pytest.mark.parametrize("topn", [1, 10, 99, 1000])
def test_neighbours_are_those_of_brute_force(vectors, positive, negative, topn):
    got = vectors.most_similar(positive, negative, topn)
    assert len(got) == min(topn, 100 - len(positive) - len(negative))
    assert_same_answers(got, brute_force(vectors, positive, negative)[:topn])


def test_words_weigh_the_same_however_long_their_vectors(vectors):
    scaled = WordVectors(vectors.words, vectors.vectors * np.linspace(0.01, 90, 100, dtype=np.float32)[:, None])
    assert_same_answers(
        scaled.most_similar(["king", "woman"], ["man"], topn=99),
        vectors.most_similar(["king", "woman"], ["man"], topn=99),
    )


def test_a_str_is_one_word(vectors):
    assert vectors.most_similar("king") == vectors.most_similar(["king"])
    assert vectors.most_similar("king", "man") == vectors.most_similar(["king"], ["man"])


def test_ten_are_given_by_default(vectors):
    assert len(vectors.most_similar("king")) == 10


def test_answers_are_python_values(vectors):
    word, cosine = vectors.most_similar("king")[0]
    assert (type(word), type(cosine)) == (str, float)


@pytest.mark.parametrize("topn", [0, -1])
def test_no_answers_are_given_when_none_are_wanted(vectors, topn):
    assert vectors.most_similar("king", topn=topn) == []


def test_no_words_are_refused(vectors):
    with pytest.raises(DataError, match="needs at least one word"):
        vectors.most_similar()


@pytest.mark.filterwarnings("error")
def test_vectors_of_length_zero_are_near_nothing():
    table = random_vectors(4, 5)
    table[[1, 3]] = 0
    vectors = WordVectors(["a", "nought", "b", "nil"], table)
    got = dict(vectors.most_similar("a"))
    assert got["nought"] == got["nil"] == 0
    assert got["b"] == pytest.approx(dict(brute_force(vectors, ["a"], []))["b"], abs=1e-5)
    assert vectors.most_similar("nought") == [("a", 0), ("b", 0), ("nil", 0)]


def test_words_that_cancel_are_near_nothing(vectors):
    assert {cosine for _, cosine in vectors.most_similar("king", "king", topn=99)} == {0.0}


@pytest.mark.parametrize("topn", [1, 5, 50, 98, 99])
def test_equal_neighbours_come_in_the_order_of_rows(topn):
    vectors = WordVectors([f"w{number}" for number in range(100)], np.ones((100, 4), np.float32))
    assert [word for word, _ in vectors.most_similar("w0", topn=topn)] == [
        f"w{number}" for number in range(1, 1 + topn)
    ]


def test_nearest_rows_leave_out_the_excluded():
    table = random_vectors(30, 6)
    norms = np.linalg.norm(table, axis=1)
    cosines = table @ table[4] / norms / norms[4]
    rows = [row for row in np.argsort(-cosines).tolist() if row not in (4, 9)]
    assert [row for row, _ in highest(cosines_to(table, norms, table[4]), 28, excluded=[4, 9, 4])] == rows
    assert highest(cosines_to(table, norms, table[4]), 1)[0] == (4, pytest.approx(1, abs=1e-5))


# --- Files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_type", [str, lambda path: path], ids=["str", "Path"])
def test_what_was_saved_is_loaded(tmp_path, vectors, as_type):
    path = tmp_path / "x.vec"
    vectors.save(as_type(path))
    loaded = WordVectors.load(as_type(path))
    assert list(loaded.words) == vectors.words
    assert loaded.vectors.view(np.uint32).tolist() == vectors.vectors.view(np.uint32).tolist()
    assert loaded.settings == {"file": str(path)}
    assert loaded.most_similar("king") == vectors.most_similar("king")


def test_loading_and_asking_need_no_trainer(tmp_path, vectors):
    vectors.save(tmp_path / "x.vec")
    code = (
        "import sys; from embedtrain import WordVectors;"
        "print(WordVectors.load(sys.argv[1]).most_similar('king')[0][0]);"
        "trainers = ('embedtrain.models.skipgram', 'embedtrain.models.glove', 'embedtrain.training');"
        "print([name for name in sys.modules if name.startswith(trainers)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "x.vec")],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout.splitlines() == [vectors.most_similar("king")[0][0], "[]"]


def test_loading_takes_what_is_chosen(tmp_path, vectors):
    vectors.save(tmp_path / "x.vec", threads=1)
    path = tmp_path / "x.vec"
    assert list(WordVectors.load(path, limit=3, format="word2vec").words) == vectors.words[:3]
    some = WordVectors.load(path, vocabulary=["paris", "queen", "stranger"], dtype=np.float16, threads=1)
    assert (list(some.words), some.vectors.dtype) == (["queen", "paris"], np.float16)
    assert some.similarity("queen", "paris") == pytest.approx(vectors.similarity("queen", "paris"), abs=2e-3)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"limit": 0}, "limit must be at least 1"),
        ({"dtype": np.float64}, "dtype must be float32 or float16"),
        ({"dtype": "x"}, "dtype must be float32 or float16"),
        ({"vocabulary": "king"}, r"write \['king'\]"),
        ({"format": "x"}, "format must be one of"),
    ],
)
def test_bad_choices_are_refused(tmp_path, vectors, choice, message):
    vectors.save(tmp_path / "x.vec")
    with pytest.raises(ValueError, match=message):
        WordVectors.load(tmp_path / "x.vec", **choice)
