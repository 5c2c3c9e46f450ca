"""The run: what every model's training is made of, from texts to vectors, and how it is survived."""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from embedtrain._version import __version__
from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.encoding import encode
from embedtrain.corpus.sources import Corpus, CorpusLike
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.corpus.vocabulary_file import read_vocabulary, write_vocabulary
from embedtrain.errors import DataError, EmbedtrainError, Interrupted, OutputError, SettingError, TrainingError
from embedtrain.machine.interrupts import deferred_interrupts
from embedtrain.machine.memory import format_bytes, require_memory
from embedtrain.machine.progress import Progress, Stopwatch, note, say
from embedtrain.machine.threads import if_slow, resolve_threads
from embedtrain.runs.options import RunOptions
from embedtrain.runs.pauses import Pauses
from embedtrain.runs.texts import Reader, Texts
from embedtrain.training.checkpoint import Checkpoint
from embedtrain.training.loop import Chunk, EpochResult, History, evaluate, train_epochs
from embedtrain.training.loss import ChunkResult
from embedtrain.training.tables import Table, table_bytes
from embedtrain.vectors.reports import Epoch, TrainingReport
from embedtrain.vectors.word2vec_text import all_finite, format_lines
from embedtrain.vectors.word_vectors import WordVectors

_WORD_BYTES = 200  # of a word: its string, its place in a list and in an index, about


class Model(Protocol):
    """The tables of a run and what works on them."""

    words: Table
    contexts: Table

    @property
    def scratch_bytes(self) -> int:
        """Memory of each thread beside the tables."""

    def worker(self, thread: int, text: EncodedCorpus | None = None) -> Callable[[Chunk], ChunkResult]:
        """A function that trains on a chunk, for thread 0, 1, …; on another `text` it takes the losses of all blocks.

        At a learning rate of 0 no table changes.
        """


class Run:
    """A run of a model.

    Parameters
    ----------
    name : str
        Of the model.
    corpus : Corpus, or what one can be made of
    settings : dataclass
        Of the model.
    options : RunOptions
    build : callable
        Makes the model for a text, the words that get vectors, settings, which words are frozen (or an empty array),
        and a number of threads.

    Raises
    ------
    SettingError, DataError
        For all that can be seen before the corpus is read.
    """

    def __init__(
        self,
        name: str,
        corpus: CorpusLike,
        settings: Any,
        options: RunOptions,
        build: Callable[[EncodedCorpus, Vocabulary, Any, NDArray[np.uint8], int], Model],
    ) -> None:
        self.settings, self.options, self.build = settings, options, build
        self._made_with = {"model": name, **asdict(settings)}
        self._saved = None if options.resume is None else Checkpoint.load(options.resume)
        if self._saved is not None:
            self._saved.require_settings(self._made_with)
        options.require_sense(settings.valid_share)
        self.n_threads = resolve_threads(options.threads)
        self.corpus = Corpus.of(corpus)
        self.corpus.require_readable()
        self.valid = None
        if options.valid is not None:
            self.valid = options.valid if isinstance(options.valid, Corpus) else self.corpus.like(options.valid)
            self.valid.require_readable()
        options.require_apart(self.corpus, self.valid)
        if self._saved is not None and (options.init is not None or options.freeze):
            note("init and freeze are as the checkpoint has them; what is said of them now is not looked at")
        self._known = None if options.read_vocab is None else read_vocabulary(options.read_vocab)
        self._initial = self._load_initial() if self._saved is None else None
        self.history = History() if self._saved is None else self._saved.history
        self.clock = Stopwatch()
        self._shown = sys.stderr.isatty() if options.progress is None else options.progress

    def _load_initial(self) -> WordVectors | None:
        init = self.options.init
        vectors = init if init is None or isinstance(init, WordVectors) else WordVectors.load(init)
        if vectors is not None and (dim := vectors.vectors.shape[1]) != self.settings.dim:
            raise SettingError(
                f"the vectors to start from have {dim} dimensions, dim is {self.settings.dim}; make it {dim}"
            )
        if vectors is not None:
            for table in (vectors.vectors, vectors.context_vectors):
                if table is not None and (table.shape != vectors.vectors.shape or not all_finite(table)):
                    raise DataError(f"init has vectors that are not finite, or not {len(vectors):,} × {dim}")
        return vectors

    def train(self) -> WordVectors:
        """Do it; see `train_skipgram` for what is returned and raised."""
        with ExitStack() as stack:
            self.compile()
            self.read(stack)
            with self.clock("prepare"):
                self.model = self._prepare()
            if self.options.save_vocab is not None:
                write_vocabulary(self.options.save_vocab, self.texts.vocabulary)
            try:
                self._train()
            except KeyboardInterrupt:
                raise Interrupted(self.vectors(self.report())) from None
        return self.vectors(self.report())

    # --- Before training --------------------------------------------------------------------------------------------

    def compile(self) -> None:
        """Compile what a run and saving need, or load it from the cache, by doing it for two words."""
        slow = if_slow(lambda: say("compiling kernels, which is done once …", shown=self.options.progress is not False))
        folder = self.options.temp_folder
        encoded_words = encode([["two", "words"]], threads=1, folder=folder)
        with self.clock("prepare"), deferred_interrupts(), slow, encoded_words as encoded:
            words, small = encoded.vocabulary.cut(1).unpacked(), replace(self.settings, dim=1, window=1)
            model = self.build(encoded, words, small, np.zeros(0, np.uint8), 1)
            model.worker(0)(Chunk(0, 0, 0, 2, 0.0, 0.0))
            format_lines(words.words, model.words.rows)

    def read(self, stack: ExitStack) -> Texts:
        """Encode all text, choose the words, and set held-out text apart, for as long as the stack lasts."""
        settings, options = self.settings, self.options
        reader = Reader(stack, self.n_threads, options.cache, options.temp_folder, self._shown)
        with self.clock("read"):
            self.texts = reader.read(
                self.corpus, self._known, settings.min_count, settings.max_vocab,
                self.valid or settings.valid_share, settings.seed,
            )  # fmt: skip
        return self.texts

    def memory(self) -> dict[str, int]:
        """What a run takes, in bytes by purpose."""
        n_words, dim = len(self.texts.vocabulary), self.settings.dim
        needed = {f"two tables of {n_words:,} × {dim}": 2 * table_bytes(n_words, dim), "words": _WORD_BYTES * n_words}
        if self._saved is not None:
            needed["a table and the words of the checkpoint"] = table_bytes(n_words, dim) + _WORD_BYTES * n_words
        return needed

    def _prepare(self) -> Model:
        """The model as it starts, or where it was."""
        needed = self.memory()
        require_memory(sum(needed.values()), " and ".join(needed), "raise min-count, or lower dim or max-vocab")
        self.texts = self.texts._replace(vocabulary=self.texts.vocabulary.unpacked())
        say(f"memory   {format_bytes(sum(needed.values()))} for {' and '.join(needed)}", shown=self._shown)
        if self._saved is not None:
            saved, self._saved = self._saved, None
            return self._restored(saved)
        vocabulary = self.texts.vocabulary
        shared, rows = self._shared()
        self._frozen = np.zeros(len(vocabulary) if self.options.freeze else 0, np.uint8)
        if self.options.freeze:
            self._frozen[shared] = 1
        model = self.build(self.texts.training, vocabulary, self.settings, self._frozen, self.n_threads)
        if self._initial is not None:
            model.words.rows[shared] = self._initial.vectors[rows]
            if self._initial.context_vectors is not None:
                model.contexts.rows[shared] = self._initial.context_vectors[rows]
            self._initial = None  # it may be large
        return model

    def _restored(self, saved: Checkpoint) -> Model:
        """The model as a checkpoint has it."""
        vocabulary = self.texts.vocabulary
        saved.require_text(self.texts.identity(), list(vocabulary.words), vocabulary.counts)
        if saved.history.stopped:
            note("the run of this checkpoint was stopped, by patience or a callback; it does not train on")
        self._frozen = saved.frozen
        model = self.build(self.texts.training, vocabulary, self.settings, self._frozen, self.n_threads)
        model.words.rows[:] = saved.word_vectors
        model.contexts.rows[:] = saved.context_vectors
        return model

    def _shared(self) -> tuple[list[int], list[int]]:
        """The words that start from given vectors, and the rows there."""
        if self._initial is None:
            return [], []
        words, index = self.texts.vocabulary.words, self._initial.index
        shared = [number for number, word in enumerate(words) if word in index]
        if not shared:
            raise DataError(f"none of the {len(words):,} words is among the {len(index):,} words of init")
        say(f"start    {len(shared):,} of {len(words):,} words have vectors to start from", shown=self._shown)
        return shared, [index[words[number]] for number in shared]

    # --- Training ---------------------------------------------------------------------------------------------------

    def _train(self) -> None:
        """Train all epochs that are left, and see that the result is finite."""
        settings, texts, model = self.settings, self.texts, self.model
        workers = [model.worker(thread) for thread in range(self.n_threads)]
        judges = []
        if texts.held_out is not None:
            judges = [model.worker(thread, texts.held_out) for thread in range(self.n_threads)]
        n_tokens = len(texts.training.ids)
        with (
            Progress(n_tokens * settings.epochs, shown=self._shown, done=self.history.tokens) as progress,
            deferred_interrupts() as interrupted,
        ):
            pause = Pauses(interrupted, self._checkpoint, self.options)
            for result in train_epochs(
                workers, n_tokens, epochs=settings.epochs, lr=settings.lr,
                loss_limit=2 * (1 + settings.negative) * math.log(2),
                history=self.history, progress=progress, pause=pause,
            ):  # fmt: skip
                self._finish_epoch(result, judges)
                if self.history.stopped:
                    break
            self._checkpoint()

    def _finish_epoch(self, result: EpochResult, judges: list[Callable[[Chunk], ChunkResult]]) -> None:
        """Take the held-out loss, tell the callback, and decide whether to go on."""
        history, options, texts = self.history, self.options, self.texts
        valid_loss = None
        if texts.held_out is not None:
            with self.clock("valid"):
                valid_loss = evaluate(judges, len(texts.held_out.ids), epochs=self.settings.epochs)
            history.valid_losses.append(valid_loss)
            if math.isnan(valid_loss):
                note("the held-out text has no loss: no sentence of it keeps two words")
        if options.patience is not None:
            best = int(np.argmin(history.valid_losses))
            history.stopped = len(history.valid_losses) - 1 - best >= int(options.patience)
        if options.callback is not None:
            number, epochs, loss, lr, speed = result
            epoch = Epoch(number, epochs, loss, valid_loss, lr, speed, self.vectors())
            try:
                with self._keeping_vectors():
                    history.stopped |= bool(options.callback(epoch))
            except BaseException:
                with suppress(EmbedtrainError):  # the first error is the one to tell of
                    self._checkpoint()
                raise

    def _checkpoint(self) -> None:
        """See that the tables are finite, and write a checkpoint if one is wanted."""
        words, contexts = self.model.words.rows, self.model.contexts.rows
        if not (all_finite(words) and all_finite(contexts)):
            lr = self.settings.lr / 4
            raise TrainingError(f"training came to vectors that are not finite; try --lr {lr:.2g}")
        if self.options.checkpoint is None:
            return
        vocabulary = self.texts.vocabulary
        checkpoint = Checkpoint(
            self._made_with, self._said_again(), self.texts.identity(), self.history, list(vocabulary.words),
            vocabulary.counts, self._frozen,
        )  # fmt: skip
        started = time.perf_counter()
        with self._keeping_vectors():
            checkpoint.save(self.options.checkpoint, words, contexts)
        self.clock.seconds["checkpoint"] += time.perf_counter() - started  # there is one, where there is such a time

    def _said_again(self) -> dict[str, Any]:
        """What a command line that resumes the run would have to say again: no settings of the model."""
        options, corpus = self.options, self.corpus
        said: dict[str, Any] = {
            "threads": self.n_threads, "checkpoint_every": float(options.checkpoint_every),
            "patience": None if options.patience is None else int(options.patience),
            "field": corpus.field, "lowercase": corpus.lowercase, "invalid_utf8": corpus.invalid_utf8,
        }  # fmt: skip
        files = {"valid": options.valid, "read_vocab": options.read_vocab}
        said.update(
            (name, os.fspath(file) if str(file) == "-" else os.path.abspath(file))
            for name, file in files.items()
            if isinstance(file, (str, os.PathLike))
        )
        return said

    @contextmanager
    def _keeping_vectors(self) -> Iterator[None]:
        """Let the error of an output that cannot be written carry what was trained."""
        try:
            yield
        except DataError as error:
            raise OutputError(str(error), self.vectors(self.report())) from error

    # --- Afterwards -------------------------------------------------------------------------------------------------

    def vectors(self, report: TrainingReport | None = None) -> WordVectors:
        """The tables as they are now; views, not copies."""
        vocabulary, model = self.texts.vocabulary, self.model
        settings = {**self._made_with, "version": __version__}
        return WordVectors(
            vocabulary.words, model.words.rows, vocabulary.counts, model.contexts.rows, settings=settings, report=report
        )

    def report(self) -> TrainingReport:
        """The account of the run so far."""
        history, texts = self.history, self.texts
        whole = texts.whole.vocabulary
        in_training = 1.0 if self._known is not None else texts.covered / whole.n_tokens
        return TrainingReport(
            tokens=whole.n_tokens,
            types=len(whole),
            words=len(texts.vocabulary),
            covered=texts.covered,
            threads=self.n_threads,
            kept_share=history.kept / max(1, history.tokens) / in_training,
            losses=history.losses,
            valid_losses=history.valid_losses,
            words_per_second=history.tokens / max(history.seconds, 1e-9),
            seconds={**self.clock.seconds, "train": history.seconds},
        )
