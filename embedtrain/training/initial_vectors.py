"""Pretrained vectors that training starts from."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.formats.table import all_finite
from embedtrain.vectors.word_vectors import WordVectors


class SharedRows(NamedTuple):
    """The words that have initial vectors: their rows in the model and in these vectors."""

    rows: list[int]
    initial_rows: list[int]


class InitialVectors:
    """The (n, dim) initial vectors of some words, checked for their shape and finite values."""

    def __init__(self, vectors: WordVectors, dim: int) -> None:
        self._vectors = vectors
        found = vectors.vectors.shape[1]
        if found != dim:
            raise SettingError(f"the vectors to start from have {found} dimensions, dim is {dim}; make it {found}")
        for table in self._tables():
            if table is not None and (table.shape != vectors.vectors.shape or not all_finite(table)):
                raise DataError(f"`init` has vectors that are not finite, or not {len(vectors):,} × {dim}")

    @classmethod
    def of(cls, init: str | os.PathLike[str] | WordVectors | None, dim: int) -> InitialVectors | None:
        """Make them from given vectors or a file."""
        if init is None:
            return None
        return cls(init if isinstance(init, WordVectors) else WordVectors.load(init), dim)

    def _tables(self) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """The (n, dim) word vectors and, if known, context vectors."""
        vectors = self._vectors
        return vectors.vectors if vectors.word_vectors is None else vectors.word_vectors, vectors.context_vectors

    def shared(self, words: Sequence[str]) -> SharedRows:
        """Find the words that have vectors; raises `DataError` if there are none."""
        index = self._vectors.index
        rows = [row for row, word in enumerate(words) if word in index]
        if not rows:
            raise DataError(f"none of the {len(words):,} words is among the {len(index):,} words of `init`")
        return SharedRows(rows, [index[words[row]] for row in rows])

    def copy(self, shared: SharedRows, words: NDArray[np.float32], contexts: NDArray[np.float32] | None) -> None:
        """Copy the vectors of shared words into the (n_words, dim) tables of a model."""
        for table, initial in zip((words, contexts), self._tables(), strict=True):
            if table is not None and initial is not None:
                table[shared.rows] = initial[shared.initial_rows]
