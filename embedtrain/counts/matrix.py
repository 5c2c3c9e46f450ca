"""`Counts`: co-occurrence counts, checked and in the form that kernels take."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embedtrain.corpus.vocabulary_file import read_words
from embedtrain.counts.counts_file import StoredCounts, is_counts_file, read_counts_file, write_counts_file
from embedtrain.counts.rows import CsrMatrix
from embedtrain.errors import DataError, SettingError, quoted
from embedtrain.machine.files import source_name
from embedtrain.machine.memory import release_pages
from embedtrain.machine.npz import no_damage, plain, read_only
from embedtrain.machine.words import PackedWords, first_duplicate, require_words

_AT_ONCE = 1 << 18  # cells checked or rounded at once, as mapped arrays may be larger than memory


@dataclass(frozen=True, eq=False)
class Counts:
    """Co-occurrence counts of words.

    Counts that embedtrain makes or loads have a canonical matrix: sorted indices, no duplicate cells, finite float32
    values of at least 0, in read-only arrays. An explicit 0 counts as absent.

    Attributes
    ----------
    matrix : (n_words, n_words) csr_array of float32
        The cell (i, j) is the count, perhaps weighted by distance, of ``words[j]`` near ``words[i]``.
    words : sequence of str
        Row and column i belong to ``words[i]``.
    counts : (n_words,) int64 array or None
        Occurrences of each word in the text, where known.
    settings : mapping
        Settings of counting, such as the window and the weighting; empty where unknown.
    context_words : sequence of str or None
        Words of the columns of a matrix that need not be square, for `train_svd`; None if they are `words`. Not saved.
    """

    matrix: sparse.csr_array
    words: Sequence[str]
    counts: NDArray[np.int64] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    context_words: Sequence[str] | None = None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the counts and their words atomically; `scipy.sparse.load_npz` reads the matrix."""
        if self.context_words is not None:
            raise DataError("counts with `context_words` are not saved; save their matrix by scipy.sparse.save_npz")
        write_counts_file(path, StoredCounts(self.matrix, self.words, self.counts, self.settings))

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        vocabulary: str | os.PathLike[str] | None = None,
        *,
        mmap: bool = True,
        context_words: Iterable[str] | None = None,
    ) -> Counts:
        """Read counts that `save`, SciPy's `save_npz` or GloVe's `cooccur` wrote.

        Parameters
        ----------
        path : path
        vocabulary : path, optional
            For files without words: a file of a word per line, in the order of the rows.
        mmap : bool, default True
            Map uncompressed arrays, which then take no memory. If another program shortens the file meanwhile, the
            process is killed by SIGBUS; False reads the arrays into memory.
        context_words : iterable of str, optional
            Words of the columns, where they are not those of the rows.
        """
        return checked_counts(path, read_counts_file(Path(path), vocabulary, mapped=mmap), context_words)

    def __len__(self) -> int:
        return len(self.words)

    def __repr__(self) -> str:
        return f"<Counts: {len(self):,} words, {self.matrix.nnz:,} cells>"


def checked_counts(
    path: str | os.PathLike[str], stored: StoredCounts, context_words: Iterable[str] | None = None, *,
    exact: bool = False,
) -> Counts:  # fmt: skip
    """Check the contents of a file, see `as_counts`; messages begin with its name."""
    try:
        with no_damage("the matrix is damaged"):
            return as_counts(*stored, context_words, exact=exact)
    except DataError as error:
        raise DataError(f"{source_name(Path(path))}: {error.args[0]}") from error


def counts_of_rows(
    matrix: CsrMatrix, words: Sequence[str], counts: NDArray[np.int64] | None, settings: Mapping[str, Any]
) -> Counts:
    """Wrap a canonical matrix, without a check or a copy."""
    return Counts(_shared(matrix.values, matrix.columns, matrix.starts, len(words)), words, counts, settings)


def are_counts(given: Any) -> bool:
    """Whether this is a matrix, `Counts` or a file of counts, and not text."""
    if isinstance(given, (str, os.PathLike)):
        return is_counts_file(given)
    return isinstance(given, (Counts, np.ndarray)) or hasattr(given, "tocsr")


def paths_among(given: Any) -> list[str | os.PathLike[str]]:
    """Return a list of the given path; empty if it is not a path."""
    return [given] if isinstance(given, (str, os.PathLike)) else []


def read_counts(
    given: Any, words: Iterable[str] | str | os.PathLike[str] | None,
    context_words: Iterable[str] | str | os.PathLike[str] | None = None,
) -> Counts:  # fmt: skip
    """Check counts given as a path, `Counts` or a matrix, with words as an iterable or the path of a file."""
    if isinstance(context_words, (str, os.PathLike)):
        context_words = read_words(Path(context_words))[0]
    if isinstance(given, (str, os.PathLike)):
        if words is not None and not isinstance(words, (str, os.PathLike)):
            raise SettingError("the words of a file of counts must be in a file too; name it")
        return Counts.load(given, words, context_words=context_words)
    if isinstance(given, Counts):
        if words is not None:
            raise SettingError("these counts have their own words; leave `words` out")
        return as_counts(given.matrix, given.words, given.counts, given.settings, context_words or given.context_words)
    if words is None or isinstance(words, (str, os.PathLike)):
        raise SettingError("a matrix needs `words`, a str for each of its rows")
    return as_counts(given, words, context_words=context_words)


def as_counts(
    matrix: Any, words: Iterable[str], counts: Sequence[int] | NDArray[Any] | None = None,
    settings: Mapping[str, Any] | None = None, context_words: Iterable[str] | None = None, *, exact: bool = False,
) -> Counts:  # fmt: skip
    """Check a sparse matrix of SciPy, square but for `context_words`, and convert it to the canonical form.

    It is not copied if it has that form. Duplicate cells are summed in float64. With `exact`, values are not rounded.
    """
    words = _checked_words(words)
    contexts = None if context_words is None else _checked_words(context_words)
    _require_shape(matrix, words, contexts)
    canonical = _canonical(matrix)
    if not _has_positive(canonical, words, contexts or words):
        raise DataError("no cell of the matrix is above 0: there is nothing to learn from")
    values = canonical.data if exact else _float32(canonical.data)
    result = _shared(values, canonical.indices, canonical.indptr, canonical.shape[1])
    result.data, result.indices, result.indptr = map(read_only, (result.data, result.indices, result.indptr))
    release_pages(result.data, result.indices, result.indptr)
    counts = None if counts is None else _checked_counts(counts, words)
    return Counts(result, words, counts, dict(settings or {}), contexts)


def _checked_words(words: Iterable[str]) -> list[str]:
    if isinstance(words, str):
        raise DataError("words must be a sequence of str, a word for each row of the matrix, got one str")
    words = words[:] if isinstance(words, PackedWords) else list(words)
    require_words(words, spaces=True)
    if len(words) < 2:
        raise DataError(f"at least two words are needed to learn from, got {len(words)}")
    if twice := first_duplicate(words):
        raise DataError(f"the word {quoted(twice)} appears twice among the words; add up its rows and columns")
    return words


def _checked_counts(counts: Sequence[int] | NDArray[Any], words: Sequence[str]) -> NDArray[np.int64]:
    array = np.asarray(counts)
    if array.shape != (len(words),) or array.dtype.kind not in "iu":
        raise DataError(
            f"counts must be an integer for each of {len(words):,} words, got shape {array.shape} of {array.dtype}"
        )
    if array.min() < 0 or array.max() >= 2**63:
        worst = int(np.argmin(array) if array.min() < 0 else np.argmax(array))
        raise DataError(f"the word {quoted(words[worst])} has the count {array[worst]}; counts are 0 to 2 ** 63 - 1")
    return read_only(array.astype(np.int64))


def _require_shape(matrix: Any, words: Sequence[str], contexts: Sequence[str] | None) -> None:
    """Check that this is a sparse matrix of real numbers with a row for each word, and a column or one per context."""
    if not sparse.issparse(matrix) or len(matrix.shape) != 2:
        what = f"{len(matrix.shape)}-D {type(matrix).__name__}" if sparse.issparse(matrix) else type(matrix).__name__
        raise DataError(f"the matrix must be a sparse one of scipy with two axes, such as csr_array, got {what}")
    n_rows, n_columns = matrix.shape
    if contexts is None and n_rows != n_columns:
        raise DataError(
            f"the matrix must be square, words by words, got {n_rows:,} rows and {n_columns:,} columns; "
            "svd takes others, with `context_words` for the columns"
        )
    if n_rows != len(words):
        raise DataError(f"every row of the matrix needs a word, got {n_rows:,} rows and {len(words):,} words")
    if contexts is not None and n_columns != len(contexts):
        raise DataError(f"every column needs one of `context_words`: {n_columns:,} columns, {len(contexts):,} words")
    if matrix.dtype.kind not in "biuf":
        raise DataError(f"the matrix must hold real numbers, got the type {matrix.dtype}")


def _canonical(matrix: Any) -> sparse.csr_array:
    """Return the matrix with sorted indices and no duplicates, in the same memory where possible."""
    if matrix.format in ("csr", "csc", "bsr"):
        _require_structure(matrix)
    if matrix.format == "coo":
        for indices, end in zip((matrix.row, matrix.col), matrix.shape, strict=True):
            _require_range(indices, end)
    if matrix.format == "csr":
        n = int(matrix.indptr[-1])
        shared = _shared(matrix.data[:n], matrix.indices[:n], matrix.indptr, matrix.shape[1])
        if shared.has_canonical_format:
            return shared
    own = matrix.tocsr() if matrix.format in ("lil", "dok") else matrix.copy()
    own.data = own.data.astype(np.float64)  # the matrix's own astype may sum duplicates in the old type
    summed = sparse.csr_array(own)
    summed.sum_duplicates()
    return summed


def _shared(data: NDArray[Any], indices: NDArray[Any], indptr: NDArray[Any], n_columns: int) -> sparse.csr_array:
    """Make a matrix of these arrays, copied only if the index type must change."""
    n_words = len(indptr) - 1
    index_type = np.dtype(np.int32 if max(len(data), n_words, n_columns) < 2**31 else np.int64)
    index = plain(indices, index_type), plain(indptr, index_type)
    return sparse.csr_array((data, *index), shape=(n_words, n_columns))


def _require_structure(matrix: Any) -> None:
    """Check the indices of a compressed matrix; SciPy does not check all, and may crash."""
    indptr, indices = matrix.indptr, matrix.indices
    n_lines, n_indices = matrix.shape if matrix.format != "csc" else reversed(matrix.shape)
    if matrix.format == "bsr":
        n_lines, n_indices = n_lines // matrix.blocksize[0], n_indices // matrix.blocksize[1]
    if len(indptr) != n_lines + 1 or indptr[0] != 0 or (indptr[1:] < indptr[:-1]).any():
        raise DataError(f"the matrix is damaged: its indptr must be {n_lines + 1:,} numbers from 0 that never fall")
    if indptr[-1] > min(len(indices), len(matrix.data)):
        raise DataError(
            f"the matrix is damaged: its indptr ends with {indptr[-1]:,}, "
            f"there are {len(indices):,} indices and {len(matrix.data):,} values"
        )
    _require_range(indices[: indptr[-1]], n_indices)


def _require_range(indices: NDArray[Any], end: int) -> None:
    if indices.size and not 0 <= indices.min() <= indices.max() < end:
        wrong = int(indices.min() if indices.min() < 0 else indices.max())
        raise DataError(f"the matrix is damaged: its indices hold {wrong:,}, and must be 0 to {end - 1:,}")


def _has_positive(matrix: sparse.csr_array, words: Sequence[str], contexts: Sequence[str]) -> bool:
    """Check that no count is negative, NaN or infinite as float32; return whether one is above 0."""
    found = False
    for begin, part, rounded in _rounded(matrix.data):
        right = (part >= 0) & (rounded < np.inf)
        if not right.all():
            cell = begin + int(np.argmin(right))
            row, column = int(np.searchsorted(matrix.indptr, cell, side="right")) - 1, int(matrix.indices[cell])
            raise DataError(
                f'the count of "{words[row]}" (row {row}) beside "{contexts[column]}" (column {column}) is '
                f"{matrix.data[cell]}; counts must be finite, as float32 too, and at least 0"
            )
        found = found or bool(rounded.max() > 0)
    return found


def _float32(data: NDArray[Any]) -> NDArray[np.float32]:
    """Return the counts as float32, without a copy if they are float32."""
    if data.dtype == np.float32:
        return plain(data, np.dtype(np.float32))
    result = np.empty(len(data), np.float32)
    for begin, _, rounded in _rounded(data):
        result[begin : begin + len(rounded)] = rounded
    return result


def _rounded(data: NDArray[Any]) -> Iterator[tuple[int, NDArray[Any], NDArray[np.float32]]]:
    """Yield slices of the counts: the begin, the values, and the values as float32."""
    for begin in range(0, len(data), _AT_ONCE):
        part = data[begin : begin + _AT_ONCE]
        with np.errstate(over="ignore", invalid="ignore"):
            yield begin, part, part.astype(np.float32, copy=False)
