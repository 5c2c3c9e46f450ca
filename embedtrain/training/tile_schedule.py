"""The schedule of a matrix: rounds of tiles that share neither rows nor columns.

A tile touches the rows of one table and of the other. In a round every block of rows meets another block of columns,
so that all tiles of a round can be worked on at once; the next one shifts the columns by a block. This is the
stratified order of Gemulla, Haas, Nijkamp, Sismanis, "Large-scale matrix factorization with distributed stochastic
gradient descent" (2011), without a barrier between the rounds: a tile waits only for the earlier ones in its rows and
its columns. So every row sees the same steps in the same order, however many threads there are.
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
    """All tiles that hold cells, once an epoch, in an order drawn from the seed and the epoch.

    Attributes
    ----------
    cells : (n_row_blocks, n_column_blocks) int64 array
        Cells of each tile.
    lr : float
        Of all steps.
    seed : int
    """

    cells: NDArray[np.int64]
    lr: float
    seed: int
    _order: ConflictOrder[Tile] = field(default_factory=lambda: ConflictOrder(_blocks))

    @property
    def n_items(self) -> int:
        """Cells in all."""
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

    def in_turn(self, tasks: Iterable[Tile]) -> Iterator[Tile]:
        """Each tile as soon as the earlier ones in its rows and its columns are done."""
        return self._order.fetch(tasks)

    def done(self, tile: Tile) -> None:
        """Release the tiles that wait for its rows or columns."""
        self._order.done(tile)

    def fingerprint(self) -> dict[str, int]:
        """Numbers that differ where the matrix is cut into other tiles."""
        return {"tiles": self.cells.size, "checksum of tiles": zlib.crc32(self.cells.tobytes())}


def _blocks(tile: Tile) -> tuple[tuple[str, int], tuple[str, int]]:
    return ("rows", tile.row_block), ("columns", tile.column_block)
