"""Reading graphs: edge lists, sparse matrices and graphs of networkx, as names of nodes and a matrix of weights."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embedtrain.corpus.encoding import encode
from embedtrain.corpus.sources import Corpus
from embedtrain.corpus.text_chunks import TextChunk
from embedtrain.errors import DataError, quoted
from embedtrain.machine.progress import Progress, counted
from embedtrain.machine.words import PackedWords, first_duplicate, require_words

_COMMENTS = b"#%"  # first bytes of lines that are comments
_COMMA, _SPACE = ord(","), ord(" ")


class NamedGraph(NamedTuple):
    """A graph without self loops, whose edges have positive weights."""

    names: PackedWords
    matrix: sparse.csr_array  # (n_nodes, n_nodes) of float64; [i, j] is the weight of the edge from i to j
    notes: tuple[str, ...]


class Edges(NamedTuple):
    """Edges as they are given, perhaps repeated."""

    names: PackedWords
    sources: NDArray[Any]  # (n_edges,) nodes
    targets: NDArray[Any]  # (n_edges,)
    weights: NDArray[np.float64] | None  # (n_edges,); None: all 1


def read_graph(
    graph: Any, *, names: Sequence[str] | None, directed: bool, weighted: bool, threads: int,
    folder: str | os.PathLike[str] | None, progress: Progress | None,
) -> NamedGraph:  # fmt: skip
    """Read a graph, see `RandomWalks`."""
    if hasattr(graph, "tocsr"):
        edges = _of_matrix(graph, names)
    elif names is not None:
        raise DataError("`names` is for matrices; other graphs have names of their own, leave it out")
    elif hasattr(graph, "edges") and hasattr(graph, "nodes"):
        edges = _of_networkx(graph)
        directed = directed or bool(graph.is_directed())
    else:
        corpus = Corpus.of(graph)  # `force`, as an edge list does not look like text
        edges = _of_edge_list(
            Corpus(*corpus.sources, **{**corpus.options, "force": True}), weighted, threads, folder, progress
        )
    notes = []
    if edges.weights is not None and not weighted:
        notes.append("the graph has weights, which are not used; set `weighted` to draw steps in proportion to them")
    if not weighted:
        edges = edges._replace(weights=None)
    elif edges.weights is None:
        edges = edges._replace(weights=np.ones(len(edges.sources)))
    else:
        _check_weights(edges, edges.weights)
    is_matrix = hasattr(graph, "tocsr")  # which has both directions, or one triangle
    matrix = _summed(edges, both_ways=not directed and not is_matrix, notes=notes)
    if is_matrix and not directed:
        matrix = matrix.maximum(matrix.T.tocsr())
    if not weighted:
        matrix.data[:] = 1
    if not matrix.nnz:
        raise DataError("the graph has no edges between different nodes: there is nothing to learn from")
    return NamedGraph(edges.names, matrix, (*notes, *_dead_ends(matrix)))


def _check_weights(edges: Edges, weights: NDArray[np.float64]) -> None:
    """Raise an error if a weight is negative or not finite."""
    valid = np.isfinite(weights) & (weights >= 0)
    if not valid.all():
        wrong = int(np.argmin(valid))
        ends = (quoted(edges.names[int(nodes[wrong])]) for nodes in (edges.sources, edges.targets))
        raise DataError(f"weights must be positive and finite, that of the edge {' '.join(ends)} is {weights[wrong]}")


def _dead_ends(matrix: sparse.csr_array) -> Iterator[str]:
    """Yield notes on nodes without edges, and without outgoing edges."""
    ends = np.diff(matrix.indptr) == 0
    isolated = ends & (np.bincount(matrix.indices, minlength=len(ends)) == 0)
    if isolated.any():
        yield f"{counted(int(isolated.sum()), 'node')} without edges: their vectors stay as they begin"
    if n_ends := int(ends.sum() - isolated.sum()):
        yield f"walks end at {counted(n_ends, 'node')} without outgoing edges"


def _summed(edges: Edges, *, both_ways: bool, notes: list[str]) -> sparse.csr_array:
    """Sum the weights of repeated edges, without self loops and weights of 0."""
    n = len(edges.names)
    sources, targets = edges.sources, edges.targets
    loops = sources == targets
    kept = ~loops if edges.weights is None else ~loops & (edges.weights > 0)
    if loops.any():
        notes.append(f"{counted(int(loops.sum()), 'self loop')} left out")
    if not kept.all():
        sources, targets = sources[kept], targets[kept]
    weights = np.ones(len(sources)) if edges.weights is None else edges.weights[kept]
    matrix = sparse.coo_array((weights, (sources, targets)), shape=(n, n)).tocsr()
    matrix.sum_duplicates()
    if both_ways:
        matrix = matrix + matrix.T.tocsr()
    if n_repeated := len(sources) - matrix.nnz // (1 + both_ways):
        rule = "count once" if edges.weights is None else "have the sum of their weights"
        notes.append(f"{counted(n_repeated, 'edge')} given again: repeated edges {rule}")
    return matrix


def _of_matrix(matrix: Any, names: Sequence[str] | None) -> Edges:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise DataError(f"the matrix of a graph must be square, got {' × '.join(map(str, matrix.shape))}")
    cells = matrix.tocoo()
    sources, targets = cells.coords if hasattr(cells, "coords") else (cells.row, cells.col)
    names = list(map(str, range(matrix.shape[0]))) if names is None else list(names)
    if len(names) != matrix.shape[0]:
        raise DataError(f"`names` must have a name for each of the {matrix.shape[0]:,} nodes, got {len(names):,}")
    weights = cells.data.astype(np.float64)
    return Edges(_packed(names), sources, targets, None if (weights == 1).all() else weights)


def _of_networkx(graph: Any) -> Edges:
    numbers = {node: number for number, node in enumerate(graph.nodes)}
    rows = [(numbers[a], numbers[b], weight) for a, b, weight in graph.edges(data="weight", default=1)]
    sources, targets, weights = zip(*rows, strict=True) if rows else ((), (), ())
    try:
        numeric = np.array(weights, np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"the attribute `weight` of an edge must be a number: {error}") from None
    return Edges(
        _packed(list(map(str, numbers))), np.array(sources, np.int64), np.array(targets, np.int64),
        None if (numeric == 1).all() else numeric,
    )  # fmt: skip


def _packed(names: Sequence[str]) -> PackedWords:
    require_words(names, spaces=True)
    if twice := first_duplicate(names):
        raise DataError(f"two nodes have the name {quoted(twice)}; give each node a name of its own")
    return PackedWords.of(names)


# --- Edge lists -------------------------------------------------------------------------------------------------------


def _of_edge_list(
    lines: Corpus, weighted: bool, threads: int, folder: str | os.PathLike[str] | None, progress: Progress | None
) -> Edges:
    """Read lines of two nodes and perhaps a weight, with the tokeniser of text."""
    text = encode(lines, threads=threads, folder=folder, progress=progress, prepare=_with_spaces)
    ids, words = text.ids, PackedWords.of(text.vocabulary.words)
    is_comment = np.isin(words.text[words.starts[:-1]], np.frombuffer(_COMMENTS, np.uint8))
    begins, lengths = text.offsets[:-1], np.diff(text.offsets)
    kept = ~is_comment[ids[begins]]
    if not kept.all():
        begins, lengths = begins[kept], lengths[kept]
    most = int(lengths.max(initial=2))
    wrong = (lengths < 2 + (weighted and most == 3)) | (lengths > 3)
    if wrong.any():
        first = int(np.argmax(wrong))
        tokens = [words[int(i)] for i in ids[begins[first] : begins[first] + min(int(lengths[first]), 6)]]
        rule = "two nodes and a weight" if weighted and most == 3 else "two nodes, and perhaps a weight"
        raise DataError(
            f"{lines.name}: a line of an edge list is {rule}, got {quoted(' '.join(tokens))} with "
            f"{counted(int(lengths[first]), 'column')}"
        )
    sources, targets, weights = ids[begins], ids[begins + 1], None
    if most == 3:
        weights = np.ones(len(begins)) if not weighted else _numbers(words, ids[begins + 2], lines.name)
    is_node = np.zeros(len(words), np.bool_)
    is_node[sources] = is_node[targets] = True
    numbers = np.cumsum(is_node, dtype=np.int32) - np.int32(1)
    return Edges(_chosen(words, is_node), numbers[sources], numbers[targets], weights)


def _with_spaces(chunks: Iterator[TextChunk]) -> Iterator[TextChunk]:
    """Yield chunks with spaces for commas, if the first line that is not a comment has commas and no tabs."""
    has_commas: bool | None = None
    for chunk in chunks:
        if has_commas is None:
            lines = (line.strip() for line in chunk.text.tobytes().split(b"\n"))
            first = next((line for line in lines if line and line[0] not in _COMMENTS), None)
            has_commas = None if first is None else b"," in first and b"\t" not in first
        if has_commas and not chunk.divided:
            text = np.where(chunk.text == _COMMA, np.uint8(_SPACE), chunk.text)
            text.setflags(write=False)
            chunk = chunk._replace(text=text)
        yield chunk


def _numbers(words: PackedWords, ids: NDArray[np.int32], name: str) -> NDArray[np.float64]:
    """The numbers that the words of these ids spell."""
    occurs = np.zeros(len(words), np.bool_)
    occurs[ids] = True
    spelled = _chosen(words, occurs)[:]
    values = np.empty(len(words))
    try:
        values[occurs] = np.fromiter(map(float, spelled), np.float64, len(spelled))
    except ValueError as error:
        raise DataError(f"{name}: the third column must be weights: {error}; put # before a heading") from None
    return values[ids]


def _chosen(words: PackedWords, chosen: NDArray[np.bool_]) -> PackedWords:
    """Copy the chosen words."""
    if chosen.all():
        return words
    lengths = np.diff(words.starts)[chosen]
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
    places = np.arange(starts[-1]) + np.repeat(words.starts[:-1][chosen] - starts[:-1], lengths)
    return PackedWords(words.text[places], starts)
