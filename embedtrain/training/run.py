"""The run: what every model's training is made of, from its material to vectors, and how it is survived."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain._version import __version__
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.corpus.vocabulary_file import write_vocabulary
from embedtrain.errors import DataError, EmbedtrainError, Interrupted, OutputError, TrainingError
from embedtrain.formats.table import all_finite
from embedtrain.formats.text import format_lines
from embedtrain.machine.interrupts import deferred_interrupts
from embedtrain.machine.memory import format_bytes, require_memory
from embedtrain.machine.progress import Progress, Stopwatch, note, say
from embedtrain.machine.threads import resolve_threads
from embedtrain.training.checkpoint import Checkpoint
from embedtrain.training.checkpoint_timer import Pauses
from embedtrain.training.compiling import compiling
from embedtrain.training.initial_vectors import InitialVectors
from embedtrain.training.loop import EpochResult, History, evaluate, train_epochs
from embedtrain.training.loss import ChunkResult, LossMeter
from embedtrain.training.options import RunOptions
from embedtrain.training.protocols import Model, Source
from embedtrain.training.reports import Epoch
from embedtrain.training.tables import table_bytes
from embedtrain.vectors.training_report import TrainingReport
from embedtrain.vectors.word_vectors import WordVectors

WORD_BYTES = 200  # of a word: its string, its place in a list and in an index, about


_LOSS_OF = {"words": "pair", "cells": "cell"}  # what has a loss, by what is passed


class Run:
    """A run of a model.

    Parameters
    ----------
    name : str
        Of the model.
    source : Source
    settings : dataclass
        Of the model.
    options : RunOptions
    build : type of Model

    Raises
    ------
    SettingError, DataError
        For all that can be seen before the source is read.
    """

    def __init__(self, name: str, source: Source, settings: Any, options: RunOptions, build: type[Model]) -> None:
        self.source, self.settings, self.options, self.build = source, settings, options, build
        self._made_with = {"model": name, **source.made_with(settings)}
        self._saved = None if options.resume is None else Checkpoint.load(options.resume)
        if self._saved is not None:
            self._saved.require_settings(self._made_with)
            if options.init is not None or options.freeze:
                note("init and freeze are as the checkpoint has them; what is said of them now is not looked at")
        self.n_threads = resolve_threads(options.threads)
        self._initial = InitialVectors.of(None if self._saved else options.init, settings.dim)
        self.history = History() if self._saved is None else self._saved.history
        self.clock = Stopwatch()
        self.shown = options.shown

    def train(self) -> WordVectors:
        """Do it; see `train_skipgram` for what is returned and raised."""
        with ExitStack() as stack:
            self.compile()
            self.read(stack)
            with self.clock("prepare"):
                self.model = self._prepare()
            if self.options.save_vocab is not None:
                write_vocabulary(self.options.save_vocab, self.vocabulary)
            try:
                self._train()
            except KeyboardInterrupt:
                raise Interrupted(self.vectors(self.report())) from None
        return self.vectors(self.report())

    # --- Before training --------------------------------------------------------------------------------------------

    def compile(self) -> None:
        """Compile what a run and saving need, or load it from the cache, by doing it for two words."""
        with self.clock("prepare"), compiling(self.options), self.source.sample() as material:
            model = self.build(material, replace(self.settings, dim=1), np.zeros(0, np.uint8), 1)
            model.worker(0)(model.schedule.tasks(0)[0])
            format_lines(material.vocabulary.words, model.state["word_vectors"])

    def read(self, stack: ExitStack) -> Any:
        """Read the material, which lasts as long as the stack."""
        self.material = self.source.read(stack, self.clock, self.shown)
        self.vocabulary: Vocabulary = self.material.vocabulary
        return self.material

    def memory(self) -> dict[str, int]:
        """What a run takes, in bytes by purpose."""
        n_words, dim = len(self.vocabulary), self.settings.dim
        needed = {**self.build.memory(self.material, self.settings), "words": WORD_BYTES * n_words}
        if self._saved is not None:
            needed["a table and the words of the checkpoint"] = table_bytes(n_words, dim) + WORD_BYTES * n_words
        return needed

    def _prepare(self) -> Model:
        """The model as it starts, or where it was."""
        needed = self.memory()
        require_memory(sum(needed.values()), " and ".join(needed), self.material.remedy)
        self.vocabulary = self.vocabulary.unpacked()
        say(f"memory   {format_bytes(sum(needed.values()))} for {' and '.join(needed)}", shown=self.shown)
        if self._saved is not None:
            saved, self._saved = self._saved, None
            return self._restored(saved)
        initial, self._initial = self._initial, None  # it may be large
        shared = None if initial is None else initial.shared(self.vocabulary.words)
        self._frozen = np.zeros(len(self.vocabulary) if self.options.freeze else 0, np.uint8)
        if initial is not None and shared is not None:
            say(
                f"start    {len(shared.rows):,} of {len(self.vocabulary):,} words have vectors to start from",
                shown=self.shown,
            )
            if self.options.freeze:
                self._frozen[shared.rows] = 1
        model = self.built(self._frozen)
        if initial is not None and shared is not None:
            initial.put(shared, model.state["word_vectors"], model.state.get("context_vectors"))
        return model

    def built(self, frozen: NDArray[np.uint8]) -> Model:
        """The model at its start; `frozen` is 1 for words that stay as they are, or empty."""
        return self.build(self.material, self.settings, frozen, self.n_threads)

    def _restored(self, saved: Checkpoint) -> Model:
        """The model as a checkpoint has it."""
        if saved.history.stopped:
            note("the run of this checkpoint was stopped, by patience or a callback; it does not train on")
        self._frozen = saved.frozen
        model = self.built(self._frozen)
        saved.require_text(self._identity(model), list(self.vocabulary.words), self.vocabulary.counts)
        for name, array in model.state.items():
            array[:] = saved.array(name)
        return model

    def _identity(self, model: Model) -> dict[str, int]:
        """What tells this run from others with the same settings."""
        return {**self.material.identity(), **model.schedule.identity()}

    # --- Training ---------------------------------------------------------------------------------------------------

    def _train(self) -> None:
        """Train all epochs that are left, and see that the result is finite."""
        settings, model, held_out = self.settings, self.model, self.material.held_out
        threads = range(self.n_threads)
        workers = [model.worker(thread) for thread in threads]
        judges = [] if held_out is None else [model.worker(thread, held_out) for thread in threads]
        total, done = model.schedule.units * settings.epochs, self.history.passed
        with (
            Progress(total, shown=self.shown, done=done, unit=self.build.unit) as progress,
            deferred_interrupts() as interrupted,
        ):
            pause = Pauses(interrupted, self._checkpoint, self.options)
            for result in train_epochs(
                workers, model.schedule, epochs=settings.epochs,
                meter=LossMeter(model.loss_limit, settings.lr, even=model.even, of=_LOSS_OF[self.build.unit]),
                history=self.history, progress=progress, pause=pause,
            ):  # fmt: skip
                self._finish_epoch(result, judges)
                if self.history.stopped:
                    break
            self._checkpoint()

    def _finish_epoch(self, result: EpochResult, judges: list[Callable[[Any], ChunkResult]]) -> None:
        """Take the held-out loss, tell the callback, and decide whether to go on."""
        history, options, held_out = self.history, self.options, self.material.held_out
        valid_loss = None
        if held_out is not None:
            with self.clock("valid"):
                valid_loss = evaluate(judges, len(held_out.ids), epochs=self.settings.epochs)
            history.valid_losses.append(valid_loss)
            if math.isnan(valid_loss):
                note("the held-out text has no loss: no sentence of it keeps two words")
        if options.patience is not None:
            best = int(np.argmin(history.valid_losses))
            history.stopped = len(history.valid_losses) - 1 - best >= int(options.patience)
        if options.callback is not None:
            number, epochs, loss, lr, speed = result
            epoch = Epoch(number, epochs, loss, valid_loss, lr, speed, self.build.unit, self.vectors())
            try:
                with self._keeping_vectors():
                    history.stopped |= bool(options.callback(epoch))
            except BaseException:
                with suppress(EmbedtrainError):  # the first error is the one to tell of
                    self._checkpoint()
                raise

    def _checkpoint(self) -> None:
        """See that the tables are finite, and write a checkpoint if one is wanted."""
        state = self.model.state
        if not all(all_finite(table) for name, table in state.items() if name.endswith("_vectors")):
            lr = self.settings.lr / 4
            raise TrainingError(f"training came to vectors that are not finite; try --lr {lr:.2g}")
        if self.options.checkpoint is None:
            return
        vocabulary = self.vocabulary
        checkpoint = Checkpoint(
            self._made_with, self._said_again(), self._identity(self.model), self.history, list(vocabulary.words),
            vocabulary.counts, self._frozen,
        )  # fmt: skip
        started = time.perf_counter()
        with self._keeping_vectors():
            checkpoint.save(self.options.checkpoint, state)
        self.clock.seconds["checkpoint"] += time.perf_counter() - started  # there is one, where there is such a time

    def _said_again(self) -> dict[str, Any]:
        """What a command line that resumes the run would have to say again: no settings of the model."""
        options = self.options
        said: dict[str, Any] = {
            "threads": self.n_threads, "checkpoint_every": float(options.checkpoint_every),
            "patience": None if options.patience is None else int(options.patience),
            **self.source.how,
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
        settings = {**self._made_with, "version": __version__}
        counts = self.vocabulary.counts
        known = counts if counts.any() else None
        return WordVectors(
            self.vocabulary.words, counts=known, settings=settings, report=report, **self.model.vectors()
        )

    def report(self) -> TrainingReport:
        """The account of the run so far."""
        history = self.history
        return TrainingReport(
            **self.material.facts(),
            words=len(self.vocabulary),
            threads=self.n_threads,
            kept_share=history.kept / max(1, history.passed) / self.material.covered_share,
            losses=history.losses,
            valid_losses=history.valid_losses,
            speed=history.passed / max(history.seconds, 1e-9),
            unit=self.build.unit,
            seconds={**self.clock.seconds, "train": history.seconds},
        )
