"""Nearest neighbours by cosine: of one query, and of many at once.

Of many, a block of queries meets a tile of rows after the other, in a matrix product; only what beats a query's
worst answer so far is looked at. Memory is that of a block and a tile, whatever the numbers of queries and rows,
and tiles may come from a file or be float16.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_ROWS = 1 << 13  # of a tile
_COSINES = 1 << 22  # that are in memory at once


class Nearest(NamedTuple):
    """Answers to many queries: the nearest first, equal ones in the order of rows."""

    rows: NDArray[np.int64]  # (n_queries, topn)
    cosines: NDArray[np.float32]  # (n_queries, topn)


def lengths(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """Lengths of the rows, 1 for those of length 0."""
    norms = np.empty(len(vectors), np.float32)
    for start, tile in _tiles(vectors):
        norms[start : start + len(tile)] = np.linalg.norm(tile, axis=1)
    norms[norms == 0] = 1
    return norms


def unit_tiles(vectors: NDArray[Any], norms: NDArray[np.float32]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """The rows scaled to length 1, some after the other: where they start, and (some, dim) of them."""
    for start, tile in _tiles(vectors):
        yield start, tile / norms[start : start + len(tile), None]


def _tiles(vectors: NDArray[Any]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    for start in range(0, len(vectors), _ROWS):
        yield start, np.asarray(vectors[start : start + _ROWS], np.float32)


def nearest(
    vectors: NDArray[Any],
    norms: NDArray[np.float32],
    query: NDArray[np.float32],
    topn: int,
    excluded: Sequence[int] = (),
) -> list[tuple[int, float]]:
    """The rows with the highest cosine to `query`, as (row, cosine); equal ones in the order of rows.

    Parameters
    ----------
    vectors : (n, dim) float32 or float16 array
    norms : (n,) array
        Lengths of the rows, 1 for those of length 0.
    query : (dim,) array
    topn : int
    excluded : sequence of int
        Rows that are no answers.
    """
    return highest(cosines_to(vectors, norms, query), topn, excluded)


def cosines_to(
    vectors: NDArray[Any], norms: NDArray[np.float32], query: NDArray[np.floating[Any]]
) -> NDArray[np.float32]:
    """The cosine of each row to `query`; 0 for what has length 0."""
    query = (query / (float(np.linalg.norm(query)) or 1.0)).astype(np.float32)
    if vectors.dtype == np.float32:
        cosines = vectors @ query
    else:
        cosines = np.concatenate([tile @ query for _, tile in _tiles(vectors)])
    cosines /= norms
    return cosines


def highest(scores: NDArray[np.float32], topn: int, excluded: Sequence[int] = ()) -> list[tuple[int, float]]:
    """The rows with the highest scores, as (row, score); equal ones in the order of rows. `scores` is changed."""
    excluded = sorted({row for row in excluded if row < len(scores)})
    scores[excluded] = -np.inf
    topn = min(topn, len(scores) - len(excluded))
    if topn < 1:
        return []
    candidates = np.flatnonzero(scores >= _bound(scores, topn))
    order = candidates[np.argsort(-scores[candidates], kind="stable")][:topn]
    return [(int(row), float(scores[row])) for row in order]


def _bound(scores: NDArray[np.float32], topn: int) -> NDArray[np.float32]:
    """What at least `topn` scores along the last axis reach, and few more do.

    Cut into more than `topn` parts, the `topn` highest of the parts' maxima are so many scores.
    """
    n = scores.shape[-1]
    parts = min(n, 8 * topn)
    maxima = scores[..., : n // parts * parts].reshape(*scores.shape[:-1], n // parts, parts).max(axis=-2)
    return np.partition(maxima, parts - topn, axis=-1)[..., parts - topn]


def nearest_to_rows(
    vectors: NDArray[Any], norms: NDArray[np.float32], rows: NDArray[np.int64], topn: int, among: int
) -> Nearest:
    """The rows with the highest cosine to each of some rows, which are no answers to themselves.

    Parameters
    ----------
    vectors : (n, dim) float32 or float16 array
    norms : (n,) array
        Lengths of the rows, 1 for those of length 0.
    rows : (n_queries,) array
    topn : int
        At most `among` are given; where there are fewer answers, the last has row -1.
    among : int
        The first so many rows are searched.
    """
    topn = max(0, min(topn, among))
    found = Nearest(np.empty((len(rows), topn), np.int64), np.empty((len(rows), topn), np.float32))
    step = max(1, _COSINES // max(topn, min(among, _ROWS)))
    for start in range(0, len(rows) if topn else 0, step):
        block = rows[start : start + step]
        queries = np.asarray(vectors[block], np.float32) / norms[block, None]
        best = _nearest_to_block(vectors[:among], norms[:among], queries, block, topn)
        found.rows[start : start + step], found.cosines[start : start + step] = best
    found.rows[np.isneginf(found.cosines)] = -1
    return found


def _nearest_to_block(
    vectors: NDArray[Any],
    norms: NDArray[np.float32],
    queries: NDArray[np.float32],
    excluded: NDArray[np.int64],
    topn: int,
) -> Nearest:
    best = Nearest(np.zeros((len(queries), 0), np.int64), np.zeros((len(queries), 0), np.float32))
    space = np.empty(len(queries) * min(len(vectors), _ROWS), np.float32)  # of its own for each tile would cost more
    for start, tile in unit_tiles(vectors, norms):
        cosines = space[: len(queries) * len(tile)].reshape(len(queries), len(tile))
        np.matmul(queries, tile.T, out=cosines)
        own = np.flatnonzero((excluded >= start) & (excluded < start + len(tile)))
        cosines[own, excluded[own] - start] = -np.inf
        if best.rows.shape[1] < topn:
            is_candidate = cosines >= _bound(cosines, min(topn, len(tile)))[:, None]
        else:
            is_candidate = cosines > best.cosines[:, -1:]  # of equal ones the first stays
        query, column = np.divmod(np.flatnonzero(is_candidate), len(tile))
        best = _merge(best, query, column + start, cosines[query, column], topn)
    return best


def _merge(
    best: Nearest, query: NDArray[np.int64], rows: NDArray[np.int64], cosines: NDArray[np.float32], topn: int
) -> Nearest:
    """The best of the answers so far and of new ones; every query has the same number of them."""
    n_queries, n_best = best.rows.shape
    query = np.concatenate([np.repeat(np.arange(n_queries), n_best), query])
    rows = np.concatenate([best.rows.ravel(), rows])
    cosines = np.concatenate([best.cosines.ravel(), cosines])
    order = np.lexsort((rows, -cosines, query))
    starts = np.searchsorted(query[order], np.arange(n_queries + 1))
    n_best = min(topn, int(np.diff(starts).min()))
    chosen = order[starts[:-1, None] + np.arange(n_best)]
    return Nearest(rows[chosen], cosines[chosen])
