"""SVD: vectors from the positive pointwise mutual information of words and contexts.

For words i and contexts j with counts X_ij, the matrix has the cells max(0, log(X_ij / (X_i p_j)) - log(shift)), where
X_i is the sum of a row, and p_j the distribution of contexts, in proportion to the sums of columns raised to the
exponent `smoothing`. Of its singular value decomposition U S V', the word vectors are U S^p, the context vectors V S^p.

References
----------
Levy, Goldberg, Dagan, "Improving Distributional Similarity with Lessons Learned from Word Embeddings" (2015).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from embedtrain.corpus.sources import CorpusLike
from embedtrain.training.declarations import from_settings, other_default, setting
from embedtrain.training.settings import CountModelSettings, MemorySettings, PathLike, VectorSettings
from embedtrain.vectors.word_vectors import WordVectors

if TYPE_CHECKING:
    from embedtrain.counts.matrix import Counts


@dataclass(frozen=True, kw_only=True)
class FactorSettings(MemorySettings, VectorSettings):
    """Settings of SVD and LSA: the dimensions, and how much the first of them weigh."""

    dim: int = setting(
        100, "Dimensions of the vectors, the largest singular values first: the first columns are the vectors of "
        "fewer dimensions.",
        at_least=1, remedy="100 is usual", kept="result", aliases=("size", "dims", "vector-size"),
    )  # fmt: skip
    singular_exponent: float = setting(
        0.25, "Multiply each dimension by its singular value to this power: 0 weighs all alike, 1 as in the matrix.",
        at_least=0, at_most=1, kept="result", aliases=("eig",),
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Svd(CountModelSettings, FactorSettings):
    """Compute word vectors from co-occurrence counts by singular value decomposition (PPMI-SVD).

    The result is the same for any number of threads, and nearly the same for any seed; there are no epochs.
    """

    model: ClassVar = "svd"
    over_ranks: ClassVar = True

    singular_exponent: float = other_default(FactorSettings, "singular_exponent", 0.1)
    window: int | Literal["all"] = other_default(CountModelSettings, "window", 4)
    smoothing: float = setting(
        1.0, "Exponent of the distribution of contexts; below 1, rare contexts weigh less.",
        at_least=0, at_most=1, kept="result", aliases=("cds",),
    )  # fmt: skip
    shift: float = setting(
        0.7, "Subtract the logarithm of this number, as of negative samples, from the information of each pair; below "
        "1, pairs count that occur somewhat less than by chance.",
        above=0, at_most=1e30, kept="result", aliases=("neg",),
    )  # fmt: skip
    context_words: PathLike | Iterable[str] | None = setting(
        None, "Words of the columns of a rectangular matrix of counts; a file has one word per line.",
        group="input", option="--context-vocab", metavar="FILE",
    )  # fmt: skip
    add_contexts: bool = setting(False, "Add the vectors of words as contexts to those of words.", kept="result")

    def train(self, data: Any) -> WordVectors:
        """Factorise text or counts; see `train_svd`."""
        from embedtrain.models.factorization import factorize_information  # imports Numba, which --help does not need

        return factorize_information(self, data)


@from_settings(Svd)
def train_svd(corpus_or_counts: CorpusLike | Counts | Any, settings: Svd) -> WordVectors:
    """Compute word vectors from co-occurrence counts by singular value decomposition (PPMI-SVD).

    The result is the same for any number of threads and any `memory`.

    Parameters
    ----------
    corpus_or_counts : path, Corpus, lines, token lists, Counts, or sparse matrix
        Text or counts, as for `train_glove`; a matrix may also be rectangular, with `context_words` for its columns.
    **settings

    Returns
    -------
    WordVectors
        With counts, context vectors and `factors`: the singular values, and what `fold_in` needs. Fewer dimensions than
        `dim` if the matrix has a lower rank.

    Raises
    ------
    SettingError, DataError
        As `train_glove`, or if no pair of words has information above 0.
    KeyboardInterrupt
        If interrupted; there is no partial result.

    Examples
    --------
    >>> from embedtrain import train_svd
    >>> lines = ["the king rules the land", "the queen rules the land"] * 50
    >>> vectors = train_svd(lines, dim=2)
    >>> vectors
    <WordVectors: 5 words, 2 dimensions>
    >>> vectors.fold_in({"the": 50, "rules": 20}).shape
    (2,)
    """
    return settings.train(corpus_or_counts)
