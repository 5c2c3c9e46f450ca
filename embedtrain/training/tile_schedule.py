"""The schedule of a matrix: rounds of tiles that share neither rows nor columns.

In a round, every block of rows is paired with another block of columns, so that all its tiles can be trained on at the
same time; the next round shifts the columns by a block. This is the stratified order of Gemulla, Haas, Nijkamp,
Sismanis, "Large-scale matrix factorization with distributed stochastic gradient descent" (2011), without a barrier
between the rounds: a tile waits only for earlier tiles in its rows and columns, and later ones overtake it. So every
row takes the same steps in the same order, for any number of threads.

Of several ranks, each trains on the blocks of rows that follow each other in an epoch. From a round to the next, only
the column blocks at the borders of these ranges go from one rank to another.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.machine.threads import ConflictOrder

#: "rows" or "columns", and the number of the block.
Block: TypeAlias = tuple[str, int]


class Tile(NamedTuple):
    """A tile in an epoch."""

    row_block: int
    column_block: int
    last_lr: float
    rank: int = 0  # that trains on it


@dataclass(frozen=True)
class TileSchedule:
    """All tiles that have cells, once per epoch, in an order drawn from the seed and the epoch."""

    cells: NDArray[np.int64]  # (n_row_blocks, n_column_blocks) cells in each tile
    lr: float
    seed: int
    n_ranks: int = 1
    _order: ConflictOrder[Tile] = field(default_factory=lambda: ConflictOrder(blocks_of))

    @property
    def n_items(self) -> int:
        """Number of cells."""
        return int(self.cells.sum())

    def tasks(self, epoch: int) -> list[Tile]:
        """The tiles of an epoch."""
        return list(chain(*self.rounds(epoch)))

    def rounds(self, epoch: int) -> list[list[Tile]]:
        """The rounds of an epoch."""
        generator = np.random.default_rng([self.seed, epoch])
        rows, columns = (generator.permutation(n) for n in self.cells.shape)
        longer, shorter = max(self.cells.shape), min(self.cells.shape)
        within = np.arange(shorter)
        masses = self.cells.sum(axis=1)
        ranks = np.empty(len(rows), np.int64)  # of blocks of rows
        ranks[rows] = (np.cumsum(masses[rows]) - masses[rows] / 2) * self.n_ranks / max(1, masses.sum())
        rounds = []
        for shift in range(longer):
            shifted = (within + shift) % longer
            pairs = (rows[within], columns[shifted]) if len(rows) == shorter else (rows[shifted], columns[within])
            tiles = np.stack([*pairs, ranks[pairs[0]]], axis=1).tolist()
            rounds.append([Tile(i, j, self.lr, rank) for i, j, rank in tiles if self.cells[i, j]])
        return rounds

    def in_turn(self, tasks: Iterable[Tile], n_tasks: int) -> Iterator[list[Tile]]:
        """Yield each tile as soon as the earlier ones in its rows and columns are done."""
        return ([tile] for tile in self._order.fetch(tasks))

    def done(self, tile: Tile) -> None:
        """Release the rows and columns of a tile."""
        self._order.done(tile)

    def fingerprint(self) -> dict[str, int]:
        """Numbers that identify the division into tiles."""
        return {"tiles": self.cells.size, "checksum of tiles": zlib.crc32(self.cells.tobytes())}


def blocks_of(tile: Tile) -> tuple[Block, Block]:
    """Return the block of rows and the block of columns of a tile."""
    return ("rows", tile.row_block), ("columns", tile.column_block)
