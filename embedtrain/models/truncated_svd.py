"""Truncated singular value decomposition of a sparse matrix by block Lanczos iteration.

The Krylov space of the product of the transpose and the matrix, begun with a random block, grows by a block in each
step, until the residuals of the wanted singular vectors are small. All blocks are orthogonal to each other, so the
projection is a banded matrix, whose eigenvectors give the singular vectors.

The bytes of the result are the same for any number of threads, also those of BLAS, whose products would depend on it:
sums have a fixed order, and of LAPACK only eigenvectors of small or banded matrices are used.

References
----------
Golub, Underwood, "The block Lanczos method for computing eigenvalues" (1977).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eig_banded, eigh

from embedtrain.counts.rows import CsrMatrix
from embedtrain.counts.weighting import product
from embedtrain.kernels.simd.lanes import aligned_zeros
from embedtrain.kernels.sparse import add_gram, add_products
from embedtrain.machine.progress import Progress, Shown, note
from embedtrain.machine.threads import run_all

BLOCK = 32  # vectors in a block
_PANEL = 256  # rows whose products are summed in float32, and fit the cache; the sums of panels are added in float64
_TASK_PANELS = 16
#: Largest residual of a singular vector, relative to its eigenvalue. At 5e-3 the 10 nearest neighbours are 99.9 %
#: those of the exact vectors (bench/svd.py).
_TOLERANCE = 5e-3
_PASSES = 5  # of orthogonalisation, at most
_SHORT = 1e-3  # length of a vector, relative to the longest of its block, below which its square is rounding errors
_NOTHING = 1e-10  # length of a vector, relative to that before orthogonalisation, that is taken for 0
_LEAST = 1e-3  # of the largest singular value; smaller ones are lost in the rounding of their squares
_FIRST_CHECK, _CHECK_EVERY = 8, 2  # blocks after those that hold `dim` vectors


class Decomposition(NamedTuple):
    """The largest singular values, descending, and their vectors; entries of largest absolute value are positive."""

    left: NDArray[np.float32]  # (n_rows, rank)
    singular_values: NDArray[np.float64]  # (rank,)
    right: NDArray[np.float32]  # (n_columns, rank)


def most_blocks(dim: int) -> int:
    """The most blocks of the basis."""
    return -(-5 * dim // BLOCK) + 8


def memory_of(n_rows: int, n_columns: int, dim: int) -> int:
    """The bytes of a decomposition, without the matrices."""
    n = min(n_rows, n_columns)
    basis = min(most_blocks(dim) * BLOCK, n + BLOCK) * n
    return 4 * (basis + 2 * (dim + BLOCK) * (n_rows + n_columns))


def decompose(
    matrix: CsrMatrix, transposed: CsrMatrix, dim: int, *, seed: int, threads: int, shown: Shown = ""
) -> Decomposition:
    """Compute at most `dim` singular values and vectors; fewer if the rank is lower."""
    n_rows, n_columns = len(matrix.starts) - 1, len(transposed.starts) - 1
    if n_rows < n_columns:  # the basis is on the smaller side
        right, values, left = decompose(transposed, matrix, dim, seed=seed, threads=threads, shown=shown)
        return Decomposition(*_with_signs(left, values, right))
    basis = _krylov_basis(matrix, transposed, min(dim, n_columns), seed, threads, shown)
    V = basis.leading
    U = [product(matrix, block, _padded(n_rows), threads) for block in V]
    # the vectors are exact, but their lengths are those of the square of the matrix: decompose it in their space
    squares, axes = _eigenvectors(np.block([basis.products(U, block) for block in U]).T, min(dim, n_columns))
    values = np.sqrt(np.maximum(0, squares))
    rank = int(np.count_nonzero(values > _LEAST * values[0]))
    left = np.concatenate(basis.combined(U, axes[:, :rank] / values[:rank]), axis=1)[:n_rows, :rank]
    right = np.concatenate(basis.combined(V, axes[:, :rank]), axis=1)[:n_columns, :rank]
    return Decomposition(*_with_signs(left, values[:rank], right))


def _with_signs(
    U: NDArray[np.float32], values: NDArray[np.float64], V: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float32]]:
    signs = np.sign(U[np.argmax(abs(U), axis=0), np.arange(U.shape[1])])
    return U * signs, values, np.ascontiguousarray(V * signs)


def _eigenvectors(
    symmetric: NDArray[np.float64], n: int, width: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The `n` largest eigenvalues of a matrix of this bandwidth, and their vectors; no threads of BLAS take part."""
    size = len(symmetric)
    band = np.zeros((min(size, width or size), size))
    for offset in range(len(band)):
        band[offset, : size - offset] = np.diagonal(symmetric, offset)
    values, vectors = eig_banded(band, lower=True, select="i", select_range=(max(0, size - n), size - 1))
    return values[::-1], vectors[:, ::-1]


def _krylov_basis(matrix: CsrMatrix, transposed: CsrMatrix, dim: int, seed: int, threads: int, shown: Shown) -> _Basis:
    """Extend a basis until it contains the leading right singular vectors."""
    n_rows, n_columns = len(matrix.starts) - 1, len(transposed.starts) - 1
    basis = _Basis(np.diff(transposed.starts) > 0, seed, threads)
    first_check, most = -(-dim // BLOCK) + _FIRST_CHECK, most_blocks(dim)
    with Progress("decomposing", None, shown=shown, unit="products") as progress:
        while True:
            W = product(transposed, product(matrix, basis.blocks[-1], n_rows, threads), _padded(n_columns), threads)
            basis.extend(W)
            progress.update(2 * BLOCK)
            is_whole, n_beyond = basis.n_blocks * BLOCK >= n_columns, basis.n_blocks - first_check
            is_last = is_whole or basis.n_blocks == most
            if is_last or (n_beyond >= 0 and n_beyond % _CHECK_EVERY == 0):
                residual = basis.find_leading(dim)
                if is_last or residual <= _TOLERANCE:
                    break
    if not is_whole and residual > _TOLERANCE:
        note(f"the last of the {dim} dimensions are approximate, with residuals up to {residual:.1%}")
    return basis


def _padded(n: int) -> int:
    """Round a number of rows up to whole panels."""
    return -(-n // _PANEL) * _PANEL


class _Basis:
    """An orthonormal basis of a Krylov space, and the projection of the operator on it."""

    def __init__(self, has_cells: NDArray[np.bool_], seed: int, threads: int) -> None:
        self._has_cells = has_cells  # (n,) of each column; vectors are exactly 0 elsewhere
        self._threads, self._random = threads, np.random.default_rng(seed)
        self._diagonal: list[NDArray[np.float64]] = []  # blocks of the projection
        self._below: list[NDArray[np.float64]] = []
        #: (n, BLOCK) each, n rounded up to panels; the last is not part of the basis yet
        self.blocks: list[NDArray[np.float32]] = []
        self._append(self._random_block())

    @property
    def n_blocks(self) -> int:
        """Blocks of the basis."""
        return len(self._diagonal)

    def extend(self, W: NDArray[np.float32]) -> None:
        """Make the last block part of the basis, given its product with the operator, and find the next block."""
        diagonal = self.products(self.blocks[-1:], W)[0]
        self._diagonal.append((diagonal + diagonal.T) / 2)
        self._below.append(self._append(W))

    def find_leading(self, dim: int) -> float:
        """Find the leading eigenvectors of the projection, whole blocks; returns the largest residual of `dim`."""
        n = self.n_blocks * BLOCK
        projection = np.zeros((n, n + BLOCK))
        for number, (diagonal, below) in enumerate(zip(self._diagonal, self._below, strict=True)):
            begin, end = number * BLOCK, (number + 1) * BLOCK
            projection[begin:end, begin:end] = diagonal
            projection[begin:end, end : end + BLOCK] = below.T
        values, self._vectors = _eigenvectors(projection[:, :n], -(-dim // BLOCK) * BLOCK, 2 * BLOCK)
        residuals = np.linalg.norm(self._below[-1] @ self._vectors[-BLOCK:, :dim], axis=0)
        significant = values[:dim] > _LEAST * values[0]  # others are hardly above rounding errors
        return float((residuals[significant] / values[:dim][significant]).max())

    @property
    def leading(self) -> list[NDArray[np.float32]]:
        """The leading eigenvectors, in blocks."""
        return self.combined(self.blocks[: self.n_blocks], self._vectors)

    def combined(
        self, blocks: Sequence[NDArray[np.float32]], factors: NDArray[np.float64]
    ) -> list[NDArray[np.float32]]:
        """The product of blocks side by side and factors, in blocks, with columns of 0 at the end."""
        n = -(-factors.shape[1] // BLOCK) * BLOCK
        padded = np.zeros((len(factors), n))
        padded[:, : factors.shape[1]] = factors
        parts = [np.zeros_like(blocks[0]) for _ in range(0, n, BLOCK)]
        for number, part in enumerate(parts):
            self._add(part, blocks, list(padded[:, number * BLOCK : (number + 1) * BLOCK].reshape(-1, BLOCK, BLOCK)))
        return parts

    def _append(self, W: NDArray[np.float32]) -> NDArray[np.float64]:
        """Append W, made orthonormal; returns R, by which the block is multiplied to get the orthogonal part of W.

        W nearly lies in the last two blocks: once these parts are removed, one pass over all blocks is usually exact,
        and more follow where it shortened a vector much, or lengths were of different orders. Where nothing is left of
        a vector, a random one follows; where the space has no more dimensions, 0.
        """
        least = _NOTHING * np.sqrt(self._gram(W).max())
        R = np.eye(BLOCK)
        for number in range(_PASSES):
            against = self.blocks if number else self.blocks[-2:]
            self._add(W, against, [-overlap for overlap in self.products(against, W)])
            squares, axes = eigh(self._gram(W), driver="ev")  # others wake threads of BLAS, which then spin
            sizes = np.sqrt(np.maximum(squares, max(_SHORT**2 * squares.max(), least**2)))
            turned = self._zeros()
            self._add(turned, [W], [axes / sizes])
            W, R = turned, (axes * sizes).T @ R
            is_lost = squares < (0.5 if number == _PASSES - 1 else least**2)
            if is_lost.any():
                W[:, is_lost] = 0 if number else self._random_block()[:, is_lost]
                R[is_lost] = 0
            if number and squares.min() > 0.5:
                break
        self.blocks.append(W)
        return R

    def _random_block(self) -> NDArray[np.float32]:
        block = self._zeros()
        n = len(self._has_cells)
        block[:n] = self._random.standard_normal((n, BLOCK), np.float32) * self._has_cells[:, None] / np.sqrt(n)
        return block

    def _zeros(self) -> NDArray[np.float32]:
        return aligned_zeros(_padded(len(self._has_cells)) * BLOCK).reshape(-1, BLOCK)

    def _gram(self, X: NDArray[np.float32]) -> NDArray[np.float64]:
        """The product of the transpose of X and X."""
        return self.products([X], X)[0]

    def products(self, blocks: Sequence[NDArray[np.float32]], W: NDArray[np.float32]) -> list[NDArray[np.float64]]:
        """The products of the transpose of each block and W."""
        flat, n_panels = [block.reshape(-1) for block in blocks], len(W) // _PANEL
        panels = np.zeros((len(blocks), n_panels * BLOCK * BLOCK), np.float32)

        def multiply(task: int) -> None:
            begin, end = task * _TASK_PANELS, min((task + 1) * _TASK_PANELS, n_panels)
            for total, block in zip(panels, flat, strict=True):
                add_gram(total, block, W.reshape(-1), BLOCK, _PANEL, begin, end)

        run_all([multiply] * self._threads, -(-n_panels // _TASK_PANELS))
        return [total.reshape(-1, BLOCK, BLOCK).sum(axis=0, dtype=np.float64) for total in panels]

    def _add(
        self, W: NDArray[np.float32], blocks: Sequence[NDArray[np.float32]], factors: Sequence[NDArray[np.float64]]
    ) -> None:
        """Add the products of blocks and (BLOCK, BLOCK) factors to W."""
        rows = _PANEL * _TASK_PANELS
        flat = [
            (block.reshape(-1), factor.astype(np.float32).reshape(-1))
            for block, factor in zip(blocks, factors, strict=True)
        ]

        def add(task: int) -> None:
            begin, end = task * rows, min((task + 1) * rows, len(W))
            for block, factor in flat:
                add_products(W.reshape(-1), block, factor, BLOCK, begin, end)

        run_all([add] * self._threads, -(-len(W) // rows))
