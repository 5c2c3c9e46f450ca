"""Reading graphs: edge lists, sparse matrices and graphs of networkx, as names of nodes and a matrix of weights."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from itertools import compress
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embedtrain.corpus.encoding import encode
from embedtrain.corpus.sources import Corpus
from embedtrain.corpus.text_chunks import SPACE, TextChunk
from embedtrain.errors import DataError, quoted
from embedtrain.kernels.text.byte_masks import PADDING
from embedtrain.machine.progress import Progress, counted
from embedtrain.machine.words import PackedWords, first_duplicate, require_words

_EDGE = re.compile(rb"^[ \t\r]*[^#%\s].*", re.MULTILINE)


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
    weights: NDArray[np.float64]  # (n_edges,)


def read_graph(
    graph: Any, names: Sequence[str] | None, directed: bool, weighted: bool, threads: int,
    folder: str | os.PathLike[str] | None, progress: Progress | None,
) -> NamedGraph:  # fmt: skip
    """Read a graph, see `RandomWalks`."""
    is_matrix = hasattr(graph, "tocsr")
    if is_matrix:
        edges = _of_matrix(graph, names)
    elif names is not None:
        raise DataError("`names` is for matrices; other graphs have names of their own, leave it out")
    elif hasattr(graph, "edges") and hasattr(graph, "nodes"):
        edges = _of_networkx(graph)
        directed = directed or bool(graph.is_directed())
    else:
        edges = _of_edge_list(_corpus(graph), weighted, threads, folder, progress)
    notes: list[str] = []
    if not weighted and (edges.weights != 1).any():
        notes.append("the graph has weights, which are not used; set `weighted` to draw steps in proportion to them")
    if not weighted:
        edges = edges._replace(weights=np.ones(len(edges.weights)))
    rule = "have the sum of their weights" if weighted else "count once"
    matrix = _summed(edges, directed or is_matrix, rule, notes)
    if not directed:  # the cells are a triangle, or those of a matrix, which may have both directions
        other = matrix.T.tocsr()
        if is_matrix and sparse.triu(matrix).nnz not in (0, matrix.nnz) and (matrix != other).nnz:
            notes.append("the matrix is neither symmetric nor a triangle: edges have the larger weight of both "
                         "directions; set `directed` if they lead one way")  # fmt: skip
        matrix = matrix.maximum(other)
    if not weighted:
        matrix.data[:] = 1
    if not matrix.nnz:
        raise DataError("the graph has no edges between different nodes: there is nothing to learn from")
    return NamedGraph(edges.names, matrix, (*notes, *_dead_ends(matrix)))


def _summed(edges: Edges, is_ordered: bool, rule: str, notes: list[str]) -> sparse.csr_array:
    """Sum the weights of repeated edges, without self loops and weights of 0.

    `is_ordered` says whether a b and b a are different edges, `rule` is for the note on repeated ones.
    """
    names, sources, targets, weights = edges
    is_valid = np.isfinite(weights) & (weights >= 0)
    if not is_valid.all():
        wrong = int(np.argmin(is_valid))
        ends = " ".join(quoted(names[int(nodes[wrong])]) for nodes in (sources, targets))
        raise DataError(f"weights must be finite and not negative, that of the edge {ends} is {weights[wrong]}")
    if not is_ordered:
        sources, targets = np.minimum(sources, targets), np.maximum(sources, targets)
    is_loop = sources == targets
    kept = ~is_loop & (weights > 0)
    matrix = sparse.coo_array((weights[kept], (sources[kept], targets[kept])), shape=(len(names),) * 2).tocsr()
    if n_loops := int(is_loop.sum()):
        notes.append(f"{counted(n_loops, 'self loop')} left out")
    if n_zero := int((~is_loop & (weights == 0)).sum()):
        notes.append(f"{counted(n_zero, 'edge')} of weight 0 left out")
    if n_repeated := int(kept.sum()) - matrix.nnz:
        notes.append(f"{counted(n_repeated, 'edge')} given again: repeated edges {rule}")
    return matrix


def _dead_ends(matrix: sparse.csr_array) -> Iterator[str]:
    """Yield notes on nodes without edges, and without outgoing edges."""
    ends = np.diff(matrix.indptr) == 0
    isolated = ends & (np.bincount(matrix.indices, minlength=len(ends)) == 0)
    if isolated.any():
        yield f"{counted(int(isolated.sum()), 'node')} without edges: their vectors stay as they begin"
    if n_ends := int(ends.sum() - isolated.sum()):
        yield f"walks end at {counted(n_ends, 'node')} without outgoing edges"


def _of_matrix(matrix: Any, names: Sequence[str] | None) -> Edges:
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise DataError(f"the matrix of a graph must be square, got {' × '.join(map(str, matrix.shape))}")
    names = list(map(str, range(matrix.shape[0]))) if names is None else list(names)
    if len(names) != matrix.shape[0]:
        raise DataError(f"`names` must have a name for each of the {matrix.shape[0]:,} nodes, got {len(names):,}")
    cells = sparse.coo_array(matrix)
    is_edge = cells.data != 0
    sources, targets = (nodes[is_edge] for nodes in cells.coords)
    return Edges(_packed(names), sources, targets, cells.data[is_edge].astype(np.float64))


def _of_networkx(graph: Any) -> Edges:
    numbers = {node: number for number, node in enumerate(graph.nodes)}
    rows = [(numbers[a], numbers[b], weight) for a, b, weight in graph.edges(data="weight", default=1)]
    try:
        sources, targets, weights = np.array(rows, np.float64).reshape(-1, 3).T
    except (TypeError, ValueError) as error:
        raise DataError(f"the attribute `weight` of an edge must be a number: {error}") from None
    return Edges(_packed(list(map(str, numbers))), sources.astype(np.int64), targets.astype(np.int64), weights)


def _packed(names: Sequence[str]) -> PackedWords:
    require_words(names, spaces=True)
    if twice := first_duplicate(names):
        raise DataError(f"two nodes have the name {quoted(twice)}; give each node a name of its own")
    return PackedWords.of(names)


def _corpus(graph: Any) -> Corpus:
    """Return the corpus of an edge list; edges in memory are lines, or sequences of nodes and perhaps a weight."""
    if isinstance(graph, np.ndarray) and graph.ndim == 2 and (len(graph) == graph.shape[1] or graph.dtype.kind == "f"):
        raise DataError("a graph must not be a dense array; give scipy.sparse.csr_array(matrix), or edges as tuples")
    corpus = Corpus.of(graph)
    sources = (map(_as_tokens, corpus.sources[0]),) if corpus.in_memory else corpus.sources
    return Corpus(*sources, **{**corpus.options, "force": True})  # as it does not look like text


def _as_tokens(edge: Any) -> Any:
    """Return an edge with strings for numbers, of nodes or a weight."""
    if not isinstance(edge, (tuple, list)):
        return edge
    return [str(part) if isinstance(part, Real if i == 2 else Integral) else part for i, part in enumerate(edge)]


def _of_edge_list(
    lines: Corpus, weighted: bool, threads: int, folder: str | os.PathLike[str] | None, progress: Progress | None
) -> Edges:
    """Read lines of two nodes and perhaps a weight, with the tokeniser of text."""
    text = encode(lines, threads=threads, folder=folder, progress=progress, prepare=_divided)
    ids, words = text.ids, text.vocabulary.words[:]
    is_comment = np.fromiter((word.startswith(("#", "%")) for word in words), np.bool_, len(words))
    kept = ~is_comment[ids[text.offsets[:-1]]]
    begins, lengths = text.offsets[:-1][kept], np.diff(text.offsets)[kept]
    is_weighted = lengths == 3
    has_weights = bool(is_weighted.any())
    is_wrong = (lengths < 2 + (weighted and has_weights)) | (lengths > 3)
    if is_wrong.any():
        begin, length = (int(array[np.argmax(is_wrong)]) for array in (begins, lengths))
        tokens = " ".join(words[i] for i in ids[begin : begin + min(length, 6)])
        rule = "two nodes and a weight" if weighted and has_weights else "two nodes, and perhaps a weight"
        raise DataError(
            f"{lines.name}: a line of an edge list is {rule}, got {quoted(tokens)} with {counted(length, 'column')} "
            "divided as in the first line, by tabs, else commas, else spaces"
        )
    sources, targets = ids[begins], ids[begins + 1]
    weights, thirds = np.ones(len(begins)), ids[begins[is_weighted] + 2]
    values = np.full(len(words), np.nan)
    for i in np.flatnonzero(np.bincount(thirds)).tolist():
        try:
            values[i] = float(words[i])
        except ValueError:
            line = " ".join(words[j] for j in ids[begins[is_weighted][np.argmax(thirds == i)] :][:3])
            raise DataError(
                f"{lines.name}: the third column must be weights, got {quoted(words[i])} in {quoted(line)}; put # "
                "before a heading, and tabs between names with spaces"
            ) from None
    weights[is_weighted] = values[thirds]
    is_node = np.zeros(len(words), np.bool_)
    is_node[sources] = is_node[targets] = True
    numbers = np.cumsum(is_node, dtype=np.int32) - np.int32(1)
    return Edges(PackedWords.of(list(compress(words, is_node))), numbers[sources], numbers[targets], weights)


def _divided(chunks: Iterator[TextChunk]) -> Iterator[TextChunk]:
    """Yield chunks of lines with spaces for tabs, or for commas, if the first line that is not a comment has any."""
    mark, rest = b"", b""
    for chunk in chunks:
        if not chunk.divided:
            text, _, rest = (rest + chunk.text[: chunk.n].tobytes()).rpartition(b"\n")  # the end of a file is one too
            if not mark and (line := _EDGE.search(text)):
                mark = next(mark for mark in (b"\t", b",", b" ") if mark == b" " or mark in line[0].strip())
            if mark in (b"\t", b","):
                text = _with_spaces(text, mark, chunk.source)
            chunk = chunk._replace(text=np.frombuffer(text + b"\n" * (1 + PADDING), np.uint8))
        yield chunk


def _with_spaces(text: bytes, mark: bytes, source: str) -> bytes:
    """Replace a mark between names by a space, and spaces in them by `SPACE`; leave quotes around names out."""
    if b" " in text:
        text = re.sub(rb"(?m)(?:^|(?<=%b)) +| +(?=[%b\r\n]|\Z)" % (mark, mark), b"", text)
        if both := re.search(rb"(?m)(?:^|(?<=%b))\d+ +\d+(?=[%b\r\n]|\Z)" % (mark, mark), text):
            numbers = quoted(both[0].decode())
            raise DataError(f"{source}: {numbers} is divided by spaces, other columns by tabs or commas; choose one")
    if b'"' in text:
        text = re.sub(rb'"([^"%b\n]*)"' % mark, rb"\1", text)
    return text.replace(b" ", SPACE.encode()).replace(mark, b" ")
