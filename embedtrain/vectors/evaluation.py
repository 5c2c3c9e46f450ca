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
from numpy.typing import NDArray

from embedtrain.errors import SettingError
from embedtrain.vectors.analogies import solve
from embedtrain.vectors.evaluation_files import Pair, Question, Section, read_analogies, read_pairs
from embedtrain.vectors.spelling import folded
from embedtrain.vectors.word_table import WordTable

RESTRICTION = 300_000  # words, as in word2vec and gensim


@dataclass
class SectionScore:
    """Results of a section of analogies, or of all."""

    name: str
    n_questions: int = 0
    right: list[Question] = field(default_factory=list)  # known questions, of which all words are, answered correctly
    wrong: list[Question] = field(default_factory=list)  # ... and not
    n_subwords: int = 0  # known questions with an unknown word whose vector is that of its n-grams

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
            total.n_subwords += section.n_subwords
        return total


class Correlation(NamedTuple):
    """A correlation and its two-sided p-value."""

    statistic: float
    pvalue: float


@dataclass(frozen=True)
class SimilarityScore:
    """Correlation of cosines with human similarity scores."""

    spearman: float  # nan, as pearson, if all cosines or all scores are equal, or fewer than two pairs are known
    pearson: float
    spearman_p: float  # two-sided p-values
    pearson_p: float
    n_known: int  # pairs whose words are both known
    n_pairs: int
    n_subwords: int = 0  # known pairs with an unknown word whose vector is that of its n-grams

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
    subwords: bool = True,
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
    subwords : bool
        Whether unknown words have the vectors of their n-grams, in lower case with `ignore_case`, where `vectors` have
        subwords. The fourth word of an analogy must be among the first words.
    """
    sections = read_analogies(questions) if isinstance(questions, (str, os.PathLike)) else questions
    spellings = _Spellings(vectors, restrict, ignore_case, subwords)
    n = len(spellings.first)
    scores = [SectionScore(section.name, len(section.questions)) for section in sections]
    known = []
    for score, section in zip(scores, sections, strict=True):
        for question in section.questions:
            rows_of = [*map(spellings.find_or_embed, question[:3]), spellings.find(question[3])]
            if None not in rows_of:
                known.append((score, question, rows_of))
    rows = np.array([rows_of for *_, rows_of in known], np.int64).reshape(-1, 4)
    embedded = spellings.embedded()
    first_spelling = np.concatenate([spellings.first, np.arange(n, n + len(embedded))])
    found = solve(vectors.vectors[:n], vectors.norms[:n], rows[:, :3], method, first_spelling, embedded)
    for (score, *_), highest in zip(known, rows.max(axis=1, initial=-1).tolist(), strict=True):
        score.n_subwords += highest >= n
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
    subwords: bool = True,
) -> SimilarityScore:
    """Compute the correlation of cosines with human similarity scores.

    Parameters
    ----------
    vectors, restrict, ignore_case, subwords
        As for `evaluate_analogies`.
    pairs : path, "wordsim353" or "simlex999" where gensim is installed, or the result of `evaluation_files.read_pairs`
    """
    scored = read_pairs(pairs) if isinstance(pairs, (str, os.PathLike)) else pairs
    spellings = _Spellings(vectors, restrict, ignore_case, subwords)
    find = spellings.find_or_embed
    rows = [(find(first), find(second), score) for first, second, score in scored]
    known = [(a, b, score) for a, b, score in rows if a is not None and b is not None]
    n, embedded = len(spellings.first), spellings.embedded()
    terms = [[row if row < n else embedded[row - n] for row in pair[:2]] for pair in known]
    cosines = [vectors.similarity(first, second) for first, second in terms]
    n_subwords = sum(max(a, b) >= n for a, b, _ in known)
    correlations = _correlations(cosines, [score for *_, score in known])
    return SimilarityScore(*correlations, len(known), len(scored), n_subwords)


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
    """The first words, by their own and by their common spelling, and unknown words that n-grams give vectors."""

    def __init__(self, vectors: WordTable, restrict: int | None, ignore_case: bool, subwords: bool) -> None:
        if restrict is not None and (not isinstance(restrict, Integral) or restrict < 1):
            raise SettingError(f"restrict must be at least 1 word, a whole number, or None for all, got {restrict!r}")
        words = vectors.words[:restrict]
        self._subwords = vectors.subwords if subwords else None
        self._rows: dict[str, int | None] = {}  # of unknown words
        self._embedded: list[NDArray[np.float32]] = []
        self._dim = vectors.vector_size
        self._common = partial(folded, width=False, case=ignore_case)
        self._exact = {word: row for row, word in enumerate(words)}
        self._first: dict[str, int] = {}
        #: (n_words,) the first row with the same common spelling
        spelled = enumerate(map(self._common, words))
        self.first = np.array([self._first.setdefault(word, row) for row, word in spelled], np.int64)

    def find(self, word: str) -> int | None:
        """The row of a word with this spelling, or else with the same common spelling."""
        return self._exact.get(word, self._first.get(self._common(word)))

    def find_or_embed(self, word: str) -> int | None:
        """The row of a word, or of the vector that its n-grams give, numbered after the first words."""
        row = self.find(word)
        if row is not None or self._subwords is None:
            return row
        form = self._common(word)
        if form not in self._rows:
            vectors, is_known = self._subwords.embed([form])
            self._rows[form] = len(self.first) + len(self._embedded) if is_known[0] else None
            if is_known[0]:
                self._embedded.append(vectors[0])
        return self._rows[form]

    def embedded(self) -> NDArray[np.float32]:
        """The (n, dim) vectors of the unknown words so far."""
        return np.array(self._embedded, np.float32).reshape(-1, self._dim)
