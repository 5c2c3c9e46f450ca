"""Weights, products and transposes of sparse matrices, and products of blocks, against NumPy."""

import numpy as np
import pytest
from scipy import sparse

from embedtrain.kernels.simd.lanes import LANES
from embedtrain.kernels.simd.rows import BLOCK
from embedtrain.kernels.sparse import (
    ROWS,
    add_inner_products,
    multiply_blocks,
    multiply_rows,
    transpose_columns,
    weigh_rows,
)
from embedtrain.vectors.folding import weigh

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


@pytest.mark.parametrize(("begin", "end"), [(0, 300), (3, 131), (5, 6)])
def test_blocks_are_multiplied(begin, end):
    blocks = RNG.normal(size=(3, 300, BLOCK)).astype(np.float32)
    expected = blocks.astype(np.float64)
    sums, part = np.ones((3, BLOCK * BLOCK)), np.empty(BLOCK * ROWS, np.float32)
    Y = blocks[2]
    add_inner_products(blocks.reshape(-1), Y.reshape(-1), begin, end, part[: BLOCK * BLOCK], sums)
    products = np.swapaxes(expected[:, begin:end], 1, 2) @ expected[2, begin:end]
    np.testing.assert_allclose(sums.reshape(products.shape), 1 + products, rtol=1e-5, atol=1e-3)
    factors = RNG.normal(size=(3, BLOCK, BLOCK)).astype(np.float32)
    multiply_blocks(blocks.reshape(-1), factors.reshape(-1), Y.reshape(-1), begin, end, part)
    expected[2, begin:end] = (expected @ factors).sum(axis=0)[begin:end]
    np.testing.assert_allclose(blocks, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("weighting", "logarithm"), [("tf-idf", 0), ("log-entropy", 1), ("information", 2)])
def test_weighted_cells_above_0_are_kept(matrix, weighting, logarithm):
    matrix = abs(matrix)
    of_rows, of_columns = RNG.random(SHAPE[0]), 5 * RNG.random(SHAPE[1])
    of_rows[20] = 0
    expected = sparse.csr_array(weigh(weighting, matrix.toarray(), of_rows[:, None], of_columns)[5:39])
    columns, values, lengths = np.empty(matrix.nnz, np.int32), np.empty(matrix.nnz, np.float32), np.empty(34, np.int64)
    n = weigh_rows(*parts_of(matrix), of_rows, of_columns, logarithm, 5, 39, columns, values, lengths)
    assert (columns[:n].tolist(), lengths.tolist()) == (expected.indices.tolist(), np.diff(expected.indptr).tolist())
    np.testing.assert_allclose(values[:n], expected.data, rtol=1e-5)


@pytest.mark.parametrize(("begin", "end"), [(0, 23), (4, 11), (5, 6)])
def test_columns_become_rows(matrix, begin, end):
    expected = sparse.csr_array(matrix[:, begin:end].T)
    following = expected.indptr.astype(np.int64)
    columns, values = np.empty(expected.nnz, np.int32), np.empty(expected.nnz, np.float32)
    transpose_columns(*parts_of(matrix), begin, end, following, columns, values)
    assert (columns.tolist(), values.tolist()) == (expected.indices.tolist(), expected.data.tolist())
    assert following[:-1].tolist() == expected.indptr[1:].tolist()
