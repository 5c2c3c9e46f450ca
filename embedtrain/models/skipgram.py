"""Skip-gram: predict the words around a word.

For a word w and each word c in a window around it the model raises log sigmoid(w . c), and for `negative` random words
n it raises log sigmoid(-w . n). Many consecutive centres share their negative samples, weighted so that the expected
gradient is the same: a product of matrices, where other programs compute one dot product after the other. With
hierarchical softmax, c instead predicts which side the path to w in a Huffman tree takes at each of its inner nodes.

References
----------
Mikolov, Chen, Corrado, Dean, "Efficient estimation of word representations in vector space" (2013).
Mikolov, Sutskever, Chen, Corrado, Dean, "Distributed representations of words and phrases and their
compositionality" (2013).
Ji, Satish, Li, Dubey, "Parallelizing word2vec in shared and distributed memory" (2016), for shared negatives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from embedtrain.corpus.sources import CorpusLike
from embedtrain.models.word2vec_settings import Word2vecSettings
from embedtrain.training.declarations import from_settings
from embedtrain.training.reports import Plan
from embedtrain.vectors.word_vectors import WordVectors

if TYPE_CHECKING:
    from embedtrain.training.run import Run


@dataclass(frozen=True, kw_only=True)
class SkipGram(Word2vecSettings):
    """Train word vectors by skip-gram (word2vec).

    The model to start with: of those here it answers most analogies (38 % on 100 MB of Wikipedia, CBOW 37, GloVe 32).
    """

    model: ClassVar = "skipgram"

    def run(self, data: CorpusLike) -> Run:
        """The run that trains on a corpus, not yet started."""
        from embedtrain.models.word2vec_model import word2vec_run  # imports Numba, which --help does not need

        return word2vec_run(self, data)


@from_settings(SkipGram)
def train_skipgram(corpus: CorpusLike, settings: SkipGram) -> WordVectors:
    """Train word vectors by skip-gram.

    With one thread and the same seed the result is the same every time.

    Parameters
    ----------
    corpus : path, Corpus, iterable of str, or iterable of lists of str
        Text: a file, a folder, a pattern, or "-" for standard input, a sentence a line; or lines; or tokens of
        sentences. It is read once, so generators do. A `Corpus` says more on how text is read.
    **settings

    Returns
    -------
    WordVectors
        With counts, settings, a report and, of negative sampling, context vectors.

    Raises
    ------
    SettingError
        If a setting is out of range, not that of the checkpoint, or the tables do not fit into memory.
    DataError
        If a file cannot be read or written or is not what it should be, or the corpus has too few words.
    OutputError
        If a checkpoint cannot be written while training, or a callback raises `DataError`; a `DataError` that carries
        the vectors so far.
    TrainingError
        If training diverges.
    Interrupted
        On Ctrl-C while training, with the vectors so far; a `KeyboardInterrupt`.
    """
    return settings.train(corpus)


@from_settings(SkipGram)
def plan_skipgram(corpus: CorpusLike, settings: SkipGram) -> Plan:
    """Read the corpus and return what `train_skipgram` would do with the same settings: words, memory, disk, time.

    The speed is measured in a second of training whose result is thrown away.

    Raises
    ------
    SettingError, DataError
        As `train_skipgram` before training, but not for want of memory; texts are not compared with a checkpoint.
    """
    return settings.plan(corpus)
