"""What can be asked of a table of words: neighbours, sums of words, and files of questions."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Sequence
from numbers import Integral
from reprlib import repr as shortened
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.vectors.keyed import Key, Keyed, as_weight, is_key, listed
from embedtrain.vectors.keyed import UnknownWord as UnknownWord
from embedtrain.vectors.neighbors import cosines_to, highest, nearest_to_rows

#: What a question is made of: a word, row or vector, or several, some of them in tuples with a weight.
Asked: TypeAlias = "Key | NDArray[Any] | Iterable[Key | NDArray[Any] | tuple[Key | NDArray[Any], float]] | None"
#: Words with their scores, the highest first; with ``topn=None`` the scores of all rows, an array.
Answers: TypeAlias = "list[tuple[str, float]] | Any"


class Queries(Keyed):
    """The questions to a table of words; their names are those of gensim's ``KeyedVectors``."""

    def most_similar(
        self,
        positive: Asked = None,
        negative: Asked = None,
        topn: int | None = 10,
        *,
        restrict_vocab: int | None = None,
    ) -> Answers:
        """The words nearest to a sum of words: ``most_similar(["king", "woman"], ["man"])`` asks for the queen.

        Parameters
        ----------
        positive, negative : word, row or (dim,) array, or iterable of them and of (one of them, weight)
            Vectors are added and subtracted, those of words scaled to length 1. A weight stands in the place of 1, or
            of -1 among the negative ones. Words given are not among the answers.
        topn : int or None
            How many answers; None: the cosines of all words.
        restrict_vocab : int, optional
            Of the first so many words only; 0: of all.

        Returns
        -------
        list of (word, cosine), or (n,) float32 array with ``topn=None``
            The nearest first, equal ones in the order of words; the array is in the order of words.

        Raises
        ------
        UnknownWord
            If a word has no vector; also a `KeyError`.
        DataError
            If nothing is asked for, or a vector has other dimensions.
        SettingError
            If `topn` or `restrict_vocab` is no whole number, or `restrict_vocab` is negative.
        """
        terms = _terms(positive, negative)
        n = self._restricted(restrict_vocab)
        cosines = cosines_to(self.vectors[:n], self.norms[:n], self._mean(terms, norm=True))
        return self._answers(cosines, topn, terms)

    def most_similar_cosmul(
        self,
        positive: Asked = None,
        negative: Asked = None,
        topn: int | None = 10,
        restrict_vocab: int | None = None,
    ) -> Answers:
        """The same, with the cosines to the words multiplied and divided, not the words added and subtracted: 3CosMul.

        Parameters, answers and errors are those of `most_similar`, but for what stands beside a word, its score, and
        for weights, which can be 1 and -1 only. See `vectors.analogies` for the source.
        """
        from embedtrain.vectors.analogies import multiplied

        terms = _terms(positive, negative)
        if any(abs(weight) != 1 for _, weight in terms):
            raise DataError("most_similar_cosmul knows the weights 1 and -1 only; ask most_similar")
        above, below = ([self._vector(asked, norm=True) for asked, w in terms if w == sign] for sign in (1, -1))
        n = self._restricted(restrict_vocab)
        return self._answers(multiplied(self.vectors[:n], self.norms[:n], above, below), topn, terms)

    def similar_by_key(self, key: Key, topn: int | None = 10, restrict_vocab: int | None = None) -> Answers:
        """The words nearest to a word or row; parameters, answers and errors are those of `most_similar`."""
        return self.most_similar([key], topn=topn, restrict_vocab=restrict_vocab)

    def similar_by_word(self, word: Key, topn: int | None = 10, restrict_vocab: int | None = None) -> Answers:
        """The words nearest to a word; see `similar_by_key`."""
        return self.similar_by_key(word, topn, restrict_vocab)

    def similar_by_vector(
        self, vector: NDArray[Any], topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Answers:
        """The words nearest to a (dim,) vector; parameters, answers and errors are those of `most_similar`."""
        return self.most_similar([vector], topn=topn, restrict_vocab=restrict_vocab)

    def neighbors(
        self, words: Iterable[Key], topn: int = 10, restrict_vocab: int | None = None
    ) -> list[list[tuple[str, float]]]:
        """The words nearest to each of many words: ``most_similar`` of each, much faster, in bounded memory.

        Parameters
        ----------
        words : iterable of str
        topn : int
            How many answers to each.
        restrict_vocab : int, optional
            Of the first so many words only; 0: of all.

        Returns
        -------
        list of lists of (word, cosine)

        Raises
        ------
        UnknownWord
            If a word has no vector; also a `KeyError`.
        DataError
            If it is given one word, not a list.
        SettingError
            If `topn` or `restrict_vocab` is no whole number, or `restrict_vocab` is negative.
        """
        rows = np.array([self.get_index(word) for word in listed("neighbors", words)], np.int64)
        if not isinstance(topn, Integral):
            raise SettingError(f"topn must be a whole number of answers, got {topn!r}")
        n = self._restricted(restrict_vocab)
        found = nearest_to_rows(self.vectors, self.norms, rows, int(topn), among=n)
        return [
            [(self.words[row], cosine) for row, cosine in zip(*answers, strict=True) if row >= 0]
            for answers in zip(found.rows.tolist(), found.cosines.tolist(), strict=True)
        ]

    def rank(self, key1: Key, key2: Key) -> int:
        """The place of `key2` among the neighbours of `key1`, the nearest of which has place 1.

        Raises
        ------
        UnknownWord
            If one has no vector; also a `KeyError`.
        """
        first, second = self.get_index(key1), self.get_index(key2)
        cosines = cosines_to(self.vectors, self.norms, self._unit(first))
        nearer = cosines > cosines[second]
        nearer[first] = False
        return 1 + int(np.count_nonzero(nearer))

    def doesnt_match(self, words: Iterable[Key]) -> Key:
        """The word that is least like the mean of all these; those without a vector are left out, with a warning.

        Parameters
        ----------
        words : iterable of str

        Raises
        ------
        DataError
            If it is given one word, not a list, or none has a vector.
        """
        given = listed("doesnt_match", words)
        known = [word for word in given if self.has_index_for(word)]
        if not known:
            raise DataError(f"doesnt_match needs words that have vectors, got {shortened(given)}")
        if len(known) < len(given):
            strangers = shortened([word for word in given if not self.has_index_for(word)])
            warnings.warn(f"doesnt_match leaves out what has no vector: {strangers}", stacklevel=2)
        units = np.array([self._unit(self.get_index(word)) for word in known])
        return known[int(np.argmin(units @ units.mean(axis=0)))]

    def _restricted(self, restrict_vocab: int | None) -> int:
        """How many words can be answers."""
        n = restrict_vocab or len(self)
        if not isinstance(n, Integral) or n < 0:
            raise SettingError(f"restrict_vocab must be a whole number of words, 0 for all, got {restrict_vocab!r}")
        return min(int(n), len(self))

    def _answers(self, scores: NDArray[np.float32], topn: int | None, terms: Sequence[tuple[Any, float]]) -> Answers:
        """The words with the highest scores that were not asked for."""
        if topn is None:
            return scores
        if not isinstance(topn, Integral):
            raise SettingError(f"topn must be a whole number of answers, or None for all scores, got {topn!r}")
        given = [self.get_index(asked) for asked, _ in terms if is_key(asked)]
        return [(self.words[row], score) for row, score in highest(scores, int(topn), given)]

    def evaluate_word_analogies(
        self,
        analogies: str | os.PathLike[str],
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
        *,
        method: str = "add",
    ) -> tuple[float, list[dict[str, Any]]]:
        """Answer a file of analogies; `vectors.evaluation.evaluate_analogies` with gensim's names and results.

        Parameters
        ----------
        analogies : path, or "google" where gensim is installed
        restrict_vocab : int or None
            Only the first so many words are known and are answers; None: all.
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

        Raises
        ------
        DataError
            If the file cannot be read or is something else.
        SettingError
            If `restrict_vocab` or `method` cannot be.
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
        encoding: str = "utf-8",
        restrict_vocab: int | None = 300_000,
        case_insensitive: bool = True,
    ) -> tuple[tuple[float, float], tuple[float, float], float]:
        """Compare cosines with judged pairs; `vectors.evaluation.evaluate_similarity` with gensim's names and results.

        Parameters
        ----------
        pairs : path, or "wordsim353" or "simlex999" where gensim is installed
        delimiter : str, optional
            What stands between columns; by default what is found in the first line.
        encoding : str
            Of the file.
        restrict_vocab : int or None
            Only the first so many words are known; None: all.
        case_insensitive : bool
            Whether words that differ in case only are the same.

        Returns
        -------
        pearson, spearman : (statistic, pvalue)
            Named tuples; nan if fewer than two pairs are known.
        unknown : float
            Percentage of the pairs that have a word without vector.

        Raises
        ------
        DataError
            If the file cannot be read or is something else.
        SettingError
            If `delimiter`, `encoding` or `restrict_vocab` cannot be.
        """
        from embedtrain.vectors.evaluation import Correlation, evaluate_similarity
        from embedtrain.vectors.questions import read_pairs

        judged = read_pairs(pairs, delimiter, encoding)
        score = evaluate_similarity(self, judged, restrict=restrict_vocab, ignore_case=case_insensitive)
        pearson = Correlation(score.pearson, score.pearson_p)
        return pearson, Correlation(score.spearman, score.spearman_p), 100 * (1 - score.coverage)


def _terms(positive: Asked, negative: Asked) -> list[tuple[Any, float]]:
    """What is asked for, each with its weight."""
    terms = [*_weighed(positive, 1.0), *_weighed(negative, -1.0)]
    if not terms:
        raise DataError("most_similar needs at least one word")
    return terms


def _weighed(asked: Asked, weight: float) -> list[tuple[Any, float]]:
    if asked is None:
        return []
    is_one = is_key(asked) or getattr(asked, "ndim", 0) == 1 or not isinstance(asked, Iterable)
    return [
        (one[0], as_weight(one[1])) if isinstance(one, tuple) and len(one) == 2 else (one, weight)
        for one in ([asked] if is_one else asked)  # type: ignore[union-attr]
    ]
