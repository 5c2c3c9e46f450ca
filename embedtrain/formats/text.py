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

from embedtrain.errors import DataError
from embedtrain.formats.compressed import compressing
from embedtrain.formats.content import Content
from embedtrain.formats.text_line import BOM, HEADER, shown
from embedtrain.machine.files import atomic_file
from embedtrain.machine.threads import in_order, resolve_threads, run_tasks
from embedtrain.machine.words import first_duplicate, require_words

_MOST_DIMENSIONS = 1 << 21  # whose text fits the longest line that is read
_VALUES_AT_ONCE = 1 << 17  # formatted by one thread before it asks for more


def write_text(path: str | os.PathLike[str], content: Content, *, has_header: bool, threads: int | None = None) -> None:
    """Write the numbers of words and values or no header, and a line for each word; compressed if the name asks for it.

    Raises
    ------
    DataError
        If a word cannot be in such a file or stands twice, a value is not finite, or the file cannot be written.
    """
    words, vectors, *_ = require_content(content)
    if not has_header:
        _require_row(format_lines(words[:1], vectors[:1]).tobytes())
    n_words, dim = vectors.shape
    step = max(1, _VALUES_AT_ONCE // dim)

    def format_from(task: tuple[int, int]) -> tuple[int, NDArray[np.uint8]]:
        number, row = task
        return number, format_lines(words[row : row + step], vectors[row : row + step])

    formatters = [format_from] * resolve_threads(threads)
    with atomic_file(path) as plain, compressing(path, plain) as file:
        if has_header:
            file.write(b"%d %d\n" % vectors.shape)
        for lines in in_order(run_tasks(formatters, enumerate(range(0, n_words, step)))):
            file.write(lines.data)


def _require_row(line: bytes) -> None:
    """See that the first line of a file without header is taken for a word and its values."""
    if line.startswith(BOM) or HEADER.fullmatch(line.removesuffix(b"\n")):
        raise DataError(
            f"GloVe's format cannot begin with {shown(line.decode().strip())}, which reads as a header or a byte order "
            "mark; write word2vec's (.vec), or put another word first"
        )


def require_content(content: Content) -> Content:
    """The content as files hold it, with vectors of native float32 or float16 and counts of int64.

    Raises
    ------
    DataError
        If there is no finite row or count for each word, or a word stands twice or cannot be in a file; it is named.
    """
    words, vectors, counts = content.words, _floats(content.vectors), content.counts
    if vectors.ndim != 2 or len(words) != len(vectors) or not vectors.size:
        raise DataError(f"{len(words):,} words need a row each, got an array of shape {vectors.shape}")
    if vectors.shape[1] > _MOST_DIMENSIONS:
        raise DataError(
            f"vectors must have at most {_MOST_DIMENSIONS:,} dimensions, got {vectors.shape[1]:,}; no file holds more"
        )
    if twice := first_duplicate(words):
        raise DataError(f"the word {twice!r} stands twice; a vectors file holds every word once")
    require_words(words)
    if not all_finite(vectors):
        finite = np.isfinite(vectors).all(axis=1)
        word = words[int(np.argmin(finite))]
        raise DataError(f"the vector of {word!r} is not finite as {vectors.dtype}; nothing is written")
    counts = None if counts is None else np.asarray(counts, np.int64)
    if counts is not None and counts.shape != (len(words),):
        raise DataError(f"{len(words):,} words need a count each, got an array of shape {counts.shape}")
    return content._replace(vectors=vectors, counts=counts)


def _floats(vectors: Any) -> NDArray[Any]:
    """Values of a type that files hold: what is neither float32 nor float16 becomes float32."""
    try:
        array = np.asarray(vectors)
    except ValueError:  # rows of unequal lengths
        array = np.empty(0, object)
    if array.dtype.kind not in "biuf":
        raise DataError("vectors must be rows of as many real numbers each; convert them to a float32 array")
    if array.dtype in (np.float32, np.float16):
        return array
    with np.errstate(over="ignore"):
        return array.astype(np.float32)


def all_finite(values: NDArray[Any]) -> bool:
    """Whether no value is NaN or infinite; takes no memory."""
    return bool(np.isfinite(values.min()) and np.isfinite(values.max()))


def format_lines(words: Sequence[str], vectors: NDArray[Any]) -> NDArray[np.uint8]:
    """The lines of some words, as bytes."""
    from embedtrain.kernels.text import format_floats as decimal

    spelled = [word.encode() for word in words]
    starts = np.cumsum([0, *map(len, spelled)])
    text = np.frombuffer(b"".join(spelled), np.uint8)
    bits = np.ascontiguousarray(vectors, np.float32).view(np.uint32)
    out = np.empty(text.size + len(spelled) + bits.size * decimal.WIDEST, np.uint8)
    return out[: decimal.write_rows(text, starts, bits, out)]
