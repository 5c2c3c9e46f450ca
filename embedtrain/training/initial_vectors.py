"""Where a run starts from: vectors that are there already."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.formats.table import all_finite
from embedtrain.vectors.word_vectors import WordVectors


class Shared(NamedTuple):
    """Words of the vocabulary that have vectors to start from: their rows here, and there."""

    rows: list[int]
    initial_rows: list[int]


class InitialVectors:
    """Vectors that some words start from.

    Parameters
    ----------
    vectors : WordVectors
    dim : int
        That they must have.

    Raises
    ------
    SettingError
        If they have another.
    DataError
        If they are not finite.
    """

    def __init__(self, vectors: WordVectors, dim: int) -> None:
        self._vectors = vectors
        found = vectors.vectors.shape[1]
        if found != dim:
            raise SettingError(f"the vectors to start from have {found} dimensions, dim is {dim}; make it {found}")
        for table in self._tables():
            if table is not None and (table.shape != vectors.vectors.shape or not all_finite(table)):
                raise DataError(f"init has vectors that are not finite, or not {len(vectors):,} × {dim}")

    @classmethod
    def of(cls, init: str | os.PathLike[str] | WordVectors | None, dim: int) -> InitialVectors | None:
        """What is asked for, read from a file if need be."""
        if init is None:
            return None
        return cls(init if isinstance(init, WordVectors) else WordVectors.load(init), dim)

    def _tables(self) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """The words and, where they are known, the contexts of the model that made the vectors."""
        vectors = self._vectors
        return vectors.vectors if vectors.word_vectors is None else vectors.word_vectors, vectors.context_vectors

    def shared(self, words: Sequence[str]) -> Shared:
        """Which of the words have vectors.

        Raises
        ------
        DataError
            If none has.
        """
        index = self._vectors.index
        rows = [number for number, word in enumerate(words) if word in index]
        if not rows:
            raise DataError(f"none of the {len(words):,} words is among the {len(index):,} words of init")
        return Shared(rows, [index[words[number]] for number in rows])

    def put(self, shared: Shared, words: NDArray[np.float32], contexts: NDArray[np.float32] | None) -> None:
        """Copy the vectors of the shared words into the tables of a model."""
        for table, initial in zip((words, contexts), self._tables(), strict=True):
            if table is not None and initial is not None:
                table[shared.rows] = initial[shared.initial_rows]
