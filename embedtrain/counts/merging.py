"""Merging counts of the parts of a text: the result is that of counting the whole text.

Parts are counted with `exact`: their float64 values times the units of a count are the integer sums, which are added
and rounded once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from embedtrain.counts.counting import scale_of
from embedtrain.counts.counts_file import read_counts_file
from embedtrain.counts.matrix import Counts, checked_counts, counts_of_rows
from embedtrain.counts.memory_plan import MemoryPlan
from embedtrain.counts.rows import CsrMatrix, RowCells, RowStore
from embedtrain.counts.summing import ShardFiles, Workspace, merge_shards
from embedtrain.errors import DataError, SettingError
from embedtrain.machine.array_file import temporary_file
from embedtrain.machine.files import note_repeated, source_name
from embedtrain.machine.memory import release_pages
from embedtrain.machine.progress import Progress

_MOST_UNITS = 2.0**51  # sums up to it are recovered from float64
_AT_ONCE = 1 << 18  # cells


def merge_files(files: Sequence[Path], progress: Progress, *, threads: int, budget: int, folder: Path) -> Counts:
    """Add counts of the same words, counted `exact` with the same settings; see `count_windows` for the parameters."""
    note_repeated(files)
    first = _read_part(files[0])
    parts = (_read_part(path, first, source_name(files[0])).matrix for path in files)
    scale = scale_of(first.settings["weighting"])
    rows = merge_matrices(parts, len(first), scale, progress, threads=threads, budget=budget, folder=folder)
    return counts_of_rows(rows, first.words, first.counts, first.settings)


def merge_matrices(
    matrices: Iterable[Any], n_words: int, scale: int, progress: Progress, *, threads: int, budget: int, folder: Path
) -> CsrMatrix:
    """Add csr_arrays of exact counts in units of 1 / scale; their sums take 12 bytes a cell in `folder`."""
    plan = MemoryPlan.of(n_words, 0, window=0, threads=threads, budget=budget)
    new_file = partial(temporary_file, folder)
    files = ShardFiles(n_words, new_file)
    for matrix in matrices:
        for begin in range(0, matrix.nnz, _AT_ONCE):
            columns, counts = (array[begin : begin + _AT_ONCE] for array in (matrix.indices, matrix.data))
            if (sums := np.rint(counts * scale)).max() > _MOST_UNITS:
                raise DataError(
                    f"a count is {counts.max():,.0f}, exact up to {_MOST_UNITS / scale:,.0f}; count all parts at once"
                )
            files.append(RowCells(columns.astype(np.int32), sums.astype(np.int64)))
            release_pages(matrix.indices, matrix.data)
            progress.update(len(columns))
        files.end_shard(np.diff(matrix.indptr))
    workspaces = [Workspace.of(n_words, plan.task_cells) for _ in range(plan.threads)]
    store = RowStore(min(plan.cells, n_words**2), new_file)
    return store.matrix(merge_shards(files.mapped(), workspaces, scale, store))


def _read_part(path: Path, first: Counts | None = None, other: str = "") -> Counts:
    """Read exact counts of a part of a text, with the words and settings of the first part."""
    name, stored = source_name(path), None
    with suppress(SettingError):  # a file of another program, without words
        stored = read_counts_file(path, None)
    if stored is None or "weighting" not in stored.settings or stored.matrix.data.dtype != np.float64:
        raise DataError(f"{name} has no exact counts, as of embedtrain cooccur with `exact=True`; count the text again")
    part = checked_counts(path, stored, exact=True)
    if first is None:
        return part
    if part.words != first.words or not np.array_equal(part.counts, first.counts):  # type: ignore[arg-type]
        raise DataError(f"{name} and {other} differ in words or their counts; count all parts with one `read_vocab`")
    for setting in {**first.settings, **part.settings}:
        found, expected = part.settings.get(setting), first.settings.get(setting)
        if found != expected and setting != "version":
            raise DataError(f"`{setting}` is {found!r} in {name} and {expected!r} in {other}; count all parts alike")
    return part
