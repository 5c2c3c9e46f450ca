"""The Huffman tree of words: frequent words have short paths.

The inner nodes have rows in the table N (n_words - 1, dim); node 0 was joined first, the last node is the root.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined, kernel
from embedtrain.kernels.simd.rows import copy_row, fill
from embedtrain.kernels.word2vec.windows import fill_offsets


class LocalNodes(NamedTuple):
    """A thread's copies of the nodes near the root, which all threads would write continually.

    Their changes are merged into the shared rows at intervals, multiplied by `share`, one over the number of threads,
    since the sum of all threads' steps would be too large.
    """

    first_node: int  # this node and all after it, up to the root, have copies
    first: int  # first element in N of the first copy
    step: int  # elements from one copy to the next
    base: NDArray[np.float32]  # (n_copies * step,) the copies after the last merge
    share: float
    padding_row: int  # first element of the thread's row of zeros in N that fills incomplete groups ...
    input_padding_row: int  # ... and in W


def make_local_nodes(n_nodes: int, rows: Sequence[int], share: float, input_padding_row: int) -> LocalNodes:
    """Make a thread's local nodes; `rows` are the first elements of the copies, then that of the padding row."""
    *copies, padding_row = rows
    step = rows[1] - rows[0]
    base = np.zeros(len(copies) * step, np.float32)
    return LocalNodes(n_nodes - len(copies), copies[0], step, base, share, padding_row, input_padding_row)


class Tree(NamedTuple):
    """The path of each word from the root: its inner nodes, and its side at each."""

    starts: NDArray[np.int64]  # (n_words + 1,) where the path of each word starts
    nodes: NDArray[np.int32]  # (starts[-1],) inner nodes, the root first; node 0 was joined first
    sides: NDArray[np.int8]  # (starts[-1],) 1 where the path continues to the lighter child, else -1
    local: LocalNodes


@kernel
def join_lightest(counts, weights, parents, sides):
    """Join the two lightest subtrees until one is left; words are in descending order of counts.

    Ties are broken in favour of joined subtrees, then of later words: the same tree on every machine. `parents` and
    `sides` are those of the words, then of the nodes (2 n_words - 1,), `weights` those of the nodes (n_words - 1,).
    """
    n_words = counts.size
    word, node = n_words - 1, 0
    for joined in range(n_words - 1):
        weight = 0  # both queues are sorted: words from the last, nodes from the first
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
    """Write the path length of each word and node (2 n_words - 1,); the root, the last, has 0."""
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
        for step in range(starts[word + 1] - 1, starts[word] - 1, -1):
            path_nodes[step], path_sides[step] = parents[child], sides[child]
            child = n_words + parents[child]


@inlined
def row_of(tree, node, dim):
    """First element of a node's row, or of the thread's copy of it."""
    copy = node - tree.local.first_node
    return node * dim if copy < 0 else tree.local.first + copy * tree.local.step


@inlined
def load_local(N, tree, dim):
    """Copy the shared rows to the thread's local nodes, if there is a tree."""
    if tree is not None:
        local = tree.local
        for row in range(0, local.base.size, local.step):
            shared = (local.first_node + row // local.step) * dim
            copy_row(N, local.first + row, N, shared, dim)
            copy_row(local.base, row, N, shared, dim)


@inlined
def merge_local(N, tree, dim):
    """Add the thread's share of the changes of its local nodes to the shared rows, and load them again."""
    if tree is not None:
        local = tree.local
        share = np.float32(local.share)
        for row in range(0, local.base.size, local.step):
            base, copy = np.uint64(row), np.uint64(local.first + row)
            shared = np.uint64((local.first_node + row // local.step) * dim)
            for d in range(np.uint64(dim)):
                merged = N[shared + d] + share * (N[copy + d] - local.base[base + d])
                N[shared + d] = N[copy + d] = local.base[base + d] = merged


@inlined
def set_path_offsets(outputs, tree, word, group, dim):
    """Write the row offsets of a word's path, with padding up to a multiple of `group`; returns its length."""
    begin = np.uint64(tree.starts[word])
    n = np.uint64(tree.starts[word + 1]) - begin
    for k in range(n):
        outputs[k] = row_of(tree, np.int64(tree.nodes[begin + k]), dim)
    n_nodes = np.int64(n)
    fill_offsets(outputs, n_nodes, -n_nodes % group, tree.local.padding_row)
    return n_nodes


@inlined
def set_path_weights(weights, tree, word, n_nodes, group, n_inputs, n_rows):
    """Write the sides of a word's path, node by node, for `n_inputs` of `n_rows` rows; 0 for others and padding.

    `group * n_rows` must be whole vectors.
    """
    begin, rows = np.uint64(tree.starts[word]), np.uint64(n_rows)
    fill(weights, (n_nodes - 1) // group * group * n_rows, group * n_rows, np.float32(0))
    for k in range(np.uint64(n_nodes)):
        side = np.float32(tree.sides[begin + k])
        for row in range(rows):
            weights[k * rows + row] = side if row < np.uint64(n_inputs) else np.float32(0)
