"""What a matrix factorisation has beside the vectors of its rows (words) and columns (contexts)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Factors:
    """The parts of a factorisation that vectors are folded in with."""

    singular_values: NDArray[np.float64]  # (dim,) descending
    word_weights: NDArray[np.float64]  # (n_words,) factors of the counts in each row of the matrix
    context_weights: NDArray[np.float64]  # (n_contexts,) ... and in each column
    context_words: Sequence[str] | None = None  # of contexts, documents for example; None if they are the words

    @property
    def shape(self) -> tuple[int, int]:
        """Number of contexts, and of dimensions."""
        return len(self.context_weights), len(self.singular_values)
