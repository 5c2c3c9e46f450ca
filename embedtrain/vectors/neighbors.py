"""Nearest neighbours by cosine."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def nearest(
    vectors: NDArray[np.float32],
    norms: NDArray[np.float32],
    query: NDArray[np.float32],
    topn: int,
    excluded: Sequence[int] = (),
) -> list[tuple[int, float]]:
    """The rows with the highest cosine to `query`, as (row, cosine); equal ones in the order of rows.

    Parameters
    ----------
    vectors : (n, dim) array
    norms : (n,) array
        Lengths of the rows, 1 for those of length 0.
    query : (dim,) array
    topn : int
    excluded : sequence of int
        Rows that are no answers.
    """
    length = float(np.linalg.norm(query)) or 1.0
    cosines = vectors @ query / (norms * np.float32(length))
    cosines[list(excluded)] = -np.inf
    topn = max(0, min(topn, len(cosines) - len(set(excluded))))
    if topn == 0:
        return []
    worst = np.partition(cosines, -topn)[-topn]
    candidates = np.flatnonzero(cosines >= worst)  # more than topn where cosines are equal
    order = candidates[np.argsort(-cosines[candidates], kind="stable")][:topn]
    return [(int(row), float(cosines[row])) for row in order]
