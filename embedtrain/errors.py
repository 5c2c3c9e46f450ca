"""Exceptions; their messages are one line with the name, the rule, the value and the remedy."""

from __future__ import annotations

from typing import Any


class EmbedtrainError(Exception):
    """Base of every error that embedtrain raises on purpose."""


class SettingError(EmbedtrainError, ValueError):
    """A setting has an invalid value."""


class DataError(EmbedtrainError, ValueError):
    """A corpus, a vectors file or an output cannot be used."""


class OutputError(DataError):
    """A checkpoint or log cannot be written while training; `vectors` holds what was trained so far."""

    def __init__(self, message: str, vectors: Any) -> None:
        super().__init__(message)
        self.vectors = vectors


class TrainingError(EmbedtrainError, RuntimeError):
    """Training went wrong and was stopped."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C while training; `vectors` holds what was trained so far."""

    def __init__(self, vectors: Any) -> None:
        super().__init__("training was interrupted")
        self.vectors = vectors
