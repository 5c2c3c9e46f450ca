"""``embedtrain node2vec``, and ``embedtrain evaluate`` with labels and edges."""

import json
import shlex
from pathlib import Path

import planted_graphs
import pytest
from commands import contents, error_of, run

from embedtrain import RandomWalks, WordVectors, train_skipgram

SMALL = ["--dim", "16", "--walks", "5", "--length", "20", "--threads", "1", "--quiet"]


@pytest.fixture(autouse=True)
def graph(folder):
    """A graph with planted communities, its labels, and edges that are held out."""
    lines = planted_graphs.communities()
    (folder / "edges.txt").write_text("\n".join(lines[100:]) + "\n")
    (folder / "held-out.txt").write_text("\n".join(lines[:100]) + "\n")
    nodes = sorted({node for line in lines for node in line.split()})
    (folder / "labels.txt").write_text("".join(f"{node} {node.split('.')[0]}\n" for node in nodes))


def test_vectors_are_those_of_the_library():
    assert run("node2vec", "edges.txt", *SMALL, "-p", "0.5").exit_code == 2
    assert run("node2vec", "edges.txt", *SMALL, "--p", "0.5", "--q", "2").exit_code == 0
    walks = RandomWalks("edges.txt", walks=5, length=20, p=0.5, q=2.0)
    train_skipgram(walks, dim=16, window=10, epochs=1, sample=0, threads=1).save("library.vec")
    assert Path("edges.vec").read_bytes() == Path("library.vec").read_bytes()


def test_the_command_to_try_next_names_a_node(folder):
    (folder / "marked.txt").write_text("'a' 'b'\n'b' 'c'\n")
    done = run("node2vec", "marked.txt", *SMALL[:-1])
    assert "king" not in done.stderr
    assert run(*shlex.split(done.stderr.split("next     embedtrain ")[1])).exit_code == 0


def test_names_of_other_tools_are_understood():
    other = "--dimensions 16 --num-walks 5 --walk-length 20 --workers 1 --quiet --iter 1".split()
    assert run("node2vec", "edges.txt", *other, "-o", "other.vec").exit_code == 0
    assert run("node2vec", "edges.txt", *SMALL).exit_code == 0
    assert Path("edges.vec").read_bytes() == Path("other.vec").read_bytes()


def test_a_run_is_continued():
    for epochs in ("1", "2"):
        done = run("node2vec", "edges.txt", *SMALL, "--checkpoint", "run", "--epochs", epochs, "--q", "0.5")
        assert done.exit_code == 0
    assert run("node2vec", "edges.txt", "--resume", "run", "--epochs", "3", "--quiet").exit_code == 0
    assert WordVectors.load("edges.vec").vector_size == 16


def test_a_dry_run_reports_and_trains_nothing(folder):
    before = contents(folder)
    done = run("node2vec", "edges.txt", "--dry-run", "--threads", "1")
    assert done.exit_code == 0
    assert "240 get vectors and cover 100.00% of the tokens" in done.stdout
    assert "min-count" not in done.stdout
    assert contents(folder) == before


@pytest.mark.clients
def test_vectors_are_evaluated_by_labels():
    assert run("node2vec", "edges.txt", *SMALL, "--epochs", "5", "-o", "nodes.vec").exit_code == 0
    done = run("evaluate", "nodes.vec", "--labels", "labels.txt", "--json", "--share", "0.5")
    (score,) = json.loads(done.stdout)["scores"]
    assert score["share"] == 0.5
    assert score["micro"] > 0.9 < score["macro"]
    done = run("evaluate", "nodes.vec", "--labels", "labels.txt")
    assert done.stdout.splitlines()[1] == "trained on  micro F1  macro F1"


def test_vectors_are_evaluated_by_edges():
    assert run("node2vec", "edges.txt", *SMALL, "--epochs", "5", "-o", "nodes.vec").exit_code == 0
    given = ["nodes.vec", "--edges", "held-out.txt", "--graph", "edges.txt"]
    assert json.loads(run("evaluate", *given, "--json").stdout)["auc"] > 0.8
    assert "100 of 100 held-out edges, AUC 0." in run("evaluate", *given).stdout


REFUSED = [
    (1, ["node2vec", "one.txt"], "weights, got 'word' in 'word word word'"),
    (1, ["node2vec", "text.txt"], "text.txt: a line of an edge list is two nodes, and perhaps a weight, got"),
    (1, ["node2vec", "edges.txt", "missing.txt"], "cannot read missing.txt"),
    (2, ["node2vec", "edges.txt", "--p", "0"], "p must be between 0.001 and 1000, got 0.0"),
    (2, ["node2vec", "edges.txt", "--length", "1"], "length must be a whole number of at least 2, got 1"),
    (2, ["node2vec", "edges.txt", "nodes.vec"], "did you mean -o nodes.vec?"),
    (2, ["evaluate", "good.vec", "--edges", "held-out.txt"], "--edges and --graph go together"),
    (2, ["evaluate", "good.vec", "--labels", "labels.txt", "--share", "x"], "'x' is not a valid float"),
    (1, ["evaluate", "good.vec", "--edges", "missing", "--graph", "edges.txt"], "cannot read missing"),
]


@pytest.mark.parametrize(("status", "args", "message"), REFUSED, ids=[" ".join(args) for _, args, _ in REFUSED])
def test_bad_input_is_one_line(folder, status, args, message):
    before = contents(folder)
    assert message in error_of(run(*args), status)
    assert contents(folder) == before
