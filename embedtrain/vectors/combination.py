"""Meta-embeddings: vectors combined from those of several models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from embedtrain.errors import SettingError
from embedtrain.vectors.components import note_left_out, principal_axes
from embedtrain.vectors.shared_words import shared_words, units_of_words
from embedtrain.vectors.word_vectors import WordVectors


def combine(tables: Sequence[WordVectors], how: str = "concat", *, dim: int | None = None) -> WordVectors:
    """Combine the vectors of words that several models share, each vector scaled to length 1 first.

    Words are in the order of the first table, with its counts. Context vectors, subwords and factors are left out with
    a warning.

    Parameters
    ----------
    tables : list of WordVectors
    how : {"concat", "average", "svd"}
        "concat": vectors one after the other; their cosine is the mean of the models' cosines. "average": the mean,
        vectors of fewer dimensions padded with zeros (Coates, Bollegala, "Frustratingly easy meta-embedding", 2018).
        "svd": the first principal components of "concat" (Yin, Schütze, "Learning word meta-embeddings", 2016).
    dim : int, optional
        Dimensions of "svd"; by default those of the largest table.
    """
    words, dims = shared_words(tables), [table.vector_size for table in tables]
    if how not in ("concat", "average", "svd"):
        raise SettingError(f"`how` must be concat, average or svd, got {how!r}")
    if dim is not None and (how != "svd" or not 1 <= dim <= sum(dims)):
        raise SettingError(f"`dim` is for `how='svd'`, between 1 and {sum(dims)} for these tables, got {dim}")
    units = [units_of_words(table, words) for table in tables]
    if how == "average":
        vectors = np.zeros((len(words), max(dims)), np.float32)
        for rows in units:
            vectors[:, : rows.shape[1]] += rows / len(units)
    else:
        vectors = np.concatenate(units, axis=1)
    if how == "svd":
        vectors = vectors @ principal_axes(vectors, dim or max(dims))
    note_left_out(*tables)
    counts = None if tables[0].counts is None else tables[0].counts[[tables[0].index[word] for word in words]]
    settings = {"model": "combine", "how": how, "of": [dict(table.settings) for table in tables]}
    return WordVectors(words, vectors, counts, settings=settings)
