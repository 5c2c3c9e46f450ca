"""The text formats: word2vec's, a line "words dimensions" and lines "word value value …", and GloVe's, without header.

Written for all readers: UTF-8 without a byte order mark, line feeds, single spaces, none at the end of a line, values
in the shortest form that reads back to the same float32.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF8
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, quoted
from embedtrain.formats.format import Format, Head, VectorTable
from embedtrain.formats.table import checked
from embedtrain.formats.text_parsing import HEADER, count_values, is_tabbed
from embedtrain.formats.text_reading import read_text
from embedtrain.machine.compression import compressing
from embedtrain.machine.files import atomic_file
from embedtrain.machine.threads import resolve_threads, run_in_order

_TASK_VALUES = 1 << 17  # formatted by a thread in one task
_LINES = 5  # lines by which text is recognised
_COUNTED_WORD = re.compile(rb"\S+[ \t]\d+[ \r]*")
_FRACTION = re.compile(rb"[+-]?\d*\.\d+(e[+-]?\d+)?\t")


def _write(path: Path, table: VectorTable, *, has_header: bool, threads: int | None = None) -> None:
    words, vectors, *_ = checked(table)
    if not has_header:
        _check_first_row(format_lines(words[:1], vectors[:1]).tobytes())
    n_words, dim = vectors.shape
    step = max(1, _TASK_VALUES // dim)

    def format_from(row: int) -> NDArray[np.uint8]:
        return format_lines(words[row : row + step], vectors[row : row + step])

    formatters = [format_from] * resolve_threads(threads)
    with atomic_file(path) as plain, compressing(path, plain) as file:
        if has_header:
            file.write(b"%d %d\n" % vectors.shape)
        for lines in run_in_order(formatters, range(0, n_words, step)):
            file.write(lines.data)


def _check_first_row(line: bytes) -> None:
    """Check that the first line of a file without header cannot be taken for a header."""
    if line.startswith(BOM_UTF8) or HEADER.fullmatch(line.removesuffix(b"\n")):
        raise DataError(
            f"GloVe's format cannot begin with {quoted(line.decode().strip())}, which reads as a header or a byte "
            "order mark; write word2vec's (.vec), or put another word first"
        )


def format_lines(words: Sequence[str], vectors: NDArray[Any]) -> NDArray[np.uint8]:
    """Format words and (n_words, dim) vectors as lines, in an array of bytes."""
    from embedtrain.kernels.text import format_floats

    encoded = [word.encode() for word in words]
    starts = np.cumsum([0, *map(len, encoded)])
    text = np.frombuffer(b"".join(encoded), np.uint8)
    bits = np.array(vectors, np.float32, order="C").view(np.uint32)  # a copy: Numba compiles again for read-only arrays
    out = np.empty(text.size + len(encoded) + bits.size * format_floats.WIDEST, np.uint8)
    return out[: format_floats.write_rows(text, starts, bits, out)]


def first_lines(text: bytes, is_whole: bool) -> list[bytes]:
    """Return the first lines that are not blank."""
    *lines, last = text.split(b"\n", _LINES)
    if len(lines) < _LINES and is_whole:
        lines.append(last)
    elif not lines:  # the line is cut
        lines.append(last[: last.rfind(b" ") + 1])
    return [line for line in lines if line.strip()]


def other_kind(head: Head) -> str | None:
    """Return what a file that looks like rows is instead, and a remedy; {} is for the projector's file of words."""
    lines = first_lines(head.data.removeprefix(BOM_UTF8), head.is_whole)
    if is_tabbed(lines) and all(map(_FRACTION.match, lines)):
        return "has values without words; name the file of the words, one a line, as of the TensorFlow projector: {}"
    if len({len(line.split()) for line in lines}) > 1 and not b"".join(lines).translate(None, b"0123456789 \r\t"):
        return "holds whole numbers in lines of several lengths, perhaps sessions; name the vectors trained on them"
    counted = [line for line in lines if _COUNTED_WORD.fullmatch(line)]
    if len(counted) > 1 and counted == lines[-len(counted) :] and len(lines) - len(counted) <= 1:  # or a heading
        return (
            "is a vocabulary, words and their counts, for `read_vocab`; vectors of one dimension are converted by "
            "`embedtrain convert --from glove`"
        )
    return None


def looks_like_rows(text: bytes, is_whole: bool) -> bool:
    """Whether most of the first lines end with numbers; a single line may be damaged, or match by chance."""
    lines = first_lines(text, is_whole)
    return 2 * sum(count_values(line) > 0 for line in lines) > len(lines)


def _detect(head: Head, *, has_header: bool) -> bool:
    """Whether this has a header, or else rows; binary files, which have a header too, are recognised before."""
    data = head.data.removeprefix(BOM_UTF8)
    if HEADER.fullmatch(data.partition(b"\n")[0]):
        return has_header
    if has_header or not looks_like_rows(data, head.is_whole):
        return False
    is_archive = data[257:262] == b"ustar" or data.startswith(b"PK\x03\x04")
    return not is_archive and other_kind(head) is None


WORD2VEC = Format(
    "word2vec", "text with a header, as word2vec and fastText write it", (".vec", ".txt"),
    partial(_write, has_header=True), partial(read_text, needs_header=True), partial(_detect, has_header=True),
    is_compressible=True, is_text=True,
)  # fmt: skip
GLOVE = Format(
    "glove", "text without a header, as GloVe writes it", (".glove",),
    partial(_write, has_header=False), partial(read_text, needs_header=False), partial(_detect, has_header=False),
    is_compressible=True, is_text=True,
)  # fmt: skip
