"""The loop that every model trains in: epochs of chunks, spread over threads, watched from the calling thread."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple

from embedtrain.errors import DataError
from embedtrain.machine.progress import Progress
from embedtrain.machine.threads import run_tasks
from embedtrain.training.loss import ChunkResult, LossMeter
from embedtrain.training.schedule import linear_decay

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
    """What was done so far."""

    losses: list[float] = field(default_factory=list)
    tokens: int = 0  # passed, over all epochs
    kept: int = 0  # of them, not removed by subsampling
    seconds: float = 0.0


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


def train_epochs(
    workers: Sequence[Callable[[Chunk], ChunkResult]],
    n_tokens: int,
    *,
    epochs: int,
    lr: float,
    largest_chunk: int,
    loss_limit: float,
    history: History,
    progress: Progress,
) -> Iterator[EpochResult]:
    """Let the workers train on every chunk of every epoch; yields after each, and adds to `history` all the time.

    Epochs do not overlap.

    Raises
    ------
    TrainingError
        If the loss shows that training diverges.
    DataError
        If there was no pair to train on in all epochs.
    """
    for epoch in range(epochs):
        meter = LossMeter(loss_limit, lr)
        started, before = time.perf_counter(), history.seconds
        chunks = plan_chunks(n_tokens, epoch, epochs, lr, largest_chunk)
        with closing(run_tasks(workers, chunks)) as results:
            for result in results:
                meter.add(result)
                history.tokens += result.tokens
                history.kept += result.kept
                history.seconds = before + time.perf_counter() - started
                meter.check(epoch + 1, result.lr)
                facts = {"epoch": f"{epoch + 1}/{epochs}", "lr": f"{result.lr:.4f}", "loss": f"{meter.mean:.3f}"}
                progress.update(result.tokens, **facts)
        meter.check(epoch + 1, linear_decay(lr, (epoch + 1) / epochs), final=True)
        history.losses.append(meter.mean)
        speed = n_tokens / max(history.seconds - before, 1e-9)
        yield EpochResult(epoch + 1, epochs, meter.mean, linear_decay(lr, (epoch + 1) / epochs), speed)
    if all(map(math.isnan, history.losses)):
        raise DataError(
            "there was nothing to learn from: no sentence kept two words; "
            "a list of str is lines, not tokens, and sample or min-count may be too strict"
        )
