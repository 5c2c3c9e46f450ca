"""CBOW: predict a word from the mean of the words around it.

The mean m of the vectors in a window raises log sigmoid(m . w) for the word w in its middle, and log sigmoid(-m . n)
for `negative` random words n; hierarchical softmax asks m for the path to w in a Huffman tree. word2vec.c, gensim
and fastText then add the whole gradient of m to each word of the window, where the chain rule would divide it by
their number; the "corrected" update does.

References
----------
Mikolov, Chen, Corrado, Dean, "Efficient estimation of word representations in vector space" (2013).
İrsoy, Benton, Stratos, "Corrected CBOW performs as well as skip-gram" (2021).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

from embedtrain.corpus.sources import CorpusLike
from embedtrain.models.word2vec import Word2vecSettings, plan_word2vec, word2vec_run
from embedtrain.training.reports import Epoch, Plan
from embedtrain.vectors.word_vectors import WordVectors

PathLike: TypeAlias = "str | os.PathLike[str]"


_LR = {"word2vec": 0.05, "corrected": 0.15}  # by update (bench/quality.py --modes cbow-corrected --lr …)


@dataclass(frozen=True, kw_only=True)
class CbowSettings(Word2vecSettings):
    """The settings of a run; see `train_cbow`."""

    model: ClassVar = "cbow"
    usual: ClassVar = {**Word2vecSettings.usual, "lr": "0.05 is usual"}

    cbow_update: str

    def __post_init__(self) -> None:
        self.take_name(("word2vec", "corrected"), "cbow_update")
        if self.lr is None:
            object.__setattr__(self, "lr", _LR[self.cbow_update])
        super().__post_init__()

    @property
    def corrected(self) -> bool:
        """Whether contexts take their share of a step, not all of it."""
        return self.cbow_update == "corrected"


def train_cbow(
    corpus: CorpusLike,
    *,
    dim: int = 100,
    window: int = 5,
    window_mode: str = "dynamic",
    negative: int = 5,
    hs: bool = False,
    noise_exponent: float = 0.75,
    sample: float = 1e-3,
    min_count: int = 5,
    max_vocab: int | None = None,
    read_vocab: PathLike | None = None,
    save_vocab: PathLike | None = None,
    epochs: int = 5,
    cbow_update: str = "word2vec",
    lr: float | None = None,
    seed: int = 1,
    threads: int | None = None,
    valid: CorpusLike | None = None,
    valid_share: float = 0.0,
    patience: int | None = None,
    init: PathLike | WordVectors | None = None,
    freeze: bool = False,
    checkpoint: PathLike | None = None,
    checkpoint_every: float = 10.0,
    resume: PathLike | None = None,
    cache: PathLike | None = None,
    temp_folder: PathLike | None = None,
    progress: bool | None = None,
    callback: Callable[[Epoch], object] | None = None,
) -> WordVectors:
    """Train word vectors by CBOW.

    Parameters
    ----------
    corpus, dim, window, …
        All those of `train_skipgram`; the following mean something else here, or are CBOW's alone.
    negative : int
        Noise words for each centre; 0 leaves negative sampling out, where there is `hs`.
    cbow_update : {"word2vec", "corrected"}
        What each word of a window takes of the gradient of their mean: all of it, as in word2vec.c, gensim and
        fastText, or its share, as the chain rule has it.
    lr : float, optional
        Initial learning rate; by default 0.05, with the corrected update, which takes smaller steps, 0.15.

    Returns
    -------
    WordVectors
        With counts, settings, a report and, of negative sampling, context vectors: those of words as centres.

    Raises
    ------
    SettingError, DataError, OutputError, TrainingError, Interrupted
        As `train_skipgram`.
    """
    return word2vec_run(CbowSettings, locals()).train()  # the arguments


def plan_cbow(corpus: CorpusLike, **arguments: Any) -> Plan:
    """Read the corpus and say what `train_cbow` would do with the same arguments: words, memory, disk, time.

    The speed is measured in a second of training whose result is thrown away.

    Raises
    ------
    SettingError, DataError
        As `train_cbow` before training, but not for want of memory; texts are not compared with a checkpoint.
    """
    return plan_word2vec(train_cbow, CbowSettings, corpus, arguments)
