"""Exchanges of tiles: ranks train one model of counts, each on some rows of the matrix, and pass columns on.

Every row and column takes the steps that it takes in one process, in the same order: the result has the same bytes.
"""

from __future__ import annotations

import time
from collections import Counter
from itertools import accumulate
from typing import Any

from embedtrain.machine.progress import counted
from embedtrain.machine.ranks import Ranks
from embedtrain.training.checkpoint import CheckpointTimer
from embedtrain.training.loop import History
from embedtrain.training.loss import ChunkResult, LossMeter
from embedtrain.training.tile_schedule import Block, TileSchedule, blocks_of


class TileExchanges:
    """A `StopPoint` after each round, at which ranks get the columns that they need in the next one.

    At the end of an epoch, and before a checkpoint, all ranks get all rows and columns. Positions in an epoch are those
    of one process.
    """

    copies_tables = False

    def __init__(
        self, ranks: Ranks, model: Any, settings: Any, history: History, meter: LossMeter, timer: CheckpointTimer
    ) -> None:
        self._ranks, self._model, self._history, self._meter, self._timer = ranks, model, history, meter, timer
        self._holders: dict[Block, int] = {}  # of blocks that one rank has trained on since all had all
        self.seconds = 0.0

    @staticmethod
    def n_items(schedule: TileSchedule, ranks: Ranks) -> int:
        """The cells of an epoch of all ranks."""
        return schedule.n_items

    @staticmethod
    def find_position(history: History, schedule: TileSchedule, ranks: Ranks) -> None:
        """Do nothing: the position is right for any number of ranks."""

    @property
    def summary(self) -> str:
        """What is exchanged how often."""
        n_rounds = max(self._model.schedule.cells.shape)
        return f"columns are passed on {counted(n_rounds, 'time')} in an epoch, all vectors at its end"

    def ends(self, n_tasks: int) -> list[int]:
        """Return the ends of the rounds of an epoch."""
        self._rounds = self._model.schedule.rounds(len(self._history.losses))
        return list(accumulate(map(len, self._rounds)))

    def requested(self) -> bool:
        """Return False: ranks pause at the same time only after a round."""
        return False

    def reached(self) -> None:
        """Do nothing."""

    def finish_part(self, part: int) -> None:
        """Exchange columns and costs after round `part`, and write a checkpoint that is due."""
        started, rank = time.perf_counter(), self._ranks.rank
        tiles, following = self._rounds[part - 1], [] if part == len(self._rounds) else self._rounds[part]
        self._holders.update((block, tile.rank) for tile in tiles for block in blocks_of(tile))
        wanted: list[list[Block]] = [[] for _ in range(self._ranks.size)]
        for tile in following:
            _, columns = blocks_of(tile)
            if self._holders.get(columns) == rank != tile.rank:
                wanted[tile.rank].append(columns)
        received = self._exchange(wanted, self._model.costs, self._timer.requested())
        self._model.costs.clear()
        costs = {tile: cost for of_rank, _ in received for tile, cost in of_rank.items()}
        for tile in tiles:  # in the order of one thread
            self._meter.add(ChunkResult(0, 0, costs.get(tile, 0.0), 0, tile.last_lr))
        self._history.loss = self._meter.total
        _, is_due = received[0]
        if is_due or not following:
            own = [block for block, holder in self._holders.items() if holder == rank]
            for number in range(max(Counter(self._holders.values()).values(), default=0)):  # a block at a time
                self._exchange([own[number : number + 1]] * self._ranks.size)
            self._holders.clear()
        seconds = time.perf_counter() - started
        self.seconds += seconds
        self._history.seconds += seconds
        if is_due and rank == 0:
            self._timer.reached()

    def _exchange(self, blocks: list[list[Block]], *news: Any) -> list[tuple[Any, ...]]:
        """Send `blocks[r]` and news to each rank r, and put what it sent in place; return its news."""
        received = self._ranks.exchange([({b: self._model.rows_of(b) for b in some}, *news) for some in blocks])
        for tables, *_ in received:
            for block, rows in tables.items():
                for own, others in zip(self._model.rows_of(block), rows, strict=True):
                    own[:] = others
        return [tuple(others) for _, *others in received]
