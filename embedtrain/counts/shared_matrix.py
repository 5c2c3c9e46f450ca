"""Transposes of matrices of which each rank has some consecutive rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise, zip_longest

import numpy as np

from embedtrain.counts.rows import CsrMatrix, RowCells, starts_of
from embedtrain.counts.weighting import MatrixBuilder, rank_borders, task_ranges
from embedtrain.machine.memory import release_pages
from embedtrain.machine.npz import read_only
from embedtrain.machine.ranks import Ranks


def transposed_over_ranks(matrix: CsrMatrix, n_columns: int, builder: MatrixBuilder, ranks: Ranks) -> CsrMatrix:
    """Transpose a matrix of which each rank has some rows; returns some rows of the transpose."""
    transposed = builder.transposed(matrix, n_columns)
    if ranks.size == 1:
        return transposed
    begins = list(accumulate(ranks.gather(len(matrix.starts) - 1), initial=0))
    lengths = np.diff(transposed.starts)
    ranks.sum(lengths)
    borders = rank_borders(starts_of(lengths), ranks)
    ranges = [task_ranges(lengths[begin:end]) for begin, end in pairwise(borders)]

    def parts() -> Iterator[RowCells]:
        for spans in zip_longest(*ranges, fillvalue=(0, 0)):
            sent = [_rows(transposed, at + begin, at + end) for at, (begin, end) in zip(borders, spans, strict=False)]
            yield _side_by_side(ranks.exchange(sent), begins)
            release_pages(*transposed)

    begin, end = borders[ranks.rank : ranks.rank + 2]
    return builder.collect(lengths[begin:end], parts(), transposed)


def _rows(matrix: CsrMatrix, begin: int, end: int) -> CsrMatrix:
    """View some rows."""
    starts = matrix.starts[begin : end + 1]
    cells = slice(starts[0], starts[-1])
    return CsrMatrix(read_only(starts - starts[0]), matrix.columns[cells], matrix.values[cells])


def _side_by_side(parts: Sequence[CsrMatrix], begins: Sequence[int]) -> RowCells:
    """Join matrices of the same rows, whose columns begin at these."""
    rows = np.concatenate([np.repeat(np.arange(len(part.starts) - 1), np.diff(part.starts)) for part in parts])
    columns = np.concatenate([part.columns + begin for part, begin in zip(parts, begins, strict=False)])
    order = np.argsort(rows, kind="stable")
    return RowCells(columns[order], np.concatenate([part.values for part in parts])[order])
