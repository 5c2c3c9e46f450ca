"""What a matrix factorisation has beside the vectors of its rows (words) and columns (contexts)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Factors:
    """The parts of a factorisation that vectors are folded in with.

    Attributes
    ----------
    singular_values : (dim,) float64 array
        Descending.
    word_weights, context_weights : (n_words,), (n_contexts,) float64 arrays
        Factors of the counts in each row and column of the matrix.
    context_words : sequence of str or None
        Names of the contexts, of documents for example; None if they are the words.
    """

    singular_values: NDArray[np.float64]
    word_weights: NDArray[np.float64]
    context_weights: NDArray[np.float64]
    context_words: Sequence[str] | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Number of contexts, and of dimensions."""
        return len(self.context_weights), len(self.singular_values)
