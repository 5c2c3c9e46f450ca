"""The loop that every model trains in: epochs of chunks, spread over threads, watched from the calling thread."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from embedtrain.machine.progress import Progress
from embedtrain.machine.threads import run_tasks
from embedtrain.training.loss import ChunkResult, LossMeter
from embedtrain.training.schedule import linear_decay

if TYPE_CHECKING:
    from embedtrain.vectors.word_vectors import WordVectors


class Chunk(NamedTuple):
    """A stretch of the corpus in an epoch, with the learning rates at its ends."""

    epoch: int  # from 0
    number: int
    begin: int  # token positions
    end: int
    first_lr: float
    last_lr: float


@dataclass(frozen=True)
class Epoch:
    """What a callback is told after each epoch.

    Attributes
    ----------
    number, epochs : int
        This epoch, from 1, of so many.
    loss : float
        Mean loss a pair.
    lr : float
        The learning rate reached.
    words_per_second : float
        Tokens of the corpus passed in a second of this epoch.
    vectors : WordVectors
        A view of the tables as they are now; copy what is to be kept.
    """

    number: int
    epochs: int
    loss: float
    lr: float
    words_per_second: float
    vectors: WordVectors


Callback = Callable[[Epoch], object]


@dataclass
class History:
    """What became of the epochs so far."""

    losses: list[float] = field(default_factory=list)
    tokens: int = 0  # passed, over all epochs
    kept: int = 0  # of them, not removed by subsampling
    seconds: float = 0.0


def plan_chunks(n_tokens: int, epoch: int, epochs: int, lr: float, largest: int) -> list[Chunk]:
    """The chunks of an epoch: about 64, and none above `largest` tokens, whatever the number of threads."""
    size = min(largest, max(256, n_tokens // 64))
    begins = range(0, n_tokens, size)

    def rate(position: int) -> float:
        return linear_decay(lr, (epoch + position / n_tokens) / epochs)

    return [
        Chunk(epoch, number, begin, end, rate(begin), rate(end))
        for number, (begin, end) in enumerate((begin, min(begin + size, n_tokens)) for begin in begins)
    ]


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
    vectors: Callable[[], WordVectors],
    callback: Callback | None,
) -> None:
    """Let the workers train on every chunk of every epoch; `history` grows as they do.

    Epochs do not overlap. The callback may stop training by returning True.

    Raises
    ------
    TrainingError
        If the loss shows that training diverges.
    """
    for epoch in range(epochs):
        meter = LossMeter(loss_limit)
        chunks = plan_chunks(n_tokens, epoch, epochs, lr, largest_chunk)
        started, before = time.perf_counter(), history.seconds
        with closing(run_tasks(workers, chunks)) as results:
            for result in results:
                meter.add(result)
                history.tokens += result.tokens
                history.kept += result.kept
                history.seconds = before + time.perf_counter() - started
                meter.check(epoch + 1, lr)
                progress.update(
                    result.tokens, epoch=f"{epoch + 1}/{epochs}", lr=f"{result.lr:.4f}", loss=f"{meter.mean:.3f}"
                )
        meter.check(epoch + 1, lr, final=True)
        history.losses.append(meter.mean)
        if callback is not None:
            speed = n_tokens / max(history.seconds - before, 1e-9)
            if callback(Epoch(epoch + 1, epochs, meter.mean, chunks[-1].last_lr, speed, vectors())) is True:
                return
