"""Classification of nodes and prediction of edges: against plain forms, and what is planted."""

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
from embedtrain.vectors import node_evaluation
from embedtrain.vectors.node_evaluation import read_labels


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


def test_files_of_labels_are_read(labelled):
    _, labels, folder = labelled
    assert read_labels(folder / "labels") == read_labels(folder / "wide") == labels
    (folder / "spaced").write_text("new york\tbig,old\nCem, A\tbig\nann,old, big\n")
    assert read_labels(folder / "spaced") == {
        "new york": {"big", "old"}, "Cem, A": {"big"}, "ann": {"old", "big"}
    }  # fmt: skip


@pytest.mark.clients
def test_labels_that_vectors_tell_are_found(labelled):
    vectors, labels, folder = labelled
    few, many = evaluate_labels(vectors, folder / "labels", shares=(0.1, 0.9))
    assert (few.share, many.share) == (0.1, 0.9)
    assert 0.5 < few.micro < many.micro > 0.85
    assert evaluate_labels(vectors, labels, shares=(0.1, 0.9)) == [few, many]
    shuffled = dict(zip(labels, reversed(labels.values()), strict=True))
    assert evaluate_labels(vectors, shuffled, shares=[0.9])[0].micro < 0.75


@pytest.mark.clients
def test_others_get_as_many_labels_as_they_have():
    vectors = WordVectors(list("abcdef"), np.array([[1, 0], [0, 1], [1, 1], [9, 0], [0, 9], [9, 9]], np.float32))
    labels = dict(zip("abcdef", map(set, ["x", "y", "xy", "x", "y", "xy"]), strict=True))
    for score in evaluate_labels(vectors, {**labels, "d": {"x", "z"}}, shares=[0.5], repeats=20):
        assert 0.4 < score.macro < score.micro < 1


def test_labels_need_scikit_learn(labelled, monkeypatch):
    monkeypatch.setattr(node_evaluation, "find_spec", lambda name: None)
    with refused("install it with: pip install 'embedtrain\\[sklearn\\]'", SettingError):
        evaluate_labels(*labelled[:2])


def test_edges_are_told_from_other_pairs():
    lines = planted_graphs.communities()
    held_out, trained = lines[:200], lines[200:]
    vectors = train_skipgram(RandomWalks(trained), dim=16, sample=0, epochs=3)
    score = evaluate_links(vectors, held_out, trained)
    assert score.auc > 0.8
    assert (score.n_known, score.n_edges) == (200, 200)
    random = np.random.default_rng(1).standard_normal(vectors.vectors.shape).astype(np.float32)
    assert evaluate_links(WordVectors(vectors.words, random), held_out, trained).auc == pytest.approx(0.5, abs=0.08)


def test_random_pairs_are_edges_of_neither(monkeypatch):
    words, edges = list("abcde"), ["a b", "b c", "c d"]
    vectors = WordVectors(words, np.eye(5, dtype=np.float32))
    free = {frozenset(pair) for pair in itertools.combinations(words, 2)} - {frozenset(edge.split()) for edge in edges}
    seen = set()
    real = node_evaluation._cosines
    monkeypatch.setattr(
        node_evaluation,
        "_cosines",
        lambda of, pairs: seen.update(frozenset(words[i] for i in pair) for pair in pairs.tolist()) or real(of, pairs),
    )
    for seed in range(30):
        evaluate_links(vectors, ["a b"], edges[1:], seed=seed)
    assert seen == free | {frozenset("ab")}


@pytest.mark.clients
def test_unknown_nodes_with_labels_are_counted(labelled):
    vectors, labels, _ = labelled
    with pytest.warns(EmbedtrainWarning, match="1 of 61 nodes with labels have no vector and are left out"):
        evaluate_labels(vectors, {**labels, "other": {"l0"}}, shares=[0.5])


def test_unknown_nodes_and_known_edges_are_counted(labelled):
    vectors, _, _ = labelled
    with pytest.warns(EmbedtrainWarning, match="1 of 2 held-out edges have a node without a vector"):
        score = evaluate_links(vectors, ["n0 n1", "n0 x"], ["n2 n3"])
    assert (score.n_known, score.n_edges) == (1, 2)
    with pytest.warns(EmbedtrainWarning, match="1 of 2 held-out edges are edges of the graph that was trained on"):
        evaluate_links(vectors, ["n0 n1", "n2 n3"], ["n1 n0", "n4 x"])


@pytest.mark.clients
@pytest.mark.filterwarnings("ignore::embedtrain.EmbedtrainWarning")
def test_bad_labels_are_refused(labelled):
    vectors, labels, folder = labelled
    for content, message in {
        "n0\n": "line 1: expected a word or node and its label, got 'n0'",
        "# x\n": "is empty; it needs lines of a node and a label",
    }.items():
        (folder / "bad").write_text(content)
        with refused(message):
            evaluate_labels(vectors, folder / "bad")
    with refused("at least two nodes with vectors and two labels"):
        evaluate_labels(vectors, {"x": {"a"}, "y": {"b"}})
    with refused("at least two nodes with vectors and two labels"):
        evaluate_labels(vectors, {"n0": {"a"}, "n1": {"a"}})
    with refused("shares must be between 0 and 1", SettingError):
        evaluate_labels(vectors, labels, shares=[1])


@pytest.mark.filterwarnings("ignore::embedtrain.EmbedtrainWarning")
def test_bad_edges_are_refused(labelled):
    vectors, _, folder = labelled
    for content, message in {
        "n0\n": "a line of an edge list is two nodes, and perhaps a weight, got 'n0' with 1 column",
        "": "holds no words: it is empty",
    }.items():
        (folder / "bad").write_text(content)
        with refused(message):
            evaluate_links(vectors, folder / "bad", ["n0 n1"])
    with refused("no held-out edge has two nodes with vectors"):
        evaluate_links(vectors, ["x y"], ["n0 n1"])
    with refused("nearly all pairs of nodes are edges"):
        evaluate_links(WordVectors(["a", "b"], np.eye(2, dtype=np.float32)), ["a b"], ["a b"])
