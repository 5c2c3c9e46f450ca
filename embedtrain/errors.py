"""Exceptions and warnings; their messages are one line with the name, the rule, the value and the remedy.

Messages name settings in backquotes, as `min_count` or `min_count=1`. Python shows them without backquotes, the command
line as the options ``--min-count`` and ``--min-count 1``; `args` hold the message with backquotes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

#: A setting in backquotes: its name and perhaps its value. A quote before it makes it part of the user's text.
SETTING = re.compile(r"(?<![\w'\"])`([a-z]\w*)(?:=([^`]*))?`")


def _in_python(name: str, value: str | None) -> str:
    return name if value is None else f"{name}={value}"


def spelled(message: str, spell: Callable[[str, str | None], str] = _in_python) -> str:
    """Replace the settings in backquotes by their spelling, given their names and their values or None."""
    return SETTING.sub(lambda match: spell(match[1], match[2]), message)


def one_line(text: object) -> str:
    """Escape the control and direction characters of a text, for a message or a terminal; joiners are part of words."""
    return "".join(c if c.isprintable() or c in "\u200c\u200d" else repr(c)[1:-1] for c in str(text))


def quoted(text: str | bytes) -> str:
    """Quote at most 40 characters of a text for a message."""
    return repr(text[:40]) if len(text) <= 40 else f"{text[:40]!r}…"


class EmbedtrainError(Exception):
    """Base of every error that embedtrain raises on purpose."""

    def __str__(self) -> str:
        return spelled(Exception.__str__(self))  # not KeyError's, which quotes


class EmbedtrainWarning(UserWarning):
    """A note on data or settings."""

    def __str__(self) -> str:
        return spelled(super().__str__())


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
