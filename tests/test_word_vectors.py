"""Look-ups, nearest neighbours and sums of words; loading and saving."""

import numpy as np
import pytest
from programs import python

from embedtrain import DataError, SettingError, UnknownWord, WordVectors


def random_vectors(n_words, dim, seed=0):
    return np.random.default_rng(seed).normal(size=(n_words, dim)).astype(np.float32)


@pytest.fixture
def vectors():
    words = ["king", "queen", "man", "woman", "kin", "Paris", "naïve", "USA", *(f"w{number}" for number in range(92))]
    return WordVectors(words, random_vectors(100, 12))


def brute_force(vectors, positive, negative):
    """All other words with their float64 cosines, the nearest first."""
    rows = dict(zip(vectors.words, vectors.vectors.astype(np.float64), strict=True))

    def unit(x):
        return x / (np.linalg.norm(x) or 1)

    query = unit(sum(unit(rows[word]) for word in positive) - sum(unit(rows[word]) for word in negative))
    cosines = {word: float(unit(row) @ query) for word, row in rows.items() if word not in {*positive, *negative}}
    return sorted(cosines.items(), key=lambda item: -item[1])


def assert_same_neighbours(got, wanted):
    assert [word for word, _ in got] == [word for word, _ in wanted]
    assert [cosine for _, cosine in got] == pytest.approx([cosine for _, cosine in wanted], abs=1e-5)


# --- Look-ups ---------------------------------------------------------------------------------------------------------


def test_a_table_of_words(vectors):
    assert vectors["woman"].tolist() == vectors.get_vector("woman").tolist() == vectors.vectors[3].tolist()
    assert "king" in vectors
    assert not any(key in vectors for key in ("King", "", 3))
    assert len(vectors) == 100
    assert list(vectors) == vectors.words
    assert repr(vectors) == "<WordVectors: 100 words, 12 dimensions>"


def test_several_keys_give_a_table(vectors):
    for keys in (["man", "king"], ("man", 0), np.array([2, 0]), (key for key in ["man", "king"])):
        assert np.array_equal(vectors[keys], vectors.vectors[[2, 0]])
    assert vectors[[]].shape == (0, 12)


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("King", r"^'King' is not among the 100 words; 'king' differs only in case$"),
        ("kings", r"similar spelling: king, kin$"),
        ("paris", r"; 'Paris' differs only in case$"),
        ("usa", r"; 'USA' differs only in case$"),
        ("nai\u0308ve", r"; 'naïve' differs only in Unicode normalisation \(NFC\)$"),
        ("NAI\u0308VE", r"; 'naïve' differs only in case and Unicode normalisation \(NFC\)$"),
        ("ki\u200bng", r"^'ki\\u200bng' .*; 'king' differs only in characters without width$"),
        ("\ufeffKing", r"; 'king' differs only in case and characters without width$"),
        ("\u212aing", r"; 'king' differs only in case$"),
        ("zzzzzz", r"^'zzzzzz' is not among the 100 words$"),
        (100, r"^100 is neither a word nor a row from 0 to 99$"),
        (-1, r"^-1 is neither"),
        (b"king", r"^b'king' is neither"),
        (2.5, r"^2.5 is neither"),
        (slice(1, 3), r"^slice\(1, 3, None\) is neither"),
        (["king", "nobody"], r"^'nobody' is not among"),
        ([["king"]], r"^\['king'\] is neither"),
    ],
)
def test_an_invalid_key_is_refused_by_name(vectors, key, message):
    with pytest.raises(UnknownWord, match=message) as refused:
        vectors[key]
    assert isinstance(refused.value, KeyError)
    assert isinstance(refused.value, DataError)


def test_close_spellings_are_at_most_three():
    vectors = WordVectors(["ing", "wing", "sing", "kings", "king"], np.eye(5, dtype=np.float32))
    with pytest.raises(UnknownWord, match=r"similar spelling: king, \w+, \w+$"):
        vectors["kingg"]


def test_the_most_frequent_of_several_spellings_is_suggested():
    vectors = WordVectors(["x", "cafe\u0301", "Café", "CAFÉ"], np.eye(4, dtype=np.float32))
    with pytest.raises(UnknownWord, match=r"; 'cafe\u0301' differs only in case and Unicode normalisation \(NFD\)$"):
        vectors["cAFÉ"]


def test_arrays_are_read_only_views():
    table, counts = np.ones((2, 3), np.float32), np.ones(2, np.int64)
    vectors = WordVectors(["a", "b"], table, counts, context_vectors=table, word_vectors=table)
    for array in (vectors.vectors, vectors.counts, vectors.context_vectors, vectors.word_vectors, vectors["a"]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 2
    table[0] = 2  # as in training
    assert vectors["a"].tolist() == [2, 2, 2]


def test_lists_of_numbers_become_arrays():
    vectors = WordVectors(["a", "b"], [[1, 2], [3, 4]], [5, 6])
    assert (vectors.vectors.dtype, vectors.counts.tolist()) == (np.float32, [5, 6])
    assert vectors.most_similar("a") == [("b", pytest.approx(11 / 125**0.5))]


@pytest.mark.parametrize(
    ("n_words", "settings", "message"),
    [
        (2, {"vectors": np.ones((3, 2), np.float32)}, "vectors must be a 2-d array of 2 rows, one per word, got shape"),
        (2, {"vectors": np.ones(2, np.float32)}, r"vectors must be a 2-d array .* got shape \(2,\)"),
        (2, {"vectors": [[1, 2], [3]]}, "vectors must be a 2-d array .* got list"),
        (2, {"vectors": {"a": [1, 2]}}, "vectors must be a 2-d array .* got dict"),
        (2, {"vectors": None}, "vectors must be a 2-d array .* got NoneType"),
        (2, {"counts": np.ones(3, np.int64)}, "counts must be a 1-d array of 2 rows"),
    ],
)  # fmt: skip
def test_tables_of_other_shapes_are_refused(n_words, settings, message):
    with pytest.raises(DataError, match=message):
        WordVectors(list("abcdef")[:n_words], **{"vectors": np.ones((2, 2), np.float32), **settings})


def test_a_word_that_appears_twice_is_refused_when_rows_are_looked_up():
    vectors = WordVectors(["a", "b", "a"], np.eye(3, dtype=np.float32))
    with pytest.raises(DataError, match=r"^'a' appears twice among the words; name every word once$"):
        vectors.most_similar("a")


# --- Neighbours -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("positive", "negative"),
    [
        (["king"], []),
        (["king", "woman"], ["man"]),
        ([], ["king", "man"]),
        (["w1", "w2", "w3"], ["w4", "w5"]),
    ],
)
@pytest.mark.parametrize("topn", [1, 10, 99, 1000])
def test_neighbours_are_those_of_brute_force(vectors, positive, negative, topn):
    got = vectors.most_similar(positive, negative, topn)
    assert len(got) == min(topn, 100 - len(positive) - len(negative))
    assert_same_neighbours(got, brute_force(vectors, positive, negative)[:topn])
    assert {(type(word), type(cosine)) for word, cosine in got} == {(str, float)}


def test_words_come_alone_or_in_any_iterable(vectors):
    king = vectors.most_similar(["king"])
    assert len(king) == 10
    assert vectors.most_similar("king", topn=0) == vectors.most_similar("king", topn=-1) == []
    assert king == vectors.most_similar("king") == vectors.most_similar(word for word in ["king"])
    assert vectors.most_similar({"king"}, iter(["man"])) == vectors.most_similar("king", "man")
    assert vectors.most_similar_cosmul(iter(["king", "man"])) == vectors.most_similar_cosmul(["king", "man"])


@pytest.mark.parametrize("name", ["most_similar", "most_similar_cosmul"])
def test_only_the_first_words_are_searched(vectors, name):
    query = getattr(vectors, name)
    assert {word for word, _ in query("woman", topn=9, restrict_vocab=2)} == {"king", "queen"}
    assert len(query("woman", topn=2)) == 2
    assert query("woman", topn=None, restrict_vocab=2).shape == (2,)
    assert query("woman", restrict_vocab=0) == query("woman")


def test_neighbours_of_a_vector(vectors):
    x = vectors["woman"]
    assert [word for word, _ in vectors.similar_by_vector(x, 1)] == ["woman"]
    assert {word for word, _ in vectors.similar_by_vector(x, restrict_vocab=2)} == {"king", "queen"}
    assert vectors.similar_by_vector(x, topn=None).shape == (100,)


def test_rank_is_the_position_among_neighbours(vectors):
    assert vectors.rank("king", "king") == 1
    order = [word for word, _ in vectors.most_similar("king", topn=99)]
    assert [vectors.rank("king", word) for word in order] == list(range(1, 100))


def test_the_odd_word_is_found_among_known_ones():
    table = np.array([[1, 0], [1, 0.1], [0, 1], [1, 0.2]], np.float32)
    vectors = WordVectors(["a", "b", "odd", "c"], table)
    for words in (["odd", "a", "b", "c"], {"a", "b", "c", "odd"}, iter(["a", "b", "odd"])):
        assert vectors.doesnt_match(words) == "odd"
    with pytest.warns(UserWarning, match=r"leaves out words without a vector: \['x', 'y'\]"):
        assert vectors.doesnt_match(["a", "x", "b", "y", "odd"]) == "odd"


@pytest.mark.parametrize(
    ("query", "error", "message"),
    [
        (lambda wv: wv.most_similar(), DataError, "needs at least one word"),
        (lambda wv: wv.most_similar_cosmul([], []), DataError, "needs at least one word"),
        (lambda wv: wv.most_similar(["man", "kings"]), UnknownWord, "'kings' is not among"),
        (lambda wv: wv.most_similar("man", negative=["kings"]), UnknownWord, "'kings' is not among"),
        (lambda wv: wv.most_similar(b"king"), UnknownWord, "b'king' is neither"),
        (lambda wv: wv.most_similar([object()]), DataError, "expected a word, a row or a vector of 12 .* got <obj"),
        (lambda wv: wv.most_similar(object()), DataError, "expected a word, a row or a vector of 12"),
        (lambda wv: wv.most_similar(np.zeros(3)), DataError, r"a vector of 12 finite values, got shape \(3,\)"),
        (lambda wv: wv.most_similar_cosmul(np.zeros(3)), DataError, r"got shape \(3,\)"),
        (lambda wv: wv.similar_by_vector([1, np.nan]), DataError, r"got \[1, nan\]"),
        (lambda wv: wv.similar_by_vector([np.nan] * 12), DataError, "12 finite values"),
        (lambda wv: wv.most_similar([("king", "queen")]), DataError, "a weight must be a finite number, got 'queen'"),
        (lambda wv: wv.most_similar([("king", np.inf)]), DataError, "a weight must be a finite number, got inf"),
        (lambda wv: wv.most_similar_cosmul([("king", 2)]), DataError, "takes the weights 1 and -1 only"),
        (lambda wv: wv.most_similar("king", topn="x"), SettingError, "topn must be a whole number .*, got 'x'"),
        (lambda wv: wv.most_similar_cosmul("king", topn=2.5), SettingError, "topn must be .* or None .*, got 2.5"),
        (lambda wv: wv.most_similar("king", restrict_vocab=-5), SettingError, "restrict_vocab must be .* got -5"),
        (lambda wv: wv.most_similar("king", restrict_vocab=2.5), SettingError, "restrict_vocab must be .* got 2.5"),
        (lambda wv: wv.most_similar_cosmul("king", restrict_vocab="x"), SettingError, "restrict_vocab must .* got 'x'"),
        (lambda wv: wv.most_similar("king", [], 5, 2), TypeError, "positional"),  # gensim has another parameter here
        (lambda wv: wv.doesnt_match("king"), DataError, r"takes a list of words, got the str 'king'; write"),
        (lambda wv: wv.doesnt_match(5), DataError, "doesnt_match takes a list of words, got the int 5"),
        (lambda wv: wv.doesnt_match([]), DataError, r"doesnt_match needs words that have vectors, got \[\]"),
        (lambda wv: wv.doesnt_match(["x", "y"]), DataError, r"doesnt_match needs words .* got \['x', 'y'\]"),
    ],
)  # fmt: skip
def test_bad_queries_are_refused_in_one_line(vectors, query, error, message):
    with pytest.raises(error, match=message) as refused:
        query(vectors)
    assert "\n" not in str(refused.value)


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


HEAVY = ("numba", "llvmlite", "scipy", "embedtrain.training.run", "embedtrain.corpus.encoding")
QUERY = """
import sys
from embedtrain import WordVectors
print(WordVectors.load(sys.argv[-1]).most_similar("king", topn=1)[0][0])
"""
COMMAND = """
import sys
from embedtrain.cli import main
try: main(["neighbors", sys.argv[-1], "king", "-n", "1"])
except SystemExit: pass
"""


@pytest.mark.parametrize("name", ["x.npz", "x.vec"])
@pytest.mark.parametrize(
    ("code", "unwanted"),
    [(QUERY, (*HEAVY, "embedtrain.training", "embedtrain.models", "embedtrain.corpus")), (COMMAND, HEAVY)],
    ids=["library", "command"],
)
def test_loading_and_querying_import_no_trainer_and_no_compiler(tmp_path, vectors, name, code, unwanted):
    vectors.save(tmp_path / name)
    code += f"print([name for name in sys.modules if name.startswith({unwanted})])"
    done = python("-c", code, tmp_path / name)
    nearest, modules = done.stdout.splitlines()
    assert nearest.split()[-1] == vectors.most_similar("king")[0][0]
    assert modules == "[]"


def test_loading_takes_what_is_chosen(tmp_path, vectors):
    vectors.save(tmp_path / "x.vec", threads=1)
    path = tmp_path / "x.vec"
    assert list(WordVectors.load(path, limit=3, format="word2vec").words) == vectors.words[:3]
    some = WordVectors.load(path, vocabulary=["Paris", "queen", "stranger"], dtype=np.float16, threads=1)
    assert (list(some.words), some.vectors.dtype) == (["queen", "Paris"], np.float16)
    assert some.similarity("queen", "Paris") == pytest.approx(vectors.similarity("queen", "Paris"), abs=2e-3)


@pytest.mark.parametrize("name", ["x.vec", "x.bin", "x.npz"])
def test_a_choice_of_words_that_finds_none_is_noted(tmp_path, monkeypatch, vectors, name):
    monkeypatch.chdir(tmp_path)
    vectors.save(name)
    message = r"^none of the 2 words in vocabulary is among those of x\.\w+; check their case and Unicode form$"
    with pytest.warns(UserWarning, match=message) as noted:
        assert len(WordVectors.load(name, vocabulary=["a", "KING"])) == 0
    assert noted[0].filename == __file__


@pytest.mark.filterwarnings("error")
def test_no_words_are_loaded_in_silence_if_none_are_chosen(tmp_path, vectors):
    vectors.save(tmp_path / "x.vec")
    assert len(WordVectors.load(tmp_path / "x.vec", vocabulary=[])) == 0


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
