"""Huffman's paths against their definition, and the local nodes of threads."""

import itertools

import naive
import numpy as np
import pytest

from embedtrain.kernels.simd.lanes import LANES, aligned_zeros
from embedtrain.kernels.simd.tiles import COLUMNS, ROWS
from embedtrain.kernels.word2vec import huffman
from embedtrain.models.distributions import huffman_paths


def paths_of(counts):
    """(node, side) from the root to each word."""
    starts, nodes, sides = huffman_paths(np.array(counts, np.int64))
    steps = list(zip(nodes.tolist(), sides.tolist(), strict=True))
    return [steps[begin:end] for begin, end in itertools.pairwise(starts)]


def fibonacci(n):
    counts = [1, 1]
    while len(counts) < n:
        counts.append(sum(counts[-2:]))
    return counts[:n][::-1]


def cases():
    rng = np.random.default_rng(1)
    yield "equal", [7] * 12
    yield "two", [5, 1]
    yield "two equal", [3, 3]
    yield "three", [2, 2, 1]
    yield "huge", [2**60, 2**59, 5, 1]
    yield "fibonacci", fibonacci(30)
    for n in (5, 33, 200):
        yield f"ties of {n}", sorted(rng.integers(1, 6, n).tolist(), reverse=True)
        yield f"zipf of {n}", sorted(rng.zipf(1.3, n).clip(0, 10**9).tolist(), reverse=True)


CASES = dict(cases())


def test_a_small_tree_written_out():
    """1 + 1 = 2: node 0. It goes before the word of 2: 4, node 1. 3 + 4 = 7: node 2. 5 + 7: the root."""
    assert paths_of([5, 3, 2, 1, 1]) == [
        [(3, 1)],
        [(3, -1), (2, 1)],
        [(3, -1), (2, -1), (1, -1)],
        [(3, -1), (2, -1), (1, 1), (0, -1)],
        [(3, -1), (2, -1), (1, 1), (0, 1)],
    ]


@pytest.mark.parametrize("case", CASES)
def test_paths_are_the_plain_form(case):
    assert paths_of(CASES[case]) == naive.huffman_paths(CASES[case])


@pytest.mark.parametrize("case", CASES)
def test_paths_are_a_tree_whose_lighter_children_are_on_side_1(case):
    counts = CASES[case]
    paths, root = paths_of(counts), len(counts) - 2
    assert all(path[0][0] == root for path in paths)
    assert sum(0.5 ** len(path) for path in paths) == 1, "every side of every node leads somewhere"
    assert len({tuple(path) for path in paths}) == len(paths)
    parents = {}
    weights = dict.fromkeys(itertools.product(range(root + 1), (1, -1)), 0)
    for count, path in zip(counts, paths, strict=True):
        for step, (node, _) in itertools.pairwise(path):
            assert parents.setdefault(node, step) == step, "a node has one place in the tree"
        for step in path:
            weights[step] += count
    assert all(weights[node, 1] <= weights[node, -1] for node in range(root + 1))


@pytest.mark.parametrize("case", CASES)
def test_paths_are_as_short_as_can_be(case):
    counts = CASES[case]
    assert sum(n * len(path) for n, path in zip(counts, paths_of(counts), strict=True)) == naive.huffman_cost(counts)


@pytest.mark.parametrize(("n", "lengths"), [(2, {1}), (64, {6}), (100, {6, 7}), (1000, {9, 10})])
def test_equal_counts_give_a_balanced_tree(n, lengths):
    assert {len(path) for path in paths_of([3] * n)} == lengths


def test_the_deepest_tree():
    lengths = [len(path) for path in paths_of(fibonacci(90))]  # their sum is just below 2^63
    assert lengths == [*range(1, 90), 89]


def test_many_words_cost_what_heapq_says():
    counts = np.sort(np.random.default_rng(2).zipf(1.2, 100_000).clip(0, 10**9))[::-1].astype(np.int64)
    starts, nodes, sides = huffman_paths(counts)
    assert int((counts * np.diff(starts)).sum()) == naive.huffman_cost(counts.tolist())
    assert (nodes[starts[:-1]] == len(counts) - 2).all()
    assert set(np.unique(sides)) == {-1, 1}


# --- Local nodes ------------------------------------------------------------------------------------------------------

DIM, N_NODES, N_COPIES = LANES, 7, 3
STEP = 2 * DIM  # from copy to copy


def tree_and_nodes(thread=0, share=0.5):
    """A tree of 8 words, of whose 7 nodes a thread has 3 copies and a padding row behind the shared rows."""
    first = (N_NODES + 1) * DIM + thread * (N_COPIES + 1) * STEP
    local = huffman.make_local_nodes(N_NODES, [first + k * STEP for k in range(N_COPIES + 1)], share, 999)
    return huffman.Tree(*huffman_paths(np.full(8, 3)), local)


def nodes_table(n_threads=2):
    N = aligned_zeros((N_NODES + 1) * DIM + n_threads * (N_COPIES + 1) * STEP)
    N[: N_NODES * DIM] = np.random.default_rng(3).normal(size=N_NODES * DIM)
    return N


def copies(N, local):
    return np.array([N[local.first + k * local.step :][:DIM] for k in range(N_COPIES)])


@pytest.mark.parametrize(
    ("group", "n_inputs", "n_rows"), [(LANES, 1, 1), *((COLUMNS, n_inputs, ROWS) for n_inputs in range(1, ROWS + 1))]
)
def test_paths_have_the_offsets_of_shared_rows_and_of_copies_near_the_root(group, n_inputs, n_rows):
    """And the sides as weights of each input, node by node; both with padding."""
    tree = tree_and_nodes()
    local = tree.local
    assert local.first_node == N_NODES - N_COPIES
    for word in range(8):
        outputs, weights = np.full(3 * LANES, -1), aligned_zeros(3 * LANES * ROWS)
        weights[:] = 99
        n_nodes = huffman.set_path_offsets(outputs, tree, word, group, DIM)
        huffman.set_path_weights(weights, tree, word, n_nodes, group, n_inputs, n_rows)
        path = slice(tree.starts[word], tree.starts[word + 1])
        rows = [
            node * DIM if node < local.first_node else local.first + (node - local.first_node) * local.step
            for node in tree.nodes[path].tolist()
        ]
        assert n_nodes == len(rows)
        padding = -n_nodes % group
        assert outputs.tolist() == [*rows, *[local.padding_row] * padding, *[-1] * (3 * LANES - n_nodes - padding)]
        sides, rest = np.zeros((n_nodes + padding, n_rows)), (n_nodes + padding) * n_rows
        sides[:n_nodes, :n_inputs] = tree.sides[path, None]
        assert (weights[:rest].reshape(-1, n_rows) == sides).all()
        assert (weights[rest:] == 99).all()


def test_a_copy_of_every_node():
    local = huffman.make_local_nodes(2, [100, 110, 120], 1.0, 0)
    assert (local.first_node, local.first, local.step, local.base.size, local.padding_row) == (0, 100, 10, 20, 120)


def test_threads_merge_their_share_of_what_they_learnt():
    N, trees = nodes_table(), [tree_and_nodes(thread) for thread in range(2)]
    before, learnt = N.copy(), np.random.default_rng(4).normal(size=(2, N_COPIES, DIM)).astype(np.float32)
    for tree, steps in zip(trees, learnt, strict=True):
        huffman.load_local(N, tree, DIM)
        for k in range(N_COPIES):
            N[tree.local.first + k * STEP :][:DIM] += steps[k]
    top = slice((N_NODES - N_COPIES) * DIM, N_NODES * DIM)
    assert (N[: N_NODES * DIM] == before[: N_NODES * DIM]).all(), "shared rows move when they are merged"

    huffman.merge_local(N, trees[0], DIM)
    one = before[top].reshape(N_COPIES, DIM) + learnt[0] / 2
    assert N[top].reshape(N_COPIES, DIM) == pytest.approx(one, abs=1e-6)
    assert (copies(N, trees[0].local) == N[top].reshape(N_COPIES, DIM)).all()
    huffman.merge_local(N, trees[1], DIM)
    both = N[top].copy()
    assert both.reshape(N_COPIES, DIM) == pytest.approx(one + learnt[1] / 2, abs=1e-6)

    huffman.merge_local(N, trees[1], DIM)
    assert (N[top] == both).all(), "what is merged is not merged again"
    assert (N[: top.start] == before[: top.start]).all()
    for tree in trees:
        assert (N[tree.local.padding_row :][:DIM] == 0).all()
        assert (tree.local.base.reshape(N_COPIES, STEP)[:, DIM:] == 0).all()
