"""Evaluation of the vectors of nodes: classification by labels, and prediction of held-out edges."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError, quoted
from embedtrain.machine.files import source_name
from embedtrain.machine.progress import note
from embedtrain.vectors.evaluation_files import read_lines, resolve
from embedtrain.vectors.word_table import WordTable

Path: TypeAlias = "str | os.PathLike[str]"

_SEPARATORS = re.compile(r"[\s,]+")
_PENALTY = 0.5  # of the squared weights of a classifier: C = 1 of scikit-learn, which DeepWalk uses
_MOST_DRAWS = 100  # for each pair without an edge


class LabelScore(NamedTuple):
    """The mean F1 of classifiers that were trained on a share of the nodes, on the others."""

    share: float
    micro: float  # over all labels of all nodes
    macro: float  # the mean of each label's


class LinkScore(NamedTuple):
    """The probability that an edge has a higher score than a pair without an edge (AUC)."""

    cosine: float
    dot: float
    n_known: int  # held-out edges whose nodes both have vectors
    n_edges: int  # all held-out edges


def _read_rows(path: Path, what: str) -> Iterator[list[str]]:
    """Yield the columns of lines of at least two, separated by spaces, tabs or commas."""
    row: list[str] = []
    for location, line in read_lines(resolve(path), "utf-8"):
        row = list(filter(None, _SEPARATORS.split(line)))
        if len(row) < 2:
            raise DataError(f"{location}: expected {what}, got {quoted(line)}")
        yield row
    if not row:
        raise DataError(f"{source_name(resolve(path))} is empty; it needs lines of {what}")


def read_labels(path: Path) -> dict[str, set[str]]:
    """Read lines of a node and its labels, or one of them."""
    labels: dict[str, set[str]] = {}
    for node, *own in _read_rows(path, "a node and a label"):
        labels.setdefault(node, set()).update(own)
    return labels


def read_links(path: Path) -> list[tuple[str, str]]:
    """Read lines of two nodes; more columns are ignored."""
    return [(row[0], row[1]) for row in _read_rows(path, "two nodes")]


def evaluate_labels(
    vectors: WordTable,
    labels: Path | Mapping[str, set[str]],
    *,
    shares: Sequence[float] = (0.1, 0.5, 0.9),
    repeats: int = 5,
    seed: int = 1,
) -> list[LabelScore]:
    """Classify nodes by their vectors, as DeepWalk's `scoring.py` does.

    A logistic regression for each label (L2, C = 1) is trained on random nodes. Each other node gets as many labels as
    it has, the most probable ones.

    Parameters
    ----------
    vectors : WordVectors
    labels : path or mapping from nodes to sets of labels
        A file has lines of a node and its labels, or one of them.
    shares : sequence of float
        Shares of the nodes to train on.
    repeats, seed : int
        Random divisions for each share, whose results are averaged, and their seed.

    Returns
    -------
    list of LabelScore

    Raises
    ------
    DataError
        If the file cannot be read or fewer than two of its nodes have vectors.
    SettingError
        If a share is not between 0 and 1.
    """
    known = read_labels(labels) if isinstance(labels, (str, os.PathLike)) else labels
    if not all(0 < share < 1 for share in shares):
        raise SettingError(f"shares must be between 0 and 1, got {list(shares)}")
    nodes = [node for node in known if node in vectors.index]
    if len(nodes) < len(known):
        note(f"{len(known) - len(nodes):,} of {len(known):,} nodes with labels have no vector and are left out")
    names = {label: column for column, label in enumerate(sorted({name for node in nodes for name in known[node]}))}
    if len(nodes) < 2 or len(names) < 2:
        raise DataError("classification needs at least two nodes with vectors and two labels; are the names the same?")
    features = np.array([vectors.vectors[vectors.index[node]] for node in nodes], np.float64)
    truth = np.zeros((len(nodes), len(names)), np.bool_)
    for row, node in enumerate(nodes):
        truth[row, [names[name] for name in known[node]]] = True
    random = np.random.default_rng(seed)
    scores = []
    for share in shares:
        n = min(max(1, round(share * len(nodes))), len(nodes) - 1)
        results = []
        for _ in range(repeats):
            order = random.permutation(len(nodes))
            weights = _logistic_regressions(features[order[:n]], truth[order[:n]])
            results.append(_f1(truth[order[n:]], features[order[n:]] @ weights[1:] + weights[0]))
        scores.append(LabelScore(share, *np.mean(results, axis=0).tolist()))
    return scores


def _logistic_regressions(features: NDArray[np.float64], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Fit a classifier for each label; returns the (1 + dim, n_labels) biases and weights."""
    from scipy.optimize import minimize
    from scipy.special import expit

    shape = 1 + features.shape[1], truth.shape[1]
    signs = np.where(truth, 1.0, -1.0)

    def cost(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        weights = flat.reshape(shape)
        margins = signs * (features @ weights[1:] + weights[0])
        slopes = -signs * expit(-margins)
        gradient = np.vstack([slopes.sum(axis=0), features.T @ slopes + 2 * _PENALTY * weights[1:]])
        return float(np.logaddexp(0, -margins).sum() + _PENALTY * (weights[1:] ** 2).sum()), gradient.ravel()

    found = minimize(cost, np.zeros(shape[0] * shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 300})
    fitted: NDArray[np.float64] = found.x.reshape(shape)
    return fitted


def _f1(truth: NDArray[np.bool_], scores: NDArray[np.float64]) -> tuple[float, float]:
    """Micro and macro F1, if each row gets as many labels as it has, those of the highest scores."""
    ranks = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1)
    found = ranks < truth.sum(axis=1, keepdims=True)
    right, total = (truth & found).sum(axis=0), truth.sum(axis=0) + found.sum(axis=0)
    return float(2 * right.sum() / total.sum()), float((2 * right / np.maximum(total, 1)).mean())


def evaluate_links(
    vectors: WordTable,
    edges: Path | Sequence[tuple[str, str]],
    graph: Path | Sequence[tuple[str, str]],
    *,
    seed: int = 1,
) -> LinkScore:
    """Compare the scores of held-out edges with those of as many random pairs of nodes without an edge.

    Parameters
    ----------
    vectors : WordVectors
    edges, graph : path or sequence of (str, str)
        The held-out edges, and those that were trained on; files have lines of two nodes. Random pairs are edges of
        neither.
    seed : int
        Seed of the random pairs.

    Returns
    -------
    LinkScore

    Raises
    ------
    DataError
        If a file cannot be read, no held-out edge has two nodes with vectors, or nearly all pairs are edges.
    """
    held_out, trained = (
        read_links(given) if isinstance(given, (str, os.PathLike)) else given for given in (edges, graph)
    )
    index, n = vectors.index, len(vectors)
    pairs, others = (
        np.array([(index[a], index[b]) for a, b in links if a in index and b in index], np.int64).reshape(-1, 2)
        for links in (held_out, trained)
    )
    if len(pairs) < len(held_out):
        note(f"{len(held_out) - len(pairs):,} of {len(held_out):,} held-out edges have a node without a vector")
    if not len(pairs):
        raise DataError("no held-out edge has two nodes with vectors; are the names the same?")
    random, absent, taken = np.random.default_rng(seed), np.empty((0, 2), np.int64), np.vstack([pairs, others])
    for _ in range(_MOST_DRAWS):
        drawn = random.integers(0, n, (len(pairs), 2))
        is_new = (drawn[:, 0] != drawn[:, 1]) & ~np.isin(_keys(drawn, n), _keys(taken, n))
        absent = np.vstack([absent, drawn[is_new]])[: len(pairs)]
        if len(absent) == len(pairs):
            break
    else:
        raise DataError("nearly all pairs of nodes are edges; there are too few others to compare with")
    (dot, cosine), (dot_absent, cosine_absent) = (_scores(vectors, of) for of in (pairs, absent))
    return LinkScore(_auc(cosine, cosine_absent), _auc(dot, dot_absent), len(pairs), len(held_out))


def _keys(pairs: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """A number for each pair, the same in both directions."""
    keys: NDArray[np.int64] = pairs.min(axis=1) * n + pairs.max(axis=1)
    return keys


def _scores(vectors: WordTable, pairs: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Dot product and cosine of each pair."""
    first, second = pairs.T
    dot = np.einsum("ij,ij->i", vectors.vectors[first], vectors.vectors[second])
    return dot, dot / (vectors.norms[first] * vectors.norms[second])


def _auc(higher: NDArray[np.float32], lower: NDArray[np.float32]) -> float:
    """The probability that one of the first is above one of the others, half for ties."""
    ordered = np.sort(lower)
    below = np.searchsorted(ordered, higher, "left") + np.searchsorted(ordered, higher, "right")
    return float(below.mean() / (2 * len(lower)))
