"""Analogies: a is to b as c is to which word?

3CosAdd asks for the word nearest to b - a + c (Mikolov et al., "Linguistic Regularities in Continuous Space Word
Representations", 2013); 3CosMul for the greatest cos(b) · cos(c) / cos(a), cosines shifted to 0 to 1, in which no
term can drown the others (Levy and Goldberg, "Linguistic Regularities in Sparse and Explicit Word
Representations", 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import SettingError
from embedtrain.vectors.neighbors import cosines_to, unit_tiles

_Rows: TypeAlias = "NDArray[np.float32]"

METHODS = ("add", "mul")

_QUESTIONS = 512  # that meet a tile of rows at once
_EPSILON = np.float32(1e-6)  # keeps 3CosMul from a division by 0


def require_method(method: str) -> None:
    """See that there is such a method.

    Raises
    ------
    SettingError
        If there is not.
    """
    if method not in METHODS:
        raise SettingError(f"method must be 'add' (3CosAdd) or 'mul' (3CosMul), got {method!r}")


def multiplied(
    vectors: NDArray[Any],
    norms: NDArray[np.float32],
    positive: Sequence[NDArray[Any]],
    negative: Sequence[NDArray[Any]],
) -> NDArray[np.float32]:
    """3CosMul of each row: the shifted cosines to the positive vectors multiplied, divided by the negative ones'."""
    above, below = np.ones(len(vectors), np.float32), np.ones(len(vectors), np.float32)
    for product, queries in ((above, positive), (below, negative)):
        for query in queries:
            product *= _shifted(cosines_to(vectors, norms, query))
    return above / (below + _EPSILON)


def _shifted(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Cosines as numbers from 0 to 1; the array is changed."""
    cosines += 1
    cosines *= np.float32(0.5)
    return cosines


def answers(
    vectors: NDArray[Any],
    norms: NDArray[np.float32],
    questions: NDArray[np.int64],
    method: str,
    same_as: NDArray[np.int64],
) -> NDArray[np.int64]:
    """The row that answers each question.

    Parameters
    ----------
    vectors : (n, dim) float32 or float16 array
    norms : (n,) array
        Lengths of the rows, 1 for those of length 0.
    questions : (n_questions, 3) array
        Rows a, b and c, which are no answers.
    method : {"add", "mul"}
    same_as : (n,) array
        The first row whose word is the same but for its case; what is the same as a, b or c is no answer either.

    Returns
    -------
    (n_questions,) array
        -1 where nothing is left to answer with.
    """
    require_method(method)
    scored = _added if method == "add" else _multiplied
    best = np.full(len(questions), -1, np.int64)
    highest = np.full(len(questions), -np.inf, np.float32)
    number, row = _no_answers(questions, same_as)
    a, b, c = (np.asarray(vectors[rows], np.float32) / norms[rows, None] for rows in questions.T)
    for start, tile in unit_tiles(vectors, norms):
        for first in range(0, len(questions), _QUESTIONS):
            block = slice(first, first + _QUESTIONS)
            scores = scored(a[block], b[block], c[block], tile)
            left_out = slice(*np.searchsorted(number, (first, first + _QUESTIONS)))
            asked, column = number[left_out] - first, row[left_out] - start
            inside = (column >= 0) & (column < len(tile))
            scores[asked[inside], column[inside]] = -np.inf
            columns = scores.argmax(axis=1)
            found = scores[np.arange(len(scores)), columns]
            better = found > highest[block]
            best[block][better] = columns[better] + start
            highest[block][better] = found[better]
    return best


def _added(a: _Rows, b: _Rows, c: _Rows, tile: _Rows) -> _Rows:
    query: _Rows = b - a + c
    return query @ tile.T


def _multiplied(a: _Rows, b: _Rows, c: _Rows, tile: _Rows) -> _Rows:
    scores = _shifted(b @ tile.T)
    scores *= _shifted(c @ tile.T)
    scores /= _shifted(a @ tile.T) + _EPSILON
    return scores


def _no_answers(
    questions: NDArray[np.int64], same_as: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Question numbers, ascending, and the rows of all words that are the same as one of the question's."""
    given = same_as[questions.ravel()]
    order = np.argsort(same_as, kind="stable")
    first, end = (np.searchsorted(same_as[order], given, side) for side in ("left", "right"))
    n_same = end - first
    place = np.arange(n_same.sum()) - np.repeat(np.cumsum(n_same) - n_same, n_same)
    number = np.repeat(np.arange(given.size) // questions.shape[1], n_same)
    return number, order[np.repeat(first, n_same) + place]
