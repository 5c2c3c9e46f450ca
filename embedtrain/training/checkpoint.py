"""Checkpoints: the state that a run needs to continue, in a file for `numpy.load`, and the times of writing it."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, OutputError, SettingError, one_line
from embedtrain.formats.table import all_finite
from embedtrain.machine.files import atomic_file, reading
from embedtrain.machine.npz import map_arrays, no_damage, pack_about, unpack_about, write_arrays
from embedtrain.machine.progress import note
from embedtrain.training.loop import History, StopPoint
from embedtrain.training.protocols import Model

_VERSION = 1
_PROBLEM = "cannot resume from {}: it is damaged or not a checkpoint"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run between two tasks."""

    settings: Mapping[str, Any]  # of the model
    options: Mapping[str, Any]  # repeated by `--resume`: how text is read, held-out text, threads, patience
    text: Mapping[str, int]  # the fingerprint of the data: tokens, types, sentences
    history: History  # of training, with the position inside an epoch
    words: list[str]  # the vocabulary
    counts: NDArray[np.int64]  # (n_words,)
    frozen: NDArray[np.uint8]  # (n_words,) which vectors of a word are kept, by `FROZEN`; empty if none
    tables: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)  # the state of the model, if loaded

    def save(self, path: str | os.PathLike[str], state: Mapping[str, NDArray[np.float32]]) -> None:
        """Write the checkpoint with the state of a model; an old file is replaced when the new one is on the disk."""
        about = {
            "settings": dict(self.settings),
            "options": dict(self.options),
            "text": dict(self.text),
            "history": asdict(self.history),
            "tables": list(state),
        }
        arrays: dict[str, NDArray[Any]] = {
            "about": pack_about(_VERSION, about),
            "words": np.frombuffer("\n".join(self.words).encode(), np.uint8),
            "counts": self.counts,
            "frozen": self.frozen,
            **state,
        }
        with atomic_file(path, durable=True) as file:
            write_arrays(file, arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Checkpoint:
        """Read a checkpoint and check all of it but the other tables than vectors, see `restore`."""
        with _opened(path) as (about, arrays):
            checkpoint = cls(
                about["settings"],
                about["options"],
                about["text"],
                History(**about["history"]),
                arrays["words"].tobytes().decode().split("\n"),
                arrays["counts"],
                arrays["frozen"],
                {name: arrays[name] for name in about["tables"]},
            )
            checkpoint._check_numbers()
            n_words, dim = len(checkpoint.words), checkpoint.settings["dim"]
            _check(checkpoint.counts, np.int64, (n_words,))
            _check(checkpoint.frozen, np.uint8, (n_words,) if checkpoint.frozen.size else (0,))
            n_nodes = int(np.count_nonzero(checkpoint.counts)) - 1
            for name, table in checkpoint.tables.items():
                if name.endswith("_vectors"):
                    n_rows = {"node_vectors": n_nodes, "ngram_vectors": len(table)}.get(name, n_words)
                    _check(table, np.float32, (n_rows, dim))
        return checkpoint

    def _check_numbers(self) -> None:
        """Check types and ranges of what is stored as JSON."""
        history, default = self.history, History()
        settings = self.settings["dim"], self.settings["epochs"]
        counters = history.passed, history.kept, history.chunks, history.pairs
        amounts = *history.losses, *history.valid_losses, history.loss, history.seconds, history.part
        right = (
            isinstance(self.options, dict)
            and all(type(value) is int for value in self.text.values())
            and all(type(number) is int and number > 0 for number in settings)
            and all(type(getattr(history, name)) is type(value) for name, value in vars(default).items())
            and all(number >= 0 for number in counters)
            and all(type(number) is float for number in amounts)
            and history.kept <= history.passed
            and len(history.valid_losses) <= len(history.losses) <= settings[1]
            and 0 <= history.seconds < math.inf
            and 0 <= history.part <= 1
            and math.isfinite(history.loss)
        )
        if not right:
            raise ValueError("its settings or its history make no sense")

    def restore(self, model: Model, path: str | os.PathLike[str], n_items: int) -> None:
        """Check tables and position against a model, whose state is replaced, and the `n_items` of an epoch.

        `path` is for messages.
        """
        history, schedule = self.history, model.schedule
        n_epochs = len(history.losses)
        passed = history.passed - n_epochs * n_items  # in the current epoch
        is_shared = history.part > 0 or n_items != schedule.n_items  # among ranks, which have other tasks
        with no_damage(_PROBLEM.format(path)):
            n_tasks = len(schedule.tasks(n_epochs))
            agree = is_shared or ((passed > 0) == (history.chunks > 0) and history.chunks <= n_tasks)
            if not (0 <= passed <= n_items and agree):
                raise ValueError("its history makes no sense")
            for name, array in model.state.items():
                table = self.tables[name]
                _check(table, np.float32, array.shape)
                if not (table.min() > 0 if name.endswith("_sums") else all_finite(table)):
                    raise ValueError(f"{name} hold numbers that no training gives")
                array[:] = table

    def check_settings(self, settings: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
        """Check that a run has the settings of the checkpoint, or more epochs; settings it lacks had their default."""
        models = self.settings.get("model"), settings.get("model")
        if models[0] != models[1]:
            raise SettingError(
                f"cannot resume: the checkpoint is of {one_line(models[0])[:40]}, and this is {models[1]}"
            )
        before = {**defaults, **self.settings}
        if settings["epochs"] > before["epochs"]:
            before["epochs"] = settings["epochs"]
        others = [
            f"`{name}` is {one_line(before.get(name))[:40]} in the checkpoint and {value} here"
            for name, value in settings.items()
            if before.get(name) != value
        ]
        if others:
            raise SettingError(f"cannot resume with other settings: {', '.join(others)}; leave them out")

    def check_data(self, text: Mapping[str, int], words: list[str], counts: NDArray[np.int64]) -> None:
        """Check that a run has the data of the checkpoint; held-out text may be left out or added."""
        others = [name for name, value in text.items() if self.text.get(name, value) != value]
        if others or words != self.words or not np.array_equal(counts, self.counts):
            counted = [name for name in others if "checksum" not in name]
            figures = ", ".join(f"{text[name]:,} {name}, not {self.text[name]:,}" for name in counted)
            same_words = words == self.words and np.array_equal(counts, self.counts)
            what = "another order" if same_words and others else "other words or counts"
            which = "held-out text" if same_words and all(name.startswith("held-out") for name in others) else "text"
            which = "matrix of counts" if "cells" in text else which
            raise DataError(
                f"cannot resume on another {which} than the checkpoint's, or on one that is read differently: "
                f"this one has {figures or what}"
            )


def read_settings(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the settings and options in a checkpoint."""
    with _opened(path, ("about",)) as (about, _):
        known = {**about["options"], **about["settings"]}
        if not all(
            isinstance(known.get(name), str | None) for name in ("read_vocab", "valid", "map", "drop", "phrases")
        ):
            raise ValueError("its paths are no text")
        return known


def _check(array: NDArray[Any], dtype: type[np.generic], shape: tuple[int, ...]) -> None:
    """Check type and shape of an array; NumPy would stretch one row to a table."""
    if array.dtype != dtype or array.shape != shape:
        raise ValueError(f"an array of shape {array.shape} and type {array.dtype}")


@contextmanager
def _opened(
    path: str | os.PathLike[str], names: Container[str] | None = None
) -> Iterator[tuple[dict[str, Any], Mapping[str, NDArray[Any]]]]:
    """Open a checkpoint; yields its description and its arrays, or those of `names`."""
    with reading(Path(path)), no_damage(_PROBLEM.format(path)):
        arrays = map_arrays(path, names)
        yield unpack_about(arrays["about"], _VERSION, f"cannot resume from {path}"), arrays


class CheckpointTimer(StopPoint):
    """Handles interrupts and writes a checkpoint every `minutes`; None writes none."""

    def __init__(self, interrupted: Callable[[], bool], write: Callable[[], None], minutes: float | None) -> None:
        self._interrupted, self._write, self._writes = interrupted, write, minutes is not None
        self._seconds = math.inf if minutes is None else 60 * minutes
        self._due = time.monotonic() + self._seconds

    def requested(self) -> bool:
        """Whether a signal arrived, or a checkpoint is due."""
        return self._interrupted() or time.monotonic() >= self._due

    def reached(self) -> None:
        """Write the checkpoint; then raise `KeyboardInterrupt` if a signal arrived."""
        interrupted = self._interrupted()
        if self._writes and (interrupted or time.monotonic() >= self._due):
            try:
                self._write()
            except OutputError as error:
                if not interrupted:
                    raise
                note(f"no checkpoint: {error.args[0]}")
            self._due = time.monotonic() + self._seconds
        if interrupted:
            raise KeyboardInterrupt
