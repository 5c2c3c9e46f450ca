"""How well vectors answer analogies and agree with people on similarity, and of how many questions that is said."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.vectors.analogies import answers
from embedtrain.vectors.questions import Question, read_analogies, read_pairs

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


@dataclass(frozen=True)
class SimilarityScore:
    """Agreement with people on the similarity of words.

    Attributes
    ----------
    spearman, pearson : float
        Correlations of cosines with people's scores; nan if either are all the same.
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
        return self.n_known / self.n_pairs


def evaluate_analogies(
    vectors: Queries,
    path: str | os.PathLike[str],
    *,
    restrict: int | None = RESTRICTION,
    ignore_case: bool = True,
    method: str = "add",
) -> AnalogyScore:
    """Answer the analogies of a file.

    Parameters
    ----------
    vectors : WordVectors
    path : path, or a name of `questions.BUNDLED`
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
    sections = read_analogies(path)
    index, same_as = _known(vectors.words, restrict, ignore_case)
    cased = _case(ignore_case)
    scores, asked, rows = [], [], []
    for name, questions in sections:
        score = SectionScore(name, len(questions))
        scores.append(score)
        for question in questions:
            words = tuple(map(cased, question))
            if all(word in index for word in words):
                asked.append((score, words))
                rows.append([index[word] for word in words])
    known = np.array(rows, np.int64).reshape(-1, 4)
    n = len(same_as)
    found = answers(vectors.vectors[:n], vectors.norms[:n], known[:, :3], method, same_as)
    is_right = (found >= 0) & (same_as[found] == known[:, 3])
    for (score, words), right in zip(asked, is_right.tolist(), strict=True):
        (score.right if right else score.wrong).append(words)  # type: ignore[arg-type]
    return AnalogyScore(scores)


def evaluate_similarity(
    vectors: Queries,
    path: str | os.PathLike[str],
    *,
    restrict: int | None = RESTRICTION,
    ignore_case: bool = True,
    delimiter: str | None = None,
) -> SimilarityScore:
    """Compare cosines with the judgements in a file of word pairs.

    Parameters
    ----------
    vectors, path, restrict, ignore_case
        As for `evaluate_analogies`.
    delimiter : str, optional
        What stands between columns; by default what is found in the first line.

    Raises
    ------
    DataError
        If the file cannot be read or is something else, or fewer than two pairs are known.
    SettingError
        If `restrict` cannot be.
    """
    pairs = read_pairs(path, delimiter)
    index, _ = _known(vectors.words, restrict, ignore_case)
    cased = _case(ignore_case)
    spelled = [(cased(first), cased(second), score) for first, second, score in pairs]
    known = [
        (index[first], index[second], score) for first, second, score in spelled if {first, second} <= index.keys()
    ]
    if len(known) < 2:
        raise DataError(f"{path}: {len(known)} of {len(pairs):,} pairs have both words among the vectors, 2 are needed")
    first, second, scores = zip(*known, strict=True)
    cosines = _cosines(vectors.vectors, list(first), list(second))
    return SimilarityScore(*_correlations(cosines, np.array(scores)), len(known), len(pairs))


def _cosines(vectors: NDArray[Any], first: list[int], second: list[int]) -> NDArray[np.float64]:
    left, right = (vectors[rows].astype(np.float64) for rows in (first, second))
    lengths = np.linalg.norm(left, axis=1) * np.linalg.norm(right, axis=1)
    return (left * right).sum(axis=1) / np.where(lengths > 0, lengths, 1)


def _correlations(cosines: NDArray[np.float64], scores: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Spearman's and Pearson's correlation, and their probabilities."""
    from scipy import stats

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
    if restrict is not None and restrict < 1:
        raise SettingError(f"restrict must be at least 1 word, got {restrict}")
    spelled = list(map(_case(ignore_case), words[:restrict]))
    index: dict[str, int] = {}
    return index, np.array([index.setdefault(word, row) for row, word in enumerate(spelled)], np.int64)
