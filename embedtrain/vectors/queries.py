"""What can be asked of words that have vectors: rows, neighbours, sums of words, and files of questions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.vectors.neighbors import highest, lengths, nearest, nearest_to_rows

#: What a question is made of: words and vectors.
Asked: TypeAlias = "str | NDArray[Any] | Sequence[str | NDArray[Any]]"


class UnknownWord(DataError, KeyError):
    """A word that has no vector."""

    __str__ = DataError.__str__  # KeyError would show the message in quotes


class Queries:
    """The questions to a table of words; their names are those of gensim's ``KeyedVectors``."""

    words: Sequence[str]
    vectors: NDArray[np.float32]

    @cached_property
    def index(self) -> dict[str, int]:
        """The row of each word."""
        return {word: row for row, word in enumerate(self.words)}

    @cached_property
    def norms(self) -> NDArray[np.float32]:
        """Lengths of the vectors, 1 for those of length 0."""
        return lengths(self.vectors)

    @property
    def index_to_key(self) -> Sequence[str]:
        """The words, by gensim's name."""
        return self.words

    @property
    def key_to_index(self) -> dict[str, int]:
        """The row of each word, by gensim's name."""
        return self.index

    @property
    def vector_size(self) -> int:
        """How many dimensions there are."""
        return int(self.vectors.shape[1])

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self.index

    def __getitem__(self, word: str) -> NDArray[np.float32]:
        return self.vectors[self._row(word)]

    def _row(self, word: str) -> int:
        try:
            return self.index[word]
        except KeyError:
            near = get_close_matches(str(word), self.words[:100_000], n=3)
            hint = f"; near in spelling: {', '.join(near)}" if near else ""
            raise UnknownWord(f"{word!r} is not among the {len(self):,} words{hint}") from None

    def get_vector(self, word: str, norm: bool = False) -> NDArray[np.float32]:
        """The vector of a word, scaled to length 1 if `norm`.

        Raises
        ------
        UnknownWord
            If it has none; also a `KeyError`. So do all methods that take words.
        """
        row = self._row(word)
        return np.asarray(self.vectors[row], np.float32) / self.norms[row] if norm else self.vectors[row]

    def most_similar(
        self, positive: Asked = (), negative: Asked = (), topn: int = 10, restrict_vocab: int | None = None
    ) -> list[tuple[str, float]]:
        """The words nearest to a sum of words: ``most_similar(["king", "woman"], ["man"])`` asks for the queen.

        Parameters
        ----------
        positive, negative : word, vector, or sequence of them
            Vectors are added and subtracted, those of words scaled to length 1. Words given are not among the answers.
        topn : int
            How many answers.
        restrict_vocab : int, optional
            Of the first so many words only.

        Returns
        -------
        list of (word, cosine)
            The nearest first, equal ones in the order of words.

        Raises
        ------
        UnknownWord
            If a word has no vector; also a `KeyError`.
        DataError
            If nothing is asked for, or a vector has other dimensions.
        """
        added, taken = self._asked(positive), self._asked(negative)
        if not added and not taken:
            raise DataError("most_similar needs at least one word")
        query = np.sum([*added, *(-vector for vector in taken)], axis=0)
        n = self._restricted(restrict_vocab)
        return self._named(nearest(self.vectors[:n], self.norms[:n], query, topn, self._given(positive, negative)))

    def most_similar_cosmul(
        self, positive: Asked = (), negative: Asked = (), topn: int = 10, restrict_vocab: int | None = None
    ) -> list[tuple[str, float]]:
        """The same, with the cosines to the words multiplied and divided, not the words added and subtracted: 3CosMul.

        Parameters, answers and errors are those of `most_similar`, but for what stands beside a word: its score.
        """
        from embedtrain.vectors.analogies import multiplied

        added, taken = self._asked(positive), self._asked(negative)
        if not added and not taken:
            raise DataError("most_similar_cosmul needs at least one word")
        n = self._restricted(restrict_vocab)
        scores = multiplied(self.vectors[:n], self.norms[:n], added, taken)
        return self._named(highest(scores, topn, self._given(positive, negative)))

    def similar_by_vector(
        self, vector: NDArray[Any], topn: int = 10, restrict_vocab: int | None = None
    ) -> list[tuple[str, float]]:
        """The words nearest to a vector; see `most_similar`."""
        return self.most_similar([vector], topn=topn, restrict_vocab=restrict_vocab)

    def neighbors(
        self, words: Sequence[str], topn: int = 10, restrict_vocab: int | None = None
    ) -> list[list[tuple[str, float]]]:
        """The words nearest to each of many words: ``most_similar`` of each, much faster, in bounded memory."""
        if isinstance(words, str):
            raise DataError(f"neighbors takes a list of words, got the str {words!r}; write [{words!r}]")
        rows = np.array([self._row(word) for word in words], np.int64)
        n = self._restricted(restrict_vocab)
        found = nearest_to_rows(self.vectors, self.norms, rows, topn, among=n)
        return [
            self._named((row, cosine) for row, cosine in zip(*answers, strict=True) if row >= 0)
            for answers in zip(found.rows.tolist(), found.cosines.tolist(), strict=True)
        ]

    def similarity(self, first: str, second: str) -> float:
        """The cosine of two words."""
        return float(self.get_vector(first, norm=True) @ self.get_vector(second, norm=True))

    def doesnt_match(self, words: Sequence[str]) -> str:
        """The word that is least like the mean of all these."""
        if isinstance(words, str) or not len(words):
            raise DataError(f"doesnt_match needs a list of words, got {words!r}")
        units = np.array([self.get_vector(word, norm=True) for word in words])
        return words[int(np.argmin(units @ units.mean(axis=0)))]

    def _asked(self, asked: Asked) -> list[NDArray[np.float32]]:
        """The vectors of a question."""
        vectors = [
            self.get_vector(one, norm=True) if isinstance(one, str) else np.asarray(one, np.float32)
            for one in _as_list(asked)
        ]
        for vector in vectors:
            if vector.shape != (self.vector_size,):
                raise DataError(f"a vector to ask for must have {self.vector_size} values, got shape {vector.shape}")
        return vectors

    def _given(self, *asked: Asked) -> list[int]:
        """The rows of a question's words, which are no answers."""
        return [self._row(one) for part in asked for one in _as_list(part) if isinstance(one, str)]

    def _restricted(self, restrict_vocab: int | None) -> int:
        if restrict_vocab is not None and restrict_vocab < 1:
            raise SettingError(f"restrict_vocab must be at least 1 word, got {restrict_vocab}")
        return len(self) if restrict_vocab is None else min(restrict_vocab, len(self))

    def _named(self, answers: Iterable[tuple[int, float]]) -> list[tuple[str, float]]:
        return [(self.words[row], score) for row, score in answers]

    def evaluate_word_analogies(
        self,
        analogies: str | os.PathLike[str],
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        method: str = "add",
    ) -> tuple[float, list[dict[str, Any]]]:
        """Answer a file of analogies; `vectors.evaluation.evaluate_analogies` with gensim's names and results.

        Parameters
        ----------
        analogies : path, or "google" where gensim is installed
        restrict_vocab : int or None
            Only the first so many words are known and are answers.
        case_insensitive : bool
            Whether words that differ in case only are the same.
        method : {"add", "mul"}
            3CosAdd or 3CosMul.

        Returns
        -------
        accuracy : float
            0 if nothing could be asked.
        sections : list of dict
            With "section", "correct" and "incorrect", the last of all sections together.
        """
        from embedtrain.vectors.evaluation import evaluate_analogies

        score = evaluate_analogies(
            self, analogies, restrict=restrict_vocab, ignore_case=case_insensitive, method=method
        )
        sections = [
            {"section": section.name, "correct": section.right, "incorrect": section.wrong}
            for section in (*score.sections, score.total)
        ]
        sections[-1]["section"] = "Total accuracy"
        return score.total.accuracy or 0.0, sections

    def evaluate_word_pairs(
        self,
        pairs: str | os.PathLike[str],
        delimiter: str | None = None,
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
    ) -> tuple[tuple[float, float], tuple[float, float], float]:
        """Compare cosines with judged pairs; `vectors.evaluation.evaluate_similarity` with gensim's names and results.

        Returns
        -------
        pearson, spearman : (correlation, p-value)
        unknown : float
            Percentage of the pairs that have a word without vector.
        """
        from embedtrain.vectors.evaluation import evaluate_similarity

        score = evaluate_similarity(
            self, pairs, restrict=restrict_vocab, ignore_case=case_insensitive, delimiter=delimiter
        )
        unknown = 100 * (1 - score.coverage)
        return (score.pearson, score.pearson_p), (score.spearman, score.spearman_p), unknown


def _as_list(asked: Asked) -> list[str | NDArray[Any]]:
    is_one = isinstance(asked, str) or getattr(asked, "ndim", 0) == 1
    return [asked] if is_one else list(asked)  # type: ignore[list-item]
