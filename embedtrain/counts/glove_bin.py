"""Counts of Stanford's GloVe: what its programs `cooccur` and `shuffle` write, as a matrix.

The file is records without a header, 16 bytes each: the number of a word and the number of its context (int32, from 1,
in the order of the vocabulary file), and the count (float64); little-endian, in any order.
Source: struct cooccur_rec in cooccur.c of https://github.com/stanfordnlp/GloVe.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embedtrain.errors import DataError
from embedtrain.kernels.glove import records
from embedtrain.kernels.glove.records import Records
from embedtrain.machine.memory import require_memory
from embedtrain.machine.reading import reading, source_name

_AT_ONCE = 1 << 18  # records read at once
_MEMORY = 16  # bytes a record: a column, a count in float64, and then one in float32
_NO_RECORDS = "is it what GloVe's cooccur or shuffle wrote, of this vocabulary?"


def read_cooccurrence_bin(path: str | os.PathLike[str], n_words: int) -> sparse.csr_array:
    """Read the counts of words, in 16 bytes of memory a record at most.

    Parameters
    ----------
    path : path
        Of a file whose name is `cooccurrence.bin` or `cooccurrence.shuf.bin` by custom. It is read twice.
    n_words : int
        Words in its vocabulary file.

    Returns
    -------
    (n_words, n_words) csr_array of float32
        With sorted indices; records of the same words are added up in float64.

    Raises
    ------
    SettingError
        If there is too little memory.
    DataError
        If the file cannot be read, is empty or cut, or a record names a word that there is not, or holds what is no
        count.
    """
    path = Path(path)
    name = source_name(path)
    with reading(path), open(path, "rb") as file:
        n = _count_records(file, name)
        require_memory(_MEMORY * n, f"the counts in {name}", "count again with a smaller vocabulary")
        matrix = _place_cells(file, name, _count_cells(file, name, n_words))
    matrix.sum_duplicates()
    with np.errstate(over="ignore"):  # is looked for later, and named
        matrix.data = matrix.data.astype(np.float32)
    return matrix


def _count_records(file: BinaryIO, name: str) -> int:
    size = os.fstat(file.fileno()).st_size
    n, rest = divmod(size, records.SIZE)
    if rest:
        raise DataError(
            f"{name} has {size:,} bytes: {n:,} records of {records.SIZE} bytes and {rest} more; it is cut, or no counts"
        )
    if not n:
        raise DataError(f"{name} holds no counts: it is empty")
    return n


def _count_cells(file: BinaryIO, name: str, n_words: int) -> NDArray[np.int64]:
    """Where each row of the matrix begins, and the end of the last; every record is checked."""
    ends = np.zeros(n_words + 1, np.int64)
    n = 0
    for part in _parts(file):
        wrong = records.count_cells(part, ends)
        if wrong >= 0:
            word, context = part.numbers[4 * wrong : 4 * wrong + 2].tolist()
            raise DataError(
                f"{name}, record {n + wrong + 1}: {_what(word, context, part.values[2 * wrong + 1], n_words)}"
            )
        n += len(part.values) // 2
    return np.cumsum(ends)


def _place_cells(file: BinaryIO, name: str, indptr: NDArray[np.int64]) -> sparse.csr_array:
    """The cells in their rows, as they come."""
    n, n_words = int(indptr[-1]), len(indptr) - 1
    index: type[np.signedinteger[Any]] = np.int32 if n < 2**31 else np.int64
    columns, counts = np.empty(n, index), np.empty(n, np.float64)
    nexts = indptr[:-1].copy()
    misplaced = any(records.place_cells(part, nexts, indptr, columns, counts) >= 0 for part in _parts(file))
    if misplaced or (nexts != indptr[1:]).any():
        raise DataError(f"{name} was changed while it was read")
    return sparse.csr_array((counts, columns, indptr.astype(index)), shape=(n_words, n_words))


def _what(word: int, context: int, value: float, n_words: int) -> str:
    """What is wrong with a record."""
    if 1 <= min(word, context) and max(word, context) <= n_words:
        return (
            f"the count of word {word} beside word {context} is {value}; "
            "counts must be finite, as float32 too, and at least 0"
        )
    return f"it is of the words {word} and {context}, and the vocabulary has the words 1 to {n_words:,}; {_NO_RECORDS}"


def _parts(file: BinaryIO) -> Iterator[Records]:
    """All records, so many at once."""
    file.seek(0)
    while (part := np.fromfile(file, np.float64, 2 * _AT_ONCE)).size:
        yield Records(part.view(np.int32), part)
