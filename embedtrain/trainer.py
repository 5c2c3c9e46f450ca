"""The run: what every model's training is made of, from a corpus to vectors, and how it is survived."""

from __future__ import annotations

import math
import os
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from itertools import takewhile
from numbers import Integral, Real
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from embedtrain._version import __version__
from embedtrain.corpus.cache import encode_cached
from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.encoding import encode
from embedtrain.corpus.sources import Corpus, CorpusLike
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.corpus.vocabulary_file import read_vocabulary, write_vocabulary
from embedtrain.errors import DataError, Interrupted, SettingError, TrainingError
from embedtrain.machine.files import require_apart, require_writable, temporary_folder
from embedtrain.machine.interrupts import deferred_interrupts
from embedtrain.machine.memory import available_memory, format_bytes, require_memory
from embedtrain.machine.progress import Progress, Stopwatch, say
from embedtrain.machine.threads import if_slow, resolve_threads, run_tasks
from embedtrain.training.checkpoint import Checkpoint
from embedtrain.training.loop import LARGEST_CHUNK, Chunk, EpochResult, History, evaluate, plan_chunks, train_epochs
from embedtrain.training.loss import ChunkResult
from embedtrain.training.tables import Table, table_bytes
from embedtrain.vectors.reports import Epoch, Plan, TrainingReport
from embedtrain.vectors.word2vec_text import all_finite, format_lines
from embedtrain.vectors.word_vectors import WordVectors

_PROBE = 1.0  # seconds of training that tell its speed
_MIN_COUNTS = (1, 2, 3, 5, 10, 20, 50, 100)
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


@dataclass(frozen=True)
class RunOptions:
    """How a run goes about its work; see `train_skipgram`."""

    threads: int | None = None
    read_vocab: str | os.PathLike[str] | None = None
    save_vocab: str | os.PathLike[str] | None = None
    cache: str | os.PathLike[str] | None = None
    temp_folder: str | os.PathLike[str] | None = None
    checkpoint: str | os.PathLike[str] | None = None
    checkpoint_minutes: float = 10.0
    resume: str | os.PathLike[str] | None = None
    valid: CorpusLike | None = None
    patience: int | None = None
    init: str | os.PathLike[str] | WordVectors | None = None
    freeze: bool = False
    progress: bool | None = None
    callback: Callable[[Epoch], object] | None = None

    def require_sense(self, valid_share: float) -> None:
        """See that the options go together, and that the outputs could be written.

        Raises
        ------
        SettingError
            If they do not.
        DataError
            If one could not.
        """
        minutes = self.checkpoint_minutes
        if not isinstance(minutes, Real) or not float(minutes) >= 0:
            raise SettingError(f"checkpoint_minutes must be at least 0, got {minutes!r}; 10 is usual")
        if self.valid is not None and valid_share:
            raise SettingError("valid and valid_share both give held-out text; leave one of them out")
        if self.patience is not None and (not isinstance(self.patience, Integral) or self.patience < 1):
            raise SettingError(f"patience must be a whole number of epochs, at least 1, got {self.patience!r}")
        if self.patience is not None and self.valid is None and not valid_share:
            raise SettingError("patience needs held-out text: name it with valid, or take it with valid_share")
        if self.freeze and self.init is None and self.resume is None:
            raise SettingError("freeze keeps the vectors of init as they are; name their file with init")
        for path in (self.checkpoint, self.save_vocab):
            if path is not None:
                require_writable(path)


class Texts(NamedTuple):
    """What a run reads."""

    whole: EncodedCorpus
    training: EncodedCorpus
    held_out: EncodedCorpus | None
    vocabulary: Vocabulary  # the words that get vectors
    covered: int  # tokens of the whole that are among them


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
        self.settings, self.options, self._build = settings, options, build
        self._made_with = {"model": name, **asdict(settings)}
        self.n_threads = resolve_threads(options.threads)
        self.corpus = Corpus.of(corpus)
        self.corpus.require_readable()
        self.valid = None
        if options.valid is not None:
            self.valid = options.valid if isinstance(options.valid, Corpus) else self.corpus.like(options.valid)
            self.valid.require_readable()
        options.require_sense(settings.valid_share)
        inputs = {"the corpus": self.corpus, "the held-out text": self.valid}
        files = {name: [] if text is None or text.in_memory else text.files() for name, text in inputs.items()}
        init = options.init if isinstance(options.init, (str, os.PathLike)) else None
        require_apart(
            {**files, "read_vocab": [options.read_vocab], "init": [init]},
            {"checkpoint": options.checkpoint, "save_vocab": options.save_vocab},
        )
        self._saved = None if options.resume is None else Checkpoint.load(options.resume)
        if self._saved is not None:
            self._saved.require_settings(self._made_with)
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
            contexts = vectors.vectors if vectors.context_vectors is None else vectors.context_vectors
            if contexts.shape != vectors.vectors.shape or not (all_finite(vectors.vectors) and all_finite(contexts)):
                raise DataError("the vectors to start from are not finite, or their context vectors of another shape")
        return vectors

    def train(self) -> WordVectors:
        """Do it; see `train_skipgram` for what is returned and raised."""
        with ExitStack() as stack:
            self._compile()
            with self.clock("read"):
                self.texts = self._read(stack)
            with self.clock("prepare"):
                self.model = self._prepare()
            if self.options.save_vocab is not None:
                write_vocabulary(self.options.save_vocab, self.texts.vocabulary)
            try:
                self._train()
            except KeyboardInterrupt:
                raise Interrupted(self.vectors(self.report())) from None
        return self.vectors(self.report())

    def plan(self) -> Plan:
        """Read the corpus and say what training would do and take, without doing it."""
        with ExitStack() as stack:
            self._compile()
            with self.clock("read"):
                texts = self.texts = self._read(stack)
            needed, free = self._memory(), available_memory()
            fits = sum(needed.values()) <= free
            speed = math.nan
            if fits:
                model = self._build(
                    texts.training, texts.vocabulary, self.settings, np.zeros(0, np.uint8), self.n_threads
                )
                needed["work of the threads"] = model.scratch_bytes * self.n_threads
                speed = self._probe(model)
        whole, vocabulary = texts.whole, texts.vocabulary
        left = self.settings.epochs * len(texts.training.ids) - self.history.tokens
        counts = whole.vocabulary.counts
        frequent = [whole.vocabulary.n_frequent(least) for least in _MIN_COUNTS]
        copies = (self.settings.valid_share > 0) + (self._known is not None)
        return Plan(
            tokens=len(whole.ids),
            types=len(whole.vocabulary),
            sentences=whole.n_sentences,
            words=len(vocabulary),
            covered=texts.covered,
            coverage=[(least, n, int(counts[:n].sum())) for least, n in zip(_MIN_COUNTS, frequent, strict=True)],
            removed_share=1 - self.settings.kept_share(vocabulary.counts),
            memory=needed,
            free_memory=free,
            disk=max(2, 1 + copies) * (4 * len(whole.ids) + 8 * whole.n_sentences),
            words_per_second=speed,
            seconds={"read": self.clock.seconds["read"], "train": left / speed},
        )

    def _probe(self, model: Model) -> float:
        """Words a second that the model trains on: what it learns is thrown away."""
        workers = [model.worker(thread) for thread in range(self.n_threads)]
        chunks = plan_chunks(len(self.texts.training.ids), 0, 1, self.settings.lr, LARGEST_CHUNK)
        n_tokens, began = 0, time.perf_counter()
        for result in run_tasks(workers, takewhile(lambda _: time.perf_counter() - began < _PROBE, chunks)):
            n_tokens += result.tokens
        return n_tokens / (time.perf_counter() - began)

    # --- Before training --------------------------------------------------------------------------------------------

    def _compile(self) -> None:
        """Compile what a run and saving need, or load it from the cache, by doing it for two words."""
        slow = if_slow(lambda: say("compiling kernels, which is done once …", shown=self.options.progress is not False))
        folder = self.options.temp_folder
        encoded_words = encode([["two", "words"]], threads=1, folder=folder)
        with self.clock("prepare"), deferred_interrupts(), slow, encoded_words as encoded:
            words, small = encoded.vocabulary.cut(1), replace(self.settings, dim=1, window=1)
            model = self._build(encoded, words, small, np.zeros(0, np.uint8), 1)
            model.worker(0)(Chunk(0, 0, 0, 2, 0.0, 0.0))
            format_lines(words.words, model.words.rows)

    def _encode(self, stack: ExitStack, corpus: Corpus) -> EncodedCorpus:
        options = self.options
        with Progress(None, shown=self._shown) as progress:
            encoded = stack.enter_context(
                encode(corpus, threads=self.n_threads, folder=options.temp_folder, progress=progress)
                if options.cache is None
                else encode_cached(corpus, options.cache, threads=self.n_threads, progress=progress)
            )
        self._note(encoded.notes)
        return encoded

    def _note(self, notes: tuple[str, ...]) -> None:
        for note in notes:
            warnings.warn(note, stacklevel=2)

    def _read(self, stack: ExitStack) -> Texts:
        """Encode all text, choose the words, and set held-out text apart."""
        settings, options = self.settings, self.options
        whole = self._encode(stack, self.corpus)
        vocabulary = (self._known or whole.vocabulary).cut(settings.min_count, settings.max_vocab)
        training, held_out, covered = whole, None, vocabulary.n_tokens
        if self._known or self.valid or settings.valid_share:
            folder = stack.enter_context(temporary_folder(options.temp_folder or options.cache))
            if self._known:
                training = whole.with_vocabulary(vocabulary, folder / "known")
                self._note(training.notes[len(whole.notes) :])
                covered = len(training.ids)
            if settings.valid_share:
                training, held_out = training.split(settings.valid_share, settings.seed, folder)
            elif self.valid:
                held_out = self._encode(stack, self.valid).with_vocabulary(vocabulary, folder / "valid")
                self._note_overlap()
        return Texts(whole, training, held_out, vocabulary, covered)

    def _note_overlap(self) -> None:
        """Say so if the held-out text is none."""
        if self.valid is None or self.valid.in_memory or self.corpus.in_memory:
            return
        trained = {os.path.realpath(path) for path in self.corpus.files()}
        for path in self.valid.files():
            if os.path.realpath(path) in trained:
                self._note((f"{path} is also trained on: the loss on it is no held-out loss",))

    def _memory(self) -> dict[str, int]:
        n_words, dim = len(self.texts.vocabulary), self.settings.dim
        return {f"two tables of {n_words:,} × {dim}": 2 * table_bytes(n_words, dim), "words": _WORD_BYTES * n_words}

    def _prepare(self) -> Model:
        """The model as it starts, or where it was."""
        needed = self._memory()
        require_memory(sum(needed.values()), " and ".join(needed), "raise min-count, or lower dim or max-vocab")
        say(f"memory   {format_bytes(sum(needed.values()))} for {' and '.join(needed)}", shown=self._shown)
        vocabulary, saved = self.texts.vocabulary, self._saved
        frozen = np.zeros(0, np.uint8)
        if saved is not None:
            saved.require_text(self._text(), list(vocabulary.words), vocabulary.counts)
            frozen = saved.frozen
        shared, rows = self._shared()
        if self.options.freeze and self._initial is not None:
            frozen = np.zeros(len(vocabulary), np.uint8)
            frozen[shared] = 1
        self._frozen = frozen
        model = self._build(self.texts.training, vocabulary, self.settings, frozen, self.n_threads)
        if self._initial is not None:
            model.words.rows[shared] = self._initial.vectors[rows]
            if self._initial.context_vectors is not None:
                model.contexts.rows[shared] = self._initial.context_vectors[rows]
            self._initial = None
        if saved is not None:
            model.words.rows[:], model.contexts.rows[:] = saved.word_vectors, saved.context_vectors
            self._saved = None
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
            pause = _Pause(interrupted, self._checkpoint, self.options)
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
                self._note(("the held-out text has no loss: no sentence of it keeps two words",))
        if options.callback is not None:
            number, epochs, loss, lr, speed = result
            epoch = Epoch(number, epochs, loss, valid_loss, lr, speed, self.vectors())
            history.stopped = bool(options.callback(epoch))
        if options.patience is not None:
            best = int(np.argmin(history.valid_losses))
            history.stopped |= len(history.valid_losses) - 1 - best >= options.patience

    def _text(self) -> dict[str, int]:
        """What tells the text of a checkpoint from others."""
        training, types = self.texts.training, len(self.texts.whole.vocabulary)
        return {"tokens": len(training.ids), "types": types, "sentences": training.n_sentences}

    def _checkpoint(self) -> None:
        """See that the tables are finite, and write a checkpoint if one is wanted."""
        words, contexts = self.model.words.rows, self.model.contexts.rows
        if not (all_finite(words) and all_finite(contexts)):
            lr = self.settings.lr / 4
            raise TrainingError(f"training came to vectors that are not finite; try --lr {lr:.2g}")
        path = self.options.checkpoint
        if path is None:
            return
        vocabulary, options = self.texts.vocabulary, self.options
        files = {"valid": options.valid, "read_vocab": options.read_vocab}
        named: dict[str, Any] = {"patience": options.patience}
        named.update((name, os.fspath(file)) for name, file in files.items() if isinstance(file, (str, os.PathLike)))
        with self.clock("checkpoint"):
            Checkpoint(
                self._made_with, named, self._text(), self.history, list(vocabulary.words), vocabulary.counts,
                words, contexts, self._frozen,
            ).save(path)  # fmt: skip

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
        in_training = 1.0 if self._known else texts.covered / whole.n_tokens
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


class _Pause:
    """Interrupts and checkpoints, at moments when tables and history belong together."""

    def __init__(self, interrupted: Callable[[], bool], checkpoint: Callable[[], None], options: RunOptions) -> None:
        self._interrupted, self._checkpoint = interrupted, checkpoint
        self._wanted = options.checkpoint is not None
        self._seconds = 60 * options.checkpoint_minutes if self._wanted else math.inf
        self._due = time.monotonic() + self._seconds

    def is_due(self) -> bool:
        """Whether someone interrupted, or it is time for a checkpoint."""
        return self._interrupted() or time.monotonic() >= self._due

    def take(self) -> None:
        """Write the checkpoint; then, if there was an interrupt, raise it."""
        interrupted = self._interrupted()
        if self._wanted and (interrupted or time.monotonic() >= self._due):
            try:
                self._checkpoint()
            except DataError as error:
                if not interrupted:
                    raise
                warnings.warn(f"no checkpoint: {error}", stacklevel=2)  # the vectors may still be saved
            self._due = time.monotonic() + self._seconds
        if interrupted:
            raise KeyboardInterrupt
