"""Reports before training and after each epoch."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate

from embedtrain.training.declarations import FUNCTIONS, Data, P, from_settings
from embedtrain.vectors.word_vectors import WordVectors


@dataclass(frozen=True)
class Epoch:
    """The figures of an epoch, the argument of callbacks.

    Attributes
    ----------
    number, epochs : int
        This epoch, counted from 1, and the number of epochs.
    loss : float
        Mean loss per pair; nan if the epoch had none.
    valid_loss : float or None
        The same on held-out text, if given.
    lr : float
        Learning rate at the end.
    speed : float
        Tokens of the corpus, or cells of the matrix, per second.
    unit : str
        Unit of `speed`: "words" or "cells".
    vectors : WordVectors
        Views of the current tables; copy them to keep them.
    """

    number: int
    epochs: int
    loss: float
    valid_loss: float | None
    lr: float
    speed: float
    unit: str
    vectors: WordVectors


@dataclass(frozen=True)
class Plan:
    """The expected work, memory and time of training.

    Attributes
    ----------
    tokens, types, sentences : int
        Counts in the corpus; 0 for given counts.
    words, covered : int
        Words that would get a vector, and their tokens.
    coverage : list of (min_count, words, tokens)
        The same for several min-counts; empty for `Node2vec`, where all nodes get vectors.
    cells : int
        Cells of the co-occurrence matrix; 0 without one.
    removed_share : float
        Share of the covered tokens that subsampling removes.
    memory : dict of str to int
        Bytes by purpose.
    free_memory : int
        Bytes available.
    disk : int
        The most bytes in temporary files.
    speed : float
        Measured tokens or cells per second; nan if the tables do not fit into memory.
    unit : str
        Unit of `speed`: "words" or "cells".
    seconds : dict of str to float
        Expected time by stage.
    """

    tokens: int
    types: int
    sentences: int
    words: int
    covered: int
    coverage: list[tuple[int, int, int]]
    cells: int
    removed_share: float
    memory: dict[str, int]
    free_memory: int
    disk: int
    speed: float
    unit: str
    seconds: dict[str, float]


def plan_of(train: Callable[Concatenate[Data, P], WordVectors]) -> Callable[Concatenate[Data, P], Plan]:
    """Make the function of the library that plans what another one trains, with the same parameters."""
    name, function = train.__name__, inspect.unwrap(train)

    def plan(data: Data, settings: Any) -> Plan:
        expected: Plan = settings.plan(data)
        return expected

    plan.__name__ = plan.__qualname__ = name.replace("train", "plan")
    plan.__module__ = function.__module__
    plan.__signature__ = inspect.signature(function).replace(return_annotation="Plan")  # type: ignore[attr-defined]
    plan.__doc__ = f"""Read the data and return the expected words, memory, disk and time of `{name}`.

    The speed is measured by training for a second. Parameters are those of `{name}`, and so are the exceptions before
    training, except for too little memory and text that differs from a checkpoint.
    """
    return from_settings(FUNCTIONS[name])(plan)
