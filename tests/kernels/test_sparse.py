"""Products and transposes of sparse matrices, against NumPy."""

import numpy as np
import pytest
from scipy import sparse

from embedtrain.kernels.simd.lanes import LANES
from embedtrain.kernels.sparse import multiply_rows, transpose_columns

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
