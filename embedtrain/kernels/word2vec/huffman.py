"""Huffman's tree over the words: frequent words have short paths, and the inner nodes have rows in a table."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined, kernel
from embedtrain.kernels.simd.rows import copy_row


class Own(NamedTuple):
    """Rows of a thread's own: copies of the nodes near the root, which every thread would write all the time.

    They follow each other at a distance of `step` elements; what they learnt is merged into the shared rows now and
    then: `share` of it, one over the number of threads, since many steps at once of all threads would go too far.
    """

    first_node: int  # all nodes from here on, the last being the root, have copies
    first: int  # first element in N of the first copy
    step: int
    base: NDArray[np.float32]  # (n_copies * step,) the copies as they were after the last merge
    share: float
    sink: int  # first element of a row in N that fills incomplete groups; it stays zero
    input_sink: int  # of one in W


def make_own(n_nodes: int, rows: Sequence[int], share: float, input_sink: int) -> Own:
    """What a thread has of its own: `rows` are the first elements of the copies and, at last, of the sink."""
    *copies, sink = rows
    step = rows[1] - rows[0]
    return Own(
        n_nodes - len(copies), copies[0], step, np.zeros(len(copies) * step, np.float32), share, sink, input_sink
    )


class Tree(NamedTuple):
    """The path of each word from the root: inner nodes, and on which side it goes on."""

    starts: NDArray[np.int64]  # (n_words + 1,) where the path of each word starts
    nodes: NDArray[np.int32]  # (starts[-1],) inner nodes, the root first; node 0 was joined first
    sides: NDArray[np.int8]  # (starts[-1],) 1 where the path goes to the lighter child, else -1
    own: Own


@kernel
def join_lightest(counts, weights, parents, sides):
    """Join the two lightest trees until one is left; words come by falling count.

    Of equal ones joined trees go first, then later words: the same tree on every machine. Node `n_words + j` is the
    j-th that is joined; `parents` and `sides` are those of words and nodes (2 n_words - 1), `weights` of nodes.
    """
    n_words = counts.size
    word, node = n_words - 1, 0
    for joined in range(n_words - 1):
        weight = 0
        for side in (1, -1):
            if word < 0 or (node < joined and weights[node] <= counts[word]):
                child = n_words + node
                weight += weights[node]
                node += 1
            else:
                child = word
                weight += counts[word]
                word -= 1
            parents[child], sides[child] = joined, side
        weights[joined] = weight


@kernel
def measure_paths(parents, lengths):
    """The length of the path of each word and node; the root, the last node, has none."""
    n_words = (lengths.size + 1) // 2
    lengths[-1] = 0
    for child in range(lengths.size - 2, -1, -1):
        lengths[child] = lengths[n_words + parents[child]] + 1


@kernel
def trace_paths(parents, sides, starts, path_nodes, path_sides):
    """Fill the paths of all words, root first."""
    n_words = starts.size - 1
    for word in range(n_words):
        child = word
        for place in range(starts[word + 1] - 1, starts[word] - 1, -1):
            path_nodes[place], path_sides[place] = parents[child], sides[child]
            child = n_words + parents[child]


@inlined
def row_of(tree, node, dim):
    """First element of a node's row, or of this thread's copy."""
    copy = node - tree.own.first_node
    return node * dim if copy < 0 else tree.own.first + copy * tree.own.step


@inlined
def copy_top(N, own, dim):
    """Make the copies what the shared rows are."""
    for row in range(0, own.base.size, own.step):
        shared = (own.first_node + row // own.step) * dim
        copy_row(N, own.first + row, N, shared, dim)
        copy_row(own.base, row, N, shared, dim)


@inlined
def merge_top(N, own, dim):
    """Merge what the copies learnt into the shared rows, and make them the same."""
    share = np.float32(own.share)
    for row in range(0, own.base.size, own.step):
        base, mine = np.uint64(row), np.uint64(own.first + row)
        shared = np.uint64((own.first_node + row // own.step) * dim)
        for d in range(np.uint64(dim)):
            merged = N[shared + d] + share * (N[mine + d] - own.base[base + d])
            N[shared + d] = N[mine + d] = own.base[base + d] = merged


@inlined
def lay_path(outputs, at, tree, word, dim):
    """Name the rows of the nodes on a word's path, from outputs[at] on; returns where they end."""
    begin = np.uint64(tree.starts[word])
    n, first = np.uint64(tree.starts[word + 1]) - begin, np.uint64(at)
    for k in range(n):
        outputs[first + k] = row_of(tree, np.int64(tree.nodes[begin + k]), dim)
    return at + np.int64(n)


@inlined
def weigh_path(weights, at, tree, word):
    """Ask each node on a word's path for the side that the path goes on."""
    begin, first = np.uint64(tree.starts[word]), np.uint64(at)
    for k in range(np.uint64(tree.starts[word + 1]) - begin):
        weights[first + k] = np.float32(tree.sides[begin + k])
