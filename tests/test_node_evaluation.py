"""Classification of nodes and prediction of edges: against scikit-learn, plain forms, and what is planted."""

import itertools

import numpy as np
import planted_graphs
import pytest
from text_files import refused

from embedtrain import (
    EmbedtrainWarning,
    RandomWalks,
    SettingError,
    WordVectors,
    evaluate_labels,
    evaluate_links,
    train_skipgram,
)
from embedtrain.vectors.node_evaluation import _f1, _logistic_regressions, read_labels, read_links


@pytest.fixture
def labelled(tmp_path):
    """Vectors of 60 nodes, and their labels: whether each of three coordinates is positive."""
    random = np.random.default_rng(1)
    vectors = WordVectors([f"n{i}" for i in range(60)], random.standard_normal((60, 8)).astype(np.float32))
    labels = {
        word: {f"l{d}" for d in range(3) if vector[d] > 0} or {"none"}
        for word, vector in zip(vectors.words, vectors.vectors, strict=True)
    }
    (tmp_path / "labels").write_text("".join(f"{node}\t{name}\n" for node in labels for name in sorted(labels[node])))
    (tmp_path / "wide").write_text("# x\n" + "".join(f"{node} {','.join(labels[node])}\n" for node in labels))
    return vectors, labels, tmp_path


def test_files_of_labels_and_edges_are_read(labelled):
    _, labels, folder = labelled
    assert read_labels(folder / "labels") == read_labels(folder / "wide") == labels
    (folder / "edges").write_text("# x\na b\nc,d,0.5\ne\tf 1 2\n")
    assert read_links(folder / "edges") == [("a", "b"), ("c", "d"), ("e", "f")]


def test_classifiers_have_the_least_cost():
    random = np.random.default_rng(2)
    features, truth = random.standard_normal((50, 4)), random.random((50, 3)) < 0.4
    weights = _logistic_regressions(features, truth)

    def cost(weights):
        margins = np.where(truth, 1, -1) * (features @ weights[1:] + weights[0])
        return np.log(1 + np.exp(-margins)).sum() + 0.5 * (weights[1:] ** 2).sum()

    for change in random.standard_normal((50, 5, 3)) * 0.02:
        assert cost(weights) <= cost(weights + change) + 1e-6


def test_f1_is_that_of_its_definition():
    random = np.random.default_rng(3)
    truth, scores = random.random((20, 4)) < 0.5, random.standard_normal((20, 4))
    found = np.zeros_like(truth)
    for row, own in enumerate(truth):
        found[row, np.argsort(-scores[row])[: own.sum()]] = True
    each = [
        2 * (t & f).sum() / (t.sum() + f.sum()) if t.any() or f.any() else 0
        for t, f in zip(truth.T, found.T, strict=True)
    ]
    assert _f1(truth, scores) == pytest.approx((2 * (truth & found).sum() / (truth.sum() + found.sum()), np.mean(each)))


def test_labels_that_vectors_tell_are_found(labelled):
    vectors, labels, folder = labelled
    few, many = evaluate_labels(vectors, folder / "labels", shares=(0.1, 0.9))
    assert (few.share, many.share) == (0.1, 0.9)
    assert 0.5 < few.micro < many.micro > 0.85
    assert evaluate_labels(vectors, labels, shares=(0.1, 0.9)) == [few, many]
    shuffled = dict(zip(labels, reversed(labels.values()), strict=True))
    assert evaluate_labels(vectors, shuffled, shares=[0.9])[0].micro < 0.75


@pytest.mark.clients
def test_classification_is_that_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    random = np.random.default_rng(4)
    features = random.standard_normal((200, 10))
    truth = features @ random.standard_normal((10, 4)) + random.standard_normal((200, 4)) > 0
    weights = _logistic_regressions(features, truth)
    for column in range(4):
        model = LogisticRegression(tol=1e-8, max_iter=1000).fit(features, truth[:, column])
        assert weights[1:, column] == pytest.approx(model.coef_[0], abs=2e-3)
        assert weights[0, column] == pytest.approx(model.intercept_[0], abs=2e-3)


def test_edges_are_told_from_other_pairs():
    lines = planted_graphs.communities()
    held_out, trained = lines[:200], lines[200:]
    vectors = train_skipgram(RandomWalks(trained), dim=16, sample=0, epochs=3)
    pairs = [[tuple(line.split()) for line in part] for part in (held_out, trained)]
    score = evaluate_links(vectors, *pairs)
    assert score.cosine > 0.8
    assert score.dot > 0.7
    assert (score.n_known, score.n_edges) == (200, 200)
    random = np.random.default_rng(1).standard_normal(vectors.vectors.shape).astype(np.float32)
    assert evaluate_links(WordVectors(vectors.words, random), *pairs).cosine == pytest.approx(0.5, abs=0.08)


def test_random_pairs_are_edges_of_neither(monkeypatch):
    words, edges = list("abcde"), [("a", "b"), ("b", "c"), ("c", "d")]
    vectors = WordVectors(words, np.eye(5, dtype=np.float32))
    free = {frozenset(pair) for pair in itertools.combinations(words, 2)} - {frozenset(edge) for edge in edges}
    seen = set()
    from embedtrain.vectors import node_evaluation

    real = node_evaluation._scores
    monkeypatch.setattr(
        node_evaluation,
        "_scores",
        lambda of, pairs: seen.update(frozenset(words[i] for i in pair) for pair in pairs.tolist()) or real(of, pairs),
    )
    for seed in range(30):
        evaluate_links(vectors, [("a", "b")], edges[1:], seed=seed)
    assert seen == free | {frozenset("ab")}


def test_unknown_nodes_are_counted_and_said(labelled):
    vectors, labels, _ = labelled
    with pytest.warns(EmbedtrainWarning, match="1 of 61 nodes with labels have no vector and are left out"):
        evaluate_labels(vectors, {**labels, "other": {"l0"}}, shares=[0.5])
    with pytest.warns(EmbedtrainWarning, match="1 of 2 held-out edges have a node without a vector"):
        score = evaluate_links(vectors, [("n0", "n1"), ("n0", "x")], [("n2", "n3")])
    assert (score.n_known, score.n_edges) == (1, 2)


@pytest.mark.filterwarnings("ignore::embedtrain.EmbedtrainWarning")
def test_bad_labels_and_edges_are_refused(labelled):
    vectors, labels, folder = labelled
    for content, message in {
        "n0\n": "line 1: expected a node and a label, got 'n0'",
        "# x\n": "is empty; it needs lines of a node and a label",
    }.items():
        (folder / "bad").write_text(content)
        with refused(message):
            evaluate_labels(vectors, folder / "bad")
    for content, message in {
        "n0\n": "line 1: expected two nodes, got 'n0'",
        "": "is empty; it needs lines of two nodes",
    }.items():
        (folder / "bad").write_text(content)
        with refused(message):
            evaluate_links(vectors, folder / "bad", [("n0", "n1")])
    with refused("at least two nodes with vectors and two labels"):
        evaluate_labels(vectors, {"x": {"a"}, "y": {"b"}})
    with refused("at least two nodes with vectors and two labels"):
        evaluate_labels(vectors, {"n0": {"a"}, "n1": {"a"}})
    with refused("no held-out edge has two nodes with vectors"):
        evaluate_links(vectors, [("x", "y")], [("n0", "n1")])
    with refused("nearly all pairs of nodes are edges"):
        evaluate_links(WordVectors(["a", "b"], np.eye(2, dtype=np.float32)), [("a", "b")], [])
    with refused("shares must be between 0 and 1", SettingError):
        evaluate_labels(vectors, labels, shares=[1])
