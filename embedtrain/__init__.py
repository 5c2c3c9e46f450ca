"""Word embeddings, trained fast: skip-gram from a text file to vectors.

The names here are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from embedtrain._version import __version__

if TYPE_CHECKING:
    from embedtrain.errors import DataError, EmbedtrainError, Interrupted, SettingError, TrainingError
    from embedtrain.skipgram import train_skipgram
    from embedtrain.vectors.reports import Epoch
    from embedtrain.vectors.word_vectors import WordVectors

_HOMES = {
    "DataError": "errors",
    "EmbedtrainError": "errors",
    "Epoch": "vectors.reports",
    "Interrupted": "errors",
    "SettingError": "errors",
    "TrainingError": "errors",
    "WordVectors": "vectors.word_vectors",
    "train_skipgram": "skipgram",
}

__all__ = [
    "DataError",
    "EmbedtrainError",
    "Epoch",
    "Interrupted",
    "SettingError",
    "TrainingError",
    "WordVectors",
    "__version__",
    "train_skipgram",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'embedtrain' has no attribute {name!r}")
    return getattr(import_module(f"embedtrain.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
