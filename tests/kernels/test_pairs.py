"""Counting pairs and joining phrases give what the plain form gives."""

import numpy as np
import pytest
from naive_phrases import joined, phrases

from embedtrain.corpus.encoding import encode
from embedtrain.corpus.phrases import Phrases
from embedtrain.corpus.rewriting import Rewriting
from embedtrain.counts import phrase_scores
from embedtrain.machine.progress import Progress

CONNECTORS = {"w0", "w1"}


def sentences_of(n=300, n_words=12, seed=3):
    """Sentences of few words, some frequent, among them many connectors."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, n_words + 1)
    return [[f"w{i}" for i in rng.choice(n_words, rng.integers(1, 30), p=share / share.sum())] for _ in range(n)]


def words_of(text):
    words = text.vocabulary.words[:]
    return [[words[i] for i in text.ids[a:b]] for a, b in zip(text.offsets, text.offsets[1:], strict=False)]


@pytest.mark.parametrize("connectors", [(), CONNECTORS, {"w0"}], ids=["none", "two", "frequent"])
@pytest.mark.parametrize(("scoring", "threshold"), [("default", 0.02), ("npmi", -0.2)])
@pytest.mark.parametrize("threads", [1, 3])
def test_scores_are_those_of_the_plain_form(connectors, scoring, threshold, threads, monkeypatch):
    monkeypatch.setattr(phrase_scores, "_SLOTS", 8)  # so that tables grow
    sentences = sentences_of()
    found = phrase_scores.score_phrases(
        encode(sentences, threads=1), connectors, scoring=scoring, threshold=threshold, min_count=2, threads=threads,
        progress=Progress("counting", None, shown=""),
    )  # fmt: skip
    expected = phrases(sentences, connectors, scoring, threshold, 2)
    assert found.keys() == expected.keys()
    assert len(found) > 10
    assert any(len(words) > 2 for words in found) == bool(connectors)
    for words, (score, count) in found.items():
        assert count == expected[words][1]
        assert score == pytest.approx(expected[words][0], rel=1e-12)
    scores = [score for score, _ in found.values()]
    assert scores == sorted(scores, reverse=True)


def test_the_longest_phrase_is_joined():
    found = Phrases(dict.fromkeys([("a", "b"), ("a", "b", "c", "d"), ("b", "c"), ("d", "a")], (0.0, 0)))
    sentences = ["a b c d a b c a b c b c".split(), ["d", "a", "b", "c", "d"], ["a"]]
    expected = ["a_b_c_d a_b c a_b c b_c".split(), ["d_a", "b_c", "d"], ["a"]]
    assert words_of(Rewriting(phrases=found).joined(encode(sentences, threads=1), 1, None)) == expected
    assert [found.join(sentence) for sentence in sentences] == expected


@pytest.mark.parametrize("threads", [1, 3])
def test_phrases_are_joined_from_left_to_right(threads, monkeypatch):
    monkeypatch.setattr("embedtrain.corpus.rewriting._AT_ONCE", 64)  # so that there are many tasks
    sentences = sentences_of()
    text = encode(sentences, threads=1)
    one = phrases(sentences, CONNECTORS, "default", 0.02, 2)
    assert any(len(words) > 3 for words in one)
    once = [joined(sentence, one) for sentence in sentences]
    two = phrases(once, CONNECTORS, "default", 0.02, 2)
    assert any("_" in word for words in two for word in words)
    for passes, expected in (([one], once), ([one, two], [joined(sentence, two) for sentence in once])):
        found = Rewriting(phrases=Phrases(*passes)).joined(text, threads, None)
        assert words_of(found) == expected == [Phrases(*passes).join(sentence) for sentence in sentences]
        order = [(-count, word.encode()) for word, count in zip(found.vocabulary.words, found.vocabulary.counts)]  # noqa: B905
        assert order == sorted(order)
        assert np.array_equal(np.bincount(found.ids), found.vocabulary.counts)
