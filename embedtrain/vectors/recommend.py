"""Recommendations: the rows nearest to the mean of a history, for many histories at once.

Where there are context vectors of the same words, as in .npz files, the score of a row is the mean of the cosines to
its vector, of items in the same company, and to its context vector, of items that occur together (bench/items.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from reprlib import repr as shortened
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError, quoted
from embedtrain.machine.progress import counted, note
from embedtrain.vectors.neighbors import Nearest, nearest_to_queries, row_norms, units_of
from embedtrain.vectors.spelling import suggestion
from embedtrain.vectors.word_table import UnknownWord, WordTable


def recommend(table: WordTable, given: Any, topn: Any, *, repeats: bool) -> list[Any]:
    """The items nearest to the mean of a history, or of each of many; see `WordTable.recommend`."""
    if not isinstance(topn, Integral) or topn < 1:
        raise SettingError(f"topn must be a whole number of items, at least 1, got {topn!r}")
    items = list(given) if isinstance(given, Iterable) and not isinstance(given, str) else [given]
    is_many = bool(items) and all(isinstance(item, Iterable) and not isinstance(item, (str, bytes)) for item in items)
    histories = [list(map(_item, history)) for history in (items if is_many else [items])]
    known = [list(dict.fromkeys(table.index[item] for item in one if item in table.index)) for one in histories]
    n_empty = sum(not rows for rows in known)
    if n_empty and not is_many:
        joined = " ".join(histories[0])  # of a title that was divided
        hint = f"{joined!r} is one item, quote it" if joined in table.index else suggestion(joined, table.index)
        raise UnknownWord(f"no item of the history has a vector: {shortened(histories[0])}{'; ' if hint else ''}{hint}")
    if unknown := [item for history in histories for item in history if item not in table.index]:
        empty = f"; {n_empty:,} of {len(histories):,} histories have no other, and get no recommendations"
        note(f"{counted(len(unknown), 'item')} without a vector, as {quoted(unknown[0])}{empty * bool(n_empty)}")
    number = np.repeat(np.arange(len(known)), list(map(len, known)))
    rows = np.array([row for history in known for row in history], np.int64)
    means = np.zeros((len(known), table.vector_size), np.float32)
    np.add.at(means, number, units_of(table.vectors, rows, None))
    means /= row_norms(means)[:, None]
    shape = len(known), min(int(topn), len(table))
    found = Nearest(np.empty(shape, np.int64), np.empty(shape, np.float32))
    excluded = (number[:0], rows[:0]) if repeats else (number, rows)
    nearest_to_queries(found, *scored(table), means, excluded)
    answers = [
        [(table.words[row], cosine) for row, cosine in zip(*near, strict=True) if row >= 0] if has_direction else []
        for has_direction, *near in zip(map(np.any, means), found.rows.tolist(), found.cosines.tolist(), strict=True)
    ]
    return answers if is_many else answers[0]


def scored(table: WordTable) -> tuple[NDArray[Any], NDArray[np.float32]]:
    """The vectors whose products with the unit vector of a query are the scores of rows, times norms, and these."""
    contexts, factors = (getattr(table, name, None) for name in ("context_vectors", "factors"))
    if contexts is None or (factors is not None and factors.context_words is not None):  # of other contexts
        return table.vectors, table.norms
    sums = table.vectors / table.norms[:, None] + contexts / row_norms(contexts)[:, None]
    return sums, np.full(len(sums), 2, np.float32)


def _item(item: Any) -> str:
    """The word of an item: a whole number is an id, not a row."""
    if isinstance(item, Integral):
        return str(item)
    if not isinstance(item, str):
        raise DataError(f"an item must be a str or a whole number, got {type(item).__name__}; convert it with str()")
    return item
