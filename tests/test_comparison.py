"""Comparing models by the neighbours of their words."""

import json

import numpy as np
import pytest
from commands import error_of, run

from embedtrain import DataError, SettingError, WordVectors, compare

RANDOM = np.random.default_rng(0)
WORDS = [f"w{i}" for i in range(1200)]
A = WordVectors(WORDS, RANDOM.normal(size=(1200, 6)).astype(np.float32))


def noisy(first):
    """A's vectors, rotated, and other ones for words from `first` on."""
    rows = A.vectors @ np.linalg.qr(RANDOM.normal(size=(6, 6)))[0].astype(np.float32)
    rows[first:] = RANDOM.normal(size=(1200 - first, 6))
    return WordVectors(WORDS, rows)


def brute_force(tables, topn):
    near = [[{word for word, _ in table.most_similar(word, topn=topn)} for word in WORDS] for table in tables]
    return [len(one & other) / topn for one, other in zip(*near, strict=True)]


def test_overlap_is_that_of_brute_force_in_each_band():
    tables = [A, noisy(600)]
    shares, found = brute_force(tables, 5), compare(tables, topn=5)
    assert [band[:3] for band in found] == [(1, 100, 100), (101, 1000, 900), (1001, 1200, 200)]
    for band in found:
        assert band.overlap == pytest.approx(np.mean(shares[band.first - 1 : band.last]))
    assert found[0].overlap > found[2].overlap


def test_rotated_vectors_are_the_same_and_several_are_compared_in_pairs():
    assert {band.overlap for band in compare([A, noisy(1200)])} == {1}
    both, other = noisy(1200), noisy(0)
    two, three = compare([A, other]), compare([A, both, other])
    assert [band.overlap for band in three] == pytest.approx([(1 + 2 * band.overlap) / 3 for band in two])


def test_samples_are_always_the_same():
    tables = [A, noisy(600)]
    found = compare(tables, sample=50)
    assert [band.n_words for band in found] == [50, 50, 50]
    assert found == compare(tables, sample=50) != compare(tables, sample=51)


def test_only_shared_words_with_vectors_count():
    rows = A.vectors.copy()
    rows[:1000] = 0
    found = compare([A, WordVectors([*WORDS[:1100], "other"], rows[:1101])])
    assert [band[:3] for band in found] == [(1, 100, 100)]
    assert found[0].overlap == 1
    three = WordVectors(WORDS[:3], rows[1000:1003])
    assert [band[:3] for band in compare([three, A], topn=1)] == [(1, 3, 3)]


@pytest.mark.parametrize(
    ("tables", "more", "error", "message"),
    [
        ([A], {}, SettingError, "at least two WordVectors"),
        ([A, WordVectors(["X"], [[1, 2]])], {}, DataError, "no word is in all 2 tables"),
        ([A, WordVectors(["w3"], [[1, 2]])], {}, DataError, "need at least three shared words, got 1$"),
        ([A, WordVectors(["w3"], [[0, 0]])], {}, DataError, "need at least three shared words, got 0$"),
        ([A, A], {"topn": 0}, SettingError, "^topn and sample must be at least 1, got 0 and 1000$"),
        ([A, A], {"topn": 1199}, SettingError, "^topn must be at most 1,198, as 1,200 words are shared, got 1199"),
    ],
    ids=["one", "no common word", "one word", "zeros", "topn", "all"],
)
def test_what_cannot_be_compared(tables, more, error, message):
    with pytest.raises(error, match=message):
        compare(tables, **more)


def test_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    A.save("a.npz")
    noisy(1200).save("b.npz")
    done = run("compare", "a.npz", "b.npz", "--sample", "10")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "words by frequency  compared  overlap",
        "          1 to 100        10   100.0%",
        "      101 to 1,000        10   100.0%",
        "    1,001 to 1,200        10   100.0%",
    ]
    band = json.loads(run("compare", "a.npz", "b.npz", "--json").stdout.splitlines()[0])
    assert band == {"first": 1, "last": 100, "n_words": 100, "overlap": 1.0}
    for files in (["a.npz"], ["a.npz", "b.npz", "a.npz"]):
        line = error_of(run("compare", *files), 2)
        assert line.endswith(f"name at least two files of vectors, all different, got {' '.join(files)}")
