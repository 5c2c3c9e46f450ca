"""The highest scores of many queries, updated as more scores come."""

import numpy as np

from embedtrain.kernels.compilation import inlined, kernel
from embedtrain.kernels.integers import minimum

_STEP = 64  # scores compared at once


@kernel
def insert_higher(scores, n_columns, start, rows, highest):
    """Insert the scores of rows start, start + 1, … into the highest so far of each query.

    `scores` is (n_queries * n_columns,), `rows` and `highest` are (n_queries, topn), descending; ties are in
    order of insertion. NaN is never inserted.
    """
    n_queries, topn = highest.shape
    last = topn - 1
    for query in range(n_queries):
        first = query * n_columns
        for begin in range(0, n_columns, _STEP):
            end = minimum(begin + _STEP, n_columns)
            if any_above(scores, first + begin, first + end, highest[query, last]):
                for column in range(begin, end):
                    score = scores[first + column]
                    if score > highest[query, last]:
                        rank = last
                        while rank > 0 and score > highest[query, rank - 1]:
                            highest[query, rank] = highest[query, rank - 1]
                            rows[query, rank] = rows[query, rank - 1]
                            rank -= 1
                        highest[query, rank], rows[query, rank] = score, start + column


@inlined
def any_above(scores, begin, end, least):
    """Whether one of scores[begin:end] is above `least`; counting avoids branches."""
    n_above, begin = 0, np.uint64(begin)
    for i in range(np.uint64(end) - begin):
        n_above += scores[begin + i] > least
    return n_above > 0
