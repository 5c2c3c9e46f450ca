"""Summing rows on all threads, a range of rows at a time: from windows, or from shards of a text."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.counts.memory_plan import row_ranges
from embedtrain.counts.rows import RowCells, RowStore
from embedtrain.kernels.glove.cooccurrence import BITS, Tally, merge_rows
from embedtrain.machine.memory import release_pages
from embedtrain.machine.threads import in_order, run_tasks


class Workspace(NamedTuple):
    """Arrays in which a thread sums rows and collects their cells."""

    tally: Tally
    columns: NDArray[np.int32]  # (task_cells,)
    sums: NDArray[np.int64]  # (task_cells,)

    @classmethod
    def of(cls, n_words: int, task_cells: int) -> Workspace:
        """Allocate a workspace."""
        elements = -(-n_words // BITS)
        tally = Tally(
            sums=np.zeros(n_words, np.int64),
            touched=np.empty(n_words + 1, np.int32),
            columns=np.zeros(elements, np.uint64),
            groups=np.zeros(-(-elements // BITS), np.uint64),
        )
        return cls(tally, np.empty(task_cells, np.int32), np.empty(task_cells, np.int64))

    def take(self, n: int, scale: int | None) -> RowCells:
        """Copy the first n cells, as float64 counts (sums divided by `scale`) or, if it is None, as sums."""
        sums = self.sums[:n]
        return RowCells(self.columns[:n].copy(), sums.copy() if scale is None else sums / scale)


def sum_rows(
    workers: Sequence[Callable[[int, int], RowCells]], ranges: Sequence[tuple[int, int]]
) -> Generator[RowCells, None, None]:
    """Yield the cells of ranges of rows in order, each summed by a free worker."""

    def numbered(
        worker: Callable[[int, int], RowCells],
    ) -> Callable[[tuple[int, tuple[int, int]]], tuple[int, RowCells]]:
        return lambda task: (task[0], worker(*task[1]))

    with closing(run_tasks([numbered(worker) for worker in workers], enumerate(ranges))) as results:
        yield from in_order(results)


class CountShards(NamedTuple):
    """The sums of each part of a text, mapped from temporary files; row r of shard k is at starts[k, r : r + 2]."""

    starts: NDArray[np.int64]  # (n_shards, n_words + 1)
    columns: NDArray[np.int32]  # (n_cells,)
    sums: NDArray[np.int64]  # (n_cells,)


def merge_shards(
    shards: CountShards, lengths: NDArray[np.int64], workspaces: Sequence[Workspace], scale: int, store: RowStore
) -> NDArray[np.int64]:
    """Merge shards whose rows have these total lengths into `store`; return the lengths of the merged rows."""
    merged = np.empty_like(lengths)

    def worker(workspace: Workspace) -> Callable[[int, int], RowCells]:
        def merge(begin: int, end: int) -> RowCells:
            starts = shards.starts[:, begin : end + 1].copy()
            n = merge_rows(shards.columns, shards.sums, starts, *workspace, merged[begin:end])
            release_pages(*shards)
            return workspace.take(int(n), scale)

        return merge

    ranges = row_ranges(lengths, lengths, len(workspaces[0].columns))
    with closing(sum_rows([worker(workspace) for workspace in workspaces], ranges)) as results:
        for cells in results:
            store.append(cells)
    return merged
