"""Skip-gram with negative sampling: predict the words around a word.

For a word w and each word c in a window around it the model raises log sigmoid(w . c), and for `negative`
random words n it raises log sigmoid(-w . n). Here many consecutive centres share their random words, weighted
so that the expected gradient is the same: a product of matrices, where other programs compute one dot product
after the other.

References
----------
Mikolov, Sutskever, Chen, Corrado, Dean, "Distributed representations of words and phrases and their
compositionality" (2013).
Ji, Satish, Li, Dubey, "Parallelizing word2vec in shared and distributed memory" (2016), for shared negatives.
"""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.sources import CorpusLike
from embedtrain.distributions import alias_table, keep_probability, keep_thresholds, noise_distribution
from embedtrain.kernels import skipgram as kernels
from embedtrain.kernels.alignment import padded
from embedtrain.runs.options import RunOptions
from embedtrain.runs.plan import plan_run
from embedtrain.runs.run import Run
from embedtrain.runs.settings import ModelSettings
from embedtrain.runs.texts import TextCut, Texts, TextSource
from embedtrain.training.loss import ChunkResult
from embedtrain.training.schedule import LARGEST_CHUNK, Chunk, Stretches
from embedtrain.training.tables import Table, table_bytes
from embedtrain.vectors.reports import Epoch, Plan
from embedtrain.vectors.word_vectors import WordVectors

PathLike: TypeAlias = "str | os.PathLike[str]"

_N_NOISE = 48  # noise words that a block shares, a multiple of 16; a trade of accuracy and speed (bench/block_shape.py)
_BLOCK = 64  # centres in a block, where the vocabulary allows it (bench/block_shape.py)
_STEP_LIMIT = 2.0  # of `block_size`; up to lr 0.1, 2.9 holds; at 0.2 a handful of words does not (bench/step_limit.py)
_STRETCHES = 16  # of the text that are looked at for words that are frequent in one
_LOSS_EVERY = 8  # blocks; taking it in all costs a tenth of the speed (bench/loss_share.py)


@dataclass(frozen=True, kw_only=True)
class SkipgramSettings(ModelSettings):
    """The settings of a run; see `train_skipgram`."""

    usual: ClassVar = {"window": "5 is usual", "epochs": "5 is usual", "lr": "0.025 is usual"}

    window_mode: str
    negative: int
    noise_exponent: float
    sample: float
    valid_share: float

    def __post_init__(self) -> None:
        super().__post_init__()
        self.take_name(("dynamic", "fixed"), "window_mode")
        self.take_whole(1, "negative", "5 is usual, and without negative samples all vectors become the same")
        self.take_real(-100, 100, "noise_exponent", "0.75 is usual")
        self.take_real(0, 1, "sample", "1e-3 to 1e-5 are usual, 0 is off")
        self.take_real(0, 0.5, "valid_share", "0.01 is usual, 0 holds nothing out")

    def kept_share(self, counts: NDArray[np.int64]) -> float:
        """Share of the tokens that subsampling keeps, of words that occur so often."""
        return float((keep_probability(counts, self.sample) * counts).sum() / counts.sum())


def train_skipgram(
    corpus: CorpusLike,
    *,
    dim: int = 100,
    window: int = 5,
    window_mode: str = "dynamic",
    negative: int = 5,
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
    """Train word vectors by skip-gram with negative sampling.

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
        Noise words for each pair of a centre and a context.
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
        With counts, context vectors, settings and a report.

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
    return _run(locals()).train()  # the arguments


def plan_skipgram(corpus: CorpusLike, **arguments: Any) -> Plan:
    """Read the corpus and say what `train_skipgram` would do with the same arguments: words, memory, disk, time.

    The speed is measured in a second of training whose result is thrown away.

    Raises
    ------
    SettingError, DataError
        As `train_skipgram` before training, but not for want of memory; texts are not compared with a checkpoint.
    """
    call = inspect.signature(train_skipgram).bind(corpus, **arguments)
    call.apply_defaults()
    return plan_run(_run(call.arguments))


def _run(arguments: Mapping[str, Any]) -> Run:
    """The run that the arguments of `train_skipgram` ask for."""
    settings = SkipgramSettings(**{field.name: arguments[field.name] for field in fields(SkipgramSettings)})
    options = RunOptions.of(arguments, settings.valid_share)
    cut = TextCut(settings.min_count, settings.max_vocab, settings.valid_share, settings.seed)
    return Run("skipgram", TextSource(arguments["corpus"], cut, options), settings, options, _SkipgramModel)


class _SkipgramModel:
    """The tables of a run and what its workers share."""

    unit = "words"
    even = True

    def __init__(self, material: Texts, settings: SkipgramSettings, frozen: NDArray[np.uint8], n_threads: int) -> None:
        text, counts, n_words = material.training, material.vocabulary.counts, len(material.vocabulary)
        self._text, self._settings, self._frozen = text, settings, frozen
        self.schedule = Stretches(len(text.ids), settings.epochs, settings.lr)
        self.loss_limit = 2 * (1 + settings.negative) * math.log(2)
        self.words = Table.uniform(n_words, settings.dim, settings.seed, waste=n_threads if frozen.size else 0)
        self.contexts = Table.zeros(n_words, settings.dim)

        keep = keep_probability(counts, settings.sample)
        noise = noise_distribution(counts, settings.noise_exponent)
        self._sampling = kernels.Sampling(keep_thresholds(keep, len(text.vocabulary)), *alias_table(noise))
        window = max(1, min(settings.window, text.longest_sentence - 1))
        self._shape = kernels.Shape(
            window=window,
            furthest=settings.window if settings.window_mode == "dynamic" else 0,
            negative=settings.negative,
            n_inputs=block_size(settings, window, max(largest_share(text, keep), noise.max())),
            dim=padded(settings.dim),
            sink=n_words * padded(settings.dim),
            loss_every=_LOSS_EVERY,
        )

    @classmethod
    def memory(cls, material: Texts, settings: SkipgramSettings) -> dict[str, int]:
        """Both tables."""
        n_words, dim = len(material.vocabulary), settings.dim
        return {f"two tables of {n_words:,} × {dim}": 2 * table_bytes(n_words, dim)}

    @property
    def state(self) -> dict[str, NDArray[np.float32]]:
        """Both tables."""
        return {"word_vectors": self.words.rows, "context_vectors": self.contexts.rows}

    def vectors(self) -> dict[str, NDArray[np.float32]]:
        """Both tables."""
        return {"vectors": self.words.rows, "context_vectors": self.contexts.rows}

    @property
    def scratch_bytes(self) -> int:
        """Memory of each thread beside the tables."""
        scratch = kernels.make_scratch(self._shape, _N_NOISE, LARGEST_CHUNK)
        return sum(array.nbytes for part in scratch[:3] for array in part)

    def worker(self, thread: int, text: EncodedCorpus | None = None) -> Callable[[Chunk], ChunkResult]:
        """A function that trains on a chunk, for thread 0, 1, …; on another `text` it takes the losses of all blocks.

        At a learning rate of 0 no table changes.
        """
        shape = self._shape if text is None else self._shape._replace(loss_every=1)
        source = text or self._text
        numbers = kernels.Text(source.ids, source.offsets)
        frozen = kernels.Frozen(self._frozen, self.words.waste[thread] if self._frozen.size else 0)
        scratch = kernels.make_scratch(shape, _N_NOISE, LARGEST_CHUNK, frozen)
        W, C, seed, sampling = self.words.flat, self.contexts.flat, self._settings.seed, self._sampling

        def train(chunk: Chunk) -> ChunkResult:
            loss, pairs, kept = kernels.train_chunk(
                W, C, numbers, chunk.begin, chunk.end, sampling, shape, scratch,
                _random_key(seed, chunk.epoch), _random_key(seed, chunk.epoch, chunk.number),
                np.float32(chunk.first_lr), np.float32(chunk.last_lr),
            )  # fmt: skip
            return ChunkResult(chunk.end - chunk.begin, kept, loss, pairs, chunk.last_lr)

        return train


def _random_key(seed: int, *numbers: int) -> np.uint64:
    """64 bits that depend on the seed and on all the numbers, and on how many they are."""
    return np.random.SeedSequence(seed, spawn_key=numbers).generate_state(1, np.uint64)[0]


def largest_share(text: EncodedCorpus, keep: NDArray[np.float64]) -> float:
    """The share that one word has of the kept tokens, in that of many stretches of the text where it is the largest.

    What is frequent may change within a text, of many languages for example, or sorted.

    Parameters
    ----------
    text : EncodedCorpus
    keep : (n_words,) float64 array
        The probability that an occurrence of each word is kept.
    """
    largest = 0.0
    n_words, n_tokens = len(keep), len(text.ids)
    for begin in np.unique(np.linspace(0, max(0, n_tokens - LARGEST_CHUNK), _STRETCHES).astype(int)).tolist():
        ids = text.ids[begin : begin + LARGEST_CHUNK]
        kept = np.bincount(ids[ids < n_words], minlength=n_words) * keep
        largest = max(largest, kept.max() / max(kept.sum(), 1.0))
    return largest


def block_size(settings: SkipgramSettings, window: int, p_max: float) -> int:
    """Centres in a block.

    A block moves a row by the sum of all its questions, asked before the row moved. The most frequent word, of
    probability `p_max`, is asked about `n * (window + 1) * (1 + negative) * p_max` times by n centres; times
    the learning rate, that must stay below a bound, or tables with a handful of words diverge.
    """
    questions = (window + 1) * (1 + settings.negative) * p_max
    size = _BLOCK
    while size > 1 and settings.lr * size * questions > _STEP_LIMIT:
        size //= 2
    return size
