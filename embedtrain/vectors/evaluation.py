"""Evaluation of vectors: accuracy in analogies, and correlation with human similarity scores."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from numbers import Integral
from typing import NamedTuple

import numpy as np

from embedtrain.errors import SettingError
from embedtrain.vectors.analogies import solve
from embedtrain.vectors.evaluation_files import Pair, Question, Section, read_analogies, read_pairs
from embedtrain.vectors.spelling import folded
from embedtrain.vectors.word_table import WordTable

RESTRICTION = 300_000  # words, as in word2vec and gensim


@dataclass
class SectionScore:
    """Results of a section of analogies, or of all.

    Attributes
    ----------
    name : str
    n_questions : int
        Number of questions.
    right, wrong : list of (a, b, c, d)
        Questions whose words are all known, by whether they were answered correctly.
    """

    name: str
    n_questions: int = 0
    right: list[Question] = field(default_factory=list)
    wrong: list[Question] = field(default_factory=list)

    @property
    def n_known(self) -> int:
        """Number of questions whose words are all known."""
        return len(self.right) + len(self.wrong)

    @property
    def accuracy(self) -> float | None:
        """Share of the known questions that were answered correctly; None if there are none."""
        return len(self.right) / self.n_known if self.n_known else None

    @property
    def coverage(self) -> float:
        """Share of the questions that are known."""
        return self.n_known / self.n_questions if self.n_questions else 0.0


@dataclass
class AnalogyScore:
    """Results of a file of analogies, by section and in total."""

    sections: list[SectionScore]

    @property
    def total(self) -> SectionScore:
        """All sections as one."""
        total = SectionScore("total")
        for section in self.sections:
            total.n_questions += section.n_questions
            total.right += section.right
            total.wrong += section.wrong
        return total


class Correlation(NamedTuple):
    """A correlation and its two-sided p-value."""

    statistic: float
    pvalue: float


@dataclass(frozen=True)
class SimilarityScore:
    """Correlation of cosines with human similarity scores.

    Attributes
    ----------
    spearman, pearson : float
        Correlations; nan if all cosines or all scores are equal, or fewer than two pairs are known.
    spearman_p, pearson_p : float
        Their two-sided p-values.
    n_known, n_pairs : int
        Pairs whose words are both known, and all pairs.
    """

    spearman: float
    pearson: float
    spearman_p: float
    pearson_p: float
    n_known: int
    n_pairs: int

    @property
    def coverage(self) -> float:
        """Share of the pairs that are known."""
        return self.n_known / self.n_pairs if self.n_pairs else 0.0


def evaluate_analogies(
    vectors: WordTable,
    questions: str | os.PathLike[str] | Sequence[Section],
    *,
    restrict: int | None = RESTRICTION,
    ignore_case: bool = True,
    method: str = "add",
) -> AnalogyScore:
    """Compute the accuracy in analogies; `vectors.analogies` names the papers of the methods.

    Parameters
    ----------
    vectors : WordVectors
    questions : path, "google" where gensim is installed, or the result of `evaluation_files.read_analogies`
    restrict : int or None
        Use only the first words, as known words and as candidates; None: all.
    ignore_case : bool
        Whether words that differ only in case are the same: in lower case, so that ß and ss, and ı and i, are not.
        A word with the same case is used if there is one, else the first (most frequent) one. Words that differ only in
        Unicode normalisation are the same in any case.
    method : {"add", "mul"}
        3CosAdd or 3CosMul.

    Returns
    -------
    AnalogyScore

    Raises
    ------
    DataError
        If the file cannot be read or is not a file of analogies; the message names the line.
    SettingError
        If `restrict` or `method` is not valid.
    """
    sections = read_analogies(questions) if isinstance(questions, (str, os.PathLike)) else questions
    spellings = _Spellings(vectors.words, restrict, ignore_case)
    first_spelling = spellings.first
    scores = [SectionScore(section.name, len(section.questions)) for section in sections]
    known = []
    for score, section in zip(scores, sections, strict=True):
        for question in section.questions:
            rows_of = [spellings.find(word) for word in question]
            if None not in rows_of:
                known.append((score, question, rows_of))
    rows = np.array([rows_of for *_, rows_of in known], np.int64).reshape(-1, 4)
    n = len(first_spelling)
    found = solve(vectors.vectors[:n], vectors.norms[:n], rows[:, :3], method, first_spelling)
    is_right = (found >= 0) & (first_spelling[found] == first_spelling[rows[:, 3]])
    for (score, question, _), right in zip(known, is_right.tolist(), strict=True):
        (score.right if right else score.wrong).append(question)
    return AnalogyScore(scores)


def evaluate_similarity(
    vectors: WordTable,
    pairs: str | os.PathLike[str] | Sequence[Pair],
    *,
    restrict: int | None = RESTRICTION,
    ignore_case: bool = True,
) -> SimilarityScore:
    """Compute the correlation of cosines with human similarity scores.

    Parameters
    ----------
    vectors, restrict, ignore_case
        As for `evaluate_analogies`.
    pairs : path, "wordsim353" or "simlex999" where gensim is installed, or the result of `evaluation_files.read_pairs`

    Returns
    -------
    SimilarityScore

    Raises
    ------
    DataError
        If the file cannot be read or is not a file of pairs; the message names the line.
    SettingError
        If `restrict` is not valid.
    """
    scored = read_pairs(pairs) if isinstance(pairs, (str, os.PathLike)) else pairs
    find = _Spellings(vectors.words, restrict, ignore_case).find
    rows = [(find(first), find(second), score) for first, second, score in scored]
    known = [(a, b, score) for a, b, score in rows if a is not None and b is not None]
    cosines = [vectors.similarity(a, b) for a, b, _ in known]
    return SimilarityScore(*_correlations(cosines, [score for *_, score in known]), len(known), len(scored))


def _correlations(cosines: Sequence[float], scores: Sequence[float]) -> tuple[float, float, float, float]:
    """Spearman's and Pearson's correlation, and their p-values."""
    from scipy import stats

    if len(cosines) < 2:
        return math.nan, math.nan, math.nan, math.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # constant scores, whose correlation is nan
        spearman, pearson = stats.spearmanr(cosines, scores), stats.pearsonr(cosines, scores)
    return float(spearman[0]), float(pearson[0]), float(spearman[1]), float(pearson[1])


class _Spellings:
    """The first words, by their own and by their common spelling."""

    def __init__(self, words: Sequence[str], restrict: int | None, ignore_case: bool) -> None:
        if restrict is not None and (not isinstance(restrict, Integral) or restrict < 1):
            raise SettingError(f"restrict must be at least 1 word, a whole number, or None for all, got {restrict!r}")
        words = words[:restrict]
        self._common = partial(folded, width=False, case=ignore_case)
        self._exact = {word: row for row, word in enumerate(words)}
        self._first: dict[str, int] = {}
        #: (n_words,) the first row with the same common spelling
        self.first = np.array(
            [self._first.setdefault(self._common(word), row) for row, word in enumerate(words)], np.int64
        )

    def find(self, word: str) -> int | None:
        """The row of a word with this spelling, or else with the same common spelling."""
        return self._exact.get(word, self._first.get(self._common(word)))
