"""GloVe: vectors whose products are the logarithms of co-occurrence counts.

For words i and j with the co-occurrence count X_ij the model fits w_i . c_j + b_i + b~_j to log X_ij by weighted
least squares. The matrix is divided into tiles; only tiles that share neither rows nor columns are trained on at the
same time, so that no two threads use the same vector, and the result does not depend on the number of threads.

References
----------
Pennington, Socher, Manning, "GloVe: Global Vectors for Word Representation" (2014).
Duchi, Hazan, Singer, "Adaptive subgradient methods for online learning and stochastic optimization" (2011).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from embedtrain.corpus.sources import CorpusLike
from embedtrain.models.glove_settings import GloveSettings
from embedtrain.training.declarations import from_settings
from embedtrain.training.reports import plan_of
from embedtrain.vectors.word_vectors import WordVectors

if TYPE_CHECKING:
    from embedtrain.counts.matrix import Counts
    from embedtrain.training.run import Run


@dataclass(frozen=True, kw_only=True)
class Glove(GloveSettings):
    """Train word vectors on co-occurrence counts (GloVe).

    The result is the same for any number of threads. On 100 MB of Wikipedia it answers fewer analogies than word2vec
    (32 %, skip-gram 38).
    """

    model: ClassVar = "glove"

    def run(self, data: Any) -> Run:
        """Make the `Run` that trains on text or counts."""
        from embedtrain.models.glove_model import glove_run  # imports Numba, which --help does not need

        return glove_run(self, data)


@from_settings(Glove)
def train_glove(corpus_or_counts: CorpusLike | Counts | Any, settings: Glove) -> WordVectors:
    """Train word vectors on co-occurrence counts (GloVe).

    The result is the same for any number of threads.

    Parameters
    ----------
    corpus_or_counts : path, Corpus, lines, token lists, Counts, or sparse matrix
        Text, as for `train_skipgram`, whose co-occurrences are counted; or counts: the result of
        `cooccurrence_counts`, the file of ``embedtrain cooccur``, Stanford's `cooccurrence.bin`, or any square sparse
        matrix of SciPy with positive cells, symmetric or not. Settings of counting and vocabulary are for text only.
    **settings

    Returns
    -------
    WordVectors
        With counts, the vectors of both tables, settings and a report; its loss is the mean cost of a cell,
        1/2 f(x) e^2.

    Raises
    ------
    SettingError, DataError, OutputError, TrainingError, Interrupted
        As `train_skipgram`.

    Examples
    --------
    Text is counted, or was counted before, for several runs:

    >>> from embedtrain import cooccurrence_counts, train_glove
    >>> lines = ["the king rules the land", "the queen rules the land"] * 50
    >>> train_glove(lines, dim=20)
    <WordVectors: 5 words, 20 dimensions>
    >>> counts = cooccurrence_counts(lines, window=5)
    >>> train_glove(counts, dim=20, epochs=30)
    <WordVectors: 5 words, 20 dimensions>
    """
    return settings.train(corpus_or_counts)


plan_glove = plan_of(train_glove)
