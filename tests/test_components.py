"""Vectors without their mean and their first principal components."""

import numpy as np
import pytest
from commands import error_of, run

from embedtrain import EmbedtrainWarning, SettingError, WordVectors, remove_components

RANDOM = np.random.default_rng(0)
WORDS = [f"w{i}" for i in range(40)]
ROWS = RANDOM.normal(size=(40, 6)).astype(np.float32) * [5, 4, 3, 2, 1, 1] + [9, 0, 0, 0, 0, 9]
VECTORS = WordVectors(WORDS, ROWS.astype(np.float32), counts=np.arange(40, 0, -1), settings={"model": "svd"})


def plainly(rows, n):
    """Mu and Viswanath, algorithm 1."""
    centred = rows - rows.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    return centred - sum((np.outer(centred @ axis, axis) for axis in axes[:n]), np.zeros_like(centred))


@pytest.mark.parametrize("n", [0, 1, 3, 5])
def test_components_are_removed_as_in_the_paper(n):
    found = remove_components(VECTORS, n)
    np.testing.assert_allclose(found.vectors, plainly(ROWS, n), atol=1e-4)
    assert (found.words, found.counts.tolist()) == (WORDS, VECTORS.counts.tolist())
    assert found.settings == {"model": "svd", "removed_components": n}


def test_contexts_are_left_out_with_a_note():
    with pytest.warns(EmbedtrainWarning, match="^context vectors, subwords and factors do not fit"):
        found = remove_components(WordVectors(WORDS, VECTORS.vectors, context_vectors=VECTORS.vectors))
    assert found.context_vectors is None


@pytest.mark.parametrize("n", [-1, 6])
def test_components_that_are_not_there(n):
    with pytest.raises(SettingError, match=f"^remove_components must be between 0 and 5, got {n}$"):
        remove_components(VECTORS, n)


def test_the_command_converts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    VECTORS.save("a.npz")
    for options, n in (
        (["--center"], 0),
        (["--remove-components", "2"], 2),
        (["--center", "--remove-components=1"], 1),
    ):
        assert run("convert", "a.npz", "b.npz", *options).exit_code == 0
        found = WordVectors.load("b.npz")
        np.testing.assert_allclose(found.vectors, plainly(ROWS, n), atol=1e-4)
        assert found.counts.tolist() == VECTORS.counts.tolist()
    assert run("convert", "a.npz", "c.npz", "--center", "--float16", "--limit", "30").exit_code == 0
    half = WordVectors.load("c.npz", dtype=np.float16).vectors
    np.testing.assert_allclose(half.astype(np.float32), plainly(ROWS[:30], 0), atol=0.05)
    line = error_of(run("convert", "a.npz", "b.npz", "--remove-components", "6"), 2)
    assert "--remove-components must be between 0 and 5, got 6" in line
