"""Rotating vectors onto those of another model."""

from dataclasses import replace

import numpy as np
import pytest
from commands import error_of, run

from embedtrain import DataError, EmbedtrainWarning, SettingError, WordVectors, align
from embedtrain.formats.factors import Factors
from embedtrain.formats.subwords import Subwords

RANDOM = np.random.default_rng(0)
WORDS = [f"w{i}" for i in range(60)]


def random_rows(n, dim=8):
    return RANDOM.normal(size=(n, dim)).astype(np.float32)


@pytest.fixture
def vectors():
    return WordVectors(WORDS, random_rows(60), counts=np.arange(60, 0, -1), context_vectors=random_rows(60))


@pytest.fixture
def rotation():
    return np.linalg.qr(random_rows(8))[0]


def test_a_planted_rotation_is_recovered(vectors, rotation):
    target = WordVectors(WORDS[::-1], vectors.vectors[::-1] @ rotation)
    found = align(vectors, target)
    np.testing.assert_allclose(found.rotation, rotation, atol=1e-6)
    np.testing.assert_allclose(found.vectors.vectors, target.vectors[::-1], atol=1e-5)
    assert found.after == pytest.approx(1, abs=1e-6)
    assert abs(found.before) < 0.5
    assert found.vectors.words == WORDS
    assert np.array_equal(found.vectors.counts, vectors.counts)


def test_words_that_moved_are_found(vectors, rotation):
    rows = vectors.vectors @ rotation
    rows[[3, 50]] *= -1
    target = WordVectors(WORDS, rows)
    found = align(vectors, target)
    assert {word for word, _ in found.moved[:2]} == {"w3", "w50"}
    assert [cosine for _, cosine in found.moved] == sorted(cosine for _, cosine in found.moved)
    assert len(found.moved) == 60
    near = align(vectors, target, restrict_vocab=10)
    assert near.moved[0][0] == "w3"
    assert len(near.moved) == 10


def test_the_rotation_is_nearest_among_random_ones(vectors):
    target = WordVectors(WORDS, random_rows(60))
    units = [table.vectors / table.norms[:, None] for table in (vectors, target)]
    others = [(units[0] @ np.linalg.qr(random_rows(8))[0] * units[1]).sum(axis=1).mean() for _ in range(200)]
    assert align(vectors, target).after > max(others)


def test_contexts_and_subwords_are_rotated_too(vectors, rotation):
    subwords = Subwords(3, 6, 20, random_rows(20))
    start = replace(vectors, subwords=subwords, word_vectors=vectors.vectors)
    found = align(start, WordVectors(WORDS, vectors.vectors @ rotation)).vectors
    for table in (found.vectors, found.word_vectors):
        np.testing.assert_allclose(
            table @ found.context_vectors.T, vectors.vectors @ vectors.context_vectors.T, atol=1e-4
        )
    np.testing.assert_allclose(found["unseen"], start["unseen"] @ rotation, atol=1e-5)


def test_factors_are_left_out_with_a_note(vectors):
    start = replace(vectors, factors=Factors(np.ones(8), np.ones(60), np.ones(60), None))
    with pytest.warns(EmbedtrainWarning, match="factors for fold_in are not rotated"):
        found = align(start, vectors)
    assert found.vectors.factors is found.vectors.context_vectors is None


@pytest.mark.parametrize("form", ["pairs", "spaces", "tabs"])
def test_a_dictionary_aligns_other_words(vectors, rotation, tmp_path, form):
    target = WordVectors([f"t {word}" for word in WORDS], vectors.vectors @ rotation)
    if form == "spaces":
        target = replace(target, words=[word.replace(" ", "") for word in target.words])
    dictionary = [*zip(WORDS[:30], target.words[:30], strict=True), ("w40", "other"), ("no", "t w40")]
    if form != "pairs":
        lines = [("\t" if form == "tabs" else " ").join(pair) for pair in dictionary]
        dictionary = tmp_path / "pairs.txt"
        dictionary.write_text("\n".join([*lines[:-1], "# a comment", "", "no\tw40"]))
    with pytest.warns(EmbedtrainWarning, match="^2 of 32 pairs have no vectors, and are left out$"):
        found = align(vectors, target, dictionary=dictionary)
    np.testing.assert_allclose(found.rotation, rotation, atol=1e-6)
    assert sorted(found.moved[0][0].split())[-1] in WORDS


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        ({"target": WordVectors(WORDS, random_rows(60, 4))}, SettingError, "8 and 4 dimensions .* with one dim$"),
        ({"target": "b.vec"}, SettingError, "^give vectors and target as WordVectors; WordVectors.load reads files$"),
        ({"target": WordVectors(["a"], random_rows(1))}, DataError, "no word is in all 2 tables, .* 'w0' and 'a'"),
        ({"dictionary": [("a", "b")] * 3}, DataError, "none of the 3 pairs has vectors; each needs a word"),
        ({"dictionary": []}, DataError, "none of the 0 pairs has vectors"),
        ({"dictionary": "bad.txt"}, DataError, r"bad.txt, line 2: expected two words with a tab .*, got 'a b c'$"),
        ({"dictionary": "missing.txt"}, DataError, "missing.txt"),
    ],
    ids=["dim", "path", "no common word", "unknown words", "empty", "three columns", "no file"],
)  # fmt: skip
def test_what_cannot_be_aligned(vectors, tmp_path, monkeypatch, more, error, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.txt").write_text("w1 w2\na b c\n")
    with pytest.raises(error, match=message):
        align(**{"vectors": vectors, "target": vectors, **more})


def test_few_pairs_are_noted(vectors):
    with pytest.warns(EmbedtrainWarning, match="^3 pairs do not determine a rotation in 8 dimensions; give more$"):
        align(vectors, vectors, restrict_vocab=3)


def test_the_command(vectors, rotation, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = vectors.vectors @ rotation
    rows[4] *= -1
    vectors.save("a.npz")
    WordVectors(WORDS, rows).save("b.vec")
    done = run("align", "a.npz", "b.vec", "-o", "c.npz", "--topn", "2")
    assert done.exit_code == 0, done.output
    assert "c.npz: a.npz rotated onto b.vec by 60 pairs of words; mean cosine" in done.stderr
    assert done.stdout.splitlines()[0].endswith("  w4")
    assert len(done.stdout.splitlines()) == 2
    found = WordVectors.load("c.npz")
    np.testing.assert_allclose(np.delete(found.vectors, 4, 0), np.delete(rows, 4, 0), atol=1e-2)
    assert found.context_vectors is not None
    assert "-o a.npz would replace an input; name another file" in error_of(
        run("align", "a.npz", "b.vec", "-o", "a.npz"), 2
    )
    done = run("align", "a.npz", "b.vec", "-o", "b.vec.pairs", "--dictionary", "b.vec.pairs")
    assert "would replace an input" in error_of(done, 2)
    assert "all different, got a.npz a.npz" in error_of(run("align", "a.npz", "a.npz", "-o", "c.npz"), 2)
    (tmp_path / "pairs").write_text("other other\n")
    line = error_of(run("align", "a.npz", "b.vec", "-o", "c.npz", "--dictionary", "pairs"), 1)
    assert line.endswith("none of the 1 pairs has vectors; each needs a word of the vectors, then one of the target")
    example = "embedtrain align 1990.vec 2020.vec -o 1990-aligned.vec --restrict 10000"
    for args, missing in ((["-o", "c.npz"], "argument TARGET"), (["b.vec"], "option -o")):
        assert f"missing {missing}; for example: {example}" in error_of(run("align", "a.npz", *args), 2)
