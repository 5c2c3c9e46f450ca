"""CBOW: predict a word from the mean of the words around it.

For the mean m of the vectors around a word w, the model raises log sigmoid(m . w), and log sigmoid(-m . n) for
`negative` random words n; with hierarchical softmax, m predicts the path to w in a Huffman tree. word2vec.c, gensim and
fastText then add the whole gradient of m to each word of the window; by the chain rule, it should be divided by their
number, as the "corrected" update does.

References
----------
Mikolov, Chen, Corrado, Dean, "Efficient estimation of word representations in vector space" (2013).
İrsoy, Benton, Stratos, "Corrected CBOW performs as well as skip-gram" (2021).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from embedtrain.corpus.sources import CorpusLike
from embedtrain.models.word2vec_settings import Word2vecSettings
from embedtrain.training.declarations import from_settings, setting
from embedtrain.training.reports import plan_of
from embedtrain.vectors.word_vectors import WordVectors

_LR = {"word2vec": 0.05, "corrected": 0.15}  # by update (bench/quality.py --modes cbow-corrected --lr …)


@dataclass(frozen=True, kw_only=True)
class Cbow(Word2vecSettings):
    """Train word vectors by CBOW (word2vec).

    Twice as fast as skip-gram, and slightly less accurate (analogies on 100 MB of Wikipedia: 37 %, skip-gram 38).
    Only with one thread is the result the same every time.
    """

    model: ClassVar = "cbow"

    lr: float | None = setting(  # type: ignore[assignment]  # a float once the settings are made
        None, "Initial learning rate; it falls linearly. By default 0.05, with the corrected update 0.15.",
        above=0, at_most=1000, remedy="0.05 is usual", kept="result", aliases=("eta", "learning-rate"),
    )  # fmt: skip
    cbow_update: Literal["word2vec", "corrected"] = setting(
        "word2vec", "Add to each context word the whole gradient of their mean, as word2vec.c, gensim and fastText do, "
        "or its share by the chain rule.",
        kept="result",
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lr is None:
            object.__setattr__(self, "lr", _LR[self.cbow_update])

    @property
    def corrected(self) -> bool:
        """Whether each context word gets its share of the gradient of the mean, not all of it."""
        return self.cbow_update == "corrected"


@from_settings(Cbow)
def train_cbow(corpus: CorpusLike, settings: Cbow) -> WordVectors:
    """Train word vectors by CBOW.

    Returns
    -------
    WordVectors
        With counts, settings, a report and, for negative sampling, context vectors: those of words as centres.

    Raises
    ------
    SettingError, DataError, OutputError, TrainingError, Interrupted
        As `train_skipgram`.

    Examples
    --------
    >>> from embedtrain import train_cbow
    >>> lines = ["the king rules the land", "the queen rules the land"] * 50
    >>> train_cbow(lines, dim=20, sample=0, window=3)
    <WordVectors: 5 words, 20 dimensions>
    """
    return settings.train(corpus)


plan_cbow = plan_of(train_cbow)
