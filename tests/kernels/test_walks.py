"""Random walks against their plain form and against the distributions of the papers."""

import naive_walks
import numpy as np
import pytest
from scipy import sparse

from embedtrain.corpus.walk_corpus import WalkIds, _epoch_key

BIASES = [(1, 1), (0.25, 4), (4, 0.25), (0.05, 1), (1, 0.5), (3, 3), (0.5, 0.2)]


def graph_of(n, seed, *, weighted, directed=False, density=0.3):
    """A random matrix of weights, without self loops, the last node without edges."""
    random = np.random.default_rng(seed)
    matrix = (random.random((n, n)) < density) * random.integers(1, 9, (n, n))
    matrix = matrix if directed else np.triu(matrix) + np.triu(matrix).T
    np.fill_diagonal(matrix, 0)
    matrix[-1] = matrix[:, -1] = 0
    return matrix if weighted else (matrix > 0).astype(int)


def drawn(matrix, *, weighted=False, **options):
    options = {"walks": 10, "length": 80, "p": 1.0, "q": 1.0, "seed": 1, **options}
    return WalkIds.of(sparse.csr_array(matrix.astype(float)), weighted, **options)


@pytest.mark.parametrize("n_nodes", [1, 2, 5, 33, 100])
def test_walks_begin_at_every_node_in_another_order_each_time(n_nodes):
    first = drawn(np.ones((n_nodes, n_nodes)), walks=2, length=2)[:].reshape(2, n_nodes, 2)[:, :, 0]
    assert (np.sort(first) == np.arange(n_nodes)).all()
    assert n_nodes < 33 or not np.array_equal(first[0], first[1])


@pytest.mark.parametrize("directed", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("p", "q"), BIASES)
def test_walks_are_those_of_the_plain_form(p, q, weighted, directed):
    matrix = graph_of(20, 3, weighted=weighted, directed=directed, density=0.15)
    ids = drawn(matrix, walks=3, length=9, p=p, q=q, weighted=weighted)
    for epoch in (0, 1):
        read, _, _ = ids.reader(len(ids))(epoch, 0, len(ids))
        for index, own in enumerate(read.reshape(-1, 9).tolist()):
            key = int(_epoch_key(1, epoch))
            plain = naive_walks.walk(ids.graph, ids.sums, ids.bias, index, 9, key)
            assert own == plain + [20] * (9 - len(plain))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("p", "q"), BIASES)
def test_steps_have_the_distribution_of_node2vec(p, q, weighted):
    matrix = graph_of(7, 1, weighted=weighted, density=0.6)
    length = 40
    walks = drawn(matrix, walks=3000, length=length, p=p, q=q, weighted=weighted)[:].reshape(-1, length)
    walks = walks[walks[:, 1] < 7]
    first = np.zeros((7, 7))
    np.add.at(first, (walks[:, 0], walks[:, 1]), 1)
    later = np.zeros((7, 7, 7))
    np.add.at(later, (walks[:, :-2].ravel(), walks[:, 1:-1].ravel(), walks[:, 2:].ravel()), 1)
    errors = []
    for node in range(6):
        rows = [(None, first[node]), *((before, later[before, node]) for before in range(6))]
        for before, row in rows:
            if row.sum():
                expected = row.sum() * naive_walks.step_distribution(matrix, before, node, p, q)
                assert (row[expected == 0] == 0).all()
                possible = expected > 0
                errors.append(((row - expected)[possible] ** 2 / expected[possible], possible.sum() - 1))
    statistic, freedom = sum(chi.sum() for chi, _ in errors), sum(degrees for _, degrees in errors)
    # the mean of chi-square is the degrees of freedom, its variance twice that
    assert abs(statistic - freedom) < 5 * np.sqrt(2 * freedom)


def test_walks_from_a_dead_end_stop():
    matrix = np.zeros((4, 4))
    matrix[0, 1] = matrix[1, 2] = 1
    ids = drawn(matrix, walks=2, length=5)[:].reshape(-1, 5).tolist()
    assert sorted(ids) == sorted(2 * [[0, 1, 2, 4, 4], [1, 2, 4, 4, 4], [2, 4, 4, 4, 4], [3, 4, 4, 4, 4]])


def test_sums_of_weights_are_exact_whatever_those_of_other_nodes():
    matrix = np.zeros((3, 3))
    matrix[0, 1], matrix[0, 2], matrix[1] = 1e20, 3e20, [1e-20, 0, 3e-20]
    assert drawn(matrix, weighted=True).sums == pytest.approx([0, 0.25, 1, 1.25, 2], rel=1e-15)
