"""The word2vec text format: a line "words dimensions", then a line "word value value …" for each word.

Written so that every reader takes it: UTF-8 without a byte order mark, line feeds, single spaces, none at the
end, values in their shortest form that reads back to the same float32.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.words import is_word, require_words, stands_twice
from embedtrain.errors import DataError
from embedtrain.machine.files import atomic_file
from embedtrain.machine.threads import in_order, resolve_threads, run_tasks

_VALUES_AT_ONCE = 1 << 17  # formatted by one thread before it asks for more


def write(
    path: str | os.PathLike[str], words: Sequence[str], vectors: NDArray[np.float32], *, threads: int | None = None
) -> None:
    """Write words and their vectors.

    Parameters
    ----------
    path : path
        Replaced when all is written.
    words : sequence of str
        Unique, not empty, without whitespace and control characters.
    vectors : (len(words), dim) float32 array
        Finite.
    threads : int, optional
        Threads that format; by default all.

    Raises
    ------
    DataError
        If a word or value is not as said, or the file cannot be written.
    """
    vectors = np.asarray(vectors, np.float32)
    _check(words, vectors)
    n_words, dim = vectors.shape
    step = max(1, _VALUES_AT_ONCE // dim)

    def format_from(task: tuple[int, int]) -> tuple[int, NDArray[np.uint8]]:
        number, row = task
        return number, format_lines(words[row : row + step], vectors[row : row + step])

    formatters = [format_from] * resolve_threads(threads)
    with atomic_file(path) as file:
        file.write(f"{n_words} {dim}\n".encode())
        for lines in in_order(run_tasks(formatters, enumerate(range(0, n_words, step)))):
            file.write(lines.data)


def _check(words: Sequence[str], vectors: NDArray[np.float32]) -> None:
    if vectors.ndim != 2 or len(words) != len(vectors) or not vectors.size:
        raise DataError(f"{len(words):,} words need a row each, got an array of shape {vectors.shape}")
    if twice := stands_twice(words):
        raise DataError(f"the word {twice!r} stands twice; a vectors file holds every word once")
    require_words(words)
    if not all_finite(vectors):
        finite = np.isfinite(vectors).all(axis=1)
        raise DataError(f"the vector of {words[int(np.argmin(finite))]!r} is not finite; nothing is written")


def all_finite(values: NDArray[np.float32]) -> bool:
    """Whether no value is NaN or infinite; takes no memory."""
    return bool(np.isfinite(values.min()) and np.isfinite(values.max()))


def format_lines(words: Sequence[str], vectors: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The lines of some words, as bytes."""
    from embedtrain.kernels import decimal

    spelled = [word.encode() for word in words]
    starts = np.cumsum([0, *map(len, spelled)])
    text = np.frombuffer(b"".join(spelled), np.uint8)
    bits = np.ascontiguousarray(vectors, np.float32).view(np.uint32)
    out = np.empty(text.size + len(spelled) + bits.size * decimal.WIDEST, np.uint8)
    return out[: decimal.write_rows(text, starts, bits, out)]


def read(path: str | os.PathLike[str]) -> tuple[list[str], NDArray[np.float32]]:
    """Read words and vectors.

    Raises
    ------
    DataError
        If there is no such file, or it is not what its first line says; the message names the line.
    """
    path = Path(path)
    try:
        with open(path, "rb") as file:
            n_words, dim = _read_header(path, file.readline())
            if n_words * dim * 2 > path.stat().st_size:  # a value takes at least a digit and a space
                raise DataError(
                    f"{path}: the first line promises {n_words} × {dim} values, the file is too short for them"
                )
            words: list[str] = []
            vectors = np.empty((n_words, dim), np.float32)
            for word, values in _read_rows(path, file, dim):
                if len(words) < n_words:
                    vectors[len(words)] = values
                words.append(word)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror or error}") from error
    if len(words) != n_words:
        raise DataError(
            f"{path}: the first line promises {n_words:,} words, {len(words):,} follow; the file is cut or damaged"
        )
    if twice := stands_twice(words):
        raise DataError(f"{path}: the word {twice!r} stands twice; remove one of its lines")
    if not all_finite(vectors):
        row = int(np.argmin(np.isfinite(vectors).all(axis=1)))
        raise DataError(
            f"{path}, line {row + 2}: the vector of {words[row]!r} has a value that is not a finite float32"
        )
    return words, vectors


def _read_header(path: Path, line: bytes) -> tuple[int, int]:
    try:
        n_words, dim = map(int, line.split())
    except ValueError:
        raise DataError(
            f"{path}, line 1: expected the numbers of words and dimensions, got {line[:40]!r}; "
            "this is not word2vec text format"
        ) from None
    if n_words < 1 or dim < 1:
        raise DataError(
            f"{path}, line 1: the numbers of words and dimensions must be positive, got {n_words} and {dim}"
        )
    return n_words, dim


def _read_rows(path: Path, lines: Iterable[bytes], dim: int) -> Iterator[tuple[str, NDArray[np.float32]]]:
    for number, line in enumerate(lines, 2):
        word, _, rest = line.partition(b" ")
        try:
            with np.errstate(over="ignore"):  # what overflows is refused below
                values = np.array(rest.split(), np.float64).astype(np.float32)
            spelled = word.decode()
        except ValueError as error:
            raise DataError(f"{path}, line {number}: {error}") from None
        if not is_word(spelled):
            raise DataError(f"{path}, line {number}: the line begins with {line[:20]!r}, which is no word and a space")
        if values.size != dim:
            raise DataError(f"{path}, line {number}: {word[:40]!r} has {values.size} values, the first line says {dim}")
        yield spelled, values
