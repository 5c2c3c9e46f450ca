"""The loop that every model trains in: epochs of chunks, spread over threads, watched from the calling thread."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain, takewhile
from typing import NamedTuple, Protocol

from embedtrain.errors import DataError
from embedtrain.machine.progress import Progress
from embedtrain.machine.threads import run_tasks
from embedtrain.training.loss import ChunkResult, LossMeter
from embedtrain.training.schedule import linear_decay

LARGEST_CHUNK = 1 << 16  # tokens; some milliseconds, between which interrupts, progress and loss are looked at
_CHUNKS = 64  # an epoch of a small corpus has about so many: enough to share out evenly
_SMALLEST = 256  # tokens


class Chunk(NamedTuple):
    """A stretch of the corpus in an epoch, with the learning rates at its ends."""

    epoch: int  # from 0
    number: int
    begin: int  # token positions
    end: int
    first_lr: float
    last_lr: float


class EpochResult(NamedTuple):
    """What the loop knows after an epoch."""

    number: int  # from 1
    epochs: int
    loss: float  # mean a pair
    lr: float
    words_per_second: float


@dataclass
class History:
    """What was done so far; with the tables, all that is needed to go on."""

    losses: list[float] = field(default_factory=list)  # of the epochs that are finished
    valid_losses: list[float] = field(default_factory=list)  # on held-out text
    tokens: int = 0  # passed, over all epochs
    kept: int = 0  # of them, not removed by subsampling
    seconds: float = 0.0  # of training
    chunks: int = 0  # done of the epoch that is not finished
    loss: float = 0.0  # summed over them ...
    pairs: int = 0  # ... and over so many pairs
    stopped: bool = False  # no further epoch is wanted


class Pause(Protocol):
    """What may interrupt the work, at moments when nobody is in the middle of it."""

    def is_due(self) -> bool:
        """Whether to let the workers finish what they are at; asked by any thread, before chunks but the first."""

    def take(self) -> None:
        """Called when no worker is at work."""


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


def evaluate(workers: Sequence[Callable[[Chunk], ChunkResult]], n_tokens: int, *, epochs: int) -> float:
    """The mean loss a pair on held-out text, for workers that learn nothing at a learning rate of 0.

    What is random in it is the same every time, and other than in any of the `epochs`.
    """
    meter = LossMeter(math.inf, 0.0)
    with closing(run_tasks(workers, plan_chunks(n_tokens, epochs, epochs, 0.0, LARGEST_CHUNK))) as results:
        for result in results:
            meter.add(result)
    return meter.mean


def train_epochs(
    workers: Sequence[Callable[[Chunk], ChunkResult]],
    n_tokens: int,
    *,
    epochs: int,
    lr: float,
    largest_chunk: int = LARGEST_CHUNK,
    loss_limit: float,
    history: History,
    progress: Progress,
    pause: Pause,
) -> Iterator[EpochResult]:
    """Let the workers train on every chunk that `history` lacks; yields after each epoch, and adds to `history`.

    Epochs do not overlap. Whenever `pause` is taken, tables and history belong together.

    Raises
    ------
    TrainingError
        If the loss shows that training diverges.
    DataError
        If there was no pair to train on in all epochs.
    """
    for epoch in range(len(history.losses), epochs):
        if history.stopped:
            return
        meter = LossMeter(loss_limit, lr, history.loss, history.pairs)
        before = history.tokens, history.seconds
        chunks = plan_chunks(n_tokens, epoch, epochs, lr, largest_chunk)
        while history.chunks < len(chunks):
            started, seconds = time.perf_counter(), history.seconds
            left = chunks[history.chunks :]
            stretch = chain(left[:1], takewhile(lambda _: not pause.is_due(), left[1:]))  # work goes on between pauses
            with closing(run_tasks(workers, stretch)) as results:
                for result in results:
                    meter.add(result)
                    history.chunks += 1
                    history.tokens += result.tokens
                    history.kept += result.kept
                    history.loss, history.pairs = meter.total, meter.pairs
                    history.seconds = seconds + time.perf_counter() - started
                    meter.check(epoch + 1, result.lr)
                    facts = {"epoch": f"{epoch + 1}/{epochs}", "lr": f"{result.lr:.4f}", "loss": f"{meter.mean:.3f}"}
                    progress.update(result.tokens, **facts)
            pause.take()
        meter.check(epoch + 1, linear_decay(lr, (epoch + 1) / epochs), final=True)
        history.losses.append(meter.mean)
        history.chunks, history.loss, history.pairs = 0, 0.0, 0
        speed = (history.tokens - before[0]) / max(history.seconds - before[1], 1e-9)
        yield EpochResult(epoch + 1, epochs, meter.mean, linear_decay(lr, (epoch + 1) / epochs), speed)
    if all(map(math.isnan, history.losses)):
        raise DataError(
            "there was nothing to learn from: no sentence kept two words; "
            "a list of str is lines, not tokens, and sample or min-count may be too strict"
        )
