"""Evaluation on sessions: the rank of the last item of each, given the item before it or all items before."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.machine.progress import note
from embedtrain.machine.threads import resolve_threads
from embedtrain.vectors.recommend import scored
from embedtrain.vectors.word_table import WordTable

if TYPE_CHECKING:
    from scipy import sparse

    from embedtrain.corpus.sources import CorpusLike

#: From (n_sessions, n_rows) queries to the scores of all rows.
_Scores: TypeAlias = "Callable[[sparse.csr_array], NDArray[np.float32]]"

_AT_ONCE = 1 << 22  # scores


class Ranking(NamedTuple):
    """How well a method ranks the last items of sessions.

    Attributes
    ----------
    method : {"vectors", "popularity", "co-occurrence", "co-occurrence, cosine"}
    query : {"item before", "whole history"}
    hit_rate, ndcg : float
        HR@k, the share of last items among the first k, and NDCG@k, the mean of 1 / log2(1 + rank) of these.
    mrr : float
        The mean of 1 / rank.
    coverage : float
        The share of all items that are among the first k of a session.
    n_sessions : int
        The sessions whose last two items have vectors, which are ranked.
    """

    method: str
    query: str
    hit_rate: float
    ndcg: float
    mrr: float
    coverage: float
    n_sessions: int


def evaluate_sessions(
    vectors: WordTable, sessions: CorpusLike, train: CorpusLike | None = None, *, k: int = 10
) -> list[Ranking]:
    """Rank the last item of each session, given the item before it, and given all items before.

    The vectors should be trained on all sessions without their last items. Candidates are all items but the item
    before the last; items that the session has already are candidates, as repeats are normal in shops. Items are
    ranked as `recommend` ranks them; by popularity, the order of rows; and with `train` by the number of sessions they
    share with the item or items before, as it is and divided by the square roots of the items' own numbers of sessions.
    Ties are in the order of rows. A warning is issued for sessions that are left out: those of one item, and those
    whose last two are not both known.

    Parameters
    ----------
    vectors : WordVectors
    sessions : path, Corpus, iterable of str, or iterable of lists of str or int
        As for `train_item2vec`, with their last items.
    train : the same, optional
        The sessions that the vectors were trained on.
    k : int
    """
    if not isinstance(k, Integral) or k < 1:
        raise SettingError(f"k must be a whole number of at least 1, got {k!r}")
    rows, offsets = _read(sessions, vectors)
    last = offsets[1:] - 1
    is_long = np.diff(offsets) > 1
    if not is_long.any():
        raise DataError("all sessions have one item; the last of two or more is ranked, given those before it")
    known = is_long & (rows[last] >= 0) & (rows[last - 1] >= 0)
    if not known.any():
        raise DataError(f"none of the {np.count_nonzero(is_long):,} sessions has vectors for its last two items")
    if n_out := np.count_nonzero(~known):
        note(f"{n_out:,} of {len(known):,} sessions are left out: one item alone, or one of the last two has no vector")
    targets, before, n = rows[last[known]], rows[last[known] - 1], len(vectors)
    histories = _matrix(np.delete(rows, last), offsets - np.arange(len(offsets)), n)[known]
    queries = {"item before": _matrix(before, np.arange(len(before) + 1), n), "whole history": histories}
    return [
        Ranking(method, name, *_figures(scores, query, before, targets, int(k)), len(targets))
        for method, scores in _methods(vectors, train).items()
        for name, query in queries.items()
    ]


def _read(sessions: CorpusLike, vectors: WordTable) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The (n_items,) rows of the items of sessions, -1 if unknown, and (n_sessions + 1,) where sessions begin."""
    from embedtrain.corpus.encoding import encode  # Numba, and the corpus, which queries do not need

    text = encode(sessions, threads=resolve_threads(None))
    rows = np.array([vectors.index.get(word, -1) for word in text.vocabulary.words[:]], np.int64)
    return rows[text.ids], np.array(text.offsets)


def _matrix(rows: NDArray[np.int64], offsets: NDArray[np.int64], n_rows: int) -> sparse.csr_array:
    """The (n_sessions, n_rows) matrix with 1 for each known item of sessions, as `_read` returns them."""
    from scipy import sparse

    columns = np.where(rows < 0, n_rows, rows)
    matrix = sparse.csr_array((np.ones(len(rows), np.float32), columns, offsets), shape=(len(offsets) - 1, n_rows + 1))
    matrix.sum_duplicates()
    matrix.data[:] = 1  # however often
    return matrix[:, :n_rows]


def _methods(vectors: WordTable, train: CorpusLike | None) -> dict[str, _Scores]:
    """From the names of methods to functions that score all rows for the items of (n_sessions, n_rows) queries."""
    units = vectors.vectors / vectors.norms[:, None]
    rows, norms = scored(vectors)
    targets = rows / norms[:, None]
    by_row = -np.arange(len(vectors), dtype=np.float32)
    methods: dict[str, _Scores] = {
        "vectors": lambda query: (query @ units) @ targets.T,
        "popularity": lambda query: np.tile(by_row, (query.shape[0], 1)),
    }
    if train is not None:
        items = _matrix(*_read(train, vectors), len(vectors))
        if not items.nnz:
            raise DataError("none of the items in the training sessions has a vector")
        n_shared = (items.T @ items).tocsr()
        lengths = np.sqrt(np.maximum(n_shared.diagonal(), 1))
        n_shared.setdiag(0)
        cosines = n_shared.multiply(1 / lengths).multiply(1 / lengths[:, None]).tocsr()
        methods["co-occurrence"] = lambda query: (query @ n_shared).toarray()
        methods["co-occurrence, cosine"] = lambda query: (query @ cosines).toarray()
    return methods


def _figures(
    scores_of: _Scores, queries: sparse.csr_array, before: NDArray[np.int64], targets: NDArray[np.int64], k: int
) -> tuple[float, float, float, float]:
    """HR@k, NDCG@k, MRR and coverage of the targets of (n_sessions, n_rows) queries; `before` are not candidates."""
    n_sessions, n_rows = queries.shape
    step = max(1, _AT_ONCE // n_rows)
    ranks, shown = np.empty(n_sessions), np.zeros(n_rows, bool)
    for begin in range(0, n_sessions, step):
        block = slice(begin, begin + step)
        scores = scores_of(queries[block])
        number, target = np.arange(len(scores)), targets[block]
        scores[number, before[block]] = -np.inf
        own = scores[number, target][:, None]
        nearer = (scores > own) | ((scores == own) & (np.arange(n_rows) < target[:, None]))
        ranks[block] = 1 + np.count_nonzero(nearer, axis=1)
        ranks[block][before[block] == target] = np.inf
        shown[np.argpartition(-scores, min(k, n_rows) - 1)[:, :k]] = True
    hits = ranks <= k
    ndcg = np.where(hits, 1 / np.log2(1 + ranks), 0)
    return float(hits.mean()), float(ndcg.mean()), float((1 / ranks).mean()), float(shown.mean())
