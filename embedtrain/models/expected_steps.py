"""How often training moves each row of the tables of skip-gram and CBOW, and how the loss bends along a row."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from embedtrain.machine.ranks import Ranks
from embedtrain.models.distributions import Paths
from embedtrain.models.ngram_rows import NgramRows
from embedtrain.models.word2vec_settings import Word2vecSettings

_ROWS = 10_000  # the most frequent ones, which moments are computed of

#: Mean derivatives of the sigmoid for steps of words, and for those of the other table, as bench/ranks.py found best.
_SLOPES = {"context_vectors": (0.1, 0.1), "node_vectors": (0.2, 0.12)}


def expected_steps(
    settings: Word2vecSettings,
    kept: NDArray[np.float64],
    noise: NDArray[np.float64],
    paths: Paths | None,
    ngrams: NgramRows | None,
    n_words: int,
) -> dict[str, NDArray[np.float64]]:
    """The terms of the gradient of each row of the tables, expected.

    `kept` (n_frequent,) is how many tokens are this word and kept; words after those do not occur.
    """
    n_contexts = settings.reach + 1 if settings.window_mode == "dynamic" else 2 * settings.reach
    outputs = kept if settings.model == "cbow" else kept * n_contexts  # predictions of each word
    absent, n_terms = np.zeros(n_words - len(kept)), 0.0
    steps = {}
    if settings.negative:
        n_terms += 1 + settings.negative
        steps["context_vectors"] = np.append(outputs + settings.negative * outputs.sum() * noise, absent)
    if paths is not None:
        lengths = np.diff(paths.starts)
        n_terms += (outputs * lengths).sum() / max(outputs.sum(), 1e-30)
        steps["node_vectors"] = np.bincount(paths.nodes, np.repeat(outputs, lengths))
    steps["word_vectors"] = np.append(kept * n_terms * (1 if settings.corrected else n_contexts), absent)
    if ngrams is not None:
        of_words = np.repeat(steps["word_vectors"], np.diff(ngrams.starts))
        steps["word_vectors"], steps["ngram_vectors"] = np.split(np.bincount(ngrams.rows, of_words), [n_words])
    return steps


def second_moment(table: NDArray[np.float32], steps: NDArray[np.float64], ranks: Ranks) -> NDArray[np.float64]:
    """The (dim, dim) mean of the outer products of rows with themselves, weighted by their steps.

    Each of several ranks adds other rows to it.
    """
    n = min(_ROWS, len(steps))
    frequent = np.sort(np.argpartition(steps, -n)[-n:])
    weights = np.sqrt(steps[frequent] / max(steps[frequent].sum(), 1e-30)).astype(np.float32)
    own = slice(ranks.rank, None, ranks.size)
    rows = table[frequent[own]] * weights[own, None]
    return (rows.T @ rows).astype(np.float64)


def curvatures(
    settings: Word2vecSettings, moments: Mapping[str, NDArray[np.float64]], steps: Mapping[str, NDArray[np.float64]]
) -> dict[str, NDArray[np.float64]]:
    """The mean second derivative, (dim, dim), of the terms of the loss by a row of each table, given second moments.

    It is the moment of the rows that a table is scored with, times the mean derivative of the sigmoid.
    """
    slopes, outputs = dict(_SLOPES), [name for name in moments if name != "word_vectors"]
    if settings.model == "cbow" and not settings.corrected:
        slopes["context_vectors"] = 0.1, 0.03  # a mean of words has a smaller moment than words have
    shares = {name: steps[name].sum() for name in outputs}
    of_words = sum(slopes[name][0] * shares[name] * moments[name] for name in outputs) / sum(shares.values())
    found = {name: slopes[name][1] * moments["word_vectors"] for name in outputs}
    return {name: found.get(name, of_words) for name in steps}  # also of the n-grams of words
