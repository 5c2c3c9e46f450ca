"""How often training moves each row of the tables of skip-gram and CBOW, and along which directions it pulls at it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from embedtrain.machine.ranks import Ranks
from embedtrain.models.distributions import Paths
from embedtrain.models.ngram_rows import NgramRows
from embedtrain.models.word2vec_settings import Word2vecSettings

_ROWS = 20_000  # the most frequent ones, which moments are computed of


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


def second_moment(
    tables: Mapping[str, NDArray[np.float32]], steps: Mapping[str, NDArray[np.float64]], ranks: Ranks
) -> NDArray[np.float64]:
    """The (dim, dim) mean of the outer products of rows with themselves, weighted by their steps.

    Each of several ranks adds other rows to it.
    """
    total = sum(steps[name].sum() for name in tables)
    moment: NDArray[np.float64] = np.zeros(())
    for name, table in tables.items():
        n = min(_ROWS, len(table))
        least = np.partition(steps[name], -n)[-n]
        frequent = np.flatnonzero(steps[name] >= least)[:n][ranks.rank :: ranks.size]
        rows = table[frequent] * np.sqrt(steps[name][frequent, None] / total).astype(np.float32)
        moment = moment + rows.T @ rows
    return moment.astype(np.float64)
