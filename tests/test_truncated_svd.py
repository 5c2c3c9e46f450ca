"""The decomposition of sparse matrices, against SciPy, scikit-learn's cases, and in its bytes."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import svds

from embedtrain import EmbedtrainWarning
from embedtrain.counts import truncated_svd, weighting
from embedtrain.counts.rows import CsrMatrix
from embedtrain.counts.truncated_svd import decompose
from embedtrain.counts.weighting import MatrixBuilder


@pytest.fixture(autouse=True)
def _many_tasks(monkeypatch):
    """Small matrices in as many tasks as large ones."""
    monkeypatch.setattr(weighting, "_TASK_CELLS", 500)
    monkeypatch.setattr(truncated_svd, "_TASK_ROWS", 128)


def zipf_matrix(n_rows, n_columns, density=0.05, seed=0):
    """Positive cells, more of them in the first rows and columns, on a base of low rank."""
    rng = np.random.default_rng(seed)
    likely = np.minimum(1, density * 30 / np.sqrt(np.outer(np.arange(1, n_rows + 1), np.arange(1, n_columns + 1))))
    base = rng.gamma(1, 1, (n_rows, 12)) @ rng.gamma(1, 1, (12, n_columns))
    return sparse.csr_array((base * (rng.random((n_rows, n_columns)) < likely)).astype(np.float32))


def both(matrix, threads=1, budget=1 << 30, folder=Path()):
    """A matrix and its transpose as they are decomposed."""
    csr = CsrMatrix(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data)
    return csr, MatrixBuilder(threads, budget, folder).transposed(csr, matrix.shape[1])


def decomposed(matrix, dim, threads=1, seed=1):
    return decompose(*both(matrix, threads), dim, seed=seed, threads=threads)


def check(found, matrix, dim):
    """Compare with the decomposition in float64: values, and the vectors by what the matrix makes of them."""
    U, values, _V = np.linalg.svd(matrix.toarray().astype(np.float64), full_matrices=False)
    rank = len(found.singular_values)
    np.testing.assert_allclose(found.singular_values, values[:rank], rtol=2e-4)
    for vectors in (found.left, found.right):
        np.testing.assert_allclose(vectors.T @ vectors, np.eye(rank), atol=2e-3)
    error = np.linalg.norm(matrix @ found.right - found.left * found.singular_values) / values[0]
    assert error < 1e-3
    largest = found.left[abs(found.left).argmax(axis=0), np.arange(rank)]
    assert (largest > 0).all()
    gaps = values[: rank - 1] - values[1:rank]
    alone = np.flatnonzero((gaps[1:] > 0.02 * values[0]) & (gaps[:-1] > 0.02 * values[0])) + 1
    for column in [0, *alone.tolist()]:
        assert abs(found.left[:, column] @ U[:, column]) > 0.999
    assert rank == dim


@pytest.mark.parametrize("shape", [(700, 700), (900, 400), (400, 900), (300, 41), (41, 300)], ids=str)
def test_the_largest_values_and_their_vectors_are_found(shape):
    matrix = zipf_matrix(*shape)
    check(decomposed(matrix, 20), matrix, 20)


def test_vectors_are_those_of_svds():
    matrix = zipf_matrix(1500, 1500)
    found, exact = decomposed(matrix, 50, threads=2), svds(matrix.astype(np.float64), k=50)
    order = np.argsort(-exact[1])
    np.testing.assert_allclose(found.singular_values, exact[1][order], rtol=1e-4)

    def neighbours(vectors):
        unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return np.argsort(-(unit @ unit.T - 2 * np.eye(len(unit))), axis=1)[:, :10]

    some = np.diff(matrix.indptr) > 0
    pairs = zip(neighbours(found.left[some]), neighbours(exact[0][some][:, order]), strict=True)
    assert np.mean([len(set(one) & set(other)) / 10 for one, other in pairs]) > 0.98


@pytest.mark.parametrize("rank", [1, 3, 40])
def test_a_lower_rank_gives_fewer_dimensions(rank):
    rng = np.random.default_rng(rank)
    matrix = sparse.csr_array((rng.normal(size=(300, rank)) @ rng.normal(size=(rank, 200))).astype(np.float32))
    found = decomposed(matrix, 60)
    check(found, matrix, rank)


def test_values_beside_a_much_larger_one_are_as_exact():
    matrix = sparse.random_array((1500, 1200), density=0.02, rng=np.random.default_rng(0)).toarray()
    matrix[0] = 10
    exact = np.linalg.svd(matrix, compute_uv=False)[:60]
    assert exact[1] < 0.03 * exact[0]
    found = decomposed(sparse.csr_array(matrix.astype(np.float32)), 60)
    np.testing.assert_allclose(found.singular_values, exact, rtol=1e-3)


@pytest.mark.parametrize("shape", [(1, 1), (20, 10), (33, 33), (5, 300)], ids=str)
def test_cells_in_few_rows_and_columns_give_fewer_dimensions(shape):
    matrix = np.zeros((400, 300), np.float32)
    matrix[-shape[0] :, : shape[1]] = np.random.default_rng(0).gamma(1, 1, shape)
    check(decomposed(sparse.csr_array(matrix), 100), sparse.csr_array(matrix), min(shape))


def test_memory_is_that_of_the_dimensions_that_there_are():
    assert truncated_svd.memory_of(500, 300, 10**6) == truncated_svd.memory_of(500, 300, 300) < 10**7


@pytest.mark.parametrize("n", [2, 5, 31, 32, 33, 70])
def test_equal_values_and_small_matrices(n):
    found = decomposed(sparse.csr_array(sparse.eye_array(n, dtype=np.float32)), n)
    np.testing.assert_allclose(found.singular_values, np.ones(n), rtol=1e-5)
    np.testing.assert_allclose(found.left @ found.right.T, np.eye(n), atol=1e-4)


def test_values_that_are_equal_more_often_than_a_block_has_vectors():
    found = decomposed(sparse.csr_array(sparse.eye_array(400, dtype=np.float32)), 100)
    np.testing.assert_allclose(found.singular_values, np.ones(100), rtol=1e-5)
    np.testing.assert_allclose(found.left.T @ found.left, np.eye(100), atol=1e-4)


def test_a_flat_spectrum_ends_with_a_note(monkeypatch):
    monkeypatch.setattr(truncated_svd, "most_blocks", lambda dim: 3)
    rng = np.random.default_rng(0)
    matrix = sparse.csr_array(np.abs(rng.normal(size=(500, 500))).astype(np.float32))
    with pytest.warns(EmbedtrainWarning, match="are approximate, with residuals up to"):
        assert len(decomposed(matrix, 30).singular_values) == 30


def test_the_bytes_are_the_same_at_any_number_of_threads():
    matrix = zipf_matrix(1200, 900)
    one, two, eight = (decomposed(matrix, 40, threads) for threads in (1, 2, 8))
    for part in range(3):
        assert one[part].tobytes() == two[part].tobytes() == eight[part].tobytes()


def test_a_small_budget_puts_matrices_into_files_and_changes_nothing(tmp_path):
    matrix = zipf_matrix(1200, 900)
    in_memory, mapped = both(matrix), both(matrix, 2, budget=0, folder=tmp_path)
    assert all(mine.tobytes() == other.tobytes() for mine, other in zip(in_memory[1], mapped[1], strict=True))
    assert isinstance(mapped[1].columns.base, np.memmap) or mapped[1].columns.base is not None
    other = decompose(*mapped, 20, seed=1, threads=2)
    assert other.left.tobytes() == decompose(*in_memory, 20, seed=1, threads=1).left.tobytes()


def test_another_seed_gives_nearly_the_same():
    matrix = zipf_matrix(500, 500)
    one, other = decomposed(matrix, 10), decomposed(matrix, 10, seed=2)
    np.testing.assert_allclose(one.singular_values, other.singular_values, rtol=1e-5)


DIGEST = """
import hashlib
from test_truncated_svd import decomposed, zipf_matrix
found = decomposed(zipf_matrix(1500, 1200), 100, threads=2)
print(hashlib.sha256(found.left.tobytes() + found.right.tobytes()).hexdigest())
"""


def test_the_threads_of_blas_change_nothing():
    def digest(threads):
        names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
        environment = {**os.environ, **dict.fromkeys(names, str(threads))}
        environment["PYTHONPATH"] = os.pathsep.join([*sys.path, os.environ.get("PYTHONPATH", "")])
        return subprocess.run([sys.executable, "-c", DIGEST], env=environment, check=True, capture_output=True).stdout

    one = digest(1)
    assert one == digest(8)
    assert len(one.strip()) == 2 * hashlib.sha256().digest_size
