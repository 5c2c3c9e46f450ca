"""Counting co-occurrences: the windows of an encoded corpus summed into a sparse matrix, row by row.

A row is summed at once, from all windows of its word, and read in order: nothing is sorted, and no cell is met twice.
Where words stand is known from an index; a text whose index would take too much memory is counted in pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.counts.memory_plan import Division, row_ranges
from embedtrain.counts.rows import CellFiles, RowCells, Rows, RowStore, starts_of
from embedtrain.counts.spill import Piece, merge_pieces
from embedtrain.counts.summing import Workplace, sum_rows
from embedtrain.kernels.glove import cooccurrence
from embedtrain.kernels.glove.cooccurrence import Index
from embedtrain.machine.memory import release_pages
from embedtrain.machine.progress import Progress
from embedtrain.machine.threads import run_all

_UNITS = 720720  # of a count, if distance weighs: what 1 to 16 divide


def count_windows(
    text: EncodedCorpus,
    n_words: int,
    *,
    window: int,
    weighting: str,
    symmetric: bool,
    threads: int,
    budget: int,
    folder: Callable[[], Path],
    progress: Progress | None = None,
) -> Rows:
    """Sum up all windows of a text (Pennington, Socher, Manning 2014).

    X[i, j] is the sum, over the tokens of word i and those of word j up to `window` kept tokens before them (and
    after them) in the same sentence, of 1 / distance or of 1. Two tokens of the same word see each other: where
    windows have two sides, X[i, i] has both.

    Sums are whole numbers, of units of 1/720720 if distance weighs, and are rounded to float32 once: the bytes are
    the same for every number of threads and every budget. A unit holds 1 / distance exactly up to 16, and to
    7e-7 beyond, which is 1e-4 of it at 144 and 7e-4 at 1,000; no pair counts less than a unit. Sums stay below 2^63
    where windows are of at most 10^7 tokens and no word occurs 10^11 times.

    Parameters
    ----------
    text : EncodedCorpus
        May be larger than memory.
    n_words : int
        Tokens of words from this id on are left out before windows are taken: their neighbours move together.
    window : int
        Kept tokens to each side, at least 1.
    weighting : {"distance", "uniform"}
    symmetric : bool
        Whether windows have a right side too. If not, rows are words and columns what stands before them: the file
        that Stanford's `cooccur -symmetric 0` writes has rows for columns.
    threads : int
        Fewer are used if the budget is small.
    budget : int
        Bytes of memory that may be taken, results included and the text not; see `plan.least_bytes`.
    folder : callable
        Gives the folder for temporary files, and for the result if memory cannot hold it; called when it is needed.
    progress : Progress, optional
        Is told of the tokens whose windows were counted.

    Returns
    -------
    Rows
        Of `n_words` rows and columns.

    Raises
    ------
    SettingError
        If the budget is too small.
    DataError
        If the disk is full.
    """
    window = min(window, text.longest_sentence)
    n_tokens = len(text.ids)
    plan = Division.of(n_words, n_tokens, window=window, threads=threads, budget=budget)
    windows = Windows.of(window, weighting, symmetric)
    places = [Workplace.of(n_words, plan.task_cells) for _ in range(plan.threads)]
    counter = _Counter(text, n_words, windows, places, progress)
    folder = cache(folder)
    with RowStore(min(plan.cells, n_words**2, 2 * window * n_tokens), folder) as store:
        if plan.piece >= n_tokens:
            return store.rows(counter.count(0, n_tokens, windows.unit, store))
        pieces, lengths = _write_pieces(counter, plan.piece, folder())
        return store.rows(merge_pieces(pieces, lengths, places, windows.unit, store))


def _write_pieces(counter: _Counter, size: int, folder: Path) -> tuple[list[Piece], NDArray[np.int64]]:
    """Count pieces of at most `size` tokens into files, and the lengths of the rows in all of them together."""
    n_tokens = len(counter.text.ids)
    pieces, lengths = [], np.zeros(counter.n_words, np.int64)
    for number, begin in enumerate(range(0, n_tokens, size)):
        piece = Piece.numbered(number, folder)
        with piece.open() as cells:
            own = counter.count(begin, min(begin + size, n_tokens), None, cells)
        piece.end(own)
        pieces.append(piece)
        lengths += own
    return pieces, lengths


class Windows(NamedTuple):
    """What windows look like."""

    weights: NDArray[np.int64]  # (window + 1,) of each distance, in units; that of 0 is not used
    unit: int  # how many make a count of 1
    symmetric: bool

    @classmethod
    def of(cls, window: int, weighting: str, symmetric: bool) -> Windows:
        """Windows of so many tokens to each side."""
        unit = _UNITS if weighting == "distance" else 1
        distances = np.maximum(1, np.arange(window + 1)) if weighting == "distance" else np.ones(window + 1)
        weights = np.maximum(1, np.rint(unit / distances)).astype(np.int64)
        return cls(weights, unit, symmetric)

    @property
    def size(self) -> int:
        """Tokens to each side."""
        return len(self.weights) - 1


class _Counter:
    """Counts stretches of a text."""

    def __init__(
        self,
        text: EncodedCorpus,
        n_words: int,
        windows: Windows,
        places: Sequence[Workplace],
        progress: Progress | None,
    ) -> None:
        self.text, self.n_words, self.windows, self.places, self.progress = text, n_words, windows, places, progress

    def count(self, begin: int, end: int, unit: int | None, into: RowStore | CellFiles) -> NDArray[np.int64]:
        """Count the windows of ids[begin:end]: counts, or sums if `unit` is None; the lengths of the rows."""
        index = index_text(self.text, self.n_words, self.windows.size, begin, end, len(self.places))
        release_pages(self.text.ids, self.text.offsets)
        lengths = np.empty(self.n_words, np.int64)
        updates = 2 * self.windows.size * np.diff(index.starts)
        ranges = row_ranges(np.minimum(updates, self.n_words), updates, len(self.places[0].columns))
        workers = [self._worker(place, index, unit, lengths) for place in self.places]
        with closing(sum_rows(workers, ranges)) as results:
            for (first, last), cells in zip(ranges, results, strict=True):
                into.append(cells)
                if self.progress is not None:
                    self.progress.update(int(index.starts[last] - index.starts[first]))
        return lengths

    def _worker(
        self, place: Workplace, index: Index, unit: int | None, lengths: NDArray[np.int64]
    ) -> Callable[[int, int], RowCells]:
        weights, _, symmetric = self.windows

        def count(begin: int, end: int) -> RowCells:
            own = lengths[begin:end]
            return place.take(int(cooccurrence.count_rows(index, begin, weights, symmetric, *place, own)), unit)

        return count


def index_text(text: EncodedCorpus, n_words: int, window: int, begin: int, end: int, threads: int) -> Index:
    """Keep the tokens of ids[begin:end], with a window of their sentences before and after, and index them."""
    ids, offsets = text.ids, text.offsets
    borders = np.linspace(begin, end, threads + 1).astype(np.int64)  # a part of the text for each thread
    counts = np.zeros((threads, n_words), np.int64)

    def count(part: int) -> None:
        cooccurrence.count_words(ids, borders[part], borders[part + 1], counts[part])

    run_all([count] * threads, threads)
    starts = starts_of(counts.sum(axis=0))
    tokens = np.empty(int(starts[-1]) + 2 * window + 1, np.int32)
    positions = np.empty(int(starts[-1]), np.int32)
    before = cooccurrence.begin_before(ids, offsets, begin, n_words, window)
    place = cooccurrence.keep_tokens(ids, offsets, before, begin, n_words, tokens, 0)
    places = place + starts_of(counts.sum(axis=1))
    following = np.cumsum(counts, axis=0) - counts + starts[:-1]

    def index(part: int) -> None:
        first, last = borders[part], borders[part + 1]
        cooccurrence.keep_tokens(ids, offsets, first, last, n_words, tokens, places[part])
        cooccurrence.index_tokens(tokens, places[part], places[part + 1], following[part], positions)

    run_all([index] * threads, threads)
    after = cooccurrence.end_after(ids, offsets, end, n_words, window)
    last = cooccurrence.keep_tokens(ids, offsets, end, after, n_words, tokens, places[-1])
    tokens[last] = -1
    return Index(tokens, starts, positions)
