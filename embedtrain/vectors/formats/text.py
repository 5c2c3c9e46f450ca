"""What the text formats share in writing: lines "word value value …".

Written so that every reader takes them: UTF-8 without a byte order mark, line feeds, single spaces, none at the
end, values in their shortest form that reads back to the same float32.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.words import require_words, stands_twice
from embedtrain.errors import DataError
from embedtrain.machine.files import atomic_file
from embedtrain.machine.threads import in_order, resolve_threads, run_tasks
from embedtrain.vectors.formats.compressed import compressing
from embedtrain.vectors.formats.content import Content

_VALUES_AT_ONCE = 1 << 17  # formatted by one thread before it asks for more


def write_text(
    path: str | os.PathLike[str], content: Content, header: bytes = b"", *, threads: int | None = None
) -> None:
    """Write a header, and a line for each word; compressed if the name asks for it.

    Raises
    ------
    DataError
        If a word cannot be in such a file or stands twice, a value is not finite, or the file cannot be written.
    """
    words, vectors = content.words, np.asarray(content.vectors)
    require_content(words, vectors)
    n_words, dim = vectors.shape
    step = max(1, _VALUES_AT_ONCE // dim)

    def format_from(task: tuple[int, int]) -> tuple[int, NDArray[np.uint8]]:
        number, row = task
        return number, format_lines(words[row : row + step], vectors[row : row + step])

    formatters = [format_from] * resolve_threads(threads)
    with atomic_file(path) as plain, compressing(path, plain) as file:
        file.write(header)
        for lines in in_order(run_tasks(formatters, enumerate(range(0, n_words, step)))):
            file.write(lines.data)


def require_content(words: Sequence[str], vectors: NDArray[Any]) -> None:
    """See that there is a finite row for each word, and that the words are unique and can be in a file.

    Raises
    ------
    DataError
        If not; the word is named.
    """
    if vectors.ndim != 2 or len(words) != len(vectors) or not vectors.size:
        raise DataError(f"{len(words):,} words need a row each, got an array of shape {vectors.shape}")
    if twice := stands_twice(words):
        raise DataError(f"the word {twice!r} stands twice; a vectors file holds every word once")
    require_words(words)
    if not all_finite(vectors):
        finite = np.isfinite(vectors).all(axis=1)
        raise DataError(f"the vector of {words[int(np.argmin(finite))]!r} is not finite; nothing is written")


def all_finite(values: NDArray[Any]) -> bool:
    """Whether no value is NaN or infinite; takes no memory."""
    return bool(np.isfinite(values.min()) and np.isfinite(values.max()))


def format_lines(words: Sequence[str], vectors: NDArray[Any]) -> NDArray[np.uint8]:
    """The lines of some words, as bytes."""
    from embedtrain.kernels import decimal

    spelled = [word.encode() for word in words]
    starts = np.cumsum([0, *map(len, spelled)])
    text = np.frombuffer(b"".join(spelled), np.uint8)
    bits = np.ascontiguousarray(vectors, np.float32).view(np.uint32)
    out = np.empty(text.size + len(spelled) + bits.size * decimal.WIDEST, np.uint8)
    return out[: decimal.write_rows(text, starts, bits, out)]
