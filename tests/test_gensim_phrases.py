"""Phrases are those of gensim, at the same scores, also where they are joined."""

from pathlib import Path

import pytest

from embedtrain import Phrases, find_phrases

pytest.importorskip("gensim", reason="gensim is not installed")
pytestmark = pytest.mark.clients

TOY = Path(__file__).parent.parent / "corpora" / "toy.txt"


@pytest.fixture(scope="module")
def sentences():
    words = TOY.read_text(encoding="utf-8").split()[:60_000]
    return [words[begin : begin + 37] for begin in range(0, len(words), 37)]


@pytest.mark.parametrize("connectors", [False, True], ids=["plain", "connectors"])
@pytest.mark.parametrize(("scoring", "threshold", "min_count"), [("default", 1.0, 5), ("npmi", 0.4, 3)])
def test_phrases_and_scores_are_those_of_gensim(sentences, scoring, threshold, min_count, connectors):
    from gensim.models import phrases as gensim

    words = gensim.ENGLISH_CONNECTOR_WORDS if connectors else frozenset()
    settings = {"scoring": scoring, "threshold": threshold, "min_count": min_count}
    other = gensim.Phrases(sentences, connector_words=words, **settings)
    found = find_phrases(sentences, connectors="english" if connectors else None, **settings)
    assert found.scores == pytest.approx(other.export_phrases(), rel=1e-12)
    assert len(found) > 20
    assert [found.join(sentence) for sentence in sentences] == list(other[sentences])


def test_a_second_pass_is_that_of_gensim(sentences):
    from gensim.models import phrases as gensim

    first = gensim.Phrases(sentences, threshold=1.0)
    second = gensim.Phrases(first[sentences], threshold=1.0)
    expected = second.find_phrases(first[sentences])
    found = find_phrases(sentences, threshold=1.0, passes=2)
    _, phrases = found.passes
    joined = [Phrases(found.passes[0]).join(sentence) for sentence in sentences]
    assert joined == list(first[sentences])
    # gensim's number of types is lower by the pairs that are spelt like others, a_b + c and a + b_c
    assert Phrases({}, phrases).join(joined[0]) == next(iter(second[[joined[0]]]))
    assert set(Phrases(phrases).scores) >= set(expected)
    for phrase, score in expected.items():
        assert Phrases(phrases).scores[phrase] == pytest.approx(score, rel=1e-3)
