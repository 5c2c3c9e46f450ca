"""Merging counts of the parts of a text: the result is that of counting the whole text.

Parts are counted with `exact`: their float64 values times the units of a count are the integer sums, which are added
and rounded once.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedtrain.counts.counting import scale_of
from embedtrain.counts.counts_file import read_counts_file
from embedtrain.counts.matrix import Counts, checked_counts, counts_of_rows
from embedtrain.counts.memory_plan import MemoryPlan
from embedtrain.counts.rows import CellFiles, CsrMatrix, RowCells, RowStore
from embedtrain.counts.summing import CountShards, Workspace, merge_shards
from embedtrain.errors import DataError, SettingError
from embedtrain.machine.array_file import ArrayFile, temporary_file
from embedtrain.machine.files import note_repeated, source_name
from embedtrain.machine.memory import release_pages
from embedtrain.machine.progress import Progress

_MOST_UNITS = 2.0**51  # sums up to it are recovered from float64, see `_sums`
_AT_ONCE = 1 << 18  # cells


def merge_files(
    files: Sequence[str | os.PathLike[str]],
    *,
    threads: int,
    budget: int,
    folder: str | os.PathLike[str] | None,
    progress: Progress | None = None,
) -> Counts:
    """Add counts of the same words, counted `exact` with the same settings; see `count_windows` for the parameters."""
    note_repeated(files)
    first = _read_part(files[0])

    def matrices() -> Iterator[CsrMatrix]:
        for number, path in enumerate(files):
            part = first if number == 0 else _read_part(path)
            _require_like(part, first, path, files[0])
            yield CsrMatrix(part.matrix.indptr, part.matrix.indices, part.matrix.data)

    scale = scale_of(first.settings["weighting"])
    rows = merge_matrices(
        matrices(), len(first), scale, threads=threads, budget=budget, folder=folder, progress=progress
    )
    return counts_of_rows(rows, first.words, first.counts, first.settings)


def merge_matrices(
    matrices: Iterable[CsrMatrix],
    n_words: int,
    scale: int,
    *,
    threads: int,
    budget: int,
    folder: str | os.PathLike[str] | None,
    progress: Progress | None = None,
) -> CsrMatrix:
    """Add square matrices of exact counts in units of 1 / scale; their sums take 12 bytes a cell in `folder`."""
    plan = MemoryPlan.of(n_words, 0, window=0, threads=threads, budget=budget)
    with ExitStack() as stack:

        def new_file() -> ArrayFile:
            return stack.enter_context(temporary_file(folder))

        cells, starts = CellFiles(new_file), new_file()
        n_cells, lengths = 0, np.zeros(n_words, np.int64)
        for matrix in matrices:
            starts.append(matrix.starts.astype(np.int64) + n_cells)
            lengths += np.diff(matrix.starts)
            for begin in range(0, len(matrix.columns), _AT_ONCE):
                columns = matrix.columns[begin : begin + _AT_ONCE].astype(np.int32)
                cells.append(RowCells(columns, _sums(matrix.values[begin : begin + _AT_ONCE], scale)))
                release_pages(*matrix)
                if progress is not None:
                    progress.update(len(columns))
            n_cells += len(matrix.columns)
        shards = CountShards(
            starts.mapped(np.int64).reshape(-1, n_words + 1),
            cells.columns.mapped(np.int32), cells.values.mapped(np.int64),
        )  # fmt: skip
        workspaces = [Workspace.of(n_words, plan.task_cells) for _ in range(plan.threads)]
        store = RowStore(min(plan.cells, n_words**2, n_cells), new_file)
        return store.matrix(merge_shards(shards, lengths, workspaces, scale, store))


def _sums(values: NDArray[np.float64], scale: int) -> NDArray[np.int64]:
    """Return the integer sums of which (n,) exact values were computed."""
    sums = np.rint(values * scale)
    if sums.max() > _MOST_UNITS:
        raise DataError(
            f"a count is {values.max():,.0f}, and exact are those up to {_MOST_UNITS / scale:,.0f}; "
            "count all parts at once"
        )
    return sums.astype(np.int64)


def _read_part(path: str | os.PathLike[str]) -> Counts:
    """Read exact counts of a part of a text."""
    name = source_name(Path(path))
    stored = None
    with suppress(SettingError):  # a file of another program, without words
        stored = read_counts_file(Path(path), None)
    if stored is None or not {"weighting", "symmetric", "window"} <= stored.settings.keys() or stored.counts is None:
        raise DataError(f"{name} does not say how it was counted; merge files that embedtrain cooccur wrote")
    if stored.matrix.data.dtype != np.float64:
        raise DataError(f"{name} has rounded counts, whose sum is not exact; count the text again with `exact=True`")
    return checked_counts(path, stored, exact=True)


def _require_like(
    part: Counts, first: Counts, path: str | os.PathLike[str], first_path: str | os.PathLike[str]
) -> None:
    """Check that a part has the words and settings of the first."""
    name, other = source_name(Path(path)), source_name(Path(first_path))
    if part.words != first.words or not np.array_equal(part.counts, first.counts):  # type: ignore[arg-type]
        raise DataError(
            f"{name} and {other} have other words, or other counts of words; count all parts with one `read_vocab`"
        )
    for setting in {*first.settings, *part.settings} - {"version"}:
        found, expected = part.settings.get(setting), first.settings.get(setting)
        if found != expected:
            raise DataError(
                f"`{setting}` is {found!r} in {name} and {expected!r} in {other}; "
                "count all parts with the same settings"
            )
