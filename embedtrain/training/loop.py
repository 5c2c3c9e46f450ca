"""The training loop of all models: threads process the tasks of each epoch, and the calling thread checks the loss."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain, takewhile
from typing import NamedTuple

import numpy as np

from embedtrain.machine.progress import Progress
from embedtrain.machine.ranks import ALONE, Ranks
from embedtrain.machine.threads import run_tasks
from embedtrain.training.chunk_schedule import LARGEST_CHUNK, AnyTask, Chunk, Schedule, plan_chunks
from embedtrain.training.loss import ChunkResult, LossMeter

_PROBE = 1.0  # seconds of training by which the speed is measured


class EpochResult(NamedTuple):
    """The figures of an epoch."""

    number: int  # from 1
    epochs: int
    loss: float  # mean per pair; nan without pairs
    lr: float
    speed: float  # tokens or cells per second


@dataclass
class History:
    """The progress of a run; with the tables, all that is needed to continue."""

    losses: list[float] = field(default_factory=list)  # of finished epochs
    valid_losses: list[float] = field(default_factory=list)  # on held-out text
    passed: int = 0  # tokens, or cells, over all epochs
    kept: int = 0  # of these, not removed by subsampling
    seconds: float = 0.0  # of training
    chunks: int = 0  # finished tasks of the current epoch
    loss: float = 0.0  # their total loss ...
    pairs: int = 0  # ... and its number of pairs
    stopped: bool = False  # by patience or a callback
    part: float = 0.0  # of the current epoch that is finished, where several ranks exchanged their changes


class StopPoint:
    """A condition that may pause training between tasks, and what happens between the parts of an epoch."""

    def ends(self, n_tasks: int) -> Sequence[int]:
        """Return the number of tasks at the end of each part of an epoch."""
        return [n_tasks]

    def requested(self) -> bool:
        """Whether workers should pause; called by any thread before each task except the first."""
        return False

    def reached(self) -> None:
        """Called when all workers have paused, so that tables and history agree."""

    def finish_part(self, part: int) -> None:
        """Called after each part of an epoch, counted from 1."""


def evaluate(
    workers: Sequence[Callable[[Chunk], ChunkResult]], n_tokens: int, *, epochs: int, ranks: Ranks = ALONE
) -> float:
    """Compute the mean loss per pair on held-out text, of which each rank has a share, with a learning rate of 0.

    Random numbers are the same every time, and different from those of the `epochs`.
    """
    meter = LossMeter(math.inf, "")
    with closing(run_tasks(workers, plan_chunks(n_tokens, epochs, epochs, 0.0, LARGEST_CHUNK))) as results:
        for result in results:
            meter.add(result)
    figures = np.array([meter.total, meter.pairs])
    ranks.sum(figures)
    return float(figures[0] / figures[1]) if figures[1] else math.nan


def do_tasks(
    workers: Sequence[Callable[[AnyTask], ChunkResult]],
    schedule: Schedule[AnyTask],
    tasks: Sequence[AnyTask],
    pauses: Callable[[], bool],
) -> Generator[ChunkResult, None, None]:
    """Let the workers process tasks, each when the schedule lets it start, and yield the results.

    From the second on, none is started once `pauses` returns True.
    """
    started = chain(tasks[:1], takewhile(lambda _: not pauses(), tasks[1:]))

    def doing(work: Callable[[AnyTask], ChunkResult]) -> Callable[[list[AnyTask]], list[ChunkResult]]:
        def do(portion: list[AnyTask]) -> list[ChunkResult]:
            try:
                return [work(task) for task in portion]
            finally:
                release(portion)

        return do

    def release(portion: list[AnyTask]) -> None:
        for task in portion:
            schedule.done(task)

    portions = schedule.in_turn(started, len(tasks))
    with closing(run_tasks([doing(work) for work in workers], portions, on_skipped=release)) as finished:
        for results in finished:
            yield from results


def training_speed(workers: Sequence[Callable[[AnyTask], ChunkResult]], schedule: Schedule[AnyTask]) -> float:
    """Measure the tokens or cells per second by training for a short time."""
    passed, started, tasks = 0, time.perf_counter(), schedule.tasks(0)
    for result in do_tasks(workers, schedule, tasks, lambda: time.perf_counter() - started >= _PROBE):
        passed += result.passed
    return passed / (time.perf_counter() - started)


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
    """Let the workers process all tasks that `history` lacks, update it, and yield after each epoch.

    Raises `TrainingError` if the `meter` finds that training diverges.
    """
    for epoch in range(len(history.losses), epochs):
        if history.stopped:
            return
        meter.begin_epoch(history.loss, history.pairs)
        before = history.passed, history.seconds
        tasks = schedule.tasks(epoch)
        ends = stop_point.ends(len(tasks))
        done = int(history.part * len(ends) + 0.001)
        for part, end in enumerate(ends[done:], done + 1):
            while history.chunks < end:
                started, seconds = time.perf_counter(), history.seconds
                left = tasks[history.chunks : end]
                with closing(do_tasks(workers, schedule, left, stop_point.requested)) as results:
                    for result in results:
                        meter.add(result)
                        history.chunks += 1
                        history.passed += result.passed
                        history.kept += result.kept
                        history.loss, history.pairs = meter.total, meter.pairs
                        history.seconds = seconds + time.perf_counter() - started
                        meter.check(epoch + 1, result.lr)
                        loss = {"loss": f"{meter.mean:.4g}"} if meter.pairs else {}
                        facts = {**loss, "epoch": f"{epoch + 1}/{epochs}"}
                        progress.update(result.passed, **facts)
                stop_point.reached()
            stop_point.finish_part(part)
        lr = tasks[-1].last_lr if tasks else 0.0  # none in an empty share
        meter.check(epoch + 1, lr, final=True)
        history.losses.append(meter.mean)
        history.chunks, history.loss, history.pairs, history.part = 0, 0.0, 0, 0.0
        speed = (history.passed - before[0]) / max(history.seconds - before[1], 1e-9)
        yield EpochResult(epoch + 1, epochs, history.losses[-1], lr, speed)
