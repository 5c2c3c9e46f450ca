"""Signs that a matrix of co-occurrence counts is not as meant, with remedies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from embedtrain.counts.rows import CsrMatrix

_AT_ONCE = 1 << 20  # cells


def one_triangle(rows: CsrMatrix) -> Iterator[str]:
    """Yield a note if all cells outside the diagonal are on one side of it; only the ends of rows are read."""
    filled = np.flatnonzero(np.diff(rows.starts))
    first, last = rows.columns[rows.starts[filled]], rows.columns[rows.starts[filled + 1] - 1]
    is_upper, is_lower = bool((first >= filled).all()), bool((last <= filled).all())
    if is_upper != is_lower:
        side = "upper" if is_upper else "lower"
        yield (
            f"the counts are in the {side} triangle of the matrix only, each pair in one direction; if they are those "
            "of both, add the transpose: matrix + matrix.T"
        )


def without_cells(rows: CsrMatrix, words: Sequence[str]) -> Iterator[str]:
    """Yield a note if words have neither a row nor a column with cells."""
    absent = np.diff(rows.starts) == 0
    for begin in range(0, len(rows.columns) if absent.any() else 0, _AT_ONCE):
        absent[rows.columns[begin : begin + _AT_ONCE]] = False
    if n_absent := int(np.count_nonzero(absent)):
        example = words[int(np.argmax(absent))]
        yield (
            f"{n_absent:,} of the {len(words):,} words co-occur with none, such as {example!r}: nothing is learned "
            "about them; leave them out"
        )
