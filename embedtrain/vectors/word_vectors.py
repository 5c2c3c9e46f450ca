"""`WordVectors`: the result of training, whatever the model."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError
from embedtrain.vectors import word2vec_text
from embedtrain.vectors.neighbors import nearest
from embedtrain.vectors.reports import TrainingReport


class UnknownWord(DataError, KeyError):
    """A word that has no vector."""

    __str__ = DataError.__str__  # KeyError would show the message in quotes


@dataclass(frozen=True, eq=False)
class WordVectors:
    """A vector for each word.

    Attributes
    ----------
    words : list of str
        By count in the corpus, descending.
    vectors : (n_words, dim) float32 array
        Row i belongs to ``words[i]``.
    counts : (n_words,) int64 array or None
        Occurrences in the corpus, where known.
    context_vectors : (n_words, dim) float32 array or None
        The other table of the model: the words as contexts.
    word_vectors : (n_words, dim) float32 array or None
        The model's table of the words themselves, where `vectors` is made of it and is not it.
    settings : mapping
        How the vectors were made.
    report : TrainingReport or None
        What training did, right after it.
    """

    words: Sequence[str]
    vectors: NDArray[np.float32]
    counts: NDArray[np.int64] | None = None
    context_vectors: NDArray[np.float32] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    report: TrainingReport | None = None
    word_vectors: NDArray[np.float32] | None = None

    @cached_property
    def index(self) -> dict[str, int]:
        """The row of each word."""
        return {word: row for row, word in enumerate(self.words)}

    @cached_property
    def _norms(self) -> NDArray[np.float32]:
        norms = np.linalg.norm(self.vectors, axis=1)
        return np.where(norms > 0, norms, 1).astype(np.float32)

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self.index

    def __getitem__(self, word: str) -> NDArray[np.float32]:
        return self.vectors[self._row(word)]

    def __repr__(self) -> str:
        return f"<WordVectors: {len(self):,} words, {self.vectors.shape[1]} dimensions>"

    def _row(self, word: str) -> int:
        try:
            return self.index[word]
        except KeyError:
            near = get_close_matches(str(word), self.words[:100_000], n=3)
            hint = f"; near in spelling: {', '.join(near)}" if near else ""
            raise UnknownWord(f"{word!r} is not among the {len(self):,} words{hint}") from None

    def most_similar(
        self, positive: str | Sequence[str] = (), negative: str | Sequence[str] = (), topn: int = 10
    ) -> list[tuple[str, float]]:
        """The words nearest to a sum of words: ``most_similar(["king", "woman"], ["man"])`` asks for the queen.

        Parameters
        ----------
        positive, negative : word or sequence of words
            Their vectors, scaled to length 1, are added and subtracted. They are not among the answers.
        topn : int
            How many answers.

        Returns
        -------
        list of (word, cosine)
            The nearest first.

        Raises
        ------
        UnknownWord
            If a word has no vector; also a `KeyError`.
        """
        added, taken = ([words] if isinstance(words, str) else list(words) for words in (positive, negative))
        rows = [self._row(word) for word in (*added, *taken)]
        if not rows:
            raise DataError("most_similar needs at least one word")
        signs = np.repeat(np.array([1, -1], np.float32), [len(added), len(taken)])
        query = signs @ (self.vectors[rows] / self._norms[rows, None])
        return [(self.words[row], cosine) for row, cosine in nearest(self.vectors, self._norms, query, topn, rows)]

    def save(self, path: str | os.PathLike[str], *, threads: int | None = None) -> None:
        """Write the vectors in word2vec text format, all or nothing.

        Raises
        ------
        DataError
            If the file cannot be written, or a word or value cannot be in such a file.
        """
        word2vec_text.write(path, self.words, self.vectors, threads=threads)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> WordVectors:
        """Read a file in word2vec text format.

        Raises
        ------
        DataError
            If it cannot be read; the message names the line.
        """
        words, vectors = word2vec_text.read(path)
        return cls(words, vectors, settings={"file": os.fspath(path)})
