"""The plain form of counting co-occurrences: a loop over tokens, a loop over their contexts, exact numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


def window_counts(
    sentences: Iterable[Sequence[int]], n_words: int, window: int, weighting: str, symmetric: bool
) -> dict[tuple[int, int], Fraction]:
    """X[i, j] of every pair of words that meet; ids from `n_words` on are cut."""
    X: dict[tuple[int, int], Fraction] = {}
    for sentence in sentences:
        kept = [word for word in sentence if word < n_words]
        for place, word in enumerate(kept):
            for other in range(len(kept)):
                distance = place - other if other < place else (other - place) * symmetric
                if 0 < distance <= window:
                    count = Fraction(1, distance if weighting == "distance" else 1)
                    X[word, kept[other]] = X.get((word, kept[other]), Fraction(0)) + count
    return X


def dense(X: dict[tuple[int, int], Fraction], n_words: int) -> NDArray[np.float32]:
    """The matrix, rounded to float64 and then to float32."""
    matrix = np.zeros((n_words, n_words), np.float32)
    for cell, count in X.items():
        matrix[cell] = float(count)
    return matrix


def positive_information(
    counts: NDArray[np.float64], smoothing: float = 0.75, shift: float = 1.0
) -> NDArray[np.float64]:
    """Shifted positive pointwise mutual information of a dense matrix of counts, with smoothed contexts."""
    contexts = counts.sum(axis=0) ** smoothing
    information = np.zeros(counts.shape)
    for i, j in np.argwhere(counts > 0):
        conditional = counts[i, j] / counts[i].sum()
        information[i, j] = max(0.0, np.log(conditional / (contexts[j] / contexts.sum())) - np.log(shift))
    return information
