"""The tasks of an epoch of text, their order, and the learning rate over time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

LARGEST_CHUNK = 1 << 16  # tokens; some milliseconds, between which interrupts, progress and loss are checked
_CHUNKS = 64  # an epoch of a small corpus has about so many, which threads can share evenly
_SMALLEST = 256  # tokens
_LOWEST = 1e-4  # of the initial rate; word2vec.c's floor


class Task(Protocol):
    """A part of an epoch: a chunk of text, or a tile of a matrix."""

    @property
    def last_lr(self) -> float:
        """The learning rate at its end."""


AnyTask = TypeVar("AnyTask", bound=Task)


class Schedule(Protocol[AnyTask]):
    """The tasks of every epoch and their order."""

    @property
    def n_items(self) -> int:
        """Tokens or cells of an epoch."""

    def tasks(self, epoch: int) -> Sequence[AnyTask]:
        """The tasks of an epoch, the same for any number of threads."""

    def in_turn(self, tasks: Iterable[AnyTask]) -> Iterable[AnyTask]:
        """The same tasks in the same order, each as soon as it may start; drawn by one thread at a time."""

    def done(self, task: AnyTask) -> None:
        """Called when a task that was drawn is finished or dropped."""

    def fingerprint(self) -> dict[str, int]:
        """Numbers that differ for other tasks, where settings and data do not."""


def linear_decay(lr: float, progress: float) -> float:
    """The learning rate when the share `progress` of all epochs' tokens is done: a line to almost zero."""
    return lr * max(1 - progress, _LOWEST)


class Chunk(NamedTuple):
    """Consecutive tokens in an epoch, with the learning rates at their ends."""

    epoch: int  # from 0
    number: int
    begin: int  # token positions
    end: int
    first_lr: float
    last_lr: float


def plan_chunks(n_tokens: int, epoch: int, epochs: int, lr: float, largest: int) -> list[Chunk]:
    """The chunks of an epoch, none above `largest` tokens; the same for any number of threads."""
    size = min(largest, max(_SMALLEST, n_tokens // _CHUNKS))

    def rate(position: int) -> float:
        return linear_decay(lr, (epoch + position / n_tokens) / epochs)

    chunks = []
    for number, begin in enumerate(range(0, n_tokens, size)):
        end = min(begin + size, n_tokens)
        chunks.append(Chunk(epoch, number, begin, end, rate(begin), rate(end)))
    return chunks


@dataclass(frozen=True)
class ChunkSchedule:
    """The schedule of a text: chunks in any order, while the learning rate falls."""

    n_items: int  # tokens
    epochs: int
    lr: float
    largest: int = LARGEST_CHUNK

    def tasks(self, epoch: int) -> list[Chunk]:
        """The chunks of an epoch."""
        return plan_chunks(self.n_items, epoch, self.epochs, self.lr, self.largest)

    def in_turn(self, tasks: Iterable[Chunk]) -> Iterable[Chunk]:
        """The chunks as they are: none waits for another."""
        return tasks

    def done(self, task: Chunk) -> None:
        """Nothing: no chunk waits for another."""

    def fingerprint(self) -> dict[str, int]:
        """Nothing beside the settings."""
        return {}
