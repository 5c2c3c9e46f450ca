"""The highest scores so far of many queries, kept in order while more scores come."""

import numpy as np

from embedtrain.kernels.compilation import inlined, kernel

_STEP = 64  # scores that are looked at together


@kernel
def insert_higher(scores, n_columns, start, rows, highest):
    """Insert the scores of rows start, start + 1, … into those of each query that are the highest so far.

    `scores` is (n_queries, n_columns) in one dimension, `rows` and `highest` are (n_queries, topn), falling; of equal
    scores the first stays before the others. NaN is never high.
    """
    n_queries, topn = highest.shape
    last = topn - 1
    for query in range(n_queries):
        first = query * n_columns
        for begin in range(0, n_columns, _STEP):
            end = min(begin + _STEP, n_columns)
            if any_above(scores, first + begin, first + end, highest[query, last]):
                for column in range(begin, end):
                    score = scores[first + column]
                    if score > highest[query, last]:
                        place = last
                        while place > 0 and score > highest[query, place - 1]:
                            highest[query, place] = highest[query, place - 1]
                            rows[query, place] = rows[query, place - 1]
                            place -= 1
                        highest[query, place], rows[query, place] = score, start + column


@inlined
def any_above(scores, begin, end, least):
    """Whether one of scores[begin:end] is above `least`; counting them all needs no branches."""
    n_above, begin = 0, np.uint64(begin)
    for i in range(np.uint64(end) - begin):
        n_above += scores[begin + i] > least
    return n_above > 0
