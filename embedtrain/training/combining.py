"""How the changes that ranks made to the rows of a table combine (bench/ranks.py)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.machine.ranks import ALONE, Ranks

_DIRECTIONS = 16  # in which changes combine apart, the common ones


class Steps(NamedTuple):
    """The steps of ranks with each row times the learning rate, as if some ranks had made equally many, others none."""

    each: NDArray[np.float32]  # (n_rows,) of each of these ranks
    n_ranks: NDArray[np.float32]  # (n_rows,) and how many they are

    @classmethod
    def of(cls, total: NDArray[np.float64], squares: NDArray[np.float64]) -> Steps:
        """Of the sums over ranks of their steps and of the squares of these, (n_rows,)."""
        each = squares / np.maximum(total, 1e-30)
        n_ranks = np.maximum(total / np.maximum(each, 1e-30), 1)
        return cls(each.astype(np.float32), n_ranks.astype(np.float32))

    def of_rows(self, rows: slice | NDArray[np.int64]) -> Steps:
        """The steps of some rows."""
        return Steps(self.each[rows], self.n_ranks[rows])


class Curvature(NamedTuple):
    """The curvature of the loss of a term by a row of a table, decomposed."""

    values: NDArray[np.float32]  # (1 + n,) the mean of the smaller eigenvalues, then the largest ...
    vectors: NDArray[np.float32]  # (n, dim) ... and the eigenvectors of these

    @classmethod
    def of(cls, matrix: NDArray[np.float64]) -> Curvature:
        """Decompose a matrix, (dim, dim)."""
        values, vectors = np.linalg.eigh(matrix)
        values, n = values.clip(0), max(0, len(values) - _DIRECTIONS)
        values = np.append(values[:n].sum() / max(1, n), values[n:])
        return cls(values.astype(np.float32), vectors.T[n:].astype(np.float32))

    def reach(self, steps: Steps) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For values and rows: a = steps * value, and how far a force of 1 on each rank moves a row in all.

        The latter is (1 - exp(-a)) / a times the steps of all ranks.
        """
        a = np.maximum(np.outer(self.values, steps.each), np.float32(1e-4))
        return a, (1 - np.exp(-a)) / a * (steps.each * steps.n_ranks)

    def common(self, changes: NDArray[np.float32], steps: Steps, ranks: Ranks = ALONE) -> NDArray[np.float32]:
        """The force, (dim,), the same for all rows, those of all ranks, that explains changes best (least squares)."""
        reach = self.reach(steps)[1]
        along = (reach[1:] * (self.vectors @ changes.T)).sum(axis=1)
        sums = np.concatenate([(reach * reach).sum(axis=1), along, reach[0] @ changes])
        ranks.sum(sums)
        squares, along, others = np.split(sums, np.cumsum([len(self.values), len(along)]))
        squares = np.maximum(squares, np.float32(1e-30))
        along, others = along / squares[1:], others / squares[0]
        return np.asarray(others + (along - self.vectors @ others) @ self.vectors)


def saturated(a: Any, n_ranks: Any) -> Any:
    """The weight of the sum of the changes of ranks: from 1, if the steps of each are few, to 1 / n_ranks."""
    return (1 - np.exp(-n_ranks * a)) / (n_ranks * (1 - np.exp(-a)))


def force_share(total: NDArray[np.float64], curvature: Curvature, n_ranks: int) -> float:
    """The part of what a common force moves on all ranks that is kept, given the steps of frequent rows, (n_rows,)."""
    mean = total @ total / max(total.sum(), 1e-30) / n_ranks  # steps of the row of a term
    return float(saturated(2 * mean * curvature.values[-1] + 1e-4, n_ranks))  # the rows of both tables move


def combined(
    changes: NDArray[np.float32], steps: Steps, curvature: Curvature, common: NDArray[np.float32], share: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights of the sums of the changes of all ranks, (n_rows,), and what to add, (n_rows, dim).

    Along an eigenvector of the curvature, the steps of a row on a rank go 1 - exp(-a) of the way to an optimum; those
    of n ranks one after the other would go 1 - exp(-n a) of it. That is the mean of the changes along the few common
    directions, for rows with many steps, and their sum along others. Of what a force `common` to all rows moves, it is
    a `share`: the force ends when the vectors that rows are scored with have moved, on each rank (bench/ranks.py).
    """
    vectors = curvature.vectors
    a, reach = curvature.reach(steps)
    weights, along = saturated(a, steps.n_ranks), vectors @ changes.T
    forced = reach * (np.float32(share) - weights) * along.any(axis=0)
    along *= weights[1:] - weights[0]
    along += (vectors @ common)[:, None] * (forced[1:] - forced[0])
    return weights[0], np.vstack([forced[:1], along]).T @ np.vstack([common, vectors])
