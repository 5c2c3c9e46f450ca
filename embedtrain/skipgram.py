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

import math
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from numbers import Integral, Real

import numpy as np

from embedtrain._version import __version__
from embedtrain.corpus.encoding import EncodedCorpus, encode
from embedtrain.corpus.sources import CorpusLike, require_readable
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.distributions import alias_table, keep_probability, keep_thresholds, noise_distribution
from embedtrain.errors import Interrupted, SettingError, TrainingError
from embedtrain.kernels import skipgram as kernels
from embedtrain.kernels.alignment import padded
from embedtrain.machine.memory import require_memory
from embedtrain.machine.progress import Progress, Stopwatch, say
from embedtrain.machine.threads import if_slow, resolve_threads
from embedtrain.training.loop import Chunk, History, train_epochs
from embedtrain.training.loss import ChunkResult
from embedtrain.training.tables import Table, table_bytes
from embedtrain.vectors import word2vec_text
from embedtrain.vectors.reports import Epoch, TrainingReport
from embedtrain.vectors.word_vectors import WordVectors

_N_NOISE = 48  # noise words that a block shares, a multiple of 16; a trade of accuracy and speed (bench/block_shape.py)
_BLOCK = 64  # centres in a block, where the vocabulary allows it (bench/block_shape.py)
_STEP_LIMIT = 2.0  # of `block_size`; up to lr 0.1, 2.9 holds; at 0.2 a handful of words does not (bench/step_limit.py)
_LARGEST_CHUNK = 1 << 16  # tokens; some milliseconds, between which Ctrl-C, progress and loss are looked at
_LOSS_EVERY = 8  # blocks; taking it in all costs a tenth of the speed (bench/loss_share.py)


@dataclass(frozen=True)
class SkipgramSettings:
    """The settings of a run; see `train_skipgram`."""

    dim: int
    window: int
    window_mode: str
    negative: int
    noise_exponent: float
    sample: float
    min_count: int
    epochs: int
    lr: float
    seed: int

    def __post_init__(self) -> None:
        self._take_whole(1, "dim", "100 is usual")
        self._take_whole(1, "window", "5 is usual")
        self._take_whole(1, "negative", "5 is usual, and without negative samples all vectors become the same")
        self._take_whole(1, "min_count", "1 keeps every word")
        self._take_whole(1, "epochs", "5 is usual")
        self._take_whole(0, "seed", "any other number gives another run")
        self._take_real(0, 1, "sample", "1e-3 to 1e-5 are usual, 0 is off")
        self._take_real(0, 1000, "lr", "0.025 is usual")
        self._take_real(-100, 100, "noise_exponent", "0.75 is usual")
        if self.lr == 0:
            raise SettingError("lr must be above 0, got 0; 0.025 is usual")
        if self.window_mode not in ("dynamic", "fixed"):
            raise SettingError(f"window_mode must be 'dynamic' or 'fixed', got {self.window_mode!r}")

    def _take_whole(self, least: int, name: str, remedy: str) -> None:
        value = getattr(self, name)
        if not isinstance(value, Integral) or not least <= int(value) < 2**31:
            raise SettingError(f"{name} must be a whole number of at least {least}, got {value!r}; {remedy}")
        object.__setattr__(self, name, int(value))  # NumPy's numbers would overflow, and compile kernels anew

    def _take_real(self, least: float, most: float, name: str, remedy: str) -> None:
        value = getattr(self, name)
        if not isinstance(value, Real) or not least <= float(value) <= most:
            raise SettingError(f"{name} must be between {least} and {most}, got {value}; {remedy}")
        object.__setattr__(self, name, float(value))


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
    epochs: int = 5,
    lr: float = 0.025,
    threads: int | None = None,
    seed: int = 1,
    invalid_utf8: str = "replace",
    temp_folder: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
    callback: Callable[[Epoch], object] | None = None,
) -> WordVectors:
    """Train word vectors by skip-gram with negative sampling.

    Parameters
    ----------
    corpus : path, iterable of str, or iterable of lists of str
        A text file, plain or gzip, a sentence a line; or lines; or tokens of sentences. Read once, so generators do.
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
    epochs : int
        Passes over the corpus.
    lr : float
        Initial learning rate; it falls linearly to almost 0.
    threads : int, optional
        None or 0 uses all available. Only with 1 is the result the same every time.
    seed : int
        Of all that is random.
    invalid_utf8 : {"replace", "refuse"}
        What becomes of bytes that are not UTF-8.
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
        If a setting is out of range, or the tables do not fit into memory.
    DataError
        If the corpus cannot be read or has too few words.
    TrainingError
        If training diverges.
    Interrupted
        On Ctrl-C while training, with the vectors so far; a `KeyboardInterrupt`.
    """
    settings = SkipgramSettings(
        dim, window, window_mode, negative, noise_exponent, sample, min_count, epochs, lr, seed
    )  # fmt: skip
    n_threads = resolve_threads(threads)
    require_readable(corpus)
    shown = sys.stderr.isatty() if progress is None else progress
    clock = Stopwatch()
    with ExitStack() as stack:
        with (
            clock("prepare"),
            if_slow(lambda: say("compiling kernels, which is done once …", shown=progress is not False)),
        ):
            _compile_kernels(settings, temp_folder)
        with clock("read"):
            encoded = stack.enter_context(
                encode(corpus, threads=n_threads, invalid_utf8=invalid_utf8, folder=temp_folder)
            )
            for note in encoded.notes:
                warnings.warn(note, stacklevel=2)
            vocabulary = encoded.vocabulary.cut(settings.min_count)
        with clock("prepare"):
            require_memory(
                2 * table_bytes(len(vocabulary), settings.dim),
                f"two tables of {len(vocabulary):,} × {settings.dim}",
                "raise min-count or lower dim",
            )
            model = _Model(encoded, vocabulary, settings)
        try:
            with clock("train"):
                _train(model, n_threads, shown, callback)
        except KeyboardInterrupt:
            raise Interrupted(model.vectors(_report(model, n_threads, clock))) from None
    return model.vectors(_report(model, n_threads, clock))


def _compile_kernels(settings: SkipgramSettings, temp_folder: str | os.PathLike[str] | None) -> None:
    """Compile what a run and saving need, or load it from the cache, by running it on two words."""
    with encode([["two", "words"]], threads=1, folder=temp_folder) as encoded:
        model = _Model(encoded, encoded.vocabulary, replace(settings, dim=1, window=1))
        model.worker()(Chunk(0, 0, 0, 2, settings.lr, settings.lr))
        word2vec_text.format_lines(encoded.vocabulary.words, model.words.rows)


class _Model:
    """The tables of a run and what its workers share."""

    def __init__(self, encoded: EncodedCorpus, vocabulary: Vocabulary, settings: SkipgramSettings) -> None:
        self.encoded, self.vocabulary, self.settings = encoded, vocabulary, settings
        self.history = History()
        counts, n_words = vocabulary.counts, len(vocabulary)
        self.words = Table.uniform(n_words, settings.dim, settings.seed)
        self.contexts = Table.zeros(n_words, settings.dim)

        keep = keep_probability(counts, settings.sample)
        noise = noise_distribution(counts, settings.noise_exponent)
        self._text = kernels.Text(encoded.ids, encoded.offsets)
        self._sampling = kernels.Sampling(keep_thresholds(keep, len(encoded.vocabulary)), *alias_table(noise))
        kept = keep * counts
        window = max(1, min(settings.window, encoded.longest_sentence - 1))
        self._shape = kernels.Shape(
            window=window,
            furthest=settings.window if settings.window_mode == "dynamic" else 0,
            negative=settings.negative,
            n_inputs=block_size(settings, window, max(kept.max() / kept.sum(), noise.max())),
            dim=padded(settings.dim),
            sink=n_words * padded(settings.dim),
            loss_every=_LOSS_EVERY,
        )

    def worker(self) -> Callable[[Chunk], ChunkResult]:
        """A function that trains on a chunk, for one thread: its scratch memory is its own."""
        scratch = kernels.make_scratch(self._shape, _N_NOISE, _LARGEST_CHUNK)
        W, C, seed = self.words.flat, self.contexts.flat, self.settings.seed

        def train(chunk: Chunk) -> ChunkResult:
            loss, pairs, kept = kernels.train_chunk(
                W, C, self._text, chunk.begin, chunk.end, self._sampling, self._shape, scratch,
                _random_key(seed, chunk.epoch), _random_key(seed, chunk.epoch, chunk.number),
                np.float32(chunk.first_lr), np.float32(chunk.last_lr),
            )  # fmt: skip
            return ChunkResult(chunk.end - chunk.begin, kept, loss, pairs, chunk.last_lr)

        return train

    def vectors(self, report: TrainingReport | None = None) -> WordVectors:
        """The tables as they are now; views, not copies."""
        made = {"model": "skipgram", **asdict(self.settings), "version": __version__}
        return WordVectors(
            self.vocabulary.words,
            self.words.rows,
            self.vocabulary.counts,
            self.contexts.rows,
            settings=made,
            report=report,
        )


def _random_key(seed: int, *numbers: int) -> np.uint64:
    """64 bits that depend on the seed and on all the numbers, and on how many they are."""
    return np.random.SeedSequence(seed, spawn_key=numbers).generate_state(1, np.uint64)[0]


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


def _train(model: _Model, n_threads: int, shown: bool, callback: Callable[[Epoch], object] | None) -> None:
    """Train all epochs, and see that the result is finite."""
    settings, n_tokens = model.settings, len(model.encoded.ids)
    progress = Progress(n_tokens * settings.epochs, shown=shown)
    try:
        for result in train_epochs(
            [model.worker() for _ in range(n_threads)],
            n_tokens,
            epochs=settings.epochs,
            lr=settings.lr,
            largest_chunk=_LARGEST_CHUNK,
            loss_limit=2 * (1 + settings.negative) * math.log(2),
            history=model.history,
            progress=progress,
        ):
            if callback is not None and callback(Epoch(*result, vectors=model.vectors())):
                break
    finally:
        progress.close()
    if not (word2vec_text.all_finite(model.words.flat) and word2vec_text.all_finite(model.contexts.flat)):
        raise TrainingError(f"training ended with vectors that are not finite; try --lr {settings.lr / 4:.2g}")


def _report(model: _Model, n_threads: int, clock: Stopwatch) -> TrainingReport:
    history, vocabulary = model.history, model.encoded.vocabulary
    covered = model.vocabulary.n_tokens
    share = covered / vocabulary.n_tokens
    return TrainingReport(
        tokens=vocabulary.n_tokens,
        types=len(vocabulary),
        words=len(model.vocabulary),
        covered=covered,
        threads=n_threads,
        kept_share=history.kept / max(1, history.tokens) / share,
        losses=history.losses,
        words_per_second=history.tokens / max(history.seconds, 1e-9),
        seconds=dict(clock.seconds),
    )
