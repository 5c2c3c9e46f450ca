"""The text of a file in blocks of whole lines, and what threads make of one."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError
from embedtrain.formats.text_line import BOM
from embedtrain.kernels.text import parse_floats as parsing
from embedtrain.kernels.text.byte_masks import PADDING
from embedtrain.machine.compression import Stream

_BLOCK = 1 << 22  # bytes
_LONGEST_LINE = 1 << 26  # bytes: enough for millions of values
_FEED, _RETURN, _SPACE = b"\n\r "


class Block(NamedTuple):
    """Lines of a file, a line feed at the end of each."""

    text: NDArray[np.uint8]  # (n + PADDING,)
    starts: NDArray[np.int64]  # (lines + 1,) where each starts, and where the last one ends

    def line(self, number: int) -> bytes:
        """A line, without its line feed."""
        return self.text[self.starts[number] : self.starts[number + 1] - 1].tobytes()

    def without_first(self) -> Block:
        """The lines after the first."""
        return Block(self.text, self.starts[1:])


class Rows(NamedTuple):
    """What a block holds."""

    block: Block
    lines: NDArray[np.int64]  # of the block, that are as they should be and wanted
    words: list[str]  # theirs
    values: NDArray[np.float32]  # (len(words), dim)
    blank: NDArray[np.int64]  # lines with nothing in them
    doubtful: NDArray[np.int64]  # lines to be looked at one by one


def read_blocks(name: str, stream: Stream) -> Iterator[Block]:
    """The lines of a stream, without a byte order mark, the first two in one block.

    Raises
    ------
    DataError
        If a line is far too long to be one.
    """
    rest, at_end, first = np.empty(0, np.uint8), False, True
    while not at_end:
        size = rest.size + max(_BLOCK, rest.size)  # doubling: a line may be longer than a block
        text = np.empty(size + 1 + PADDING, np.uint8)
        text[: rest.size] = rest
        end, at_end = _fill(stream, text, rest.size, size)
        if at_end and end and text[end - 1] != _FEED:
            text[end] = _FEED
            end += 1
        starts = _find_lines(text, end)
        if starts.size > (2 if first else 1) or at_end:
            rest = text[starts[-1] : end]
            if first and text[:3].tobytes() == BOM and starts[-1] > 3:
                starts[0] = 3
            if starts.size > 1:
                yield Block(text, starts)
            first = False
        elif end < _LONGEST_LINE:
            rest = text[:end]
        else:
            raise DataError(f"{name}: a line is longer than {_LONGEST_LINE >> 20} MiB; this is no text of vectors")


def _fill(stream: Stream, text: NDArray[np.uint8], at: int, end: int) -> tuple[int, bool]:
    """Fill text[at:end]; returns where the bytes end, and whether the stream does."""
    while at < end:
        n = stream.readinto(text.data[at:end])
        if n == 0:
            return at, True
        at += n
    return at, False


def _find_lines(text: NDArray[np.uint8], n: int) -> NDArray[np.int64]:
    starts = np.empty(n + 1, np.int64)  # memory is taken for what is filled only
    return starts[: parsing.find_lines(text, n, starts) + 1].copy()


def read_rows(block: Block, dim: int, wanted: Container[str] | None) -> Rows:
    """The words and values of a block; of words that are not wanted, the values are not looked at."""
    text, starts = block.text, block.starts
    lengths = np.diff(starts)
    first = text[starts[:-1]]
    is_blank = lengths == 1
    for number in np.flatnonzero(~is_blank & ((first == _RETURN) | (first == _SPACE))).tolist():
        is_blank[number] = not block.line(number).strip(b" \r")
    long_enough = lengths >= 2 * dim + 2  # a letter, a space and a digit for each value, a line feed
    lines = np.flatnonzero(long_enough)
    word_ends = np.empty(lines.size, np.int64)
    parsing.find_words(text, starts[lines], word_ends)
    lines, words = _decoded(block, lines[word_ends >= 0], word_ends[word_ends >= 0])
    settled = is_blank.copy()
    if wanted is not None:
        chosen = [word in wanted for word in words]
        settled[lines[~np.array(chosen, bool)]] = True
        lines, words = lines[chosen], [word for word, is_chosen in zip(words, chosen, strict=True) if is_chosen]
    values = np.empty((lines.size, dim), np.float32)
    word_ends = np.empty(lines.size, np.int64)
    parsing.parse_rows(text, starts[lines], word_ends, values)
    good = word_ends >= 0
    if not good.all():
        lines, values = lines[good], values[good]
        words = [word for word, is_good in zip(words, good.tolist(), strict=True) if is_good]
    settled[lines] = True
    return Rows(block, lines, words, values, np.flatnonzero(is_blank), np.flatnonzero(~settled))


def _decoded(
    block: Block, lines: NDArray[np.int64], word_ends: NDArray[np.int64]
) -> tuple[NDArray[np.int64], list[str]]:
    """The words of the lines where they are UTF-8, and these lines."""
    starts = block.starts[lines]
    packed = np.empty(int((word_ends - starts).sum()) + lines.size, np.uint8)
    parsing.pack_words(block.text, starts, word_ends, packed)
    spelled = packed.tobytes()
    try:
        return lines, spelled.decode().split("\n")[:-1]
    except UnicodeDecodeError:
        words = [_decoded_or_none(word) for word in spelled.split(b"\n")[:-1]]
        readable = [word is not None for word in words]
        return lines[readable], [word for word in words if word is not None]


def _decoded_or_none(word: bytes) -> str | None:
    try:
        return word.decode()
    except UnicodeDecodeError:
        return None
