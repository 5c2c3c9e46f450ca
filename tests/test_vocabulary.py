"""The vocabulary."""

import numpy as np
import pytest

from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import DataError
from embedtrain.machine.words import PackedWords


@pytest.fixture
def vocabulary():
    return Vocabulary(["the", "cat", "dog", "sat", "é"], np.array([9, 4, 4, 4, 1]))


@pytest.mark.parametrize(("min_count", "n_frequent"), [(1, 5), (2, 4), (3, 4), (4, 4)])
@pytest.mark.parametrize("max_words", [None, 2, 3, 5, 1_000_000])
def test_a_cut_keeps_the_most_frequent_words_in_their_order(vocabulary, min_count, n_frequent, max_words):
    n_words = min(n_frequent, max_words or 5)
    cut = vocabulary.cut(min_count, max_words)
    assert cut.words == ["the", "cat", "dog", "sat", "é"][:n_words]
    assert cut.counts.tolist() == [9, 4, 4, 4, 1][:n_words]
    assert (len(cut), cut.n_tokens) == (n_words, sum([9, 4, 4, 4, 1][:n_words]))
    assert len(vocabulary) == 5


@pytest.mark.parametrize(
    ("min_count", "left"), [(10, "no word"), (1_000_000, "no word"), (9, "only one"), (5, "only one")]
)
def test_a_min_count_too_high_is_refused_with_one_that_works(vocabulary, min_count, left):
    with pytest.raises(DataError, match=rf"{left}.*22 tokens of 5 types.*'the'.* 9 times.*at most 4$"):
        vocabulary.cut(min_count)
    assert len(vocabulary.cut(4)) == 4


@pytest.mark.parametrize("min_count", [1, 2, 100])
def test_fewer_than_two_words_are_refused(min_count):
    with pytest.raises(DataError, match="1,234,567 tokens of 1 types; at least two different words are needed"):
        Vocabulary(["word"], np.array([1_234_567])).cut(min_count)
    with pytest.raises(DataError, match="7 tokens of 2 types; at least two different words are needed"):
        Vocabulary(["word", "</s>"], np.array([7, 0])).cut(min_count)


@pytest.fixture
def packed():
    """The same words as their bytes."""
    words = ["the", "дом", "", "é", "🙂"]
    lengths = [len(word.encode()) for word in words]
    text = np.frombuffer("".join(words).encode(), np.uint8)
    return words, PackedWords(text, np.concatenate([[0], np.cumsum(lengths)]))


def test_packed_words_are_a_sequence(packed):
    words, packed_words = packed
    assert list(packed_words) == words
    assert [packed_words[place] for place in range(-5, 5)] == words * 2
    for place in (slice(None), slice(1, 3), slice(3, 1), slice(9), slice(-2, None), slice(0, 5, 2)):
        assert packed_words[place] == words[place]
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
