"""Combining the vectors of several models, and removing what all words share."""

import numpy as np
import pytest
from commands import error_of, run

from embedtrain import DataError, EmbedtrainWarning, SettingError, WordVectors, combine

RANDOM = np.random.default_rng(0)
A = WordVectors(["a", "b", "c", "d"], RANDOM.normal(size=(4, 3)).astype(np.float32), counts=[9, 8, 7, 6])
B = WordVectors(["d", "x", "b", "a"], RANDOM.normal(size=(4, 5)).astype(np.float32))


def unit(table, word):
    return table.vectors[table.index[word]] / np.linalg.norm(table.vectors[table.index[word]])


def test_concatenated_vectors_have_the_mean_cosine():
    found = combine([A, B])
    assert found.words == ["a", "b", "d"]
    assert found.counts.tolist() == [9, 8, 6]
    for word in found.words:
        np.testing.assert_allclose(found[word], np.concatenate([unit(A, word), unit(B, word)]), rtol=1e-6)
    mean = np.mean([table.similarity("a", "d") for table in (A, B)])
    assert found.similarity("a", "d") == pytest.approx(mean, abs=1e-6)
    assert found.settings["how"] == "concat"
    assert combine([B, A]).counts is None


def test_averages_pad_with_zeros():
    found = combine([A, B], "average")
    for word in found.words:
        np.testing.assert_allclose(found[word], (np.pad(unit(A, word), (0, 2)) + unit(B, word)) / 2, rtol=1e-6)


def test_svd_is_that_of_the_concatenation():
    words = [str(i) for i in range(50)]
    tables = [WordVectors(words, RANDOM.normal(size=(50, dim)).astype(np.float32)) for dim in (4, 6)]
    whole = combine(tables).vectors
    U, s, _ = np.linalg.svd(whole, full_matrices=False)
    for dim, expected in ((3, 3), (None, 6), (10, 10)):
        found = combine(tables, "svd", dim=dim).vectors
        assert found.shape == (50, expected)
        np.testing.assert_allclose(abs(found), abs(U * s)[:, :expected], atol=1e-4)
    np.testing.assert_allclose(found @ found.T, whole @ whole.T, atol=1e-5)


def test_vectors_of_length_0_and_contexts():
    zeros = WordVectors(["a", "b"], [[0, 0], [3, 4]], context_vectors=np.ones((2, 2), np.float32))
    with pytest.warns(EmbedtrainWarning, match="^context vectors, subwords and factors do not fit .* are left out$"):
        found = combine([zeros, A])
    assert found["a"][:2].tolist() == [0, 0]
    assert found["b"][:2].tolist() == pytest.approx([0.6, 0.8])


@pytest.mark.parametrize(
    ("tables", "more", "error", "message"),
    [
        ([A], {}, SettingError, "at least two WordVectors"),
        (["a.vec", "b.vec"], {}, SettingError, "at least two WordVectors; WordVectors.load reads files$"),
        (A, {}, SettingError, "at least two WordVectors"),
        ([A, WordVectors(["X"], [[1, 2]])], {}, DataError, "no word is in all 2 tables, which begin with 'a' and 'X'"),
        ([A, B], {"how": "sum"}, SettingError, "^how must be concat, average or svd, got 'sum'$"),
        ([A, B], {"dim": 3}, SettingError, "^dim is for how='svd', between 1 and 8 for these tables, got 3$"),
        ([A, B], {"how": "svd", "dim": 9}, SettingError, "between 1 and 8 for these tables, got 9$"),
        ([A, WordVectors(["a"], [[np.inf, 1]])], {}, DataError, "'a' has no finite length"),
    ],
    ids=["one", "files", "no list", "no common word", "how", "dim of concat", "large dim", "infinite"],
)  # fmt: skip
def test_what_cannot_be_combined(tables, more, error, message):
    with pytest.raises(error, match=message):
        combine(tables, **more)


def test_the_command(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    A.save("a.vec")
    B.save("b.npz")
    done = run("combine", "a.vec", "b.npz", "-o", "c.npz", "--how", "svd", "--dim", "2")
    assert (done.exit_code, done.stderr) == (0, "c.npz: 3 words, 2 dimensions\n")
    np.testing.assert_allclose(WordVectors.load("c.npz").vectors, combine([A, B], "svd", dim=2).vectors, atol=1e-4)
    for args, message in (
        (["a.vec", "-o", "c.vec"], "name at least two files of vectors, all different, got a.vec"),
        (["a.vec", "a.vec", "-o", "c.vec"], "name at least two files of vectors, all different, got a.vec a.vec"),
        (["a.vec", "b.npz", "-o", "a.vec"], "-o a.vec would replace an input; name another file"),
        (["a.vec", "b.npz", "-o", "c.foo"], "no format is written as .foo"),
        (["a.vec", "b.npz", "-o", "c.vec", "--how", "sum"], "--how must be concat"),
        (["a.vec", "b.npz"], "missing option -o; for example: embedtrain combine "),
    ):
        assert message in error_of(run("combine", *args), 2)
    assert not (tmp_path / "c.vec").exists()
