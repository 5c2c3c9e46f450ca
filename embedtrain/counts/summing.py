"""Summing rows on all threads, a range of rows at a time: from windows, or from shards of a text, also of ranks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.counts.memory_plan import row_ranges
from embedtrain.counts.rows import CellFiles, RowCells, RowStore, starts_of
from embedtrain.kernels.glove.cooccurrence import BITS, Tally, merge_rows
from embedtrain.machine.array_file import ArrayFile
from embedtrain.machine.memory import release_pages
from embedtrain.machine.ranks import Ranks
from embedtrain.machine.threads import run_in_order


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


class CountShards(NamedTuple):
    """The sums of each part of a text, mapped from temporary files; row r of shard k is at starts[k, r : r + 2]."""

    starts: NDArray[np.int64]  # (n_shards, n_words + 1)
    columns: NDArray[np.int32]  # (n_cells,)
    sums: NDArray[np.int64]  # (n_cells,)

    def rows(self, begin: int, end: int) -> list[CountShards]:
        """Return a range of rows of each shard."""
        spans = [(starts[None, begin : end + 1], slice(starts[begin], starts[end])) for starts in self.starts]
        return [CountShards(starts - starts[0, 0], self.columns[span], self.sums[span]) for starts, span in spans]


class ShardFiles(CellFiles):
    """Temporary files of shards, to which the cells of one after the other are appended."""

    def __init__(self, n_words: int, new_file: Callable[[], ArrayFile]) -> None:
        super().__init__(new_file)
        self._n_words, self._starts, self._n_cells = n_words, new_file(), 0

    def end_shard(self, lengths: NDArray[np.int64]) -> None:
        """Append the lengths of the rows of a shard, after its cells."""
        self._starts.append(self._n_cells + starts_of(lengths))
        self._n_cells += int(lengths.sum())

    def mapped(self) -> CountShards:
        """Map all shards."""
        starts = self._starts.mapped(np.int64).reshape(-1, self._n_words + 1)
        return CountShards(starts, self.columns.mapped(np.int32), self.values.mapped(np.int64))


def merge_shards(
    shards: CountShards, workspaces: Sequence[Workspace], scale: int, store: RowStore | list[RowCells]
) -> NDArray[np.int64]:
    """Merge shards into `store`; return the lengths of the merged rows."""
    lengths = np.diff(shards.starts.sum(axis=0))  # of each row in all shards
    merged = np.empty_like(lengths)

    def worker(workspace: Workspace) -> Callable[[tuple[int, int]], RowCells]:
        def merge(rows: tuple[int, int]) -> RowCells:
            begin, end = rows
            starts = shards.starts[:, begin : end + 1].copy()
            n = merge_rows(shards.columns, shards.sums, starts, *workspace, merged[begin:end])
            release_pages(*shards)
            return workspace.take(int(n), scale)

        return merge

    ranges = row_ranges(lengths, lengths, len(workspaces[0].columns))
    with closing(run_in_order([worker(workspace) for workspace in workspaces], ranges)) as results:
        for cells in results:
            store.append(cells)
    return merged


def merge_over_ranks(
    shards: CountShards, workspaces: Sequence[Workspace], scale: int, store: RowStore, ranks: Ranks, at_once: int
) -> NDArray[np.int64]:
    """Merge the shards of all ranks into the store of each, as `merge_shards` does; a rank merges some of the rows.

    Of `at_once`, the cells that a rank has memory to exchange, the least of all counts.
    """
    lengths = np.diff(shards.starts.sum(axis=0))
    ranks.sum(lengths)
    merged = []
    for begin, end in row_ranges(lengths, lengths, min(ranks.gather(at_once))):
        ends = np.cumsum(lengths[begin:end])
        borders = begin + np.searchsorted(ends, np.linspace(0, ends[-1], ranks.size + 1)[1:-1])
        sent = [shards.rows(*span) for span in pairwise([begin, *borders.tolist(), end])]
        received = list(chain(*ranks.exchange(sent)))
        release_pages(*shards)
        begins = starts_of(np.array([len(part.columns) for part in received]))
        moved = [(part.starts + first, *part[1:]) for part, first in zip(received, begins[:-1], strict=True)]
        own = CountShards(*map(np.concatenate, zip(*moved, strict=True)))
        cells: list[RowCells] = []
        own_lengths = merge_shards(own, workspaces, scale, cells)
        for some, some_lengths in ranks.gather((cells, own_lengths)):
            merged.append(some_lengths)
            for part in some:
                store.append(part)
    return np.concatenate(merged)
