"""The tasks of an epoch of text, their order, and the learning rate over time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import NamedTuple, Protocol, TypeVar

LARGEST_CHUNK = 1 << 16  # tokens; some milliseconds, after which interrupts, progress and loss are checked
_CHUNKS = 64  # chunks in an epoch of a small corpus, about; enough to balance the threads
_SMALLEST = 256  # tokens
_PORTION = 8  # chunks that a thread takes at once, at most; threads that take few by few wait for the interpreter lock
_PORTIONS = 8  # of the chunks left for each thread, about, so that all finish at nearly the same time
_LOWEST = 1e-4  # least share of the initial rate, as in word2vec.c


class Task(Protocol):
    """A part of an epoch: a chunk of text or a tile of a matrix."""

    @property
    def last_lr(self) -> float:
        """The learning rate at its end."""


AnyTask = TypeVar("AnyTask", bound=Task)


class Schedule(Protocol[AnyTask]):
    """The tasks of every epoch and their order."""

    @property
    def n_items(self) -> int:
        """Tokens or cells in an epoch."""

    def tasks(self, epoch: int) -> Sequence[AnyTask]:
        """The tasks of an epoch, the same for any number of threads."""

    def in_turn(self, tasks: Iterable[AnyTask], n_tasks: int) -> Iterator[list[AnyTask]]:
        """Yield portions of the tasks, `n_tasks` at most, in order, each as soon as it may start.

        Consumed by one thread at a time.
        """

    def done(self, task: AnyTask) -> None:
        """Called when a task is finished or skipped."""

    def fingerprint(self) -> dict[str, int]:
        """Numbers that identify the tasks, for the same settings and data."""


def linear_decay(lr: float, progress: float) -> float:
    """The learning rate after the share `progress` of training: linear decay to almost zero."""
    return lr * max(1 - progress, _LOWEST)


class Chunk(NamedTuple):
    """Consecutive tokens in an epoch, with the learning rates at both ends."""

    epoch: int  # from 0
    number: int
    begin: int  # token positions
    end: int
    first_lr: float
    last_lr: float


def plan_chunks(n_tokens: int, epoch: int, epochs: int, lr: float, largest: int, shuffle: str = "") -> list[Chunk]:
    """Divide an epoch into chunks of at most `largest` tokens, the same for any number of threads.

    With `shuffle`, the seed of their order, tokens that follow one another are not all of one topic.
    """
    size, passed = min(largest, max(_SMALLEST, n_tokens // _CHUNKS)), 0
    begins = list(range(0, n_tokens, size))
    if shuffle:
        Random(f"{shuffle} {epoch}").shuffle(begins)

    def rate(position: int) -> float:
        return linear_decay(lr, (epoch + position / n_tokens) / epochs)

    chunks = []
    for number, begin in enumerate(begins):
        end = min(begin + size, n_tokens)
        first, passed = passed, passed + end - begin
        chunks.append(Chunk(epoch, number, begin, end, rate(first), rate(passed)))
    return chunks


@dataclass(frozen=True)
class ChunkSchedule:
    """The schedule of a text: independent chunks, with a falling learning rate."""

    n_items: int  # tokens
    epochs: int
    lr: float
    largest: int = LARGEST_CHUNK
    n_threads: int = 1
    shuffle: str = ""  # of ranks, which lose accuracy if the tokens between two exchanges are of one topic

    def tasks(self, epoch: int) -> list[Chunk]:
        """The chunks of an epoch."""
        return plan_chunks(self.n_items, epoch, self.epochs, self.lr, self.largest, self.shuffle)

    def in_turn(self, tasks: Iterable[Chunk], n_tasks: int) -> Iterator[list[Chunk]]:
        """Divide the chunks into portions, smaller towards the last of them; none waits for another."""
        chunks = iter(tasks)
        for first in chunks:
            n = min(_PORTION, n_tasks // (_PORTIONS * self.n_threads)) if self.n_threads > 1 else 1
            portion = [first, *islice(chunks, max(0, n - 1))]
            n_tasks -= len(portion)
            yield portion

    def done(self, task: Chunk) -> None:
        """Do nothing: no chunk waits for another."""

    def fingerprint(self) -> dict[str, int]:
        """Empty: the chunks follow from settings and data."""
        return {}
