"""Pretrained vectors that training starts from."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import DataError, SettingError
from embedtrain.formats.subwords import Subwords
from embedtrain.formats.table import all_finite
from embedtrain.machine.words import require_words
from embedtrain.vectors.word_vectors import WordVectors

#: The values of `frozen` that say which vectors of a word are kept.
FROZEN = {"words": 1, "contexts": 2}


@runtime_checkable
class KeyedVectors(Protocol):
    """The attributes of gensim's ``KeyedVectors`` that are read."""

    index_to_key: list[str]
    vectors: NDArray[np.float32]


def as_word_vectors(init: Any) -> Any:
    """Convert gensim's ``KeyedVectors``, or a model of gensim with its context vectors; return other objects."""
    keyed = getattr(init, "wv", init)
    if isinstance(keyed, WordVectors) or not isinstance(keyed, KeyedVectors):
        return init
    return WordVectors(list(keyed.index_to_key), keyed.vectors, context_vectors=getattr(init, "syn1neg", None))


class InitialVectors:
    """The (n, dim) initial vectors of some words, checked for their shape and finite values.

    With `only_shared`, of a file only the first row is read until the words of the model are known.
    """

    def __init__(self, init: Any, dim: int | None, *, only_shared: bool) -> None:
        is_file = not isinstance(init, WordVectors)
        self._file: str | os.PathLike[str] | None = init if is_file and only_shared else None
        vectors = WordVectors.load(init, limit=1 if only_shared else None) if is_file else init
        self.dim = vectors.vectors.shape[1]
        if dim not in (None, self.dim):
            raise SettingError(f"`init` has {self.dim} dimensions, not `dim={dim}`; leave `dim` out to have {self.dim}")
        self.held_bytes = vectors.vectors.nbytes if is_file else 0  # read from the file, and in memory
        self._set(vectors)
        self.kept_words: Sequence[str] = () if only_shared else vectors.words
        require_words(self.kept_words, spaces=True)

    def _set(self, vectors: WordVectors) -> None:
        if vectors.factors is not None and vectors.factors.context_words is not None:  # of other contexts, as documents
            vectors = replace(vectors, context_vectors=None, factors=None)
        self._vectors = vectors
        for table in self._tables():
            if table is not None and (table.shape != vectors.vectors.shape or not all_finite(table)):
                raise DataError(f"`init` has vectors that are not finite, or not {len(vectors):,} × {self.dim}")

    @property
    def subwords(self) -> Subwords | None:
        """The vectors of n-grams, if there are any."""
        return self._vectors.subwords

    def require_contexts(self) -> None:
        """Check that there are context vectors."""
        if self._vectors.context_vectors is None:
            raise SettingError("`freeze='contexts'` needs an `init` with context vectors, which .npz files keep")

    def n_bytes(self, n_words: int) -> int:
        """Memory of the vectors that are read for a model of so many words."""
        return self.held_bytes if self._file is None else 4 * n_words * self.dim

    def shared(self, vocabulary: Vocabulary) -> list[int]:
        """Find the rows of words that have vectors, and read them; raises `DataError` if none of them occurs."""
        words, absent = vocabulary.words, vocabulary.absent
        if self._file is not None:
            self._set(WordVectors.load(self._file, vocabulary=words))
        rows = [row for row, word in enumerate(words) if word in self._vectors]
        if absent[rows].all():
            raise DataError(f"none of the {len(words) - absent.sum():,} words of the text is among those of `init`")
        return rows

    def copy(self, rows: list[int], vocabulary: Vocabulary, tables: Mapping[str, NDArray[np.float32]]) -> None:
        """Copy the vectors of the words of these `rows` into the (n_words, dim) tables of a model."""
        initial_rows = [self._vectors.index[vocabulary.words[row]] for row in rows]
        for name, initial in zip(("word_vectors", "context_vectors"), self._tables(), strict=True):
            if (table := tables.get(name)) is None:
                continue
            if initial is not None:
                table[rows] = initial[initial_rows]
            else:
                table[vocabulary.absent] = 0  # the sum with a word vector, which is not trained, is that vector

    def _tables(self) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
        """The (n, dim) word vectors and, if known, context vectors."""
        words, contexts = self._vectors.word_vectors, self._vectors.context_vectors
        if words is None:
            words = self._vectors.vectors
            if contexts is not None and self._vectors.settings.get("vectors") == "sum":  # GloVe's, from a file
                words = words - contexts
        return words, contexts
