"""Truncated singular value decomposition of a sparse matrix by block Lanczos iteration.

The Krylov space of the product of the transpose and the matrix, begun with a random block, grows by a block in each
step, until the residuals of the wanted singular vectors are small. All blocks are orthogonal to each other, so the
projection is a banded matrix, whose eigenvectors give the singular vectors.

The bytes of the result are the same for any number of threads: sums have a fixed order, and of LAPACK only eigenvectors
of small or banded matrices are used, which its threads do not change.

References
----------
Golub, Underwood, "The block Lanczos method for computing eigenvalues" (1977).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eig_banded, eigh

from embedtrain.counts.rows import CsrMatrix, starts_of
from embedtrain.counts.weighting import task_ranges
from embedtrain.kernels.simd.lanes import aligned_zeros
from embedtrain.kernels.simd.rows import BLOCK
from embedtrain.kernels.sparse import ROWS, add_inner_products, multiply_blocks, multiply_rows
from embedtrain.machine.memory import release_pages
from embedtrain.machine.progress import Progress, Shown, note
from embedtrain.machine.ranks import ALONE, Ranks
from embedtrain.machine.threads import run_all, run_tasks

_TASK_ROWS = 1 << 12
#: Largest residual of a singular vector, relative to its eigenvalue. At 5e-3 the 10 nearest neighbours are 99.6 %
#: those of the exact vectors (bench/svd.py).
_TOLERANCE = 5e-3
_PASSES = 5  # of orthogonalisation, at most
_SHORT = 1e-3  # length of a vector, relative to the longest of its block, below which its square is rounding errors
_NOTHING = 1e-10  # length of a vector, relative to that before orthogonalisation, that is taken for 0
_LEAST = 1e-3  # of the largest singular value; smaller ones are lost in the rounding of their squares
_CHECKS = 16  # the next check is a 16th of the blocks later

Block = NDArray[np.float32]  # (n_rows, BLOCK): BLOCK vectors side by side
Blocks = NDArray[np.float32]  # (n_blocks, n_rows, BLOCK)
Factors = NDArray[np.float64]
Multiply = Callable[[CsrMatrix, Block, int], Block]


class Decomposition(NamedTuple):
    """The largest singular values, descending, and their vectors; entries of largest absolute value are positive."""

    left: NDArray[np.float32]  # (n_rows, rank)
    singular_values: NDArray[np.float64]  # (rank,)
    right: NDArray[np.float32]  # (n_columns, rank)


def most_blocks(dim: int) -> int:
    """The most blocks of the basis."""
    return -(-5 * dim // BLOCK) + 8


def memory_of(n_rows: int, n_columns: int, dim: int, *, has_basis: bool = True) -> int:
    """The bytes of a decomposition, without the matrices; of several ranks, the first has the basis."""
    n = min(n_rows, n_columns)
    basis = min((most_blocks(dim) + 1) * BLOCK, n + 2 * BLOCK) * n * has_basis
    return 4 * (basis + 2 * (min(dim, n) + BLOCK) * (n_rows + n_columns))


def decompose(
    matrix: CsrMatrix, transposed: CsrMatrix, dim: int, *, seed: int, threads: int, shown: Shown = "",
    ranks: Ranks = ALONE,
) -> Decomposition:  # fmt: skip
    """Compute at most `dim` singular values and vectors; fewer if the rank is lower.

    Of the matrices, each of several ranks has consecutive rows. It multiplies these; the first does all else.
    """
    if ranks.size == 1:
        return _decompose(matrix, transposed, dim, seed, threads, shown, _product)
    own = matrix, transposed
    lengths = [np.concatenate(ranks.gather(np.diff(part.starts))) for part in own]
    whole = [CsrMatrix(starts_of(n), *part[1:]) for n, part in zip(lengths, own, strict=True)]  # own cells alone

    def multiply_own(is_transposed: bool, X: Block) -> list[Block]:
        """Multiply own rows; the first rank gets the products of all."""
        copy = _zeros(1, len(X))[0]  # aligned
        copy[:] = X
        Y = _product(own[is_transposed], copy, threads)
        return ranks.exchange([Y, *[Y[:0]] * (ranks.size - 1)])

    def multiply(matrix: CsrMatrix, X: Block, threads: int) -> Block:
        Y = _zeros(1, len(matrix.starts) - 1)[0]
        np.concatenate(multiply_own(*ranks.broadcast((matrix is whole[1], X))), out=Y)
        return Y

    if ranks.rank == 0:
        return ranks.broadcast(_decompose(whole[0], whole[1], dim, seed, threads, shown, multiply))
    while not isinstance(task := ranks.broadcast(cast(Any, None)), Decomposition):
        multiply_own(*task)
    return task


def _decompose(
    matrix: CsrMatrix, transposed: CsrMatrix, dim: int, seed: int, threads: int, shown: Shown, multiply: Multiply
) -> Decomposition:
    n_rows, n_columns = len(matrix.starts) - 1, len(transposed.starts) - 1
    is_wide, dim = n_rows < n_columns, min(dim, n_rows, n_columns)
    if is_wide:  # the basis is on the smaller side
        matrix, transposed = transposed, matrix
    V = _leading_vectors(matrix, transposed, dim, seed, threads, shown, multiply)
    U = _zeros(len(V), len(matrix.starts) - 1)
    for block, own in zip(V, U, strict=True):
        own[:] = multiply(matrix, block, threads)
    # the vectors are exact, but their lengths are those of the square of the matrix: decompose it in their space
    gram = np.concatenate([_inner(U, block, threads).reshape(-1, BLOCK) for block in U], axis=1)
    squares, axes = _eigenvectors(_band(gram), dim)
    values = np.sqrt(np.maximum(0, squares))
    values = values[values > _LEAST * values[0]]
    axes = axes[:, : len(values)]
    sides = [_combined(U, axes / values, threads), _combined(V, axes, threads)]
    left, right = (
        blocks.swapaxes(0, 1).reshape(blocks.shape[1], -1)[:, : len(values)]
        for blocks in (reversed(sides) if is_wide else sides)
    )
    signs = np.sign(left[np.argmax(abs(left), axis=0), np.arange(len(values))])
    return Decomposition(left * signs, values, right * signs)


def _leading_vectors(
    matrix: CsrMatrix, transposed: CsrMatrix, dim: int, seed: int, threads: int, shown: Shown, multiply: Multiply
) -> Blocks:
    """Compute the `dim` leading right singular vectors, and more to fill the last block."""
    lengths, random = np.diff(transposed.starts), np.random.default_rng(seed)

    def random_block() -> Block:
        numbers = random.standard_normal((len(lengths), BLOCK), np.float32)
        return numbers * ((lengths > 0)[:, None] / np.sqrt(len(lengths))).astype(np.float32)

    n_columns, next_check, most = len(lengths), 5 * dim // (2 * BLOCK) + 7, most_blocks(dim)
    basis = _zeros(min(most, -(-n_columns // BLOCK)) + 1, n_columns)
    basis[0] = random_block()
    _orthonormalise(basis[:1], random_block, threads)
    bands: list[Factors] = []
    with Progress("decomposing", None, shown=shown, unit="products") as progress:
        for n in range(1, most + 1):
            basis[n] = multiply(transposed, multiply(matrix, basis[n - 1], threads), threads)
            diagonal, below = _orthonormalise(basis[: n + 1], random_block, threads)
            bands.append(_band(np.concatenate([(diagonal + diagonal.T) / 2, below])))
            progress.update(2 * BLOCK)
            is_whole = n * BLOCK >= n_columns or not basis[n].any()
            is_last = is_whole or n == most
            if is_last or n >= next_check:
                next_check = n + max(1, n // _CHECKS)
                values, vectors = _eigenvectors(np.concatenate(bands, axis=1), -(-dim // BLOCK) * BLOCK)
                residuals = np.linalg.norm(below @ vectors[-BLOCK:, :dim], axis=0) / np.maximum(values[:dim], 1e-300)
                # smaller values are hardly above rounding errors
                residual = float(residuals[values[:dim] > _LEAST**2 * values[0]].max())
                if is_last or residual <= _TOLERANCE:
                    break
    if not is_whole and residual > _TOLERANCE:
        note(f"the last of the {dim} dimensions are approximate, with residuals up to {residual:.1%}")
    return _combined(basis[:n], vectors, threads)


def _orthonormalise(blocks: Blocks, random_block: Any, threads: int) -> tuple[Factors, Factors]:
    """Make the last block, W, orthonormal, and orthogonal to the others, in place.

    Returns the product of the transpose of the block before it and W, and R, so that the orthogonal part of W is the
    new block @ R. W nearly lies in the two blocks before it: once these parts are removed, one pass over all blocks is
    usually exact, and more follow where it shortened a vector much, or lengths were of different orders. Where nothing
    is left of a vector, a random one follows; where the space has no more dimensions, 0.
    """
    W = blocks[-1]
    scale = R = np.eye(BLOCK)
    for number in range(_PASSES):
        some = blocks if number else blocks[-3:]
        products = _inner(some, W, threads)
        if not number:
            diagonal, least = products[-2:][0], _NOTHING * np.sqrt(products[-1].max())
        gram = _combine(some, np.concatenate([*(-products[:-1] @ scale), scale]), W, threads)
        squares, axes = eigh(gram, driver="ev")  # others wake threads of BLAS, which then spin
        sizes = np.sqrt(np.maximum(squares, max(_SHORT**2 * squares.max(), least**2)))
        scale, R = axes / sizes, (axes * sizes).T @ R
        is_lost = squares < (0.5 if number == _PASSES - 1 else least**2)
        is_last = number == _PASSES - 1 or (number and squares.min() > 0.5)
        if is_last or is_lost.any():
            _combine(blocks[-1:], scale, W, threads)
            scale, R[is_lost] = np.eye(BLOCK), 0
        if is_lost.any():
            W[:, is_lost] = 0 if number > 1 else random_block()[:, is_lost]
        if is_last:
            break
    return diagonal, R


def _band(columns: Factors) -> Factors:
    """The diagonal and those below it of (n, m) columns of a symmetric matrix, a row each, as SciPy takes them."""
    band = np.zeros_like(columns)
    for offset, row in enumerate(band):
        diagonal = np.diagonal(columns, -offset)
        row[: len(diagonal)] = diagonal
    return band


def _eigenvectors(band: Factors, n: int) -> tuple[Factors, Factors]:
    """The `n` largest eigenvalues of a banded matrix, and their vectors; no threads of BLAS take part."""
    size = band.shape[1]
    values, vectors = eig_banded(band[:size], lower=True, select="i", select_range=(max(0, size - n), size - 1))
    return values[::-1], vectors[:, ::-1]


# --- Products, in tasks that do not depend on the number of threads ---------------------------------------------------


def _zeros(n_blocks: int, n_rows: int) -> Blocks:
    return aligned_zeros(n_blocks * n_rows * BLOCK).reshape(n_blocks, n_rows, BLOCK)


def _product(matrix: CsrMatrix, X: Block, threads: int) -> Block:
    """Multiply a sparse matrix by a block, every row in the order of its cells."""
    lengths = np.diff(matrix.starts)
    Y = _zeros(1, len(lengths))[0]

    def multiply(rows: tuple[int, int]) -> None:
        multiply_rows(*matrix, X.reshape(-1), Y.reshape(-1), BLOCK, *rows)
        release_pages(*matrix)

    for _ in run_tasks([multiply] * threads, task_ranges(lengths)):
        pass
    return Y


def _inner(
    blocks: Blocks, W: Block, threads: int, before: Callable[[tuple[int, int]], object] = lambda rows: None
) -> Factors:
    """The products of the transpose of each block and W, (n_blocks, BLOCK, BLOCK), after `before` for some rows."""
    n_tasks = -(-len(W) // _TASK_ROWS)
    sums = np.zeros((n_tasks, len(blocks), BLOCK * BLOCK))

    def multiply(task: int) -> None:
        rows = task * _TASK_ROWS, min(len(W), (task + 1) * _TASK_ROWS)
        before(rows)
        add_inner_products(blocks.reshape(-1), W.reshape(-1), *rows, np.empty(BLOCK * BLOCK, np.float32), sums[task])

    run_all([multiply] * threads, n_tasks)
    return sums.sum(axis=0).reshape(-1, BLOCK, BLOCK)


def _combine(blocks: Blocks, factors: Factors, out: Block, threads: int) -> Factors:
    """Write the product of blocks side by side and (n_blocks * BLOCK, BLOCK) factors; returns that of it by itself."""
    parts = blocks.reshape(-1), factors.astype(np.float32).reshape(-1), out.reshape(-1)
    return _inner(
        out[None], out, threads, lambda rows: multiply_blocks(*parts, *rows, np.empty(ROWS * BLOCK, np.float32))
    )[0]


def _combined(blocks: Blocks, factors: Factors, threads: int) -> Blocks:
    """The product of blocks side by side and (n_blocks * BLOCK, n) factors, in blocks, with columns of 0 at the end."""
    padded = np.pad(factors, ((0, 0), (0, -factors.shape[1] % BLOCK)))
    parts = _zeros(padded.shape[1] // BLOCK, blocks.shape[1])
    for part, columns in zip(parts, np.split(padded, len(parts), axis=1), strict=True):
        _combine(blocks, columns, part, threads)
    return parts
