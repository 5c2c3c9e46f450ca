"""Summing rows on all threads, a range of rows at a time: from windows, or from shards of a text, also of ranks."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.counts.memory_plan import row_ranges
from embedtrain.counts.rows import RowCells, RowStore
from embedtrain.kernels.glove.cooccurrence import BITS, Tally, merge_rows
from embedtrain.machine.memory import release_pages
from embedtrain.machine.ranks import Ranks
from embedtrain.machine.threads import in_order, run_tasks

_CELLS_AT_ONCE = 1 << 22  # that ranks exchange


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

    def rows(self, begin: int, end: int) -> CountShards:
        """Copy a range of rows to memory."""
        spans = [slice(first, last) for first, last in zip(self.starts[:, begin], self.starts[:, end], strict=True)]
        lengths = np.diff(self.starts[:, begin : end + 1])
        copy = CountShards.joined(lengths, [self.columns[span] for span in spans], [self.sums[span] for span in spans])
        release_pages(*self)
        return copy

    @classmethod
    def joined(
        cls, lengths: NDArray[np.int64], columns: Sequence[NDArray[np.int32]], sums: Sequence[NDArray[np.int64]]
    ) -> CountShards:
        """Join the cells of shards whose rows have these (n_shards, n_rows) lengths."""
        ends = np.cumsum(lengths).reshape(lengths.shape)
        starts = np.concatenate([ends[:, :1] - lengths[:, :1], ends], axis=1)
        empty = np.empty(0, np.int64)
        return cls(starts, np.concatenate([*columns, empty.astype(np.int32)]), np.concatenate([*sums, empty]))


def merge_shards(
    shards: CountShards, lengths: NDArray[np.int64], workspaces: Sequence[Workspace], scale: int,
    store: RowStore | list[RowCells],
) -> NDArray[np.int64]:  # fmt: skip
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


def merge_over_ranks(
    shards: CountShards, lengths: NDArray[np.int64], workspaces: Sequence[Workspace], scale: int, store: RowStore,
    ranks: Ranks,
) -> NDArray[np.int64]:  # fmt: skip
    """Merge the shards of all ranks into the store of each, as `merge_shards` does; a rank merges some of the rows."""
    lengths = lengths.copy()
    ranks.sum(lengths)
    merged = []
    for begin, end in row_ranges(lengths, lengths, _CELLS_AT_ONCE):
        shares = np.linspace(0, lengths[begin:end].sum(), ranks.size + 1)[1:-1]
        borders = [begin, *(begin + np.searchsorted(np.cumsum(lengths[begin:end]), shares)).tolist(), end]
        parts = ranks.exchange([shards.rows(*span) for span in pairwise(borders)])
        own = CountShards.joined(
            np.concatenate([np.diff(part.starts) for part in parts]),
            [part.columns for part in parts], [part.sums for part in parts],
        )  # fmt: skip
        cells: list[RowCells] = []
        rows = slice(borders[ranks.rank], borders[ranks.rank + 1])
        own_lengths = merge_shards(own, lengths[rows], workspaces, scale, cells)
        for some, some_lengths in ranks.gather((cells, own_lengths)):
            merged.append(some_lengths)
            for part in some:
                store.append(part)
    return np.concatenate(merged)
