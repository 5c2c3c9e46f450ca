"""How well vectors answer analogies and agree with people on similarity, and of how many questions that is said."""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import SettingError
from embedtrain.vectors.analogies import answers
from embedtrain.vectors.questions import Pair, Question, Section, read_analogies, read_pairs

if TYPE_CHECKING:
    from embedtrain.vectors.queries import Queries

RESTRICTION = 300_000  # words, as in word2vec's and gensim's evaluations of large tables


@dataclass
class SectionScore:
    """Answers to the questions of a section, or to all.

    Attributes
    ----------
    name : str
    n_questions : int
        That the section has.
    right, wrong : list of (a, b, c, d)
        Those whose words are all known, by how they were answered.
    """

    name: str
    n_questions: int = 0
    right: list[Question] = field(default_factory=list)
    wrong: list[Question] = field(default_factory=list)

    @property
    def asked(self) -> int:
        """Questions whose words are all known."""
        return len(self.right) + len(self.wrong)

    @property
    def accuracy(self) -> float | None:
        """Share of those asked that were answered right; None if none was."""
        return len(self.right) / self.asked if self.asked else None

    @property
    def coverage(self) -> float:
        """Share of the questions that could be asked."""
        return self.asked / self.n_questions if self.n_questions else 0.0


@dataclass
class AnalogyScore:
    """Answers to a file of analogies, by section and together."""

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
    """How far two things go together, and the two-sided probability of at least that by chance."""

    statistic: float
    pvalue: float


@dataclass(frozen=True)
class SimilarityScore:
    """Agreement with people on the similarity of words.

    Attributes
    ----------
    spearman, pearson : float
        Correlations of cosines with people's scores; nan if either are all the same, or fewer than two pairs known.
    spearman_p, pearson_p : float
        Two-sided probabilities of at least such correlations by chance.
    n_known, n_pairs : int
        Pairs whose words are both known, of so many.
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
    vectors: Queries,
    questions: str | os.PathLike[str] | Sequence[Section],
    *,
    restrict: int | None = RESTRICTION,
    ignore_case: bool = True,
    method: str = "add",
) -> AnalogyScore:
    """Answer analogies; the source of the methods stands in `vectors.analogies`.

    Parameters
    ----------
    vectors : WordVectors
    questions : path, a name of `questions.BUNDLED`, or what `questions.read_analogies` made of it
    restrict : int or None
        Only the first so many words are known and are answers; None: all.
    ignore_case : bool
        Whether words that differ in case only are the same; the first, which is the most frequent, stands for all.
    method : {"add", "mul"}
        3CosAdd or 3CosMul.

    Raises
    ------
    DataError
        If the file cannot be read or is something else.
    SettingError
        If `restrict` or `method` cannot be.
    """
    sections = read_analogies(questions) if isinstance(questions, (str, os.PathLike)) else questions
    index, same_as = _known(vectors.words, restrict, ignore_case)
    scores = [SectionScore(section.name, len(section.questions)) for section in sections]
    asked = [
        (score, question)
        for score, section in zip(scores, sections, strict=True)
        for question in _spelled(section.questions, _case(ignore_case))
        if all(word in index for word in question)
    ]
    rows = np.array([[index[word] for word in question] for _, question in asked], np.int64).reshape(-1, 4)
    n = len(same_as)
    found = answers(vectors.vectors[:n], vectors.norms[:n], rows[:, :3], method, same_as)
    is_right = (found >= 0) & (same_as[found] == rows[:, 3])
    for (score, question), right in zip(asked, is_right.tolist(), strict=True):
        (score.right if right else score.wrong).append(question)
    return AnalogyScore(scores)


def _spelled(questions: Sequence[Question], cased: Callable[[str], str]) -> list[Question]:
    return [(cased(a), cased(b), cased(c), cased(d)) for a, b, c, d in questions]


def evaluate_similarity(
    vectors: Queries,
    pairs: str | os.PathLike[str] | Sequence[Pair],
    *,
    restrict: int | None = RESTRICTION,
    ignore_case: bool = True,
) -> SimilarityScore:
    """Compare cosines with people's judgements of pairs of words.

    Parameters
    ----------
    vectors, restrict, ignore_case
        As for `evaluate_analogies`.
    pairs : path, a name of `questions.BUNDLED`, or what `questions.read_pairs` made of it

    Raises
    ------
    DataError
        If the file cannot be read or is something else.
    SettingError
        If `restrict` cannot be.
    """
    judged = read_pairs(pairs) if isinstance(pairs, (str, os.PathLike)) else pairs
    index, _ = _known(vectors.words, restrict, ignore_case)
    cased = _case(ignore_case)
    rows = [(index.get(cased(first)), index.get(cased(second)), score) for first, second, score in judged]
    known = [(a, b, score) for a, b, score in rows if a is not None and b is not None]
    cosines = [vectors.similarity(a, b) for a, b, _ in known]
    return SimilarityScore(*_correlations(cosines, [score for *_, score in known]), len(known), len(judged))


def _correlations(cosines: Sequence[float], scores: Sequence[float]) -> tuple[float, float, float, float]:
    """Spearman's and Pearson's correlation, and their probabilities."""
    from scipy import stats

    if len(cosines) < 2:
        return math.nan, math.nan, math.nan, math.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of constant scores, for which nan says it
        spearman, pearson = stats.spearmanr(cosines, scores), stats.pearsonr(cosines, scores)
    return float(spearman[0]), float(pearson[0]), float(spearman[1]), float(pearson[1])


def _case(ignore_case: bool) -> Callable[[str], str]:
    return str.upper if ignore_case else str


def _known(
    words: Sequence[str], restrict: int | None, ignore_case: bool
) -> tuple[Mapping[str, int], NDArray[np.int64]]:
    """The row of each spelling among the first words, and for each of them the row that stands for its spelling."""
    if restrict is not None and (not isinstance(restrict, Integral) or restrict < 1):
        raise SettingError(f"restrict must be at least 1 word, a whole number, or None for all, got {restrict!r}")
    spelled = list(map(_case(ignore_case), words[:restrict]))
    index: dict[str, int] = {}
    return index, np.array([index.setdefault(word, row) for row, word in enumerate(spelled)], np.int64)
