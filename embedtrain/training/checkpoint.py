"""Checkpoints: everything a run needs to go on where it was, in a file that NumPy's `load` can read too."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain._version import __version__
from embedtrain.corpus.sources import reading
from embedtrain.errors import DataError, SettingError
from embedtrain.machine.files import atomic_file
from embedtrain.training.loop import History

_VERSION = 1


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run when no worker was at work.

    Attributes
    ----------
    settings : mapping
        Of the model.
    options : mapping
        What else a command line should say again: files of held-out text and of the vocabulary, patience.
    text : mapping of str to int
        What tells whether a corpus is the same: its tokens, types, sentences.
    history : History
        What was done, with the place inside an epoch.
    words : sequence of str
        The vocabulary.
    counts : (n_words,) int64 array
    word_vectors, context_vectors : (n_words, dim) float32 array
    frozen : (n_words,) uint8 array
        1 for words whose vectors stay as they are; empty if there are none.
    """

    settings: Mapping[str, Any]
    options: Mapping[str, Any]
    text: Mapping[str, int]
    history: History
    words: list[str]
    counts: NDArray[np.int64]
    word_vectors: NDArray[np.float32]
    context_vectors: NDArray[np.float32]
    frozen: NDArray[np.uint8]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the checkpoint, all or nothing; an old one stays until the new one is on the disk.

        Raises
        ------
        DataError
            If the file cannot be written.
        """
        about = {
            "format": _VERSION,
            "embedtrain": __version__,
            "settings": dict(self.settings),
            "options": dict(self.options),
            "text": dict(self.text),
            "history": asdict(self.history),
        }
        arrays: dict[str, Any] = {
            "about": np.frombuffer(json.dumps(about).encode(), np.uint8),
            "words": np.frombuffer("\n".join(self.words).encode(), np.uint8),
            "counts": self.counts,
            "frozen": self.frozen,
            "word_vectors": self.word_vectors,
            "context_vectors": self.context_vectors,
        }
        with atomic_file(path, durable=True) as file:
            np.savez(file, **arrays)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Checkpoint:
        """Read a checkpoint.

        Raises
        ------
        DataError
            If there is no such file, or it is damaged, of another version, or no checkpoint.
        """
        with _opened(path) as (about, arrays):
            checkpoint = cls(
                about["settings"],
                about["options"],
                about["text"],
                History(**about["history"]),
                arrays["words"].tobytes().decode().split("\n"),
                arrays["counts"],
                arrays["word_vectors"],
                arrays["context_vectors"],
                arrays["frozen"],
            )
            checkpoint._require_whole()
        return checkpoint

    def _require_whole(self) -> None:
        """See that all arrays are what `save` wrote: of one that is shorter, NumPy checks no sum."""
        n_words, shape = len(self.words), self.word_vectors.shape
        for array, dtype, shapes in (
            (self.counts, np.int64, [(n_words,)]),
            (self.word_vectors, np.float32, [(n_words, self.settings["dim"])]),
            (self.context_vectors, np.float32, [shape]),
            (self.frozen, np.uint8, [(n_words,), (0,)]),
        ):
            if array.dtype != dtype or array.shape not in shapes:
                raise ValueError(f"an array of shape {array.shape} and type {array.dtype}")

    def require_settings(self, settings: Mapping[str, Any]) -> None:
        """See that a run has the settings of the checkpoint.

        Raises
        ------
        SettingError
            If it has others, all of which are named.
        """
        others = [
            f"{name} is {self.settings.get(name)} in the checkpoint and {value} here"
            for name, value in settings.items()
            if self.settings.get(name) != value
        ]
        if others:
            raise SettingError(f"cannot resume with other settings: {', '.join(others)}; leave them out")

    def require_text(self, text: Mapping[str, int], words: list[str], counts: NDArray[np.int64]) -> None:
        """See that a corpus is that of the checkpoint.

        Raises
        ------
        DataError
            If it is another.
        """
        others = [f"{value:,} {name}, not {self.text.get(name, 0):,}" for name, value in text.items()
                  if self.text.get(name) != value]  # fmt: skip
        if others or words != self.words or not np.array_equal(counts, self.counts):
            found = ", ".join(others) or "other words or counts"
            raise DataError(f"cannot resume on another text than the checkpoint's: this one has {found}")


def read_settings(path: str | os.PathLike[str]) -> dict[str, Any]:
    """The settings and options in a checkpoint.

    Raises
    ------
    DataError
        As `Checkpoint.load`.
    """
    with _opened(path) as (about, _):
        return {**about["options"], **about["settings"]}


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[tuple[dict[str, Any], Mapping[str, NDArray[Any]]]]:
    """What a checkpoint says of itself, and its arrays, read when they are asked for."""
    path = Path(path)
    with reading(path):
        try:
            with np.load(path, allow_pickle=False) as arrays:
                about = json.loads(arrays["about"].tobytes())
                if about["format"] != _VERSION:
                    raise DataError(
                        f"cannot resume from {path}: it has the format {about['format']} of embedtrain "
                        f"{about['embedtrain']}, this is {__version__} and reads the format {_VERSION}"
                    )
                yield about, arrays
        except (DataError, OSError):
            raise
        except Exception as error:  # damage makes NumPy and zipfile raise all kinds
            what = " ".join(str(error).split())[:100]
            raise DataError(f"cannot resume from {path}: it is damaged or no checkpoint ({what})") from error
