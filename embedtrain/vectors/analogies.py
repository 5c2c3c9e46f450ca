"""Analogies: a is to b as c is to which word?

3CosAdd finds the word nearest to b - a + c (Mikolov et al., "Linguistic Regularities in Continuous Space Word
Representations", 2013); 3CosMul that with the greatest cos(b) · cos(c) / cos(a), cosines shifted to 0 to 1, in which
no term can dominate the others (Levy and Goldberg, "Linguistic Regularities in Sparse and Explicit Word
Representations", 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import SettingError
from embedtrain.vectors.neighbors import cosines_to, unit_tiles, units_of

_Rows: TypeAlias = "NDArray[np.float32]"

METHODS = ("add", "mul")

_QUESTIONS = 512  # scored together against a tile of rows
_EPSILON = np.float32(1e-6)  # keeps 3CosMul from a division by 0


def cosmul_scores(
    vectors: NDArray[Any], norms: NDArray[np.float32], factors: Sequence[NDArray[np.float64]],
    divisors: Sequence[NDArray[np.float64]],
) -> NDArray[np.float32]:  # fmt: skip
    """The (n,) 3CosMul of rows: the product of shifted cosines to `factors`, divided by that to `divisors`."""
    above, below = np.ones(len(vectors), np.float32), np.ones(len(vectors), np.float32)
    for product, queries in ((above, factors), (below, divisors)):
        for query in queries:
            product *= _shift(cosines_to(vectors, norms, query))
    return above / (below + _EPSILON)


def _shift(cosines: NDArray[np.float32]) -> NDArray[np.float32]:
    """Map cosines from [-1, 1] to [0, 1], in place."""
    cosines += 1
    cosines *= np.float32(0.5)
    return cosines


def solve(
    vectors: NDArray[Any], norms: NDArray[np.float32], questions: NDArray[np.int64], method: str,
    first_spelling: NDArray[np.int64], embedded: NDArray[np.float32] | None = None,
) -> NDArray[np.int64]:  # fmt: skip
    """The (n_questions,) rows that answer (n_questions, 3) rows a, b and c; -1 where no row is left to answer.

    `first_spelling` (n,) is the first row with the same word, perhaps in another spelling. Rows with the same word as
    a, b or c are not candidates. Rows from ``len(vectors)`` on are those of `embedded`, which are not candidates.
    """
    if method not in METHODS:
        raise SettingError(f"method must be 'add' (3CosAdd) or 'mul' (3CosMul), got {method!r}")
    score = _add if method == "add" else _multiply
    best = np.full(len(questions), -1, np.int64)
    highest = np.full(len(questions), -np.inf, np.float32)
    number, row = _excluded(questions, first_spelling)
    a, b, c = (units_of(vectors, rows, embedded) for rows in questions.T)
    for start, tile in unit_tiles(vectors, norms):
        for first in range(0, len(questions), _QUESTIONS):
            block = slice(first, first + _QUESTIONS)
            scores = score(a[block], b[block], c[block], tile)
            of_block = slice(*np.searchsorted(number, (first, first + _QUESTIONS)))
            question, column = number[of_block] - first, row[of_block] - start
            inside = (column >= 0) & (column < len(tile))
            scores[question[inside], column[inside]] = -np.inf
            columns = scores.argmax(axis=1)
            found = scores[np.arange(len(scores)), columns]
            better = found > highest[block]
            best[block][better] = columns[better] + start
            highest[block][better] = found[better]
    return best


def _add(a: _Rows, b: _Rows, c: _Rows, tile: _Rows) -> _Rows:
    query: _Rows = b - a + c
    return query @ tile.T


def _multiply(a: _Rows, b: _Rows, c: _Rows, tile: _Rows) -> _Rows:
    scores = _shift(b @ tile.T)
    scores *= _shift(c @ tile.T)
    scores /= _shift(a @ tile.T) + _EPSILON
    return scores


def _excluded(
    questions: NDArray[np.int64], first_spelling: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of arrays: question numbers, ascending, and rows that are not candidates for them."""
    given = first_spelling[questions.ravel()]
    order = np.argsort(first_spelling, kind="stable")
    begin, end = (np.searchsorted(first_spelling[order], given, side) for side in ("left", "right"))
    n_same = end - begin
    offset = np.arange(n_same.sum()) - np.repeat(np.cumsum(n_same) - n_same, n_same)
    number = np.repeat(np.arange(given.size) // questions.shape[1], n_same)
    return number, order[np.repeat(begin, n_same) + offset]
