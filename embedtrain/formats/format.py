"""The declaration of a format of vectors files, a table of vectors, and options of reading."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.formats.factors import Factors
from embedtrain.formats.subwords import Subwords
from embedtrain.machine.files import require_writable
from embedtrain.machine.progress import counted, note

NOT_IN_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class VectorTable(NamedTuple):
    """The contents of a file."""

    words: Sequence[str]
    vectors: NDArray[Any]  # (n_words, dim) float32 or float16
    counts: NDArray[np.int64] | None = None  # (n_words,) occurrences, where the format can hold them
    settings: Mapping[str, Any] = {}  # settings of training; read-only
    context_vectors: NDArray[Any] | None = None  # as `vectors`, where the format can hold them
    subwords: Subwords | None = None  # where the format can hold them
    factors: Factors | None = None  # where the format can hold them; contexts may then be others than the words

    @property
    def buckets(self) -> int | None:
        """Buckets of the subwords, if there are any."""
        return None if self.subwords is None else self.subwords.n_buckets


@dataclass(frozen=True)
class ReadOptions:
    """Which rows to read, and how to handle bad rows."""

    limit: int | None = None  # read only the first rows
    vocabulary: frozenset[str] | None = None  # of these, only the given words
    dtype: Any = np.float32  # or float16; with mmap, as in the file
    mmap: bool = False  # map the vectors, where the format can, unchecked
    threads: int | None = None  # default: all
    must_be_writable: bool = False  # whether words with other than ASCII whitespace are bad
    on_error: Callable[[str], None] | None = None  # called with each problem of skipped rows; None: raise the first
    on_note: Callable[[str], None] = note  # called with a note on odd rows that are read

    def __post_init__(self) -> None:
        limit, vocabulary = self.limit, self.vocabulary
        if limit is not None and (not isinstance(limit, Integral) or isinstance(limit, bool) or limit < 1):
            raise SettingError(f"limit must be at least 1 word, a whole number, got {limit!r}")
        if isinstance(vocabulary, str):
            raise SettingError(f"vocabulary must be a list of words, got {vocabulary!r}; write [{vocabulary!r}]")
        try:
            object.__setattr__(self, "vocabulary", None if vocabulary is None else frozenset(vocabulary))
        except TypeError:
            raise SettingError(f"vocabulary must be a list of words, got {type(vocabulary).__name__}") from None
        with suppress(TypeError):
            object.__setattr__(self, "dtype", np.dtype(self.dtype))
        if self.dtype not in (np.float32, np.float16):
            raise SettingError(f"dtype must be float32 or float16, got {self.dtype!r}")

    def report(self, where: str, problem: str) -> None:
        """Raise a problem of a row or header, or call `on_error` with it."""
        if self.on_error is None:
            raise DataError(f"{where}: {problem}; `embedtrain convert --errors skip` or load(errors='skip') skips it")
        self.on_error(f"{where}: {problem}")


class Head(NamedTuple):
    """The beginning of a file, by which its format is recognised."""

    path: Path
    data: bytes  # decompressed; empty for a folder
    is_whole: bool  # whether `data` is all of the file


@dataclass(frozen=True)
class Format:
    """A format of vectors files; `embedtrain.formats.FORMATS` lists all."""

    name: str
    description: str
    suffixes: tuple[str, ...]  # by which it is chosen when a file is written
    write: Callable[..., None]  # (path, table, *, threads=None)
    read: Callable[[Path, ReadOptions], VectorTable]
    detect: Callable[[Head], bool]
    check_output: Callable[[Path], None] = require_writable  # whether it can be written, without creating it
    is_compressible: bool = False  # whether .gz and others may follow the suffix
    is_text: bool = False
    holds_subwords: bool = False
    holds_spaces: bool = False  # in words


class SkippedErrors:
    """Counts the problems passed to `on_error`, and keeps the first."""

    def __init__(self) -> None:
        self.n = 0
        self._first = ""

    def add(self, problem: str) -> None:
        """Count a problem."""
        self._first = self._first or problem
        self.n += 1

    def __str__(self) -> str:
        return f"skipped {counted(self.n, 'error')}, the first: {self._first}"
