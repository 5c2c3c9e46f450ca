"""The training loop of all models: epochs of tasks, done by threads, checked from the calling thread."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain, takewhile
from typing import NamedTuple, Protocol

from embedtrain.errors import DataError
from embedtrain.machine.progress import Progress
from embedtrain.machine.threads import run_tasks
from embedtrain.training.chunk_schedule import LARGEST_CHUNK, AnyTask, Chunk, Schedule, plan_chunks
from embedtrain.training.loss import ChunkResult, LossMeter


class EpochResult(NamedTuple):
    """The figures of an epoch."""

    number: int  # from 1
    epochs: int
    loss: float  # mean a pair
    lr: float
    speed: float  # tokens, or cells, a second


@dataclass
class History:
    """What was done so far; with the tables, all that is needed to continue."""

    losses: list[float] = field(default_factory=list)  # of the epochs that are finished
    valid_losses: list[float] = field(default_factory=list)  # on held-out text
    passed: int = 0  # tokens, or cells, over all epochs
    kept: int = 0  # of them, not removed by subsampling
    seconds: float = 0.0  # of training
    chunks: int = 0  # done of the epoch that is not finished
    loss: float = 0.0  # summed over them ...
    pairs: int = 0  # ... and over so many pairs
    stopped: bool = False  # no further epoch is wanted


class StopPoint(Protocol):
    """What may interrupt training between tasks."""

    def requested(self) -> bool:
        """Whether workers should finish their tasks; called by any thread, before tasks but the first."""

    def reached(self) -> None:
        """Called when no worker is at work: tables and history agree."""


def evaluate(workers: Sequence[Callable[[Chunk], ChunkResult]], n_tokens: int, *, epochs: int) -> float:
    """The mean loss a pair on held-out text, for workers that learn nothing at a learning rate of 0.

    What is random in it is the same every time, and other than in any of the `epochs`.
    """
    meter = LossMeter(math.inf, 0.0)
    with closing(run_tasks(workers, plan_chunks(n_tokens, epochs, epochs, 0.0, LARGEST_CHUNK))) as results:
        for result in results:
            meter.add(result)
    return meter.mean


def do_tasks(
    workers: Sequence[Callable[[AnyTask], ChunkResult]], schedule: Schedule[AnyTask], tasks: Iterable[AnyTask]
) -> Generator[ChunkResult, None, None]:
    """Let the workers do tasks of a schedule, each when it may start, and yield the results as they come."""

    def ending(work: Callable[[AnyTask], ChunkResult]) -> Callable[[AnyTask], ChunkResult]:
        def do(task: AnyTask) -> ChunkResult:
            try:
                return work(task)
            finally:
                schedule.done(task)

        return do

    return run_tasks([ending(work) for work in workers], schedule.in_turn(tasks), on_skipped=schedule.done)


def train_epochs(
    workers: Sequence[Callable[[AnyTask], ChunkResult]],
    schedule: Schedule[AnyTask],
    *,
    epochs: int,
    meter: LossMeter,
    history: History,
    progress: Progress,
    stop_point: StopPoint,
) -> Iterator[EpochResult]:
    """Let the workers do every task that `history` lacks, add to `history`, and yield after each epoch.

    Epochs do not overlap. Raises `TrainingError` if the `meter` finds that training diverges, `DataError` if all epochs
    had no pair to train on.
    """
    for epoch in range(len(history.losses), epochs):
        if history.stopped:
            return
        meter.begin_epoch(history.loss, history.pairs)
        before = history.passed, history.seconds
        tasks = schedule.tasks(epoch)
        while history.chunks < len(tasks):
            started, seconds = time.perf_counter(), history.seconds
            left = tasks[history.chunks :]
            stretch = chain(
                left[:1], takewhile(lambda _: not stop_point.requested(), left[1:])
            )  # work goes on between pauses
            with closing(do_tasks(workers, schedule, stretch)) as results:
                for result in results:
                    meter.add(result)
                    history.chunks += 1
                    history.passed += result.passed
                    history.kept += result.kept
                    history.loss, history.pairs = meter.total, meter.pairs
                    history.seconds = seconds + time.perf_counter() - started
                    meter.check(epoch + 1, result.lr)
                    facts = {"epoch": f"{epoch + 1}/{epochs}", "lr": f"{result.lr:.4f}", "loss": f"{meter.mean:.4g}"}
                    progress.update(result.passed, **facts)
            stop_point.reached()
        lr = tasks[-1].last_lr
        meter.check(epoch + 1, lr, final=True)
        history.losses.append(meter.mean)
        history.chunks, history.loss, history.pairs = 0, 0.0, 0
        speed = (history.passed - before[0]) / max(history.seconds - before[1], 1e-9)
        yield EpochResult(epoch + 1, epochs, history.losses[-1], lr, speed)
    if all(map(math.isnan, history.losses)):
        raise DataError(
            "there was nothing to learn from: no sentence kept two words; "
            "a list of str is lines, not tokens, and sample or min-count may be too strict"
        )
