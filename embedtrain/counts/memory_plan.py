"""The memory plan of counting: how many threads, tokens and cells fit into a budget."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.counts.rows import ROW_CELL_BYTES
from embedtrain.errors import SettingError
from embedtrain.machine.memory import format_bytes

_TOKEN_BYTES = 8  # an id and a position in the index
_ROW_BYTES = 96  # starts, lengths, updates
_TALLY_BYTES = 13  # a sum, a touched column, bits
_TASK_BYTES = 72  # per cell: 12 to sum it, 60 in 5 results that wait as sums (with counts: 12 and 40)
_TASK_CELLS = 1 << 18  # enough to make overheads negligible
_TASK_UPDATES = 1 << 22  # sums in a task: hundredths of a second
_LEAST_SHARD = 1 << 20  # tokens; with smaller ones there would be too many shards
_EXCHANGED_BYTES = 48  # of a cell that ranks exchange: as it is received and joined, and 12 or 16 once it is merged
_MOST_EXCHANGED = 1 << 22  # cells
_MOST_SHARD = 1 << 30  # tokens, so that positions fit 32 bits


class MemoryPlan(NamedTuple):
    """The sizes that fit into the budget."""

    threads: int
    task_cells: int  # the most cells of a task, at least those of a row
    shard: int  # the most tokens counted at once
    exchanged: int  # the most cells that ranks exchange at once
    cells: int  # the most cells of the result in memory

    @classmethod
    def of(cls, n_words: int, n_tokens: int, *, window: int, threads: int, budget: int, n_ranks: int = 1) -> MemoryPlan:
        """Plan counting within the budget: at most half of it for threads, unless there is only one."""
        least = least_bytes(n_words, window)
        if budget < least:
            raise SettingError(
                f"`memory` must be at least {format_bytes(least)} to count the co-occurrences of {n_words:,} words, "
                f"got {format_bytes(budget)}; allow more, or keep fewer words"
            )
        free = budget - _fixed_bytes(n_words, window)
        threads = max(1, min(threads, free // 2 // _thread_bytes(n_words)))
        free -= threads * _thread_bytes(n_words)
        shard = min(n_tokens, free // _TOKEN_BYTES, _MOST_SHARD)
        exchanged = max(1, min(free // 4 // _EXCHANGED_BYTES, _MOST_EXCHANGED))
        # with several shards, the index is freed before they are merged
        free -= max(shard * _TOKEN_BYTES * (shard == n_tokens), exchanged * _EXCHANGED_BYTES * (n_ranks > 1))
        return cls(threads, _task_cells(n_words), shard, exchanged, free // ROW_CELL_BYTES)


def least_bytes(n_words: int, window: int) -> int:
    """Return the least budget for counting, for a text of any length."""
    return _fixed_bytes(n_words, window) + _thread_bytes(n_words) + _LEAST_SHARD * _TOKEN_BYTES


def row_ranges(cells: NDArray[np.int64], updates: NDArray[np.int64], task_cells: int) -> list[tuple[int, int]]:
    """Divide rows into ranges of at most `task_cells` cells and `_TASK_UPDATES` updates; a single row may have more.

    `cells` and `updates` are (n_rows,) numbers or upper bounds.
    """
    shares = np.maximum(cells / task_cells, updates / _TASK_UPDATES)
    ends = np.cumsum(shares)
    ranges, begin, done = [], 0, 0.0
    while begin < len(ends):
        end = max(begin + 1, int(np.searchsorted(ends, done + 1, side="right")))
        ranges.append((begin, end))
        begin, done = end, ends[end - 1]
    return ranges


def _task_cells(n_words: int) -> int:
    return max(n_words, _TASK_CELLS)


def _fixed_bytes(n_words: int, window: int) -> int:
    return _ROW_BYTES * n_words + 16 * window  # a weight, and two tokens around the shard


def _thread_bytes(n_words: int) -> int:
    return _TALLY_BYTES * n_words + _TASK_BYTES * _task_cells(n_words)
