import numpy as np
import pytest

from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import DataError, SettingError


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


@pytest.mark.parametrize("min_count", [0, -1])
def test_a_min_count_below_one_is_refused(vocabulary, min_count):
    with pytest.raises(SettingError, match=f"min_count must be at least 1, got {min_count}; 1 keeps every word"):
        vocabulary.cut(min_count)


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
