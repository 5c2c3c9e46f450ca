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
    """The figures of an epoch, the argument of callbacks."""

    number: int  # counted from 1
    epochs: int  # how many there are
    loss: float  # mean per pair; nan if the epoch had none
    valid_loss: float | None  # the same on held-out text, if given
    lr: float  # learning rate at the end
    speed: float  # tokens of the corpus, or cells of the matrix, per second
    unit: str  # of the speed: "words" or "cells"
    vectors: WordVectors  # views of the current tables; copy them to keep them


@dataclass(frozen=True)
class Plan:
    """The expected work, memory and time of training."""

    tokens: int  # of the corpus, as types and sentences; 0 for given counts
    types: int
    sentences: int
    words: int  # that would get a vector, ...
    covered: int  # ... and their tokens
    coverage: list[tuple[int, int, int]]  # (min_count, words, tokens); empty for graphs, where all nodes get vectors
    cells: int  # of the co-occurrence matrix; 0 without one
    removed_share: float  # of the covered tokens, by subsampling
    memory: dict[str, int]  # bytes by purpose
    free_memory: int  # bytes available
    disk: int  # the most bytes in temporary files
    speed: float  # measured tokens or cells per second; nan if the tables do not fit into memory
    unit: str  # of the speed: "words" or "cells"
    seconds: dict[str, float]  # by stage


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
