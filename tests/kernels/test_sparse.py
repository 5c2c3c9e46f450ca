"""Products and transposes of sparse matrices, against NumPy."""

import numpy as np
import pytest
from scipy import sparse

from embedtrain.kernels.simd.lanes import LANES, padded
from embedtrain.kernels.sparse import add_gram, add_products, multiply_rows, transpose_columns

RNG = np.random.default_rng(3)
SHAPE = 40, 23


def parts_of(matrix):
    starts, columns, values = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data
    for part in (starts, columns, values):
        part.setflags(write=False)
    return starts, columns, values


@pytest.fixture(scope="module")
def matrix():
    """Rows with many cells, one, and none."""
    cells = RNG.normal(size=SHAPE) * (RNG.random(SHAPE) < 0.4)
    cells[[0, 7, 39]] = 0
    cells[:, 5] = 0
    return sparse.csr_array(cells.astype(np.float32))


@pytest.mark.parametrize("n_vectors", [1, 2, 8, 9, 19])
def test_rows_are_multiplied(matrix, n_vectors):
    width = n_vectors * LANES
    X = RNG.normal(size=(SHAPE[1], width)).astype(np.float32)
    Y = np.full((SHAPE[0], width), 7, np.float32)
    multiply_rows(*parts_of(matrix), X.ravel(), Y.reshape(-1), width, 3, 40)
    np.testing.assert_allclose(Y[3:], matrix.toarray()[3:] @ X, rtol=1e-4, atol=1e-5)
    assert (Y[:3] == 7).all()


@pytest.mark.parametrize(("begin", "end"), [(0, 23), (4, 11), (5, 6)])
def test_columns_become_rows(matrix, begin, end):
    expected = sparse.csr_array(matrix[:, begin:end].T)
    following = expected.indptr.astype(np.int64)
    columns, values = np.empty(expected.nnz, np.int32), np.empty(expected.nnz, np.float32)
    transpose_columns(*parts_of(matrix), begin, end, following, columns, values)
    assert (columns.tolist(), values.tolist()) == (expected.indices.tolist(), expected.data.tolist())
    assert following[:-1].tolist() == expected.indptr[1:].tolist()


def test_narrow_products_are_added():
    width = padded(32)
    X, factor = (RNG.normal(size=(n, width)).astype(np.float32) for n in (50, width))
    Y = RNG.normal(size=(50, width)).astype(np.float32)
    expected = Y.copy()
    expected[2:50] += X[2:50] @ factor
    add_products(Y.reshape(-1), X.ravel(), factor.ravel(), width, 2, 50)
    np.testing.assert_allclose(Y, expected, rtol=1e-4, atol=1e-4)


def test_products_of_panels_are_added():
    width, n = padded(32), 10
    X, Y = (RNG.normal(size=(4, n, width)).astype(np.float32) for _ in range(2))
    totals = np.ones((4, width, width), np.float32)
    add_gram(totals.reshape(-1), X.ravel(), Y.ravel(), width, n, 1, 4)
    np.testing.assert_allclose(totals[1:], 1 + X[1:].transpose(0, 2, 1) @ Y[1:], rtol=1e-4, atol=1e-4)
    assert (totals[0] == 1).all()
