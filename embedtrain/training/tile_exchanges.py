"""Exchanges of tiles: ranks train one model of counts, each on some rows of the matrix, and pass columns on.

Every row and column takes the steps that it takes in one process, in the same order: the result has the same bytes.
"""

from __future__ import annotations

from collections import Counter
from itertools import accumulate
from typing import Any

from embedtrain.machine.progress import counted
from embedtrain.training.exchanges import RankExchanges
from embedtrain.training.loss import ChunkResult
from embedtrain.training.tile_schedule import Block, blocks_of


class TileExchanges(RankExchanges):
    """Exchanges after each round, at which ranks get the columns that they need in the next one.

    At the end of an epoch, and before a checkpoint, all ranks get all rows and columns.
    """

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._holders: dict[Block, int] = {}  # of blocks that one rank has trained on since all had all

    @property
    def summary(self) -> str:
        """What is exchanged how often."""
        n_rounds = max(self._model.schedule.cells.shape)
        return f"columns are passed on {counted(n_rounds, 'time')} in an epoch, all vectors at its end"

    def ends(self, n_tasks: int) -> list[int]:
        """Return the ends of the rounds of an epoch."""
        self._rounds = self._model.schedule.rounds(len(self._history.losses))
        return list(accumulate(map(len, self._rounds)))

    def _exchange(self, part: int, is_due: bool) -> None:
        """Exchange columns and costs after round `part`."""
        rank = self._ranks.rank
        tiles, following = self._rounds[part - 1], [] if part == len(self._rounds) else self._rounds[part]
        self._holders.update((block, tile.rank) for tile in tiles for block in blocks_of(tile))
        wanted: list[list[Block]] = [[] for _ in range(self._ranks.size)]
        for tile in following:
            _, columns = blocks_of(tile)
            if self._holders.get(columns) == rank != tile.rank:
                wanted[tile.rank].append(columns)
        self._send(wanted)
        for tile in tiles:  # in the order of one thread
            self._meter.add(ChunkResult(0, 0, self._model.costs.pop(tile, 0.0), 0, tile.last_lr))
        self._history.loss = self._meter.total
        if is_due or not following:
            own = [block for block, holder in self._holders.items() if holder == rank]
            for number in range(max(Counter(self._holders.values()).values(), default=0)):  # a block at a time
                self._send([own[number : number + 1]] * self._ranks.size)
            self._holders.clear()

    def _send(self, blocks: list[list[Block]]) -> None:
        """Send `blocks[r]` to each rank r, and costs to all, and put what is received in place."""
        sent = [({block: self._model.rows_of(block) for block in some}, self._model.costs) for some in blocks]
        for tables, costs in self._ranks.exchange(sent):
            self._model.costs.update(costs)
            for block, rows in tables.items():
                for own, received in zip(self._model.rows_of(block), rows, strict=True):
                    own[:] = received
