"""Reading graphs: edge lists, matrices and graphs like those of networkx, good and bad."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from text_files import refused

from embedtrain import Corpus
from embedtrain.corpus import text_chunks
from embedtrain.corpus.graphs import read_graph


def edges_of(graph, **options):
    """The edges of a graph with their weights, by the names of nodes, and the notes."""
    options = {"names": None, "directed": False, "weighted": False, **options}
    names, matrix, notes = read_graph(graph, threads=1, folder=None, progress=None, **options)
    assert matrix.has_canonical_format
    cells, words = matrix.tocoo(), list(names)
    assert len(set(words)) == len(words) == matrix.shape[0] == matrix.shape[1]
    rows, columns = cells.coords
    return {(words[a], words[b]): weight for a, b, weight in zip(rows, columns, cells.data, strict=True)}, words, notes


class Networkx:
    """What is used of a graph of networkx."""

    def __init__(self, nodes, edges, directed=False):
        self.nodes, self._edges, self._directed = nodes, edges, directed

    def edges(self, data, default):
        assert data == "weight"
        return [(a, b, weight[0] if weight else default) for a, b, *weight in self._edges]

    def is_directed(self):
        return self._directed


FORMS = {
    "spaces": "a b\nb c\n", "tabs": "a\tb\nb\tc\n", "commas": "a,b\nb,c\n", "commas and spaces": "a, b\nb, c\n",
    "comments": "# a graph, of x y\n% 2 3\na b\n\n#c d\nb c", "windows": "a b\r\nb c\r\n",
    "columns": "\t a   b\t\nb c \n", "weights": "a b 2\nb c 0.5\n", "comments and commas": "# x\n% y\na,b\n#c,d\nb,c\n",
}  # fmt: skip


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("compressed", [False, True])
def test_edge_lists_of_all_forms(tmp_path, content, compressed):
    data = gzip.compress(content.encode()) if compressed else content.encode()
    (tmp_path / "edges").write_bytes(data)
    expected = {("a", "b"): 1, ("b", "a"): 1, ("b", "c"): 1, ("c", "b"): 1}
    found, words, _ = edges_of(tmp_path / "edges")
    assert (found, sorted(words)) == (expected, ["a", "b", "c"])
    assert edges_of(tmp_path / "edges", directed=True)[0] == {("a", "b"): 1, ("b", "c"): 1}
    if not compressed and "\r" not in content:
        assert edges_of([line for line in content.split("\n") if line])[0] == expected


def test_commas_are_part_of_names_beside_tabs():
    assert edges_of(["Smith,J\tDoe,A", "Doe,A\tRoe"], directed=True)[0].keys() == {
        ("Smith,J", "Doe,A"), ("Doe,A", "Roe")
    }  # fmt: skip


SPACED = {
    "tabs": "# new york\nnew york\tlos  angeles \nCem, A\t new york\r\n",
    "commas": "new york , los  angeles\nCem; A,new york",
    "quotes": '"new york","los  angeles"\n"Cem; A", "new york"\n',
    "quotes and tabs": '"new york"\t"los  angeles"\n"Cem, A"\t"new york"\n',
}


@pytest.mark.parametrize("content", SPACED.values(), ids=SPACED)
@pytest.mark.parametrize("most", [3, 1 << 20])
def test_names_may_have_spaces_beside_tabs_or_commas(tmp_path, monkeypatch, content, most):
    monkeypatch.setattr(text_chunks, "_CHUNK", most)  # bytes, which end within names
    (tmp_path / "edges").write_text(content, newline="")
    found = edges_of(tmp_path / "edges", directed=True)[0]
    assert {(a, b.replace(";", ",")) for b, a in found} == {("los  angeles", "new york"), ("new york", "Cem, A")}


def test_edges_may_be_tuples():
    edges = [("ann", "new york", 2.5), ("new york", 7, np.float64(1))]
    assert edges_of(edges, weighted=True, directed=True)[0] == {("ann", "new york"): 2.5, ("new york", "7"): 1}
    assert edges_of(np.array([[1, 2], [2, 3], [3, 4]]), directed=True)[1] == list("2314")


def test_weights_are_read_and_summed():
    lines = ["a b 2", "b c 1e-1", "b a 0.5", "c d 0"]
    found, words, notes = edges_of(lines, weighted=True)
    assert found == {("a", "b"): 2.5, ("b", "a"): 2.5, ("b", "c"): 0.1, ("c", "b"): 0.1}
    assert sorted(words) == ["a", "b", "c", "d"]
    assert notes == (
        "1 edge of weight 0 left out",
        "1 edge given again: repeated edges have the sum of their weights",
        "1 node without edges: their vectors stay as they begin",
    )
    assert edges_of(["a b", "a b", "b c"], weighted=True)[0]["a", "b"] == 2


def test_many_files_are_one_graph(tmp_path):
    (tmp_path / "1").write_text("1 2\n")
    (tmp_path / "2").write_text("2 3\n")
    assert len(edges_of(Corpus(tmp_path / "1", tmp_path / "2"))[0]) == 4
    assert len(edges_of(tmp_path)[0]) == 4


@settings(derandomize=True, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(1, 3)), min_size=1),
    st.booleans(),
    st.booleans(),
)
def test_all_sources_give_the_same_graph(edges, directed, weighted):
    if all(a == b for a, b, _ in edges):
        return
    options = {"directed": directed, "weighted": weighted}
    expected = {}
    for a, b, weight in edges:
        for pair in ((a, b),) if directed else {(a, b), (b, a)}:
            if a != b:
                pair = tuple(map(str, pair))
                expected[pair] = weight + expected.get(pair, 0) if weighted else 1
    lines = [f"{a} {b} {weight}" for a, b, weight in edges]
    found, words, _ = edges_of(lines, **options)
    assert found == expected
    assert set(words) == {str(node) for *pair, _ in edges for node in pair}
    graph = Networkx(range(6), edges, directed)
    found, words, _ = edges_of(graph, weighted=weighted)
    assert (found, words) == (expected, list("012345"))
    sources, targets, weights = zip(*edges, strict=True)
    if directed:
        matrix = sparse.coo_array((weights, (sources, targets)), shape=(6, 6))
        assert edges_of(matrix, **options)[:2] == (expected, list("012345"))


def test_undirected_matrices_are_symmetric_or_triangles():
    whole = np.array([[0, 2, 0], [2, 0, 3], [0, 3, 0]])
    expected = {("x", "y"): 2, ("y", "x"): 2, ("y", "z"): 3, ("z", "y"): 3}
    for matrix in (whole, np.triu(whole), np.tril(whole)):
        for kind in (sparse.csr_array, sparse.csc_matrix, sparse.coo_matrix):
            found, _, notes = edges_of(kind(matrix), weighted=True, names=["x", "y", "z"])
            assert (found, notes) == (expected, ())
    found, _, (note,) = edges_of(sparse.csr_array(np.array([[0, 2, 0], [1, 0, 3], [0, 0, 0]])), weighted=True)
    assert found == {("0", "1"): 2, ("1", "0"): 2, ("1", "2"): 3, ("2", "1"): 3}
    assert note.startswith("the matrix is neither symmetric nor a triangle: edges have the larger weight")


def test_cells_of_0_are_not_edges():
    matrix = sparse.coo_array(([1, 0, 1], ([0, 1, 2], [1, 2, 2])), shape=(3, 3))
    assert edges_of(matrix, directed=True)[::2] == (
        {("0", "1"): 1},
        ("1 self loop left out", "1 node without edges: their vectors stay as they begin",
         "walks end at 1 node without outgoing edges"),
    )  # fmt: skip


def test_names_may_have_spaces():
    expected = {("(0, 0)", "(0, 1)"): 1, ("(0, 1)", "(0, 0)"): 1}
    assert edges_of(Networkx([(0, 0), (0, 1)], [((0, 0), (0, 1))]))[0] == expected


def test_what_is_left_out_is_said():
    _, words, notes = edges_of(["a a", "b b", "a b", "b a", "c c", "d e"])
    assert sorted(words) == ["a", "b", "c", "d", "e"]
    assert notes == (
        "3 self loops left out",
        "1 edge given again: repeated edges count once",
        "1 node without edges: their vectors stay as they begin",
    )
    notes = edges_of(["a b 2", "a c 1"], directed=True)[2]
    assert notes == (
        "the graph has weights, which are not used; set `weighted` to draw steps in proportion to them",
        "walks end at 2 nodes without outgoing edges",
    )


REFUSED = {
    "one column": (
        ["a b", "c"],
        {},
        "a line of an edge list is two nodes, and perhaps a weight, got 'c' with 1 column",
    ),
    "only one column": (["a", "c"], {}, "got 'a' with 1 column"),
    "four columns": (["a b 1 2"], {}, "got 'a b 1 2' with 4 columns"),
    "a missing weight": (["a b 1", "a c"], {"weighted": True}, "is two nodes and a weight, got 'a c' with 2 columns"),
    "text as weight": (
        ["a b 1", "a c x"],
        {"weighted": True},
        "the third column must be weights, got 'x' in 'a c x'; put",
    ),
    "a heading": (["source,target,weight", "a,b,1"], {}, "got 'weight' in 'source target weight'; put # before"),
    "names with spaces": (
        ["new york boston"],
        {},
        "got 'boston' in 'new york boston'.* tabs between names",
    ),
    "other dividers": (["a\tb", "c d"], {}, "got 'c d' with 1 column divided as in the first line, by tabs"),
    "two dividers": (
        ["% sym", "1 2 \t3 10"],
        {},
        "'1 2' is divided by spaces, other columns by tabs or commas; choose one",
    ),
    "a dense matrix": (np.eye(3), {}, r"must not be a dense array; give scipy.sparse.csr_array\(matrix\)"),
    "a missing node": ([("a", None)], {}, "got NoneType None"),
    "a negative weight": (["a b 1", "c a -2"], {"weighted": True}, "that of the edge 'c' 'a' is -2"),
    "nan": (
        ["a b nan"],
        {"weighted": True},
        "weights must be finite and not negative, that of the edge 'a' 'b' is nan",
    ),
    "infinity": (["a b inf"], {"weighted": True}, "must be finite and not negative"),
    "no edges": (["a a"], {}, "the graph has no edges between different nodes"),
    "comments only": (["# a b"], {}, "the graph has no edges"),
    "nothing": ([], {}, "holds no words"),
    "only weights of 0": (["a b 0"], {"weighted": True}, "the graph has no edges"),
    "names of an edge list": (["a b"], {"names": ["a", "b"]}, "names is for matrices"),
    "an oblong matrix": (sparse.csr_array((2, 3)), {}, "must be square, got 2 × 3"),
    "an empty matrix": (sparse.csr_array((3, 3)), {}, "the graph has no edges"),
    "few names": (sparse.csr_array(np.eye(3)), {"names": ["a"]}, "a name for each of the 3 nodes, got 1"),
    "the same names": (sparse.csr_array(np.ones((2, 2))), {"names": ["a", "a"]}, "two nodes have the name 'a'"),
    "a name with a tab": (
        sparse.csr_array(np.ones((2, 2))),
        {"names": ["a", "b\tc"]},
        r"the word 'b\\tc' .* whitespace",
    ),
    "nodes that look the same": (Networkx([1, "1"], [(1, "1")]), {}, "two nodes have the name '1'"),
    "a word as weight": (Networkx([1, 2], [(1, 2, "x")]), {}, "weight of an edge must be a number"),
    "a missing file": ("nowhere", {}, "cannot read nowhere"),
}


@pytest.mark.parametrize(("graph", "options", "message"), REFUSED.values(), ids=REFUSED)
def test_bad_graphs_are_refused(graph, options, message):
    with refused(message):
        edges_of(graph, **options)
