"""Exchanges of tiles: ranks train one model of counts, each on some rows of the matrix, and pass columns on.

Every row and column takes the steps that it takes in one process, in the same order: the result has the same bytes.
"""

from __future__ import annotations

import time
from collections import Counter
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
        started, ranks = time.perf_counter(), self._ranks
        tiles, following = self._rounds[part - 1], [] if part == len(self._rounds) else self._rounds[part]
        self._holders.update((block, tile.rank) for tile in tiles for block in blocks_of(tile))
        wanted: list[list[Block]] = [[] for _ in range(ranks.size)]
        for tile in following:
            _, columns = blocks_of(tile)
            if self._holders.get(columns) == ranks.rank != tile.rank:
                wanted[tile.rank].append(columns)
        news = dict(self._model.costs), self._timer.requested()
        self._model.costs.clear()
        received = ranks.exchange([(*news, self._copy(blocks)) for blocks in wanted])
        costs = {tile: cost for of_rank, _, _ in received for tile, cost in of_rank.items()}
        for _, _, blocks in received:
            self._put(blocks)
        for tile in tiles:  # in the order of one thread
            self._meter.add(ChunkResult(0, 0, costs.get(tile, 0.0), 0, tile.last_lr))
        self._history.loss = self._meter.total
        is_due = received[0][1]
        if is_due or not following:
            self._gather()
        seconds = time.perf_counter() - started
        self.seconds += seconds
        self._history.seconds += seconds
        if is_due and ranks.rank == 0:
            self._timer.reached()

    def _gather(self) -> None:
        """Give all ranks all blocks, one of each rank at a time."""
        own = [block for block, rank in self._holders.items() if rank == self._ranks.rank]
        for number in range(max(Counter(self._holders.values()).values(), default=0)):
            for blocks in self._ranks.gather(self._copy(own[number : number + 1])):
                self._put(blocks)
        self._holders.clear()

    def _copy(self, blocks: list[Block]) -> dict[Block, list[NDArray[np.float32]]]:
        return {block: self._model.rows_of(block) for block in blocks}

    def _put(self, blocks: dict[Block, list[NDArray[np.float32]]]) -> None:
        for block, tables in blocks.items():
            for own, received in zip(self._model.rows_of(block), tables, strict=True):
                own[:] = received
