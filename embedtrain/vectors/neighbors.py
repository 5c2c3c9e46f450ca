"""Nearest neighbours by cosine, of one query or of many.

Many queries are processed in blocks: the cosines of a block and a tile of rows are a matrix product, and those above a
query's worst neighbour so far are inserted. Memory is that of a block and a tile; tiles may be mapped or float16.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError

_ROWS = 1 << 13  # of a tile
_FEW_ROWS = 1 << 10  # of a tile for many queries
NO_DIRECTION = "a vector of zeros, or a sum that is 0, has no nearest words; leave out words whose vector is 0"
_FLOATS = 1 << 21  # elements of an array: cosines of a block, neighbours or queries


class Nearest(NamedTuple):
    """Neighbours of many queries, the nearest first, ties in the order of rows."""

    rows: NDArray[np.int64]  # (n_queries, topn)
    cosines: NDArray[np.float32]  # (n_queries, topn)


def row_norms(vectors: NDArray[Any]) -> NDArray[np.float32]:
    """Lengths of the rows, 1 for those of length 0."""
    norms = np.empty(len(vectors), np.float32)
    for start, tile in _tiles(vectors):
        squares = np.einsum("ij,ij->i", tile, tile, dtype=np.float64)  # float32 would overflow
        with np.errstate(over="ignore"):
            norms[start : start + len(tile)] = np.sqrt(squares)
    norms[norms == 0] = 1
    return norms


def rows_of(vectors: NDArray[Any], rows: NDArray[np.int64], embedded: NDArray[np.float32] | None) -> NDArray[Any]:
    """The (n, dim) rows of a table in which `embedded`, of unknown words, follow `vectors`."""
    if embedded is None or not len(embedded):
        return vectors[rows]
    is_embedded = rows >= len(vectors)
    result = vectors[np.where(is_embedded, 0, rows)]
    result[is_embedded] = embedded[rows[is_embedded] - len(vectors)]
    return result


def units_of(
    vectors: NDArray[Any], rows: NDArray[np.int64], embedded: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """The (n, dim) rows of a table as `rows_of`, scaled to length 1."""
    units = np.asarray(rows_of(vectors, rows, embedded), np.float32)
    return units / row_norms(units)[:, None]


def unit_tiles(
    vectors: NDArray[Any], norms: NDArray[np.float32], n_rows: int = _ROWS
) -> Iterator[tuple[int, NDArray[np.float32]]]:
    """Yield tiles of at most `n_rows` rows scaled to length 1, each with the number of its first row."""
    for start, tile in _tiles(vectors, n_rows):
        yield start, tile / norms[start : start + len(tile), None]


def _tiles(vectors: NDArray[Any], n_rows: int = _ROWS) -> Iterator[tuple[int, NDArray[np.float32]]]:
    for start in range(0, len(vectors), max(1, n_rows)):
        yield start, np.asarray(vectors[start : start + n_rows], np.float32)


def cosines_to(vectors: NDArray[Any], norms: NDArray[np.float32], query: NDArray[np.float64]) -> NDArray[np.float32]:
    """The (n,) cosines of the rows to a (dim,) query; 0 for vectors of length 0, which cannot be a query."""
    if len(vectors) and not query.any():
        raise DataError(NO_DIRECTION)
    unit = (query / (float(np.linalg.norm(query)) or 1.0)).astype(np.float32)
    cosines = np.empty(len(vectors), np.float32)
    for start, tile in _tiles(vectors, len(vectors) if vectors.dtype == np.float32 else _ROWS):
        np.matmul(tile, unit, out=cosines[start : start + len(tile)])
    cosines /= norms
    return np.clip(cosines, -1, 1, out=cosines)  # rounding goes beyond


def top_rows(scores: NDArray[np.float32], topn: int, excluded: Sequence[int] = ()) -> list[tuple[int, float]]:
    """The rows with the highest scores as (row, score), ties in the order of rows; `scores` is overwritten."""
    excluded = sorted({row for row in excluded if row < len(scores)})
    scores[excluded] = -np.inf
    topn = min(topn, len(scores) - len(excluded))
    if topn < 1:
        return []
    candidates = np.flatnonzero(scores >= _lower_bound(scores, topn))
    order = candidates[np.argsort(-scores[candidates], kind="stable")][:topn]
    return [(int(row), float(scores[row])) for row in order]


def _lower_bound(scores: NDArray[np.float32], topn: int) -> np.float32:
    """A bound that `topn` or a few more scores reach: the `topn`-th of the maxima of many parts."""
    parts = min(len(scores), 8 * topn)
    maxima = scores[: len(scores) // parts * parts].reshape(-1, parts).max(axis=0)
    bound: np.float32 = np.partition(maxima, parts - topn)[parts - topn]
    return bound


def nearest_to_rows(
    vectors: NDArray[Any], norms: NDArray[np.float32], rows: NDArray[np.int64], topn: int, among: int,
    embedded: NDArray[np.float32] | None = None,
) -> Nearest:  # fmt: skip
    """The nearest of the first `among` rows to each of the (n_queries,) `rows`, other than itself; padded with -1.

    Rows from ``len(vectors)`` on are those of `embedded`.
    """
    topn = max(0, min(topn, among))
    found = Nearest(np.empty((len(rows), topn), np.int64), np.empty((len(rows), topn), np.float32))
    step = max(1, _FLOATS // max(1, topn, vectors.shape[1]))
    for start in range(0, len(rows) if topn else 0, step):
        group = slice(start, start + step)
        queries = units_of(vectors, rows[group], embedded)
        own = (np.arange(len(queries)), rows[group])
        part = Nearest(found.rows[group], found.cosines[group])
        nearest_to_queries(part, vectors[:among], norms[:among], queries, own)
    return found


def nearest_to_queries(
    found: Nearest, vectors: NDArray[Any], norms: NDArray[np.float32], queries: NDArray[np.float32],
    excluded: tuple[NDArray[np.int64], NDArray[np.int64]],
) -> None:  # fmt: skip
    """Fill `found` with the neighbours of each query, padded with -1.

    `excluded` are numbers of queries, ascending, and rows that are not neighbours of them.
    """
    from embedtrain.kernels.top_k import insert_higher

    found.rows[:], found.cosines[:] = -1, -np.inf
    n_rows = min(_ROWS, max(_FEW_ROWS, _FLOATS // len(queries)))
    n_queries = max(1, _FLOATS // n_rows)
    space = np.empty(n_queries * n_rows, np.float32)  # reused, as allocation is slow
    for start, tile in unit_tiles(vectors, norms, n_rows):
        for first in range(0, len(queries), n_queries):
            block = slice(first, first + n_queries)
            cosines = space[: len(queries[block]) * len(tile)].reshape(-1, len(tile))
            np.matmul(queries[block], tile.T, out=cosines)
            of_block = slice(*np.searchsorted(excluded[0], (first, first + n_queries)))
            query, column = excluded[0][of_block] - first, excluded[1][of_block] - start
            inside = (column >= 0) & (column < len(tile))
            cosines[query[inside], column[inside]] = -np.inf
            insert_higher(cosines.ravel(), len(tile), start, found.rows[block], found.cosines[block])
    found.rows[np.isneginf(found.cosines)] = -1
    np.clip(found.cosines, -1, 1, out=found.cosines)
