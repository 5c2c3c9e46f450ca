"""Exchanges: ranks train one model, each on its share of the text, and add up from time to time what they changed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from embedtrain.errors import TrainingError
from embedtrain.kernels.changes import add_changes, mark_changes, take_changes
from embedtrain.machine.memory import format_bytes
from embedtrain.machine.progress import counted
from embedtrain.machine.ranks import ALONE, Ranks
from embedtrain.machine.threads import resolve_threads, run_all
from embedtrain.training.checkpoint import CheckpointTimer
from embedtrain.training.chunk_schedule import Schedule
from embedtrain.training.loop import History, StopPoint
from embedtrain.training.loss import LossMeter, lower_lr
from embedtrain.training.settings import TrainingSettings

_MOST_PARTS = 32  # exchanges in an epoch
_SLOPE = 0.1  # mean derivative of the sigmoid along the common directions, measured on text after three epochs
_DIRECTIONS = 16  # in which changes combine apart, the common ones
_FREQUENT = 20_000  # rows, of which their common force is found; so many are exchanged at once
_LEAST = 0.01  # steps of all ranks below which changes are just added
_AT_ONCE = 1 << 16  # numbers of a table that a thread combines at once


def n_parts(n_ranks: int) -> int:
    """The exchanges in an epoch: more ranks move a row further between two."""
    return max(1, min(_MOST_PARTS, n_ranks * (n_ranks - 1)))


class Steps(NamedTuple):
    """The steps of ranks with each row times the learning rate, as if some ranks had made equally many, others none."""

    each: NDArray[np.float32]  # (n_rows, 1) of each of these ranks
    n_ranks: NDArray[np.float32]  # (n_rows, 1) and how many they are

    @classmethod
    def of(cls, total: NDArray[np.float64], squares: NDArray[np.float64]) -> Steps:
        """Of the sums over ranks of their steps and of the squares of these, (n_rows,)."""
        each = squares / np.maximum(total, 1e-30)
        n_ranks = np.maximum(total / np.maximum(each, 1e-30), 1)
        return cls(each[:, None].astype(np.float32), n_ranks[:, None].astype(np.float32))

    def of_rows(self, rows: slice | NDArray[np.int64]) -> Steps:
        """The steps of some rows."""
        return Steps(self.each[rows], self.n_ranks[rows])


class Pull(NamedTuple):
    """The second moment, decomposed, of the vectors that the rows of a table are scored with."""

    values: NDArray[np.float64]  # (1 + n,) eigenvalues times the slope: the mean of the others, then the largest ...
    vectors: NDArray[np.float32]  # (dim, n) ... and the eigenvectors of these

    @classmethod
    def of(cls, moment: NDArray[np.float64]) -> Pull:
        """Decompose a second moment, (dim, dim)."""
        values, vectors = np.linalg.eigh(moment)
        values, n = _SLOPE * values.clip(0), max(0, len(values) - _DIRECTIONS)
        return cls(np.append(values[:n].sum() / max(1, n), values[n:]), vectors[:, n:].astype(np.float32))

    def reach(self, steps: Steps) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """For rows and values: a = steps * value, and how far a force of 1 on each rank moves a row in all.

        The latter is (1 - exp(-a)) / a times the steps of all ranks.
        """
        a = np.maximum(steps.each * self.values.astype(np.float32), np.float32(1e-4))
        return a, np.multiply((1 - np.exp(-a)) / a, steps.each * steps.n_ranks)

    def common(self, changes: NDArray[np.float32], steps: Steps, ranks: Ranks = ALONE) -> NDArray[np.float32]:
        """The force, (dim,), the same for all rows, those of all ranks, that explains changes best (least squares)."""
        reach = self.reach(steps)[1]
        along = (reach[:, 1:] * (changes @ self.vectors)).sum(axis=0)
        sums = np.concatenate([(reach * reach).sum(axis=0), along, reach[:, 0] @ changes])
        ranks.sum(sums)
        squares, along, others = np.split(sums, np.cumsum([len(self.values), len(along)]))
        squares = np.maximum(squares, np.float32(1e-30))
        along, others = along / squares[1:], others / squares[0]
        return np.asarray(others + self.vectors @ (along - others @ self.vectors))


def saturated(a: Any, n_ranks: Any) -> Any:
    """The weight of the sum of the changes of ranks: from 1, if the steps of each are few, to 1 / n_ranks."""
    return (1 - np.exp(-n_ranks * a)) / (n_ranks * (1 - np.exp(-a)))


def combined(
    changes: NDArray[np.float32], steps: Steps, pull: Pull, common: NDArray[np.float32], share: float
) -> NDArray[np.float32]:
    """The change of rows, (n_rows, dim), from the sum of the changes of all ranks.

    Along an eigenvector of `pull`, the steps of a row on a rank go 1 - exp(-a) of the way to an optimum; those of n
    ranks one after the other would go 1 - exp(-n a) of it. That is the mean of the changes along the few common
    directions, for rows with many steps, and their sum along others. Of what a force `common` to all rows moves, it is
    a `share`: the force ends when the vectors that rows are scored with have moved, on each rank (bench/ranks.py).
    """
    if (steps.each * steps.n_ranks).max() * pull.values[-1] < _LEAST:
        return changes
    a, reach = pull.reach(steps)
    weights, along = saturated(a, steps.n_ranks), changes @ pull.vectors
    forced = reach * (np.float32(share) - weights) * along.any(axis=1, keepdims=True)
    along *= weights[:, 1:] - weights[:, :1]
    along += common @ pull.vectors * (forced[:, 1:] - forced[:, :1])
    result = np.hstack([forced[:, :1], along]) @ np.vstack([common, pull.vectors.T])
    result += weights[:, :1] * changes
    return result


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
        is_due = self._ranks.broadcast(self._timer.requested())
        self._exchange(part, is_due)
        seconds = time.perf_counter() - started
        self.seconds += seconds
        self._history.seconds += seconds
        if is_due and self._ranks.rank == 0:
            self._timer.reached()

    def _exchange(self, part: int, is_due: bool) -> None:
        """Exchange what a part changed."""
        raise NotImplementedError


class SharedTable:
    """A table that ranks have in common: each changes its copy, and has another as it was at the last exchange."""

    def __init__(self, rows: NDArray[np.float32], steps: NDArray[np.float64], ranks: Ranks, n_threads: int) -> None:
        (n_rows, self._dim), width = rows.shape, rows.strides[0] // rows.itemsize
        self._rows = as_strided(rows, (n_rows, width))  # with the padding
        self._before, self._ranks, self._n_threads = self._rows.copy(), ranks, n_threads
        self._order = np.argsort(-steps, kind="stable")
        self._buffers = np.zeros((2, (min(n_rows, _FREQUENT) + ranks.size) * self._dim), np.uint16)

    def exchange(self, own_steps: NDArray[np.float64], pull: Pull) -> None:
        """Combine the changes of all ranks; this one moved rows in `own_steps` (n_rows,) times the learning rate."""
        sums = np.stack([own_steps, own_steps**2])
        self._ranks.sum(sums)
        total, steps, n = sums[0], Steps.of(*sums), self._ranks.size
        mean = total @ total / max(total.sum(), 1e-30) / n  # steps of the row of a term
        share = saturated(mean * pull.values[-1] + 1e-4, n)
        changed = np.empty(len(self._rows), np.int16)
        self._for_blocks(mark_changes, len(changed), self._rows.view(np.int32), self._before.view(np.int32), changed)
        self._ranks.sum(changed)
        which, common = self._order[changed[self._order] > 0], None  # those with most steps first
        for first in range(0, len(which), _FREQUENT):
            common = self._exchange_rows(which[first : first + _FREQUENT], steps, pull, common, share)

    def _exchange_rows(
        self, rows: NDArray[np.int64], steps: Steps, pull: Pull, common: NDArray[np.float32] | None, share: float
    ) -> NDArray[np.float32]:
        """Exchange the changes of some rows, of which each rank combines a part; returns the common force."""
        ranks, n, n_each = self._ranks, self._ranks.size, -(-len(rows) // self._ranks.size)
        sent, received = self._buffers[:, : n * n_each * self._dim].reshape(2, n, n_each, self._dim)
        self._for_blocks(take_changes, len(rows), self._rows, self._before, rows, sent.reshape(-1, self._dim))
        ranks.exchange_arrays(sent, received)
        steps = steps.of_rows(rows[ranks.rank * n_each :][:n_each])
        changes = np.empty((len(steps.each), self._dim), np.float32)

        def add(begin: int, end: int) -> None:
            parts = (received[:, begin:end].astype(np.uint32) << 16).view(np.float32)
            changes[begin:end] = sum(parts[1:], parts[0])  # in the order of ranks

        self._for_blocks(add, len(changes))
        force = pull.common(changes, steps, ranks) if common is None else common

        def combine(begin: int, end: int) -> None:
            own = combined(changes[begin:end], steps.of_rows(slice(begin, end)), pull, force, share)
            sent[:, begin:end] = (own.view(np.uint32) + np.uint32(1 << 15)) >> 16  # to all, as bfloat16

        self._for_blocks(combine, len(changes))
        ranks.exchange_arrays(sent, received)
        self._for_blocks(add_changes, len(rows), self._rows, self._before, rows, received.reshape(-1, self._dim))
        return force

    def _for_blocks(self, work: Callable[..., None], n_rows: int, *arguments: Any) -> None:
        """Let the threads work on blocks of rows."""
        step = max(1, _AT_ONCE // self._dim)
        works = [lambda k: work(k * step, min((k + 1) * step, n_rows), *arguments)] * self._n_threads
        run_all(works, -(-n_rows // step))


class Exchanges(RankExchanges):
    """Exchanges of the changes of all rows."""

    copies_tables = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.parts = n_parts(self._ranks.size)
        self._n_empty = self._ranks.gather(self._model.schedule.n_items).count(0)
        self._begun = self._history.chunks if self._history.part < 1 else 0  # those before the last exchange
        self._figures = self._own_figures() * [self._history.part < 1, self._history.part < 1, 1, 1]
        self._steps = self._model.expected_steps()
        n_threads = resolve_threads(self._settings.threads)
        self._tables = {
            name: SharedTable(rows, self._steps[name], self._ranks, n_threads)
            for name, rows in self._model.state.items()
        }

    @staticmethod
    def n_items(schedule: Schedule[Any], ranks: Ranks) -> int:
        """The tokens of an epoch of all ranks."""
        return sum(ranks.gather(schedule.n_items))

    @property
    def summary(self) -> str:
        """What is exchanged how often."""
        size = format_bytes(sum(rows.nbytes // 2 for rows in self._model.state.values()))  # as bfloat16
        return f"they exchange changes {counted(self.parts, 'time')} in an epoch, up to {size} each" + (
            f"; {counted(self._n_empty, 'rank')} without text" * (self._n_empty > 0)
        )

    def ends(self, n_tasks: int) -> list[int]:
        """Return the ends of parts with about equally many tasks."""
        return [round(n_tasks * (part / self.parts)) for part in range(1, self.parts + 1)]

    def _exchange(self, part: int, is_due: bool) -> None:
        """Exchange the changes, and sum the figures of the history."""
        history = self._history
        self._sum_figures()
        history.part = part / self.parts
        chunks = self._model.schedule.tasks(len(history.losses))[self._begun : history.chunks]
        self._begun = history.chunks if part < self.parts else 0
        own_steps = self._model.expected_steps(chunks)
        lr = chunks[0].first_lr if chunks else 0.0
        moments = self._model.second_moments(self._steps)
        for name, table in self._tables.items():
            table.exchange(lr * own_steps[name], self._pull(moments[name]))
        self._figures[:2] *= part < self.parts  # the next epoch sums a loss of its own

    def _pull(self, moment: NDArray[np.float64]) -> Pull:
        """The pull of the sum of the second moments, each of other rows, of all ranks."""
        self._ranks.sum(moment)
        if not np.isfinite(moment).all():
            raise TrainingError(f"training produced vectors that are not finite; {lower_lr(self._settings)}")
        return Pull.of(moment)

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
