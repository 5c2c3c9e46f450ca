"""A training run: reads its data, trains a model on them, writes checkpoints, and returns the vectors."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain._version import __version__
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.corpus.vocabulary_file import write_vocabulary
from embedtrain.errors import DataError, EmbedtrainError, Interrupted, OutputError, TrainingError, quoted
from embedtrain.formats.table import all_finite
from embedtrain.formats.text import format_lines
from embedtrain.machine.interrupts import deferred_interrupts
from embedtrain.machine.memory import available_memory, format_bytes, require_memory
from embedtrain.machine.progress import Progress, Stopwatch, counted, listed, note, say
from embedtrain.machine.threads import resolve_threads
from embedtrain.machine.words import first_duplicate
from embedtrain.training.checkpoint import Checkpoint, CheckpointTimer
from embedtrain.training.initial_vectors import FROZEN, InitialVectors
from embedtrain.training.loop import EpochResult, History, evaluate, train_epochs, training_speed
from embedtrain.training.loss import ChunkResult, LossMeter, check_learned, lower_lr
from embedtrain.training.protocols import DataSource, Model, TrainingData
from embedtrain.training.reports import Epoch, Plan
from embedtrain.training.settings import TrainingSettings
from embedtrain.vectors.training_report import LOSS_OF, TrainingReport
from embedtrain.vectors.word_vectors import WordVectors

WORD_BYTES = 200  # of a word, about: its string, its entries in a list and an index
_FIRST = 1000  # words, the most frequent, whose vectors are compared with those before training


class Run:
    """A training run of a model on the data of a source, checked as far as possible before the source is read."""

    def __init__(self, settings: TrainingSettings, source: DataSource, model: type[Model]) -> None:
        self.source, self.model_type = source, model
        self.n_threads, self.ranks = resolve_threads(settings.threads), settings.all_ranks
        self._all_threads = sum(self.ranks.gather(self.n_threads))
        self._saved = None if settings.resume is None else Checkpoint.load(settings.resume)
        self._initial: InitialVectors | None = None
        self._kept_words: Sequence[str] = ()  # in addition to those of the data
        self._held_bytes = 0  # of the memory of the run, allocated already
        dim, self._init_words = settings.dim, "shared"
        if self._saved is not None:
            dim = dim or self._saved.settings["dim"]
            self._init_words = self._saved.options.get("init_words", "shared")
            self._kept_words = self._saved.words if self._init_words == "union" else ()
        elif settings.init is not None:
            self._init_words = settings.init_words
            self._initial = InitialVectors(settings.init, dim, only_shared=self._init_words == "shared")
            self._kept_words, dim = self._initial.kept_words, self._initial.dim
            self._held_bytes = self._initial.held_bytes
            settings = settings.with_initial(self._initial.subwords)
            if settings.freeze == "contexts":
                self._initial.require_contexts()
        self.settings = replace(settings, dim=dim)
        of_run = self.settings.kept("result")
        kept = {name: of_run.get(name, value) for name, value in source.provenance().items()}
        self._provenance = {"model": settings.model, **kept, "dim": self.settings.n_dims}
        if self._saved is not None:
            self._check_saved(self._saved)
        for name, value in {"version": __version__, **self._provenance}.items() if self.ranks.size > 1 else ():
            self.ranks.require_equal(f"`{name}`", value)
        self.history = History() if self._saved is None else self._saved.history
        self.clock = Stopwatch()
        self.shown = settings.shown

    def _check_saved(self, saved: Checkpoint) -> None:
        """Check that the checkpoint has the settings of the run, and note what they change."""
        settings = self.settings
        saved.check_settings(self._provenance, type(settings)().kept("result"))
        if settings.init is not None or settings.freeze:
            note("`init` and `freeze` are taken from the checkpoint; the values given now are ignored")
        epochs = saved.settings["epochs"]
        if saved.history.stopped:
            note("the run of this checkpoint was stopped, by patience or a callback; it does not train further")
        elif settings.epochs > epochs:
            now = settings.epochs
            note(f"`epochs` was {epochs} and is now {now}; the learning rate continues as in a run of {now}")
        elif len(saved.history.losses) == epochs:
            note(f"the run of this checkpoint is done, nothing is left to train; `epochs` above {epochs} continue it")

    def train(self) -> WordVectors:
        """Train, with results and exceptions as of `train_skipgram`."""
        self.read()
        self.compile()
        with self.clock("prepare"):
            self.model = self._prepare()
        if self.settings.save_vocab is not None and self.ranks.rank == 0:
            write_vocabulary(self.settings.save_vocab, self.vocabulary)
        try:
            self._train()
        except KeyboardInterrupt:
            raise Interrupted(self._result()) from None
        return self._result()

    def plan(self) -> Plan:
        """Read the data and return the expected work, memory and time of `train`."""
        data = self.read()
        self.compile()
        needed, free, speed = self.memory(), available_memory() + self._held_bytes, math.nan
        if sum(needed.values()) <= free:
            model = self.new_model(np.zeros(0, np.uint8))
            if model.scratch_bytes:
                needed["work of the threads"] = model.scratch_bytes * self.n_threads
            speed = training_speed([model.worker(thread) for thread in range(self.n_threads)], model.schedule)
        texts = data.texts
        left = self.settings.epochs * data.n_items - self.history.passed
        before = {stage: self.clock.seconds[stage] for stage in ("read", "count") if stage in self.clock.seconds}
        return Plan(
            **{"tokens": 0, "types": 0, "covered": 0, "cells": 0, **data.summary()},
            sentences=0 if texts is None else sum(self.ranks.gather(texts.whole.n_sentences)),
            words=len(self.vocabulary),
            coverage=[] if texts is None or "min_count" in self.settings.without else texts.whole.vocabulary.coverage(),
            removed_share=1 - self.settings.kept_share(self.vocabulary.counts),
            memory=needed,
            free_memory=free,
            disk=data.disk,
            speed=speed,
            unit=self.model_type.item_name,
            seconds={**before, "train": left / speed},
        )

    # --- Before training --------------------------------------------------------------------------------------------

    def compile(self) -> None:
        """Compile the kernels of training and saving, or load them from the cache, by training on two words."""
        with self.clock("prepare"), self.settings.compiling():
            data = self.source.sample()
            kept = self.settings.freeze if self._saved is None else self._saved.frozen.max(initial=0)
            fixed = kept in ("contexts", FROZEN["contexts"])  # which has a kernel of its own
            frozen = np.full(len(data.vocabulary) * fixed, FROZEN["contexts"], np.uint8)
            model = self.model_type(data, replace(self.settings, dim=1, ranks=None), frozen, 1)
            model.worker(0)(model.schedule.tasks(0)[0])
            format_lines(data.vocabulary.words, model.state["word_vectors"])

    def read(self) -> TrainingData:
        """Read the data."""
        self.data: TrainingData = self.source.read(self.clock, self.shown, self._kept_words)
        self.vocabulary: Vocabulary = self.data.vocabulary
        return self.data

    def memory(self) -> dict[str, int]:
        """The memory of a run in bytes by purpose."""
        n_words = len(self.vocabulary)
        needed = {**self.model_type.memory(self.data, self.settings), "words": WORD_BYTES * n_words}
        if self.ranks.size > 1 and self.model_type.exchanges.copies_tables:
            needed["the tables at the last exchange"] = max(needed.values())
        if self._initial is not None and self._initial.n_bytes(n_words):
            needed["the vectors to start from"] = self._initial.n_bytes(n_words)
        if self._saved is not None:
            needed["the words of the checkpoint"] = WORD_BYTES * n_words
        return needed

    def new_model(self, frozen: NDArray[np.uint8]) -> Model:
        """Make an untrained model; `frozen`, (n_words,), says by `FROZEN` which vectors are kept, or is empty."""
        return self.model_type(self.data, self.settings, frozen, self.n_threads)

    def _prepare(self) -> Model:
        """Make the model, untrained, with initial vectors or as in the checkpoint."""
        needed = self.memory()
        require_memory(sum(needed.values()) - self._held_bytes, listed(needed), self.data.remedy)
        self.vocabulary = self.vocabulary.unpacked()
        if twice := first_duplicate(self.vocabulary.words):
            raise DataError(f"the word {quoted(twice)} appears twice in the vocabulary; name every word once")
        say(f"memory   {format_bytes(sum(needed.values()))} for {listed(needed)}", shown=self.shown)
        if self._saved is not None:
            saved, self._saved = self._saved, None
            return self._restored(saved)
        initial, self._initial = self._initial, None  # to free it, as it may be large
        self._frozen = np.zeros(len(self.vocabulary) if self.settings.freeze else 0, np.uint8)
        if initial is None:
            return self.new_model(self._frozen)
        rows, n_absent = initial.shared(self.vocabulary), np.count_nonzero(self.vocabulary.absent)
        found = f"{len(rows):,} of {len(self.vocabulary):,} words have vectors to start from"
        moved = "move only by shared n-grams" if getattr(self.settings, "subwords", None) else "stay as they are"
        kept = f"; {n_absent:,} are not in the text and {moved}" if n_absent else ""
        say(f"start    {found}{kept}", shown=self.shown)
        if self.settings.freeze:
            self._frozen[rows] = FROZEN[str(self.settings.freeze)]
        model = self.new_model(self._frozen)
        initial.copy(rows, self.vocabulary, model.state)
        model.start_from(rows, initial.subwords)
        return model

    def _restored(self, saved: Checkpoint) -> Model:
        """Restore the model from a checkpoint."""
        self._frozen = saved.frozen
        model = self.new_model(self._frozen)
        saved.check_data(self._fingerprint(model), list(self.vocabulary.words), self.vocabulary.counts)
        saved.restore(model)
        model.exchanges.find_position(self.history, model.schedule, self.ranks)
        return model

    def _fingerprint(self, model: Model) -> dict[str, int]:
        """Numbers that identify the data, for the same settings."""
        return {**self.data.fingerprint(), **model.schedule.fingerprint()}

    # --- Training ---------------------------------------------------------------------------------------------------

    def _train(self) -> None:
        """Train the remaining epochs."""
        settings, model, held_out = self.settings, self.model, self.data.held_out
        workers = [model.worker(thread) for thread in range(self.n_threads)]
        evaluators = [] if held_out is None else [model.worker(thread, held_out) for thread in range(self.n_threads)]
        meter = LossMeter(
            model.loss_limit, lower_lr(settings), check_within_epoch=model.check_within_epoch,
            of=LOSS_OF[model.item_name],
        )  # fmt: skip
        n_items = model.exchanges.n_items(model.schedule, self.ranks)
        self._identity = self._fingerprint(model)
        own = model.schedule.n_items * settings.epochs
        done = own * self.history.passed // (n_items * settings.epochs)
        minutes = None if settings.checkpoint is None else settings.checkpoint_every
        first = model.state["word_vectors"][:_FIRST]
        resumed, before = self.history.passed > 0, first.copy()
        with (
            Progress("training", own, shown=self.shown, done=done, unit=model.item_name) as progress,
            deferred_interrupts() as interrupted,
        ):
            timer = CheckpointTimer(interrupted, self._checkpoint, minutes)
            exchanges = None
            if self.ranks.size > 1:
                exchanges = model.exchanges(self.ranks, model, settings, self.history, meter, timer)
                n_machines = len(set(self.ranks.hosts))
                on = f"{counted(n_machines, 'machine')} with {counted(self._all_threads, 'thread')}"
                if self._all_threads > n_machines * (os.cpu_count() or 1):
                    on += ", more than it has processors (lower `threads`)"
                say(f"ranks    {self.ranks.size} on {on}; {exchanges.summary}", shown=self.shown)
            for result in train_epochs(
                workers, model.schedule, epochs=settings.epochs, meter=meter, history=self.history, progress=progress,
                stop_point=exchanges or timer,
            ):  # fmt: skip
                self._finish_epoch(result, evaluators)
                if self.history.stopped:
                    break
            if exchanges is not None:
                share = exchanges.seconds / max(self.history.seconds, 1e-9)
                say(f"ranks    exchanges took {share:.1%} of the time of training", shown=self.shown)
            changed = resumed or bool(self._frozen.any()) or not np.array_equal(first, before)
            check_learned(self.history.losses, changed, 1 - self.report().kept_share, settings)
            self._checkpoint()

    def _finish_epoch(self, result: EpochResult, evaluators: list[Callable[[Any], ChunkResult]]) -> None:
        """Compute the held-out loss, call the callback, and decide whether to continue."""
        history, settings, held_out = self.history, self.settings, self.data.held_out
        valid_loss = None
        if held_out is not None:
            with self.clock("valid"):
                valid_loss = evaluate(evaluators, len(held_out.ids), epochs=settings.epochs, ranks=self.ranks)
            history.valid_losses.append(valid_loss)
            if math.isnan(valid_loss) and len(history.valid_losses) == 1:
                note("the held-out text has no loss: no sentence of it keeps two words")
        history.stopped = settings.stops_early(history.valid_losses)
        if settings.callback is not None:
            number, epochs, loss, lr, speed = result
            epoch = Epoch(number, epochs, loss, valid_loss, lr, speed, self.model.item_name, self.vectors())
            try:
                with self._keeping_vectors():
                    history.stopped |= bool(settings.callback(epoch))
            except BaseException:
                with suppress(EmbedtrainError):  # the first error is reported
                    self._checkpoint()
                raise
        history.stopped = any(self.ranks.gather(history.stopped))

    def _checkpoint(self) -> None:
        """Check that the tables are finite, and write the checkpoint of a run that has one."""
        state = self.model.state
        if not all(all_finite(table) for name, table in state.items() if name.endswith("_vectors")):
            raise TrainingError(f"training produced vectors that are not finite; {lower_lr(self.settings)}")
        if self.settings.checkpoint is None or self.ranks.rank > 0:
            return
        vocabulary = self.vocabulary
        checkpoint = Checkpoint(
            self._provenance, self._resume_options(), self._identity, self.history,
            list(vocabulary.words), vocabulary.counts, self._frozen,
        )  # fmt: skip
        started = time.perf_counter()
        with self._keeping_vectors():
            checkpoint.save(self.settings.checkpoint, state)
        self.clock.seconds["checkpoint"] += time.perf_counter() - started  # the stage exists only if one was written

    def _resume_options(self) -> dict[str, Any]:
        """The options that `--resume` repeats: paths become absolute, other objects are left out."""
        options: dict[str, Any] = {**self.settings.kept("resume"), "threads": self.n_threads}
        for name, value in list(options.items()):
            if isinstance(value, (str, os.PathLike)):
                options[name] = "-" if str(value) == "-" else os.path.abspath(value)
            elif value is not None and not isinstance(value, (bool, int, float)):
                del options[name]
        return {**options, **self.source.read_options, "init_words": self._init_words}

    @contextmanager
    def _keeping_vectors(self) -> Iterator[None]:
        """Turn a `DataError` into an `OutputError` with the vectors trained so far."""
        try:
            yield
        except DataError as error:
            raise OutputError(error.args[0], self._result()) from error

    # --- Afterwards -------------------------------------------------------------------------------------------------

    def _result(self) -> WordVectors:
        """The vectors with a report, which is also shown."""
        report = self.report()
        for line in str(report).splitlines():
            say(line, shown=self.shown)
        return self.vectors(report)

    def vectors(self, report: TrainingReport | None = None) -> WordVectors:
        """Views of the current tables."""
        settings = {**self._provenance, "version": __version__}
        words, counts = self.vocabulary.words, self.vocabulary.counts
        known = counts if counts.any() else None
        return WordVectors(words, counts=known, settings=settings, report=report, **self.model.vectors())

    def report(self) -> TrainingReport:
        """Statistics of the run so far."""
        history = self.history
        return TrainingReport(
            **self.data.summary(),
            words=len(self.vocabulary),
            threads=self._all_threads,
            kept_share=history.kept / max(1, history.passed) / self.data.covered_share,
            losses=history.losses,
            valid_losses=history.valid_losses,
            speed=history.passed / max(history.seconds, 1e-9),
            unit=self.model_type.item_name,
            seconds={**self.clock.seconds, "train": history.seconds},
        )
