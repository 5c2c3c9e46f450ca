"""Comparison of models by the neighbours of their words."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

from embedtrain.errors import DataError, SettingError
from embedtrain.vectors.neighbors import nearest_to_rows
from embedtrain.vectors.shared_words import shared_words, units_of_words
from embedtrain.vectors.word_table import WordTable


class Overlap(NamedTuple):
    """The overlap of the neighbours of words in a band of frequency."""

    first: int  # number of the first shared word of the band, by frequency from 1 on ...
    last: int  # ... and of the last
    n_words: int  # drawn of them
    overlap: float  # mean share of the nearest neighbours of a word that two models have in common


def compare(tables: Sequence[WordTable], *, topn: int = 10, sample: int = 1000) -> list[Overlap]:
    """Compute the mean overlap of nearest neighbours in each two of several models, by frequency.

    Vectors need no alignment, and may have other dimensions. The measure is the stability of Wendlandt, Kummerfeld,
    Mihalcea, "Factors influencing the surprising instability of word embeddings" (2018). Bands are the shared words 1
    to 100, 101 to 1,000, and so on, in the order of the first table; words whose vector is 0 are left out.

    Parameters
    ----------
    tables : list of WordVectors
        Such as of several seeds, models or times.
    topn : int
        Number of neighbours, searched among the shared words.
    sample : int
        At most so many words of each band are drawn, always the same.
    """
    if min(topn, sample) < 1:
        raise SettingError(f"`topn` and `sample` must be at least 1, got {topn} and {sample}")
    words = shared_words(tables)
    units = [units_of_words(table, words) for table in tables]
    known = np.logical_and.reduce([rows.any(axis=1) for rows in units])
    n, norms, random = int(known.sum()), np.ones(len(words), np.float32), np.random.default_rng(1)
    if n < 3:
        raise DataError(f"vectors are compared by neighbours, which need at least three shared words, got {n}")
    if topn > n - 2:
        raise SettingError(f"`topn` must be at most {n - 2:,}, as {n:,} words are shared, got {topn}; lower it")
    edges = [*(edge for edge in (0, *(10**power for power in range(2, 10))) if edge < n), n]
    bands = [np.sort(random.permutation(np.arange(*edge))[:sample]) for edge in pairwise(edges)]
    rows = np.concatenate(bands)
    found = [nearest_to_rows(table[known], norms, rows, topn, among=n).rows for table in units]
    shares = [
        sum((column[:, None] == other).any(axis=1) for column in one.T) / topn for one, other in combinations(found, 2)
    ]
    means = np.split(np.mean(shares, axis=0), np.cumsum([len(band) for band in bands])[:-1])
    return [
        Overlap(first + 1, last, len(mean), float(mean.mean()))
        for (first, last), mean in zip(pairwise(edges), means, strict=True)
    ]
