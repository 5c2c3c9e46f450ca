"""Rows summed by all threads, a range of them at a time, and given in order."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.counts.rows import RowCells
from embedtrain.kernels.glove.cooccurrence import BITS, Tally
from embedtrain.machine.threads import in_order, run_tasks

Numbered: TypeAlias = "tuple[int, tuple[int, int]]"  # a range of rows


class Workplace(NamedTuple):
    """What a thread sums rows in, and puts the cells of a range of them."""

    tally: Tally
    columns: NDArray[np.int32]  # (task_cells,)
    sums: NDArray[np.int64]  # (task_cells,)

    @classmethod
    def of(cls, n_words: int, task_cells: int) -> Workplace:
        """An empty one."""
        elements = -(-n_words // BITS)
        tally = Tally(
            sums=np.zeros(n_words, np.int64),
            touched=np.empty(n_words + 1, np.int32),
            columns=np.zeros(elements, np.uint64),
            groups=np.zeros(-(-elements // BITS), np.uint64),
        )
        return cls(tally, np.empty(task_cells, np.int32), np.empty(task_cells, np.int64))

    def take(self, n: int, unit: int | None) -> RowCells:
        """A copy of the first cells: sums in units made counts, or sums as they are if `unit` is None."""
        if unit is None:
            return RowCells(self.columns[:n].copy(), self.sums[:n].copy())
        values = np.divide(self.sums[:n], unit, out=np.empty(n, np.float32), casting="same_kind")  # in float64
        return RowCells(self.columns[:n].copy(), values)


def sum_rows(
    workers: Sequence[Callable[[int, int], RowCells]], ranges: Sequence[tuple[int, int]]
) -> Generator[RowCells, None, None]:
    """The cells of ranges of rows, each summed by a worker that is free, in order."""

    def numbered(worker: Callable[[int, int], RowCells]) -> Callable[[Numbered], tuple[int, RowCells]]:
        return lambda task: (task[0], worker(*task[1]))

    with closing(run_tasks([numbered(worker) for worker in workers], enumerate(ranges))) as results:
        yield from in_order(results)
