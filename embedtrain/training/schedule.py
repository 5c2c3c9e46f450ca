"""The learning rate over time."""

from __future__ import annotations

_LOWEST = 1e-4  # of the initial rate; word2vec.c's floor


def linear_decay(lr: float, progress: float) -> float:
    """The learning rate when the share `progress` of all epochs' tokens is done: a line to almost zero."""
    return lr * max(1 - progress, _LOWEST)
