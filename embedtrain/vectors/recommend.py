"""Recommendations: the rows nearest to the mean of a history, for many histories at once."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from reprlib import repr as shortened
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, quoted
from embedtrain.machine.progress import counted, note
from embedtrain.vectors.neighbors import Nearest, nearest_to_queries, row_norms
from embedtrain.vectors.word_table import UnknownWord, WordTable

_AT_ONCE = 1 << 10  # histories


def recommend(table: WordTable, given: Any, topn: int, *, repeats: bool) -> list[Any]:
    """The items nearest to the mean of a history, or of each of many; see `WordTable.recommend`."""
    items = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    is_many = bool(items) and all(isinstance(item, Iterable) and not isinstance(item, (str, bytes)) for item in items)
    histories = [list(map(_item, history)) for history in (items if is_many else [items])]
    known = [list(dict.fromkeys(table.index[item] for item in one if item in table.index)) for one in histories]
    _note_unknown(table, histories, [not rows for rows in known], is_many)
    answers: list[list[tuple[str, float]]] = []
    for begin in range(0, len(known), _AT_ONCE):
        some = known[begin : begin + _AT_ONCE]
        number = np.repeat(np.arange(len(some)), list(map(len, some)))
        rows = np.array([row for history in some for row in history], np.int64)
        found = _nearest(table, number, rows, len(some), min(topn, len(table)), repeats)
        for history, *near in zip(some, found.rows.tolist(), found.cosines.tolist(), strict=True):
            pairs = [(table.words[row], cosine) for row, cosine in zip(*near, strict=True) if row >= 0]
            answers.append(pairs if history else [])
    return answers if is_many else answers[0]


def _nearest(
    table: WordTable, number: NDArray[np.int64], rows: NDArray[np.int64], n: int, topn: int, repeats: bool
) -> Nearest:
    """The rows nearest to the means of n histories, of which number[i] has rows[i]."""
    means = np.zeros((n, table.vector_size), np.float32)
    np.add.at(means, number, np.asarray(table.vectors[rows], np.float32) / table.norms[rows, None])
    means /= row_norms(means)[:, None]
    found = Nearest(np.empty((n, topn), np.int64), np.empty((n, topn), np.float32))
    excluded = (number[:0], rows[:0]) if repeats else (number, rows)
    nearest_to_queries(found, table.vectors, table.norms, means, excluded)
    return found


def _item(item: Any) -> str:
    """The word of an item: a whole number is an id, not a row."""
    if isinstance(item, Integral):
        return str(item)
    if not isinstance(item, str):
        raise DataError(f"an item must be a str or a whole number, got {type(item).__name__}; convert it with str()")
    return item


def _note_unknown(table: WordTable, histories: list[list[str]], are_empty: list[bool], is_many: bool) -> None:
    """Note the items without a vector; raise `UnknownWord` if the only history has no other."""
    if not is_many and are_empty[0]:
        raise UnknownWord(f"no item of the history has a vector: {shortened(histories[0])}")
    if unknown := [item for history in histories for item in history if item not in table.index]:
        nothing = f"; {sum(are_empty):,} of {len(histories):,} histories have no other, and get no recommendations"
        note(f"{counted(len(unknown), 'item')} without a vector, as {quoted(unknown[0])}{nothing * any(are_empty)}")
