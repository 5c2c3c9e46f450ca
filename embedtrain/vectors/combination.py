"""Meta-embeddings: vectors combined from those of several models."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from embedtrain.errors import SettingError
from embedtrain.machine.progress import note
from embedtrain.vectors.components import principal_axes
from embedtrain.vectors.shared_words import shared_words, units_of_words
from embedtrain.vectors.word_vectors import WordVectors


def combine(
    tables: Sequence[WordVectors], how: str = "concat", *, dim: int | None = None, words: str = "shared"
) -> WordVectors:
    """Combine the vectors of several models, each vector scaled to length 1 first.

    Parameters
    ----------
    tables : list of WordVectors
    how : {"concat", "average", "svd"}
        "concat": vectors one after the other; their cosine is the mean of the models' cosines. "average": the mean,
        vectors of fewer dimensions padded with zeros (Coates, Bollegala, "Frustratingly easy meta-embedding", 2018).
        "svd": the first principal components of "concat" (Yin, Schütze, "Learning word meta-embeddings", 2016).
    dim : int, optional
        Dimensions of "svd"; by default those of the largest table.
    words : {"shared", "union"}
        The words that all tables have, or all words: what a table lacks is zeros, or left out of the average.

    Returns
    -------
    WordVectors
        Words in the order of the first table, with its counts; other words follow, with the count 0. Context vectors
        and subwords are left out with a warning.

    Raises
    ------
    SettingError
        If there are fewer than two tables, or a setting is not valid.
    DataError
        If no word is shared, or a vector is not finite.
    """
    if how not in ("concat", "average", "svd") or words not in ("shared", "union"):
        rule = "`how` must be concat, average or svd, and `words` shared or union"
        raise SettingError(f"{rule}, got {how!r} and {words!r}")
    common, dims = shared_words(tables), [table.vector_size for table in tables]
    if dim is not None and (how != "svd" or not 1 <= dim <= sum(dims)):
        raise SettingError(f"`dim` is for `how='svd'`, between 1 and {sum(dims)} for these tables, got {dim}")
    if words == "union":
        common = list(dict.fromkeys(chain(*(table.words for table in tables))))
    vectors = np.zeros((len(common), max(dims) if how == "average" else sum(dims)), np.float32)
    n_tables, begin = np.zeros((len(common), 1), np.float32), 0
    for table in tables:
        rows = [row for row, word in enumerate(common) if word in table.index]
        vectors[rows, begin : begin + table.vector_size] += units_of_words(table, [common[row] for row in rows])
        n_tables[rows] += 1
        begin += 0 if how == "average" else table.vector_size
    if how == "average":
        vectors /= n_tables
    elif how == "svd":
        vectors = vectors @ principal_axes(vectors, dim or max(dims))
    if any(table.subwords is not None or table.context_vectors is not None for table in tables):
        note("the combined vectors have neither context vectors nor subwords")
    places, known = np.array([tables[0].index.get(word, -1) for word in common]), tables[0].counts
    counts = None if known is None else np.where(places < 0, 0, known[places])
    settings = {"model": "combine", "how": how, "of": [dict(table.settings) for table in tables]}
    return WordVectors(common, vectors, counts, settings=settings)
