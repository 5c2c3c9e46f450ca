import numpy as np
import pytest

import embedtrain
from embedtrain import DataError, SettingError, UnknownWord, WordVectors


@pytest.fixture
def vectors():
    words = ["king", "queen", "man", "Paris", "USA", "woman"]
    return WordVectors(words, np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32))


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("King", r"^'King' is not among the 6 words; near in spelling: king"),
        ("paris", r"near in spelling: Paris"),
        ("usa", r"near in spelling: USA"),
        ("wombat", r"^'wombat' is not among the 6 words; near in spelling: woman$"),
        (6, r"^6 is no word, and no row from 0 to 5$"),
        (-1, r"^-1 is no word"),
        (b"king", r"^b'king' is no word"),
        (2.5, r"^2.5 is no word"),
        (slice(1, 3), r"^slice\(1, 3, None\) is no word"),
        (["king", "nobody"], r"^'nobody' is not among"),
        ([["king"]], r"^\['king'\] is no word"),
    ],
)
@pytest.mark.parametrize("error", [UnknownWord, KeyError, DataError])
def test_what_is_no_key_is_refused_by_name(vectors, key, message, error):
    with pytest.raises(error, match=message):
        vectors[key]


def test_close_spellings_are_three_and_the_same_word_comes_first():
    words = ["ing", "wing", "sing", "kings", "king"]
    vectors = WordVectors(words, np.eye(5, dtype=np.float32))
    with pytest.raises(UnknownWord, match=r"near in spelling: king, \w+, \w+$"):
        vectors["King"]


def test_several_keys_give_a_table(vectors):
    for keys in (["man", "king"], ("man", 0), np.array([2, 0]), (key for key in ["man", "king"])):
        assert np.array_equal(vectors[keys], vectors.vectors[[2, 0]])
    assert vectors[[]].shape == (0, 4)


def test_a_generator_is_a_question_like_its_list(vectors):
    assert vectors.most_similar(word for word in ["king"]) == vectors.most_similar(["king"])
    assert vectors.most_similar({"king"}, iter(["man"])) == vectors.most_similar("king", "man")
    assert vectors.most_similar_cosmul(iter(["king", "man"])) == vectors.most_similar_cosmul(["king", "man"])


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda wv: wv.most_similar([object()]), DataError, "expected a word, a row or a vector of 4 .* got <obj"),
        (lambda wv: wv.most_similar(object()), DataError, "expected a word, a row or a vector of 4"),
        (lambda wv: wv.most_similar(np.zeros(3)), DataError, r"a vector of 4 finite values, got shape \(3,\)"),
        (lambda wv: wv.most_similar_cosmul(np.zeros(3)), DataError, r"got shape \(3,\)"),
        (lambda wv: wv.similar_by_vector([1, 2, np.nan, 4]), DataError, r"got \[1, 2, nan, 4\]"),
        (lambda wv: wv.most_similar([("king", "queen")]), DataError, "a weight must be a finite number, got 'queen'"),
        (lambda wv: wv.most_similar([("king", np.inf)]), DataError, "a weight must be a finite number, got inf"),
        (lambda wv: wv.most_similar_cosmul([("king", 2)]), DataError, "knows the weights 1 and -1 only"),
        (lambda wv: wv.most_similar_cosmul(), DataError, "needs at least one word"),
        (lambda wv: wv.most_similar_cosmul([], []), DataError, "needs at least one word"),
        (lambda wv: wv.most_similar(b"king"), UnknownWord, "b'king' is no word"),
        (lambda wv: wv.most_similar("king", topn="x"), SettingError, "topn must be a whole number .*, got 'x'"),
        (lambda wv: wv.most_similar_cosmul("king", topn=2.5), SettingError, "topn must be .* or None .*, got 2.5"),
        (lambda wv: wv.most_similar("king", restrict_vocab=-5), SettingError, "restrict_vocab must be .* got -5"),
        (lambda wv: wv.most_similar("king", restrict_vocab=2.5), SettingError, "restrict_vocab must be .* got 2.5"),
        (lambda wv: wv.most_similar_cosmul("king", restrict_vocab="x"), SettingError, "restrict_vocab must .* got 'x'"),
        (lambda wv: wv.doesnt_match("king"), DataError, r"takes a list of words, got the str 'king'; write"),
        (lambda wv: wv.doesnt_match(5), DataError, "doesnt_match takes a list of words, got the int 5"),
        (lambda wv: wv.doesnt_match([]), DataError, r"doesnt_match needs words that have vectors, got \[\]"),
        (lambda wv: wv.doesnt_match(["x", "y"]), DataError, r"doesnt_match needs words .* got \['x', 'y'\]"),
        (lambda wv: wv.n_similarity("king", ["man"]), DataError, "takes a list of words, got the str 'king'"),
        (lambda wv: wv.n_similarity([], ["man"]), DataError, "a mean needs words, and a weight for each, got 0 and 0"),
        (lambda wv: wv.get_mean_vector(["king"], [1, 2]), DataError, "a weight for each, got 1 and 2"),
        (lambda wv: wv.get_mean_vector(["king", "x"], ignore_missing=False), UnknownWord, "'x' is not among"),
        (lambda wv: wv.get_vecattr("king", "rank"), SettingError, "attr must be 'count', got 'rank'"),
        (lambda wv: wv.get_vecattr("king", "count"), DataError, "the counts of words are not known"),
    ],
)  # fmt: skip
def test_bad_questions_are_refused_in_one_line(vectors, ask, error, message):
    with pytest.raises(error, match=message) as refused:
        ask(vectors)
    assert "\n" not in str(refused.value)


def test_a_restriction_stands_where_gensim_has_none(vectors):
    with pytest.raises(TypeError, match="positional"):
        vectors.most_similar("king", [], 5, 2)


@pytest.mark.parametrize("name", ["most_similar", "most_similar_cosmul", "similar_by_key", "similar_by_word"])
def test_answers_come_from_the_first_words_only(vectors, name):
    ask = getattr(vectors, name)
    assert {word for word, _ in ask("woman", topn=9, restrict_vocab=2)} == {"king", "queen"}
    assert len(ask("woman", topn=2)) == 2
    assert ask("woman", topn=None, restrict_vocab=2).shape == (2,)
    assert ask("woman", restrict_vocab=0) == ask("woman")


def test_neighbours_of_a_vector_heed_number_and_restriction(vectors):
    x = vectors["man"]
    assert [word for word, _ in vectors.similar_by_vector(x, 1)] == ["man"]
    assert {word for word, _ in vectors.similar_by_vector(x, restrict_vocab=2)} == {"king", "queen"}
    assert vectors.similar_by_vector(x, topn=None).shape == (6,)


def test_what_does_not_match_may_come_in_any_dress_and_be_unknown():
    table = np.array([[1, 0], [1, 0.1], [0, 1], [1, 0.2]], np.float32)
    vectors = WordVectors(["a", "b", "odd", "c"], table)
    for words in (["odd", "a", "b", "c"], {"a", "b", "c", "odd"}, iter(["a", "b", "odd"])):
        assert vectors.doesnt_match(words) == "odd"
    with pytest.warns(UserWarning, match=r"leaves out what has no vector: \['x', 'y'\]"):
        assert vectors.doesnt_match(["a", "x", "b", "y", "odd"]) == "odd"


def test_lookups_have_no_side_of_themselves(vectors):
    assert vectors.rank("king", "king") == 1
    order = [word for word, _ in vectors.most_similar("king")]
    assert [vectors.rank("king", word) for word in order] == [1, 2, 3, 4, 5]


# --- What is no table of words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_words", "settings", "message"),
    [
        (2, {"vectors": np.ones((3, 2), np.float32)}, r"vectors must be a 2-d array of 2 rows, one a word, got shape"),
        (4, {"vectors": np.ones((3, 2), np.float32)}, r"vectors must be a 2-d array of 4 rows"),
        (2, {"vectors": np.ones(2, np.float32)}, r"vectors must be a 2-d array .* got shape \(2,\)"),
        (2, {"vectors": [[1, 2], [3, 4]]}, "vectors must be a 2-d array .* got list"),
        (2, {"vectors": None}, "vectors must be a 2-d array .* got NoneType"),
        (2, {"counts": np.ones(3, np.int64)}, "counts must be a 1-d array of 2 rows"),
    ],
)  # fmt: skip
def test_tables_of_other_shapes_are_refused(n_words, settings, message):
    with pytest.raises(DataError, match=message):
        WordVectors(list("abcdef")[:n_words], **{"vectors": np.ones((2, 2), np.float32), **settings})


def test_a_word_that_stands_twice_is_refused_where_its_row_is_asked_for():
    vectors = WordVectors(["a", "b", "a"], np.eye(3, dtype=np.float32))
    with pytest.raises(DataError, match=r"^'a' stands twice among the words; name every word once$"):
        vectors.most_similar("a")


def test_unknown_words_and_evaluations_have_public_names():
    assert embedtrain.UnknownWord is UnknownWord
    assert embedtrain.evaluate_analogies.__name__ in embedtrain.__all__
    assert embedtrain.evaluate_similarity.__name__ in embedtrain.__all__
