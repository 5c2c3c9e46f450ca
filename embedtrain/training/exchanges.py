"""Exchanges: ranks train one model, each on its share of the text, and add up from time to time what they changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import TrainingError
from embedtrain.machine.memory import format_bytes
from embedtrain.machine.progress import counted
from embedtrain.machine.ranks import Ranks
from embedtrain.machine.threads import resolve_threads, run_all
from embedtrain.training.checkpoint import CheckpointTimer
from embedtrain.training.chunk_schedule import Schedule, linear_decay
from embedtrain.training.loop import History
from embedtrain.training.loss import LossMeter, lower_lr
from embedtrain.training.protocols import SharedModel
from embedtrain.training.settings import TrainingSettings

_PARTS = 16  # exchanges in an epoch
_SLOPE = 0.14  # mean derivative of the sigmoid: of five scores in six near 1/6, 1/6 · 5/6
_DIRECTIONS = 16  # in which changes combine apart, the common ones
_LEAST = 0.01  # steps of all ranks below which changes are just added
_AT_ONCE = 1 << 22  # numbers of a table that are sent at once ...
_IN_CACHE = 1 << 16  # ... and that are combined at once


def combined(
    changes: NDArray[np.float32],
    n_ranks: int,
    steps: NDArray[np.float64],
    values: NDArray[np.float64],
    vectors: NDArray[np.float64],
) -> NDArray[np.float32]:
    """The change of rows, (n_rows, dim), from the sum of the changes of all ranks.

    Along an eigenvector of the second moment of what a row is scored with, its steps, so many on each rank, go
    1 - exp(-a) of the way to an optimum; those of n ranks one after the other would go 1 - exp(-n a) of it. That is the
    mean of the changes along the few common directions, for rows with many steps, and their sum along others, which
    share the mean of their eigenvalues (bench/ranks.py).
    """
    if n_ranks * steps.max() * _SLOPE * values[-1] < _LEAST:
        return changes
    few, values = vectors[:, -_DIRECTIONS:].astype(np.float32), np.maximum(values, 0)
    rest = values[:-_DIRECTIONS].mean() if len(values) > _DIRECTIONS else 0.0
    a = np.outer(steps, _SLOPE * np.append(rest, values[-_DIRECTIONS:])).astype(np.float32)
    a = np.maximum(a, np.float32(1e-4))  # whose weight is 1
    weights = (1 - np.exp(-n_ranks * a)) / (n_ranks * (1 - np.exp(-a)))
    others = weights[:, :1]
    return others * changes + (changes @ few * (weights[:, 1:] - others)) @ few.T


class Exchanges:
    """A `StopPoint` that exchanges the changes of all rows after each part of an epoch."""

    parts = _PARTS
    copies_tables = True

    def __init__(
        self, ranks: Ranks, model: SharedModel, settings: TrainingSettings, history: History, meter: LossMeter,
        timer: CheckpointTimer,
    ) -> None:  # fmt: skip
        self._ranks, self._settings, self._history, self._meter, self._timer = ranks, settings, history, meter, timer
        self._figures = self._own_figures() * [history.part < 1, history.part < 1, 1, 1]
        self._model, self._steps = model, model.expected_steps()
        self._before = {name: rows.copy() for name, rows in model.state.items()}  # as all ranks had them
        self._n_threads = resolve_threads(settings.threads)
        self.seconds = 0.0

    @staticmethod
    def n_items(schedule: Schedule[Any], ranks: Ranks) -> int:
        """The tokens of an epoch of all ranks."""
        return sum(ranks.gather(schedule.n_items))

    @property
    def summary(self) -> str:
        """What is exchanged how often."""
        size = format_bytes(sum(table.nbytes for table in self._before.values()))
        return f"they exchange changes {counted(self.parts, 'time')} in an epoch, {size} each"

    def ends(self, n_tasks: int) -> list[int]:
        """Return the ends of parts with about equally many tasks."""
        return [round(n_tasks * (part / self.parts)) for part in range(1, self.parts + 1)]

    def requested(self) -> bool:
        """Return False: ranks pause at the same time only after a part."""
        return False

    def reached(self) -> None:
        """Do nothing."""

    def finish_part(self, part: int) -> None:
        """Exchange the changes, sum the figures of the history, and write a checkpoint that is due."""
        started = time.perf_counter()
        history, settings, ranks = self._history, self._settings, self._ranks
        passed = self._figures[2]
        is_due = self._sum_figures()
        history.part = part / self.parts
        lr = linear_decay(settings.lr, (len(history.losses) + history.part) / settings.epochs)
        moments = self._model.second_moments(self._steps)
        for name, rows in self._model.state.items():
            self._exchange(name, rows, lr * (history.passed - passed) / ranks.size, self._pull(moments[name]))
        seconds = time.perf_counter() - started
        self.seconds += seconds
        history.seconds += seconds
        if is_due and ranks.rank == 0:
            self._timer.reached()
        self._figures[:2] *= part < self.parts  # the next epoch sums a loss of its own

    def _pull(self, moment: NDArray[np.float64]) -> Any:
        """The eigenvalues and eigenvectors of the mean of the second moments of all ranks."""
        self._ranks.sum(moment)
        if not np.isfinite(moment).all():
            raise TrainingError(f"training produced vectors that are not finite; {lower_lr(self._settings)}")
        return np.linalg.eigh(moment / self._ranks.size)

    def _exchange(self, name: str, rows: NDArray[np.float32], scale: float, pull: Any) -> None:
        """Combine the changes of the rows of a table, whose expected steps are to be multiplied by `scale`."""
        at_once, in_cache = (max(1, n // rows.shape[1]) for n in (_AT_ONCE, _IN_CACHE))
        before, steps = self._before[name], self._steps[name]
        changes = np.empty((min(at_once, len(rows)), rows.shape[1]), np.float32)
        for begin in range(0, len(rows), at_once):
            end = min(begin + at_once, len(rows))

            def in_parts(work: Callable[[slice, slice], object], begin: int = begin, end: int = end) -> None:
                def do(number: int) -> None:
                    first, last = begin + number * in_cache, min(begin + (number + 1) * in_cache, end)
                    work(slice(first, last), slice(first - begin, last - begin))

                run_all([do] * self._n_threads, -(-(end - begin) // in_cache))

            def subtract(part: slice, at: slice) -> None:
                np.subtract(rows[part], before[part], out=changes[at])

            def add(part: slice, at: slice) -> None:
                before[part] += combined(changes[at], self._ranks.size, scale * steps[part], *pull)
                rows[part] = before[part]

            in_parts(subtract)
            self._ranks.sum(changes[: end - begin])
            in_parts(add)

    def _own_figures(self) -> NDArray[np.float64]:
        history = self._history
        return np.array([history.loss, history.pairs, history.passed, history.kept], np.float64)

    def _sum_figures(self) -> bool:
        """Add to the figures of the last exchange what all ranks did since; returns whether a checkpoint is due."""
        history, ranks = self._history, self._ranks
        changes = np.append(self._own_figures() - self._figures, ranks.rank == 0 and self._timer.requested())
        ranks.sum(changes)
        self._figures += changes[:-1]
        history.loss = self._meter.total = float(self._figures[0])
        history.pairs, history.passed, history.kept = map(int, self._figures[1:])
        self._meter.pairs = history.pairs
        return bool(changes[-1])

    @staticmethod
    def find_position(history: History, schedule: Schedule[Any], ranks: Ranks) -> None:
        """Set the finished chunks of this rank in a history that another number of ranks wrote, or rank 0."""
        if ranks.size == 1 and not history.part:
            return
        epoch, n_items = len(history.losses), sum(ranks.gather(schedule.n_items))
        part = history.part or (history.passed - epoch * n_items) / n_items
        chunks = schedule.tasks(epoch)
        history.chunks = round(len(chunks) * part)
        passed = chunks[history.chunks].begin if history.chunks < len(chunks) else schedule.n_items
        history.passed = epoch * n_items + sum(ranks.gather(passed))
        history.kept = min(history.kept, history.passed)
        history.part = part if ranks.size > 1 else 0.0
