"""Notes on a matrix of counts: one triangle, and words without cells."""

import warnings

import numpy as np
import pytest
from scipy import sparse

from embedtrain import Counts, cooccurrence, cooccurrence_counts, train_glove

WORDS = ["a", "b", "c"]
FULL = np.array([[1, 2, 3], [2, 0, 1], [3, 1, 5]])


def notes_of(train, *args, **settings):
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        train(*args, **settings, progress=False)
    return [str(warning.message) for warning in seen]


def notes_on(matrix, **settings):
    counts = Counts(sparse.csr_array(np.asarray(matrix, np.float32)), WORDS, **settings)
    return notes_of(train_glove, counts, dim=4, epochs=1)


@pytest.mark.parametrize(
    ("matrix", "side"),
    [(np.triu(FULL), "upper"), (np.triu(FULL, 1), "upper"), (np.tril(FULL), "lower"), (np.tril(FULL, -1), "lower")],
    ids=["upper", "upper without diagonal", "lower", "lower without diagonal"],
)
def test_one_triangle_is_noted(matrix, side):
    (note,) = notes_on(matrix)
    assert note.startswith(f"the counts are in the {side} triangle of the matrix only")
    assert note.endswith("add the transpose: matrix + matrix.T")
    assert notes_on(matrix + matrix.T) == []
    assert notes_on(matrix, settings={"symmetric": False}) == [], "they were counted on one side"


@pytest.mark.parametrize("matrix", [FULL, [[0, 1, 0], [0, 0, 1], [1, 0, 0]], np.eye(3)], ids=["full", "circle", "eye"])
def test_other_matrices_are_not_noted(matrix):
    assert notes_on(matrix) == []


def test_words_without_cells_are_noted():
    alone = "1 of the 3 words co-occur with none, such as 'b': nothing is learned about them; leave them out"
    assert notes_on([[0, 0, 1], [0, 0, 0], [1, 0, 0]]) == [alone]
    assert notes_on([[0, 1, 1], [0, 0, 0], [1, 0, 0]]) == [], "a column is enough"
    lines = [["a", "c"], ["b"]] * 5
    for train in (train_glove, cooccurrence, cooccurrence_counts):
        assert notes_of(train, lines, min_count=1) == [alone]
