"""Evaluation of the vectors of nodes: classification by labels, and prediction of held-out edges."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.machine.files import source_name
from embedtrain.machine.progress import note
from embedtrain.machine.threads import resolve_threads
from embedtrain.vectors.evaluation_files import read_labelled, resolve
from embedtrain.vectors.word_table import WordTable

Path: TypeAlias = "str | os.PathLike[str]"

_MOST_DRAWS = 100  # for each pair without an edge


class LabelScore(NamedTuple):
    """The mean F1 of classifiers that were trained on a share of the nodes, on the others."""

    share: float
    micro: float  # over all labels of all nodes
    macro: float  # the mean of each label's


class LinkScore(NamedTuple):
    """How cosines tell held-out edges from pairs without an edge."""

    auc: float  # the probability that an edge has the higher cosine
    n_known: int  # held-out edges whose nodes both have vectors
    n_edges: int  # all held-out edges


def read_labels(path: Path) -> dict[str, set[str]]:
    """Read lines of a node and its labels, or one of them; see `evaluate_labels`."""
    labels: dict[str, set[str]] = {}
    for node, own in read_labelled(resolve(path), "[ ,]"):
        labels.setdefault(node, set()).update(own.replace(",", " ").split())
    if not labels:
        raise DataError(f"{source_name(resolve(path))} is empty; it needs lines of a node and a label")
    return labels


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
        A file has lines of a node and its labels, or one of them, divided by spaces or commas, or a tab after the node.
    shares : sequence of float
        Shares of the nodes to train on.
    repeats, seed : int
        Random divisions for each share, whose results are averaged, and their seed.
    """
    if find_spec("sklearn") is None:
        raise SettingError("labels need scikit-learn; install it with: pip install 'embedtrain[sklearn]'")
    known = read_labels(labels) if isinstance(labels, (str, os.PathLike)) else labels
    if not all(0 < share < 1 for share in shares):
        raise SettingError(f"shares must be between 0 and 1, got {list(shares)}")
    nodes = [node for node in known if node in vectors.index]
    if len(nodes) < len(known):
        note(f"{len(known) - len(nodes):,} of {len(known):,} nodes with labels have no vector and are left out")
    names = {label: column for column, label in enumerate(sorted({name for node in nodes for name in known[node]}))}
    if len(nodes) < 2 or len(names) < 2:
        raise DataError("classification needs at least two nodes with vectors and two labels; are the names the same?")
    features = np.array([vectors.vectors[vectors.index[node]] for node in nodes])
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
            results.append(_f1(features[order], truth[order], n))
        scores.append(LabelScore(share, *np.mean(results, axis=0).tolist()))
    return scores


def _f1(features: NDArray[np.float32], truth: NDArray[np.bool_], n: int) -> tuple[float, float]:
    """Micro and macro F1 of classifiers trained on the first n nodes, if others get as many labels as they have."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.multiclass import OneVsRestClassifier

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # labels of none or all of the nodes
        model = OneVsRestClassifier(LogisticRegression(max_iter=1000)).fit(features[:n], truth[:n])
    ranks = np.argsort(np.argsort(-model.decision_function(features[n:]), axis=1, kind="stable"), axis=1)
    found = ranks < truth[n:].sum(axis=1, keepdims=True)
    micro, macro = (f1_score(truth[n:], found, average=kind, zero_division=0) for kind in ("micro", "macro"))
    return float(micro), float(macro)


def evaluate_links(vectors: WordTable, edges: Any, graph: Any, *, seed: int = 1) -> LinkScore:
    """Compare the cosines of held-out edges with those of as many random pairs of nodes without an edge.

    Parameters
    ----------
    vectors : WordVectors
    edges, graph : path, lines, or what else `RandomWalks` takes
        The held-out edges, and those that were trained on. Random pairs are edges of neither.
    seed : int
        Seed of the random pairs.
    """
    held_out, trained = _rows_of_edges(vectors, edges), _rows_of_edges(vectors, graph)
    pairs, n = held_out[(held_out >= 0).all(axis=1)], len(vectors)
    if len(pairs) < len(held_out):
        note(f"{len(held_out) - len(pairs):,} of {len(held_out):,} held-out edges have a node without a vector")
    if not len(pairs):
        raise DataError("no held-out edge has two nodes with vectors; are the names the same?")
    keys, trained_keys = _keys(pairs, n), _keys(trained, n)
    if n_trained := int(np.isin(keys, trained_keys).sum()):
        note(f"{n_trained:,} of {len(held_out):,} held-out edges are edges of the graph that was trained on")
    random, absent = np.random.default_rng(seed), np.empty((0, 2), np.int64)
    taken = np.append(keys, trained_keys)
    for _ in range(_MOST_DRAWS):
        drawn = random.integers(0, n, (len(pairs), 2))
        is_new = (drawn[:, 0] != drawn[:, 1]) & ~np.isin(_keys(drawn, n), taken)
        absent = np.vstack([absent, drawn[is_new]])[: len(pairs)]
        if len(absent) == len(pairs):
            break
    else:
        raise DataError("nearly all pairs of nodes are edges; there are too few others to compare with")
    lower, cosines = np.sort(_cosines(vectors, absent)), _cosines(vectors, pairs)
    below, not_above = np.searchsorted(lower, cosines, "left"), np.searchsorted(lower, cosines, "right")
    return LinkScore(float((below + not_above).mean() / (2 * len(lower))), len(pairs), len(held_out))


def _rows_of_edges(vectors: WordTable, graph: Any) -> NDArray[np.int64]:
    """The rows (n_edges, 2) of the nodes of each edge, -1 for nodes without a vector."""
    from scipy import sparse

    from embedtrain.corpus.graphs import read_graph

    names, matrix, _ = read_graph(graph, None, False, False, resolve_threads(None), None, None)
    rows = np.array([vectors.index.get(name, -1) for name in names[:]])
    edges: NDArray[np.int64] = rows[np.transpose(sparse.triu(matrix).nonzero())]
    return edges


def _keys(pairs: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    """A number for each pair, the same in both directions."""
    keys: NDArray[np.int64] = pairs.min(axis=1) * n + pairs.max(axis=1)
    return keys


def _cosines(vectors: WordTable, pairs: NDArray[np.int64]) -> NDArray[np.float32]:
    """The cosine of each pair."""
    first, second = pairs.T
    dots: NDArray[np.float32] = np.einsum("ij,ij->i", vectors.vectors[first], vectors.vectors[second])
    return dots / (vectors.norms[first] * vectors.norms[second])
