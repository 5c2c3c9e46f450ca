"""What is in a file of vectors, whatever its format, and what of it is wanted."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Content(NamedTuple):
    """What a file holds."""

    words: Sequence[str]
    vectors: NDArray[Any]  # (n_words, dim) float32 or float16
    counts: NDArray[np.int64] | None = None  # (n_words,) occurrences, where the format can hold them
    settings: Mapping[str, Any] = {}  # how the vectors were made; nobody changes it


@dataclass(frozen=True)
class Choice:
    """What is wanted of a file.

    Attributes
    ----------
    limit : int or None
        The first so many words.
    vocabulary : container of str or None
        Of them, only these.
    dtype : dtype
        float32 or float16; mapped vectors are as the file has them.
    mmap : bool
        Whether to map the vectors from the file, where the format can; their values are not looked at.
    report : callable or None
        If given, what can be repaired in a damaged file is, and every change is reported in a line; else the file is
        refused.
    threads : int or None
        That read at the same time.
    """

    limit: int | None = None
    vocabulary: Container[str] | None = None
    dtype: np.dtype[Any] = field(default_factory=lambda: np.dtype(np.float32))
    mmap: bool = False
    report: Callable[[str], None] | None = None
    threads: int | None = None
