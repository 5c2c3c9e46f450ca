"""How a run goes about its work, whatever the model."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any

from embedtrain.corpus.sources import CorpusLike
from embedtrain.errors import SettingError
from embedtrain.machine.files import check_distinct_paths, require_writable
from embedtrain.machine.threads import resolve_threads
from embedtrain.training.reports import Epoch
from embedtrain.vectors.word_vectors import WordVectors


@dataclass(frozen=True)
class RunOptions:
    """How a run goes about its work; see `train_skipgram`."""

    threads: int | None = None
    read_vocab: str | os.PathLike[str] | None = None
    save_vocab: str | os.PathLike[str] | None = None
    cache: str | os.PathLike[str] | None = None
    temp_folder: str | os.PathLike[str] | None = None
    checkpoint: str | os.PathLike[str] | None = None
    checkpoint_every: float = 10.0
    resume: str | os.PathLike[str] | None = None
    valid: CorpusLike | None = None
    patience: int | None = None
    init: str | os.PathLike[str] | WordVectors | None = None
    freeze: bool = False
    progress: bool | None = None
    callback: Callable[[Epoch], object] | None = None

    @classmethod
    def of(cls, arguments: Mapping[str, Any], valid_share: float = 0.0) -> RunOptions:
        """Those among the arguments of a function, which are what they should be.

        Raises
        ------
        SettingError
            As `require_sense`.
        """
        options = cls(**{field.name: arguments[field.name] for field in fields(cls) if field.name in arguments})
        options.require_sense(valid_share)
        return options

    @property
    def shown(self) -> bool:
        """Whether progress is reported."""
        return sys.stderr.isatty() if self.progress is None else self.progress

    def require_sense(self, valid_share: float) -> None:
        """See that the options are what they should be, and go together.

        Raises
        ------
        SettingError
            If they do not.
        """
        resolve_threads(self.threads)
        minutes = self.checkpoint_every
        if not isinstance(minutes, Real) or not float(minutes) >= 0:
            raise SettingError(f"checkpoint_every must be at least 0, got {minutes!r}; 10 is usual")
        if self.valid is not None and valid_share:
            raise SettingError("valid and valid_share both give held-out text; leave one of them out")
        if self.patience is not None and (not isinstance(self.patience, Integral) or self.patience < 1):
            raise SettingError(f"patience must be a whole number of epochs, at least 1, got {self.patience!r}")
        if self.patience is not None and self.valid is None and not valid_share:
            raise SettingError("patience needs held-out text: name it with valid, or take it with valid_share")
        if self.freeze and self.init is None and self.resume is None:
            raise SettingError("freeze keeps the vectors of init as they are; name their file with init")
        for name in ("read_vocab", "save_vocab", "cache", "temp_folder", "checkpoint", "resume"):
            path = getattr(self, name)
            if path is not None and not isinstance(path, (str, os.PathLike)):
                raise SettingError(f"{name} must be a path, got {type(path).__name__}")
        if self.init is not None and not isinstance(self.init, (str, os.PathLike, WordVectors)):
            raise SettingError(f"init must be a path or WordVectors, got {type(self.init).__name__}")

    def require_apart(self, inputs: Mapping[str, list[Any]]) -> None:
        """See that the outputs can be written and replace no input.

        Parameters
        ----------
        inputs : mapping of str to list of paths
            What is read, by what messages call it; not what these options name.

        Raises
        ------
        SettingError
            If an output would replace an input.
        DataError
            If one could not be written.
        """
        own = {"read_vocab": self.read_vocab, "init": self.init}
        files = {name: [path] for name, path in own.items() if isinstance(path, (str, os.PathLike))}
        outputs = {"checkpoint": self.checkpoint, "save_vocab": self.save_vocab}
        check_distinct_paths({**inputs, **files}, outputs)
        for path in outputs.values():
            if path is not None:
                require_writable(path)
