"""The vocabulary."""

import numpy as np
import pytest

from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import DataError
from embedtrain.machine.words import PackedWords


@pytest.fixture
def vocabulary():
    return Vocabulary(["the", "cat", "dog", "sat", "é"], np.array([9, 4, 4, 4, 1]))


@pytest.mark.parametrize(
    ("min_count", "n_words"), [(1, 5), (2, 4), (3, 4), (4, 4)], ids=["all", "above one", "between", "at a tie"]
)
def test_a_cut_keeps_the_words_that_are_frequent_enough(vocabulary, min_count, n_words):
    cut = vocabulary.cut(min_count)
    assert cut.words == vocabulary.words[:n_words]
    assert cut.counts.tolist() == vocabulary.counts[:n_words].tolist()
    assert len(cut) == n_words


def test_a_cut_changes_no_ids(vocabulary):
    cut = vocabulary.cut(4)
    assert [vocabulary.words.index(word) for word in cut.words] == [0, 1, 2, 3]


def test_n_tokens_counts_the_words_left(vocabulary):
    assert vocabulary.n_tokens == 22
    assert vocabulary.cut(2).n_tokens == 21


@pytest.mark.parametrize(
    ("min_count", "left"), [(10, "no word"), (1_000_000, "no word"), (9, "only one"), (5, "only one")]
)
def test_a_min_count_too_high_is_refused_with_one_that_works(vocabulary, min_count, left):
    with pytest.raises(DataError, match=rf"{left}.*22 tokens of 5 types.*'the'.* 9 times.*at most 4$"):
        vocabulary.cut(min_count)
    assert len(vocabulary.cut(4)) == 4


def test_the_highest_of_large_counts_is_said():
    vocabulary = Vocabulary(["a", "b"], np.array([1_234_567, 3]))
    with pytest.raises(DataError, match=r"'a'.* 1,234,567 times"):
        vocabulary.cut(5)


@pytest.mark.parametrize("min_count", [1, 2, 100])
def test_one_word_is_too_few_whatever_the_min_count(min_count):
    with pytest.raises(DataError, match="7 tokens of 1 types; at least two different words are needed"):
        Vocabulary(["word"], np.array([7])).cut(min_count)


def test_the_most_frequent_words_are_kept_ties_by_their_bytes(vocabulary):
    for n_words in (2, 3, 4):
        cut = vocabulary.cut(1, n_words)
        assert cut.words == ["the", "cat", "dog", "sat"][:n_words]
        assert cut.counts.tolist() == [9, 4, 4, 4][:n_words]
    assert len(vocabulary) == 5


@pytest.mark.parametrize(
    ("min_count", "max_words", "n_words"), [(1, 5, 5), (1, 1_000_000, 5), (4, 5, 4), (4, 2, 2), (1, None, 5)]
)
def test_max_words_and_min_count_both_hold(vocabulary, min_count, max_words, n_words):
    assert vocabulary.cut(min_count, max_words).words == vocabulary.words[:n_words]


def test_words_that_never_occur_are_too_few():
    """As a file may have them."""
    with pytest.raises(DataError, match="7 tokens of 2 types; at least two different words are needed"):
        Vocabulary(["word", "</s>"], np.array([7, 0])).cut(1)


@pytest.fixture
def packed():
    """The same words as their bytes."""
    words = ["the", "дом", "", "é", "🙂"]
    lengths = [len(word.encode()) for word in words]
    text = np.frombuffer("".join(words).encode(), np.uint8)
    return words, PackedWords(text, np.concatenate([[0], np.cumsum(lengths)]))


@pytest.mark.parametrize("place", [slice(None), slice(1, 3), slice(3, 1), slice(9), slice(-2, None), slice(0, 5, 2)])
def test_packed_words_are_sliced_as_a_list(packed, place):
    words, packed_words = packed
    assert packed_words[place] == words[place]


def test_packed_words_are_found_by_their_places(packed):
    words, packed_words = packed
    assert list(packed_words) == words
    assert [packed_words[place] for place in range(-5, 5)] == words * 2
    assert len(packed_words) == 5
    assert "дом" in packed_words
    assert packed_words.index("é") == 3


def test_a_place_beyond_packed_words_is_an_error(packed):
    for place in (5, -6):
        with pytest.raises(IndexError):
            packed[1][place]


def test_a_cut_of_packed_words_is_that_of_a_list(packed):
    words, packed_words = packed
    counts = np.array([9, 5, 4, 2, 1])
    cut = Vocabulary(packed_words, counts).cut(2, 3)
    assert list(cut.words) == cut.unpacked().words == words[:3]
