"""Skip-gram: predict the words around a word.

For a word w and each word c in a window around it the model raises log sigmoid(w . c), and for `negative`
random words n it raises log sigmoid(-w . n). Many consecutive centres share their random words, weighted so that
the expected gradient is the same: a product of matrices, where other programs compute one dot product after the
other. Hierarchical softmax instead asks c, at each inner node on the path to w in a Huffman tree, for the side.

References
----------
Mikolov, Chen, Corrado, Dean, "Efficient estimation of word representations in vector space" (2013).
Mikolov, Sutskever, Chen, Corrado, Dean, "Distributed representations of words and phrases and their
compositionality" (2013).
Ji, Satish, Li, Dubey, "Parallelizing word2vec in shared and distributed memory" (2016), for shared negatives.
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


@dataclass(frozen=True, kw_only=True)
class SkipgramSettings(Word2vecSettings):
    """The settings of a run; see `train_skipgram`."""

    model: ClassVar = "skipgram"
    usual: ClassVar = {**Word2vecSettings.usual, "lr": "0.025 is usual"}


def train_skipgram(
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
    lr: float = 0.025,
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
    """Train word vectors by skip-gram.

    Parameters
    ----------
    corpus : path, Corpus, iterable of str, or iterable of lists of str
        Text: a file, a folder, a pattern, or "-" for standard input, a sentence a line; or lines; or tokens of
        sentences. Read once, so generators do. A `Corpus` says more on how text is read.
    dim : int
        Dimensions of the vectors.
    window : int
        Words before and after a centre word that are its contexts.
    window_mode : {"dynamic", "fixed"}
        Whether each centre draws its window from 1 to `window`, as word2vec does, or always takes the whole.
    negative : int
        Noise words for each pair of a centre and a context; 0 leaves negative sampling out, where there is `hs`.
    hs : bool
        Whether to train by hierarchical softmax, too.
    noise_exponent : float
        Noise words are drawn in proportion to count ** noise_exponent.
    sample : float
        Words more frequent than about this are subsampled; 0 keeps all.
    min_count : int
        Words that occur less often get no vector and are skipped.
    max_vocab : int, optional
        Of the others, only so many, the most frequent, get one.
    read_vocab, save_vocab : path, optional
        Files of lines "word count". Words and counts of the first, instead of those of the corpus, are the vocabulary
        that `min_count` and `max_vocab` choose from; the chosen words are written to the second.
    epochs : int
        Passes over the corpus.
    lr : float
        Initial learning rate; it falls linearly to almost 0.
    seed : int
        Of all that is random.
    threads : int, optional
        None or 0 uses all available. Only with 1 is the result the same every time.
    valid : path, Corpus or lines, optional
        Held-out text, on which the loss is taken after every epoch.
    valid_share : float
        Instead, the share of the corpus that is held out: sentences, or stretches of long ones, drawn at random.
    patience : int, optional
        Stop after so many epochs in a row without a held-out loss lower than all before.
    init : path or WordVectors, optional
        Vectors from which the words that they share with the corpus start.
    freeze : bool
        Whether these words' vectors stay as they are, while all else learns.
    checkpoint : path, optional
        A file that the state of the run is written to: every so many minutes, when it is interrupted, and when
        training is done.
    checkpoint_every : float
        How often.
    resume : path, optional
        A checkpoint from which to go on. Text and settings must be the same; what `init` and `freeze` did is in it.
        With one thread the result is, to the byte, that of a run that never stopped.
    cache : path, optional
        A folder where the encoded corpus is kept, so that a later run on the same files need not read them.
    temp_folder : path, optional
        Where the encoded corpus lies while training, 4 bytes a token and twice that while it is encoded; by default
        the system's place for temporary files.
    progress : bool, optional
        Whether to report on standard error; by default if that is a terminal.
    callback : callable, optional
        Called with an `Epoch` after every epoch; training stops when it returns something true.

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
    return word2vec_run(SkipgramSettings, locals()).train()  # the arguments


def plan_skipgram(corpus: CorpusLike, **arguments: Any) -> Plan:
    """Read the corpus and say what `train_skipgram` would do with the same arguments: words, memory, disk, time.

    The speed is measured in a second of training whose result is thrown away.

    Raises
    ------
    SettingError, DataError
        As `train_skipgram` before training, but not for want of memory; texts are not compared with a checkpoint.
    """
    return plan_word2vec(train_skipgram, SkipgramSettings, corpus, arguments)
