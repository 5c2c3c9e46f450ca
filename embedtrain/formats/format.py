"""What a format of vectors files declares, what a file holds, and how it is to be read."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError


class VectorTable(NamedTuple):
    """What a file holds."""

    words: Sequence[str]
    vectors: NDArray[Any]  # (n_words, dim) float32 or float16
    counts: NDArray[np.int64] | None = None  # (n_words,) occurrences, where the format can hold them
    settings: Mapping[str, Any] = {}  # how the vectors were made; not to be changed


@dataclass(frozen=True)
class ReadOptions:
    """What to read of a file, and what to do with bad rows."""

    limit: int | None = None  # only the first rows
    vocabulary: Container[str] | None = None  # of them, only these words
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.float32))  # or float16; mapped: as in the file
    mmap: bool = False  # map the vectors, where the format can, without looking at their values
    threads: int | None = None  # default: all
    must_be_writable: bool = False  # whether words with whitespace that is not ASCII, which may be read, are bad
    on_error: Callable[[str], None] | None = None  # gets each problem, and bad rows are left out; None: raise the first

    def report(self, where: str, problem: str) -> None:
        """Raise a problem of a row or header, or hand it to `on_error`."""
        if self.on_error is None:
            raise DataError(f"{where}: {problem}; `embedtrain convert --errors skip` takes the rest")
        self.on_error(f"{where}: {problem}")


class Head(NamedTuple):
    """The beginning of a file, by which its format is recognised."""

    path: Path
    data: bytes  # decompressed; empty for a folder
    is_whole: bool  # whether `data` is all of the file


class _Write(Protocol):
    def __call__(self, path: Path, table: VectorTable, *, threads: int | None = None) -> None: ...


@dataclass(frozen=True)
class Format:
    """A format of vectors files; `embedtrain.formats` has the list of all."""

    name: str
    description: str
    suffixes: tuple[str, ...]  # of names that stand for it when a file is written
    write: _Write
    read: Callable[[Path, ReadOptions], VectorTable] | None = None  # None: written only
    detect: Callable[[Head], bool] = lambda head: False
    is_compressible: bool = False  # whether .gz and the like may follow the suffix
    is_text: bool = False


class SkippedErrors:
    """Count the problems handed to `on_error`, and keep the first."""

    def __init__(self) -> None:
        self.n = 0
        self._first = ""

    def add(self, problem: str) -> None:
        """Count a problem."""
        self._first = self._first or problem
        self.n += 1

    def __str__(self) -> str:
        return f"skipped {self.n:,} error{'s' * (self.n > 1)}, the first: {self._first}"


def quoted(text: str | bytes) -> str:
    """Return at most 40 characters of a text as messages quote it."""
    return repr(text[:40]) if len(text) <= 40 else f"{text[:40]!r}…"
