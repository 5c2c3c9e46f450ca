"""Counting co-occurrences: the windows of an encoded corpus summed into a sparse matrix, row by row.

A row is summed from all windows of its word, found by an index of the positions of each word, and its columns are read
in order: nothing is sorted. A text whose index would take too much memory is counted in shards.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.counts.memory_plan import MemoryPlan, row_ranges
from embedtrain.counts.rows import CellFiles, CsrMatrix, RowCells, RowStore, starts_of
from embedtrain.counts.summing import ShardFiles, Workspace, merge_over_ranks, merge_shards
from embedtrain.kernels.glove import cooccurrence
from embedtrain.kernels.glove.cooccurrence import Index
from embedtrain.machine.array_file import ArrayFile, temporary_file
from embedtrain.machine.memory import release_pages
from embedtrain.machine.progress import Progress
from embedtrain.machine.ranks import ALONE, Ranks
from embedtrain.machine.threads import run_all, run_in_order

_WEIGHT_SCALE = 720720  # weights by distance are multiples of 1 / 720720, which is divisible by 1 to 16


def count_windows(
    text: EncodedCorpus, n_words: int, *, window: int, weighting: str, symmetric: bool, threads: int, budget: int,
    folder: str | os.PathLike[str] | None = None, progress: Progress | None = None, exact: bool = False,
    ranks: Ranks = ALONE,
) -> CsrMatrix:  # fmt: skip
    """Sum all windows of a text (Pennington, Socher, Manning 2014).

    X[i, j] is the sum of 1 / distance, or of 1, over the tokens of word i and the tokens of word j up to `window`
    tokens before them (and after them, if symmetric) in the same sentence. X[i, i] has each pair twice if symmetric.
    One-sided rows are centres and columns what precedes them, the transpose of Stanford's `cooccur -symmetric 0`.
    Tokens of words from id `n_words` on are removed before windows are taken.

    Sums are integers, multiples of 1/720720 if weighted by distance, and rounded once, to float32 or, if `exact`, to
    float64: the bytes are the same for any number of threads and any budget. 1 / distance is exact up to 16, and beyond
    within 7e-7, a relative 1e-4 at 144 and 7e-4 at 1,000. Sums stay below 2^63 for windows up to 10^7 tokens and words
    below 10^11 occurrences.

    `budget` is the memory in bytes, with the result and without the text (see `memory_plan.least_bytes`); a small one
    means fewer threads, and temporary files in `folder`, from which the result may be mapped. Each of several `ranks`
    has a share of the text, and gets the counts of the whole.
    """
    window = min(window, text.longest_sentence)
    n_tokens = len(text.ids)
    plan = MemoryPlan.of(n_words, n_tokens, window=window, threads=threads, budget=budget, n_ranks=ranks.size)
    windows = WindowWeights.of(window, weighting, symmetric)
    workspaces = [Workspace.of(n_words, plan.task_cells) for _ in range(plan.threads)]
    count = partial(_count_part, text, n_words, windows, workspaces, progress)
    with ExitStack() as stack:

        def new_file() -> ArrayFile:
            return stack.enter_context(temporary_file(folder))

        n_cells = min(plan.cells * 2 // 3 if exact else plan.cells, n_words**2)
        if ranks.size == 1:
            n_cells = min(n_cells, 2 * window * n_tokens)
        store = RowStore(n_cells, new_file, np.float64 if exact else np.float32)
        if ranks.size == 1 and plan.shard >= n_tokens:
            return store.matrix(count(0, n_tokens, windows.scale, store))
        shards = ShardFiles(n_words, new_file)
        for begin in range(0, n_tokens, max(1, plan.shard)):
            shards.end_shard(count(begin, min(begin + plan.shard, n_tokens), None, shards))
        merge = merge_shards if ranks.size == 1 else partial(merge_over_ranks, ranks=ranks, at_once=plan.exchanged)
        return store.matrix(merge(shards.mapped(), workspaces, windows.scale, store))


def scale_of(weighting: str) -> int:
    """Return the units in a count of 1."""
    return _WEIGHT_SCALE if weighting == "distance" else 1


class WindowWeights(NamedTuple):
    """The integer weight of each distance in a window."""

    weights: NDArray[np.int64]  # (window + 1,) multiples of 1 / scale; element 0 is not used
    scale: int
    symmetric: bool

    @classmethod
    def of(cls, window: int, weighting: str, symmetric: bool) -> WindowWeights:
        """Make the weights of windows of `window` tokens to each side."""
        scale = scale_of(weighting)
        distances = np.maximum(1, np.arange(window + 1)) if weighting == "distance" else np.ones(window + 1)
        return cls(np.maximum(1, np.rint(scale / distances)).astype(np.int64), scale, symmetric)


def _count_part(
    text: EncodedCorpus, n_words: int, windows: WindowWeights, workspaces: Sequence[Workspace],
    progress: Progress | None, begin: int, end: int, scale: int | None, into: RowStore | CellFiles,
) -> NDArray[np.int64]:  # fmt: skip
    """Count the windows of ids[begin:end], as integer sums if `scale` is None; return the lengths of rows."""
    window = len(windows.weights) - 1
    index = index_text(text, n_words, window, begin, end, len(workspaces))
    if isinstance(text.ids, np.ndarray):
        release_pages(text.ids, text.offsets)
    lengths = np.empty(n_words, np.int64)

    def worker(workspace: Workspace) -> Callable[[tuple[int, int]], RowCells]:
        def count(rows: tuple[int, int]) -> RowCells:
            of_rows = lengths[slice(*rows)]
            n = cooccurrence.count_rows(index, rows[0], windows.weights, windows.symmetric, *workspace, of_rows)
            return workspace.take(int(n), scale)

        return count

    updates = 2 * window * np.diff(index.starts)
    ranges = row_ranges(np.minimum(updates, n_words), updates, len(workspaces[0].columns))
    with closing(run_in_order(list(map(worker, workspaces)), ranges)) as results:
        for (first, last), cells in zip(ranges, results, strict=True):
            into.append(cells)
            if progress is not None:
                progress.update(int(index.starts[last] - index.starts[first]))
    return lengths


def index_text(text: EncodedCorpus, n_words: int, window: int, begin: int, end: int, threads: int) -> Index:
    """Index the kept tokens of ids[begin:end], copied with a window of their sentences before and after."""
    ids, offsets, moved = text.reader(end - begin, threads)(0, begin, end)
    begin, end = begin - moved, end - moved
    borders = np.linspace(begin, end, threads + 1).astype(np.int64)  # a part of the text for each thread
    counts = np.zeros((threads, n_words), np.int64)

    def count(part: int) -> None:
        cooccurrence.count_words(ids, borders[part], borders[part + 1], counts[part])

    run_all([count] * threads, threads)
    starts = starts_of(counts.sum(axis=0))
    tokens = np.empty(int(starts[-1]) + 2 * window + 1, np.int32)
    positions = np.empty(int(starts[-1]), np.int32)
    before = cooccurrence.begin_before(ids, offsets, begin, n_words, window)
    first_token = cooccurrence.copy_kept_tokens(ids, offsets, before, begin, n_words, tokens, 0)
    token_begins = first_token + starts_of(counts.sum(axis=1))
    following = np.cumsum(counts, axis=0) - counts + starts[:-1]

    def index(part: int) -> None:
        first, last = borders[part], borders[part + 1]
        cooccurrence.copy_kept_tokens(ids, offsets, first, last, n_words, tokens, token_begins[part])
        cooccurrence.index_tokens(tokens, token_begins[part], token_begins[part + 1], following[part], positions)

    run_all([index] * threads, threads)
    after = cooccurrence.end_after(ids, offsets, end, n_words, window)
    last = cooccurrence.copy_kept_tokens(ids, offsets, end, after, n_words, tokens, token_begins[-1])
    tokens[last] = -1
    return Index(tokens, starts, positions)
