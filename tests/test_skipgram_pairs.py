"""Batches of centres and contexts for models of one's own."""

from collections import Counter

import numpy as np
import pytest

from embedtrain import RandomWalks, SettingError, skipgram_pairs

LINES = ["a b c d", "b a", "c", "d c b a d c b a"] * 3


def pairs_of(pairs, epoch=0):
    return [
        (pairs.words[centre], pairs.words[context])
        for batch in pairs.batches(epoch)
        for centre, context in zip(*batch, strict=True)
    ]


def naive(lines, window):
    """All pairs in the order of the text."""
    return [
        (tokens[i], tokens[j])
        for tokens in map(str.split, lines)
        for i in range(len(tokens))
        for j in range(max(0, i - window), min(len(tokens), i + window + 1))
        if i != j
    ]


@pytest.mark.parametrize("window", [1, 2, 9])
@pytest.mark.parametrize("batch", [1, 7, 10_000])
@pytest.mark.parametrize("chunk", [5, 1 << 14])
def test_pairs_are_those_of_the_plain_form(monkeypatch, window, batch, chunk):
    monkeypatch.setattr("embedtrain.models.skipgram_pairs._CHUNK", chunk)
    pairs = skipgram_pairs(LINES, window=window, window_mode="fixed", sample=0, min_count=1, batch=batch)
    assert pairs_of(pairs) == naive(LINES, window)
    lengths = [len(centres) for centres, _ in pairs.batches()]
    assert set(lengths[:-1]) <= {batch}
    assert 0 < lengths[-1] <= batch


def test_windows_are_drawn_anew_in_every_epoch():
    pairs = skipgram_pairs(LINES * 200, window=4, sample=0, min_count=1)
    first, second = pairs_of(pairs, 0), pairs_of(pairs, 1)
    assert first == pairs_of(pairs, 0) != second
    # of the windows 1 to 4, all reach distance 1, and a quarter distance 4: in "d c b a d …", d meets d
    near = Counter(first)["b", "a"] / Counter(naive(LINES * 200, 1))["b", "a"]
    assert 1 < near < Counter(naive(LINES * 200, 4))["b", "a"] / Counter(naive(LINES * 200, 1))["b", "a"]
    expected = sum(len(naive(LINES * 200, window)) for window in (1, 2, 3, 4)) / 4
    assert len(first) == pytest.approx(expected, rel=0.02)


def test_frequent_words_are_subsampled_and_others_cut():
    lines = ["the cat the dog", "the tree"] * 2000 + ["rare the"]
    whole, sampled = (skipgram_pairs(lines, sample=sample, min_count=2, window=1) for sample in (0, 0.01))
    assert whole.words == sampled.words == ["the", "cat", "dog", "tree"]
    n_whole, n_sampled = (Counter(centre for centre, _ in pairs_of(pairs)) for pairs in (whole, sampled))
    assert n_sampled["the"] < 0.2 * n_whole["the"]
    assert whole.counts.tolist() == [6001, 2000, 2000, 2000]


def test_walks_give_pairs_too():
    pairs = skipgram_pairs(RandomWalks([("a", "b"), ("b", "c")], 2, 5), window=1, window_mode="fixed", sample=0)
    found = set(pairs_of(pairs))
    assert found == {("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")}


def test_settings_of_pairs_are_checked():
    with pytest.raises(SettingError, match="batch must be a whole number of at least 1"):
        skipgram_pairs(LINES, batch=0)
    assert np.issubdtype(next(skipgram_pairs(LINES, min_count=1, sample=0).batches())[0].dtype, np.int32)
