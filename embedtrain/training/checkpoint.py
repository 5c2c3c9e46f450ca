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
from embedtrain.machine.files import atomic_file, reading
from embedtrain.machine.npz import map_arrays, no_damage, pack_about, unpack_about, write_arrays
from embedtrain.machine.progress import note
from embedtrain.training.loop import History, StopPoint
from embedtrain.training.protocols import Model

_VERSION = 1


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
        """Read a checkpoint, whose checksums are verified."""
        with _opened(path) as (about, arrays):
            return cls(
                about["settings"],
                about["options"],
                about["text"],
                History(**about["history"]),
                arrays["words"].tobytes().decode().split("\n"),
                arrays["counts"],
                arrays["frozen"],
                {name: arrays[name] for name in about["tables"]},
            )

    def restore(self, model: Model) -> None:
        """Replace the state of a model."""
        for name, array in model.state.items():
            array[:] = self.tables[name]

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
        return {**about["options"], **about["settings"]}


@contextmanager
def _opened(
    path: str | os.PathLike[str], names: Container[str] | None = None
) -> Iterator[tuple[dict[str, Any], Mapping[str, NDArray[Any]]]]:
    """Open a checkpoint; yields its description and its arrays, or those of `names`."""
    with reading(Path(path)), no_damage(f"cannot resume from {path}: it is damaged or not a checkpoint"):
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
