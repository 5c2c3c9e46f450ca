"""The schedule of a matrix: rounds of tiles that share neither rows nor columns.

In a round, every block of rows is paired with another block of columns, so that all its tiles can be trained on at the
same time; the next round shifts the columns by a block. This is the stratified order of Gemulla, Haas, Nijkamp,
Sismanis, "Large-scale matrix factorization with distributed stochastic gradient descent" (2011), without a barrier
between the rounds: a tile waits only for earlier tiles in its rows and columns, and later ones overtake it. So every
row takes the same steps in the same order, for any number of threads.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.machine.threads import ConflictOrder


class Tile(NamedTuple):
    """A tile in an epoch."""

    row_block: int
    column_block: int
    last_lr: float


@dataclass(frozen=True)
class TileSchedule:
    """All tiles that have cells, once per epoch, in an order drawn from the seed and the epoch."""

    cells: NDArray[np.int64]  # (n_row_blocks, n_column_blocks) cells in each tile
    lr: float
    seed: int
    _order: ConflictOrder[Tile] = field(default_factory=lambda: ConflictOrder(_blocks))

    @property
    def n_items(self) -> int:
        """Number of cells."""
        return int(self.cells.sum())

    def tasks(self, epoch: int) -> list[Tile]:
        """The tiles of an epoch."""
        generator = np.random.default_rng([self.seed, epoch])
        rows, columns = (generator.permutation(n) for n in self.cells.shape)
        longer, shorter = max(self.cells.shape), min(self.cells.shape)
        within = np.arange(shorter)
        tiles = []
        for shift in range(longer):
            shifted = (within + shift) % longer
            pairs = (rows[within], columns[shifted]) if len(rows) == shorter else (rows[shifted], columns[within])
            tiles += [Tile(i, j, self.lr) for i, j in np.stack(pairs, axis=1).tolist() if self.cells[i, j]]
        return tiles

    def in_turn(self, tasks: Iterable[Tile]) -> Iterator[list[Tile]]:
        """Yield each tile as soon as the earlier ones in its rows and columns are done."""
        return ([tile] for tile in self._order.fetch(tasks))

    def done(self, tile: Tile) -> None:
        """Release the rows and columns of a tile."""
        self._order.done(tile)

    def fingerprint(self) -> dict[str, int]:
        """Numbers that identify the division into tiles."""
        return {"tiles": self.cells.size, "checksum of tiles": zlib.crc32(self.cells.tobytes())}


def _blocks(tile: Tile) -> tuple[tuple[str, int], tuple[str, int]]:
    return ("rows", tile.row_block), ("columns", tile.column_block)
