"""Blocks of lines "word value value …", parsed in Python or by kernels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, quoted
from embedtrain.formats.table import NOT_UTF8, SPACED
from embedtrain.machine.compression import Stream
from embedtrain.machine.words import is_utf8, unreadable_word

#: A first line with the numbers of words and dimensions.
HEADER = re.compile(rb" *(-?\d{1,18}) +(-?\d{1,18})[ \r]*")
_NUMBER = re.compile(rb"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
VALUE = re.compile(_NUMBER.pattern + rb"|[+-]?(nan|inf(inity)?)", re.IGNORECASE)
_COUNTED = 10  # values; fewer that count up may be a vector
_DECIMAL_COMMA = re.compile(rb"[+-]?\d+,\d+([eE][+-]?\d+)?")
_ESCAPED = re.compile("[\udc80-\udcff]")  # bytes that are not UTF-8
_IN_NUMBERS = b"0123456789+-.eE"
_BLOCK = 1 << 22  # bytes
_LONGEST_LINE = 1 << 26  # bytes: enough for millions of values
_PADDING = 64  # bytes after a text that kernels may read
_FEED = ord("\n")


class LineBlock(NamedTuple):
    """Whole lines of a file, data[begin:end], each with its line feed."""

    data: bytearray  # at least _PADDING bytes longer than `end`
    begin: int
    end: int
    is_last: bool

    @property
    def n_lines(self) -> int:
        """Number of lines."""
        return self.data.count(b"\n", self.begin, self.end)

    def lines(self, n: int = -1) -> list[bytes]:
        """Return the first n lines, or all, without their line feeds."""
        lines = bytes(memoryview(self.data)[self.begin : self.end]).split(b"\n", n)
        return lines[:-1]


class ParsedRows(NamedTuple):
    """The contents of a block; lines are counted from its first."""

    n_lines: int
    lines: list[int]  # of the good rows of chosen words
    words: list[str]  # (len(lines),)
    values: NDArray[np.float32]  # (len(lines), dim)
    blank: list[int]
    problems: list[tuple[int, str]]  # lines and problems
    odd: list[tuple[int, str, str]]  # lines, kinds and words of those to note


def read_blocks(name: str, stream: Stream) -> Iterator[LineBlock]:
    """Yield the lines of a stream in blocks, the first of at least two lines."""
    rest, at_end, n_needed = bytearray(), False, 2
    while not at_end:
        size = len(rest) + max(_BLOCK, len(rest))  # doubling: a line may be longer than a block
        data = bytearray(size + 1 + _PADDING)
        data[: len(rest)] = rest
        end = len(rest) + stream.fill(memoryview(data)[len(rest) : size])
        at_end = end < size
        if at_end and end and data[end - 1] != _FEED:
            data[end] = _FEED
            end += 1
        last = data.rfind(b"\n", 0, end) + 1
        if last and (at_end or n_needed == 1 or data.count(b"\n", 0, last) >= n_needed):
            yield LineBlock(data, 0, last, at_end)
            rest, n_needed = data[last:end], 1
        elif end < _LONGEST_LINE:
            rest = data[:end]
        else:
            raise DataError(f"{name}: a line is longer than {_LONGEST_LINE >> 20} MiB; this is not text of vectors")


# --- In Python --------------------------------------------------------------------------------------------------------


def parse_lines(
    n_lines: int, numbered: Iterable[tuple[int, bytes]], dim: int, vocabulary: frozenset[str] | None
) -> ParsedRows:
    """Parse some lines of a block one by one."""
    rows = ParsedRows(n_lines, [], [], np.empty((0, dim), np.float32), [], [], [])
    values = []
    for number, line in numbered:
        if not line.strip(b" \r"):
            rows.blank.append(number)
            continue
        try:
            word, kind, row = _parse_line(line, dim, vocabulary)
        except DataError as error:
            rows.problems.append((number, str(error)))
            continue
        if row is not None:
            rows.lines.append(number)
            rows.words.append(word)
            if kind:
                rows.odd.append((number, kind, word))
            values.append(row)
    return rows._replace(values=np.array(values)) if values else rows


def _parse_line(
    line: bytes, dim: int, vocabulary: frozenset[str] | None
) -> tuple[str, str | None, NDArray[np.float32] | None]:
    """Return the word, its kind if it is odd, and the values; None, unchecked, for words outside the vocabulary."""
    encoded, _, rest = line.rstrip(b" \r").partition(b" ")
    fields, kind = [field for field in rest.split(b" ") if field], None
    extra = fields[:-dim]
    if encoded and extra and not any(map(VALUE.fullmatch, extra)):
        encoded, fields, kind = b" ".join([encoded, *extra]), fields[-dim:], SPACED
    word = encoded.decode(errors="replace")
    if "\ufffd" in word and not is_utf8(encoded):
        kind = NOT_UTF8
    if not word:
        raise DataError("the word is empty")
    if unreadable_word(word.split(" ")) is not None:
        raise DataError(f"the word {quoted(word)} has a tab or another control character")
    if vocabulary is not None and word not in vocabulary:
        return word, None, None
    if len(fields) == dim and not b"".join(fields).translate(None, _IN_NUMBERS):
        with suppress(ValueError), np.errstate(over="ignore"):
            values = np.array(list(map(float, fields))).astype(np.float32)  # rounded to float64 first, as in kernels
            if np.isfinite(values).all():
                return word, kind, values
    raise DataError(_problem_of(word, fields, dim))


def _problem_of(word: str, fields: list[bytes], dim: int) -> str:
    """Return the problem of the values of a word."""
    extra = fields[:-dim]
    if not all(map(_NUMBER.fullmatch, extra)):
        return f"the word {quoted(b' '.join([word.encode(), *extra]).decode(errors='replace'))} has a space"
    if len(fields) != dim:
        return f"{quoted(word)} has {len(fields):,} values instead of {dim:,}"
    odd = next((field for field in fields if not VALUE.fullmatch(field)), None)
    if odd is not None:
        return f"{quoted(odd.decode(errors='replace'))} among the values of {quoted(word)} is not a number"
    return f"the vector of {quoted(word)} has a value that is not a finite float32"


def count_values(line: bytes) -> int:
    """Count the numbers at the end of a line, after the first field."""
    fields = line.split()[1:]
    return next((n for n, field in enumerate(reversed(fields)) if not VALUE.fullmatch(field)), len(fields))


def is_regular(line: bytes) -> bool:
    """Whether a line is a field and numbers."""
    return count_values(line) == len(line.split()) - 1 > 0


def is_tabbed(lines: list[bytes]) -> bool:
    """Whether most of the first lines, without a header, have tabs."""
    rows = lines[1:] or lines
    return 2 * sum(b"\t" in line for line in rows) > len(rows)


def holds_column_names(line: bytes, dim: int) -> bool:
    """Whether a line has names, or many numbers that count from 0 or 1, in place of values."""
    names = line.split()[1:]
    numbers = [b"%d" % number for number in range(dim + 1)]
    is_counting = dim >= _COUNTED and names in (numbers[:-1], numbers[1:])
    return len(names) == dim and (is_counting or not any(map(VALUE.fullmatch, names)))


def find_commas(lines: list[bytes]) -> str | None:
    """Return the place and problem of the first line with commas in or between its values."""
    for number, line in enumerate(lines, 1):
        values = [field.strip() for field in line.split(b",")[1:]]
        if len(values) > 1 and all(map(VALUE.fullmatch, values)):
            return f"line {number}: values are separated by commas, got {quoted(line)}; separate them by spaces"
        odd = next(filter(_DECIMAL_COMMA.fullmatch, line.split()[1:]), None)
        if odd is not None:
            return f"line {number}: {quoted(odd.decode())} has a decimal comma; write a point instead"
    return None


# --- By kernels -------------------------------------------------------------------------------------------------------


def parse_block(block: LineBlock, dim: int, vocabulary: frozenset[str] | None) -> ParsedRows:
    """Parse a block by kernels, and lines that they reject in Python."""
    from embedtrain.kernels.text import parse_floats

    text = np.frombuffer(block.data, np.uint8)[block.begin :]
    starts = np.empty(block.end - block.begin + 1, np.int64)  # only filled pages take memory
    n_lines = parse_floats.find_lines(text, block.end - block.begin, starts)
    starts = starts[: n_lines + 1].copy()
    lines = np.flatnonzero(np.diff(starts) >= 2 * dim + 2)  # a letter, a space and a digit a value, a line feed
    word_ends = np.empty(lines.size, np.int64)
    parse_floats.find_words(text, starts[lines], word_ends)
    lines, word_ends = lines[word_ends >= 0], word_ends[word_ends >= 0]
    words, is_readable = _decode(text, starts[lines], word_ends)
    lines = lines[is_readable]
    is_done = np.zeros(n_lines, bool)
    if vocabulary is not None:
        is_chosen = np.array([word in vocabulary for word in words], bool)
        is_done[lines[~is_chosen]] = True
        lines, words = lines[is_chosen], [words[i] for i in np.flatnonzero(is_chosen).tolist()]
    values = np.empty((lines.size, dim), np.float32)
    word_ends = np.empty(lines.size, np.int64)
    parse_floats.parse_rows(text, starts[lines], word_ends, values)
    is_good = word_ends >= 0
    if not is_good.all():
        lines, values, words = lines[is_good], values[is_good], [words[i] for i in np.flatnonzero(is_good).tolist()]
    is_done[lines] = True
    others = ((i, text[starts[i] : starts[i + 1] - 1].tobytes()) for i in np.flatnonzero(~is_done).tolist())
    return _merged(lines, words, values, parse_lines(n_lines, others, dim, vocabulary))


def _decode(
    text: NDArray[np.uint8], starts: NDArray[np.int64], word_ends: NDArray[np.int64]
) -> tuple[list[str], NDArray[np.bool_]]:
    """Return the words that are UTF-8, and a mask of them."""
    from embedtrain.kernels.text import parse_floats

    packed = np.empty(int((word_ends - starts).sum()) + starts.size, np.uint8)
    parse_floats.pack_words(text, starts, word_ends, packed)
    decoded = packed.tobytes().decode(errors="surrogateescape")
    words = decoded.split("\n")[:-1]
    if not _ESCAPED.search(decoded):
        return words, np.ones(starts.size, bool)
    is_readable = [not _ESCAPED.search(word) for word in words]
    return list(compress(words, is_readable)), np.array(is_readable)


def _merged(lines: NDArray[np.int64], words: list[str], values: NDArray[np.float32], others: ParsedRows) -> ParsedRows:
    """Merge rows of kernels and of Python in the order of lines."""
    if not others.lines:
        return others._replace(lines=lines.tolist(), words=words, values=values)
    all_lines, all_words = [*lines.tolist(), *others.lines], [*words, *others.words]
    order = np.argsort(all_lines)
    return others._replace(
        lines=[all_lines[i] for i in order.tolist()],
        words=[all_words[i] for i in order.tolist()],
        values=np.concatenate([values, others.values])[order],
    )
