"""Exchanges: ranks train one model, each on its share of the text, and add up from time to time what they changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from embedtrain.errors import TrainingError
from embedtrain.kernels.changes import add_changes, combine_changes, mark_changes, sum_changes, take_changes
from embedtrain.machine.memory import format_bytes
from embedtrain.machine.progress import counted
from embedtrain.machine.ranks import Ranks
from embedtrain.machine.threads import resolve_threads, run_all
from embedtrain.training.checkpoint import CheckpointTimer
from embedtrain.training.chunk_schedule import Schedule
from embedtrain.training.combining import Curvature, Steps, combined, force_share
from embedtrain.training.loop import History, StopPoint
from embedtrain.training.loss import LossMeter, lower_lr
from embedtrain.training.settings import TrainingSettings

_MOST_PARTS = 32  # exchanges in an epoch
_LARGEST_PART = 1 << 23  # words that a rank trains on between two, if that is not more exchanges
_FREQUENT = 20_000  # rows that are exchanged every time, and of which their common force is found; so many at once
_RARELY = 4  # every so many exchanges all rows are exchanged
_AT_ONCE = 1 << 16  # numbers of a table that a thread combines at once


def n_parts(n_ranks: int, n_items: int) -> int:
    """The exchanges in an epoch of so many words: more ranks, and longer parts, move a row further between two."""
    return min(_MOST_PARTS, max(n_ranks * (n_ranks - 1), n_items // n_ranks // _LARGEST_PART)) if n_ranks > 1 else 1


class RankExchanges(StopPoint):
    """What ranks exchange after each part of an epoch; `find_position` and `n_items` are those of one process."""

    copies_tables = False

    def __init__(
        self, ranks: Ranks, model: Any, settings: TrainingSettings, history: History, meter: LossMeter,
        timer: CheckpointTimer,
    ) -> None:  # fmt: skip
        self._ranks, self._model, self._settings, self._timer = ranks, model, settings, timer
        self._history, self._meter, self.seconds = history, meter, 0.0

    @staticmethod
    def n_items(schedule: Schedule[Any], ranks: Ranks) -> int:
        """The tokens or cells of an epoch of all ranks."""
        return schedule.n_items

    @staticmethod
    def find_position(history: History, schedule: Schedule[Any], ranks: Ranks) -> None:
        """Set the finished tasks of this rank in a history that another number of ranks wrote, or rank 0."""

    def finish_part(self, part: int) -> None:
        """Exchange what a part changed; rank 0 writes a checkpoint that is due."""
        started = time.perf_counter()
        is_due = self._ranks.broadcast(self._timer.requested()) and self.is_complete(part)
        self._exchange(part, is_due)
        seconds = time.perf_counter() - started
        self.seconds += seconds
        self._history.seconds += seconds
        if is_due and self._ranks.rank == 0:
            self._timer.reached()

    def is_complete(self, part: int) -> bool:
        """Whether a checkpoint can be written after this part."""
        return True

    def _exchange(self, part: int, is_due: bool) -> None:
        """Exchange what a part changed."""
        raise NotImplementedError


class SharedTable:
    """A table that ranks have in common: each changes its copy, and has another as it was at the last exchange."""

    def __init__(self, rows: NDArray[np.float32], steps: NDArray[np.float64], ranks: Ranks, n_threads: int) -> None:
        (n_rows, self._dim), width = rows.shape, rows.strides[0] // rows.itemsize
        self._rows = as_strided(rows, (n_rows, width))  # with the padding
        self._before, self._ranks, self._n_threads = self._rows.copy(), ranks, n_threads
        self._order, self._steps = np.argsort(-steps, kind="stable"), np.zeros(n_rows)
        self._buffers = np.zeros((2, (min(n_rows, _FREQUENT) + ranks.size) * self._dim), np.uint16)

    def exchange(self, own_steps: NDArray[np.float64], curvature: Curvature, n_due: int | None) -> None:
        """Combine what ranks have changed in the `n_due` most frequent rows, or all, since these were exchanged.

        `own_steps` (n_rows,) are the steps of this rank with each row since the last call, times the learning rate.
        """
        self._steps += own_steps
        due = self._order[:n_due]
        sums, changed = np.stack([self._steps[due], self._steps[due] ** 2]), np.empty(len(due), np.int16)
        self._ranks.sum(sums)
        self._for_blocks(mark_changes, len(due), self._rows.view(np.int32), self._before.view(np.int32), due, changed)
        self._ranks.sum(changed)
        which, steps, common = np.flatnonzero(changed), Steps.of(*sums), None
        share = force_share(sums[0, :_FREQUENT], curvature, self._ranks.size)
        for first in range(0, max(1, len(which)), _FREQUENT):
            at = which[first : first + _FREQUENT]  # those with most steps first
            common = self._exchange_rows(due[at], steps.of_rows(at), curvature, common, share)
        self._steps[due] = 0

    def _exchange_rows(
        self,
        rows: NDArray[np.int64],
        steps: Steps,
        curvature: Curvature,
        common: NDArray[np.float32] | None,
        share: float,
    ) -> NDArray[np.float32]:
        """Exchange the changes of some rows, of which each rank combines a part; returns the common force."""
        ranks, n, n_each = self._ranks, self._ranks.size, -(-len(rows) // self._ranks.size)
        sent, received = self._buffers[:, : n * n_each * self._dim].reshape(2, n, n_each, self._dim)
        self._for_blocks(take_changes, len(rows), self._rows, self._before, rows, sent.reshape(-1, self._dim))
        ranks.exchange_arrays(sent, received)
        steps = steps.of_rows(slice(ranks.rank * n_each, (ranks.rank + 1) * n_each))
        changes = np.empty((len(steps.each), self._dim), np.float32)
        self._for_blocks(sum_changes, len(changes), received, changes)
        force = curvature.common(changes, steps, ranks) if common is None else common

        def combine(begin: int, end: int) -> None:
            found = combined(changes[begin:end], steps.of_rows(slice(begin, end)), curvature, force, share)
            combine_changes(begin, end, changes, *found, sent)

        self._for_blocks(combine, len(changes))
        ranks.exchange_arrays(sent, received)
        self._for_blocks(add_changes, len(rows), self._rows, self._before, rows, received.reshape(-1, self._dim))
        return force

    def _for_blocks(self, work: Callable[..., None], n_rows: int, *arguments: Any) -> None:
        """Let the threads work on blocks of rows, at least one, which may be empty."""
        step = max(1, _AT_ONCE // self._dim)
        works = [lambda k: work(k * step, min((k + 1) * step, n_rows), *arguments)] * self._n_threads
        run_all(works, max(1, -(-n_rows // step)))


class Exchanges(RankExchanges):
    """Exchanges of the changes of tables."""

    copies_tables = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.parts = n_parts(self._ranks.size, self.n_items(self._model.schedule, self._ranks))
        self._n_empty = self._ranks.gather(self._model.schedule.n_items).count(0)
        self._begun = self._history.chunks if self._history.part < 1 else 0  # those before the last exchange
        self._figures = self._own_figures() * [self._history.part < 1, self._history.part < 1, 1, 1]
        self._steps = self._model.expected_steps()
        n_threads = resolve_threads(self._settings.threads)
        self._tables = {
            name: SharedTable(rows, self._steps[name], self._ranks, n_threads)
            for name, rows in self._model.state.items()
        }
        flat = Curvature.of(np.eye(self._settings.n_dims))
        for name, table in self._tables.items():
            table.exchange(0 * self._steps[name], flat, 0)  # compiles the kernels before the time is measured

    @staticmethod
    def n_items(schedule: Schedule[Any], ranks: Ranks) -> int:
        """The tokens of an epoch of all ranks."""
        return sum(ranks.gather(schedule.n_items))

    @property
    def summary(self) -> str:
        """What is exchanged how often."""
        tables = self._model.state.values()
        size = format_bytes(sum(rows.nbytes // 2 for rows in tables))  # as bfloat16
        rare = f", rare words {counted(-(-self.parts // _RARELY), 'time')}" * (max(map(len, tables)) > _FREQUENT)
        empty = f"; {counted(self._n_empty, 'rank')} without text" * (self._n_empty > 0)
        return f"they exchange changes {counted(self.parts, 'time')} in an epoch{rare}, up to {size} each{empty}"

    def ends(self, n_tasks: int) -> list[int]:
        """Return the ends of parts with about equally many tasks."""
        return [round(n_tasks * (part / self.parts)) for part in range(1, self.parts + 1)]

    def is_complete(self, part: int) -> bool:
        """Whether all rows are exchanged after this part, rare ones too."""
        return part % _RARELY == 0 or part == self.parts

    def _exchange(self, part: int, is_due: bool) -> None:
        """Exchange the changes, and sum the figures of the history."""
        history = self._history
        self._sum_figures()
        history.part = part / self.parts
        chunks = self._model.schedule.tasks(len(history.losses))[self._begun : history.chunks]
        self._begun = history.chunks if part < self.parts else 0
        own_steps = self._model.expected_steps(chunks)
        lr = chunks[0].first_lr if chunks else 0.0
        curvatures = self._model.curvatures(self._steps)
        if not all(np.isfinite(matrix).all() for matrix in curvatures.values()):
            raise TrainingError(f"training produced vectors that are not finite; {lower_lr(self._settings)}")
        n_due = None if self.is_complete(part) else _FREQUENT
        for name, table in self._tables.items():
            table.exchange(lr * own_steps[name], Curvature.of(curvatures[name]), n_due)
        self._figures[:2] *= part < self.parts  # the next epoch sums a loss of its own

    def _own_figures(self) -> NDArray[np.float64]:
        history = self._history
        return np.array([history.loss, history.pairs, history.passed, history.kept], np.float64)

    def _sum_figures(self) -> None:
        """Add to the figures of the last exchange what all ranks did since."""
        history, changes = self._history, self._own_figures() - self._figures
        self._ranks.sum(changes)
        self._figures += changes
        history.loss = self._meter.total = float(self._figures[0])
        history.pairs, history.passed, history.kept = map(int, self._figures[1:])
        self._meter.pairs = history.pairs

    @staticmethod
    def find_position(history: History, schedule: Schedule[Any], ranks: Ranks) -> None:
        """Set the finished chunks of this rank in a history that another number of ranks wrote, or rank 0."""
        if ranks.size == 1 and not history.part:
            return
        epoch, n_items = len(history.losses), sum(ranks.gather(schedule.n_items))
        part = history.part or (history.passed - epoch * n_items) / n_items
        chunks = schedule.tasks(epoch)
        history.chunks = round(len(chunks) * part)
        passed = sum(chunk.end - chunk.begin for chunk in chunks[: history.chunks])
        history.passed = epoch * n_items + sum(ranks.gather(passed))
        history.kept = min(history.kept, history.passed)
        history.part = part if ranks.size > 1 else 0.0
