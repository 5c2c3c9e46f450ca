"""Reading the text formats: blocks of lines are parsed, on threads for large files, and collected in order."""

from __future__ import annotations

from bisect import bisect_left
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np

from embedtrain.errors import DataError, quoted
from embedtrain.formats.format import ReadOptions, VectorTable
from embedtrain.formats.table import TableBuilder
from embedtrain.formats.text_parsing import (
    HEADER,
    LineBlock,
    ParsedRows,
    count_values,
    find_commas,
    holds_column_names,
    is_regular,
    is_tabbed,
    parse_block,
    parse_lines,
    read_blocks,
)
from embedtrain.machine.compression import Stream
from embedtrain.machine.files import reading, source_name
from embedtrain.machine.threads import resolve_threads, run_in_order

_SAMPLE = 20  # lines by which the number of values is determined
_UNKNOWN = b"<unk> "  # begins a row that GloVe does not count in its header
_TABS_TO_SPACES = bytes.maketrans(b"\t", b" ")


def read_text(path: Path, options: ReadOptions, *, needs_header: bool) -> VectorTable:
    """Read lines "word value value …", after a header with the numbers of words and values if there is one."""
    with reading(path), open(path, "rb") as file:
        name = source_name(path)
        stream = Stream(name, file)
        size = 0 if stream.is_compressed else path.stat().st_size
        return _TextReader(name, options).read(read_blocks(name, stream), needs_header, size)


class _TextReader:
    """The state of reading a file."""

    def __init__(self, name: str, options: ReadOptions) -> None:
        self._name, self._options = name, options
        self._n_lines, self._n_rows = 0, 0  # read so far; rows: lines that are not blank, without the header
        self._blank: list[int] = []  # blank lines since the last row, allowed at the end
        self._last_line = b""  # the beginning of the last line of the blocks so far

    def read(self, blocks: Iterator[LineBlock], needs_header: bool, size: int) -> VectorTable:
        """Read all blocks of a file of `size` bytes, 0 if unknown."""
        first = next(blocks, None)
        if first is None:
            raise DataError(f"{self._name}, line 1: expected words and their values, the file is empty")
        if first.data.startswith(BOM_UTF8):
            first = first._replace(begin=len(BOM_UTF8))
        blocks = self._prepared(chain([first], blocks), is_tabbed(first.lines(_SAMPLE)))
        first = next(blocks)
        n_promised, dim = self._read_header(first, needs_header)
        if n_promised is not None or self._has_names(first, dim):
            first = first._replace(begin=first.data.index(b"\n") + 1)
            self._n_lines = 1
        n_expected = self._expected(n_promised, dim, first, size)
        self._builder = TableBuilder(self._name, "line", n_expected, dim, self._options)
        with closing(self._parse(first, blocks, dim)) as parsed:
            while (rows := next(parsed, None)) is not None and self._append(rows):
                pass
        remarks = []
        if rows is None and n_promised not in (None, self._n_rows):
            problem = f"{n_promised:,} words, {self._n_rows:,} follow"
            if n_promised == self._n_rows - 1 and self._last_line == _UNKNOWN:
                remarks.append(f"the first line promises {problem}, the last is <unk>, as GloVe writes it")
            else:
                self._report_header(problem)
        if not self._n_rows:
            raise DataError(f"{self._name}: there are no words in the file")
        return self._builder.finish(*remarks)

    # --- The beginning ------------------------------------------------------------------------------------------------

    def _read_header(self, first: LineBlock, needs_header: bool) -> tuple[int | None, int]:
        """Return the number of words (None without a header) and of dimensions."""
        lines = first.lines(_SAMPLE)
        counts = [count_values(line) for line in lines]
        header = HEADER.fullmatch(lines[0])
        if header is None or not (needs_header or next(filter(None, counts[1:]), 0) == int(header[2])):
            if needs_header:
                raise DataError(
                    f"{self._name}, line 1: expected the numbers of words and dimensions, got {quoted(lines[0])}; "
                    "this is not word2vec text format, without that line it is GloVe's"
                )
            return None, self._usual(lines, 0)
        n_words, dim = int(header[1]), int(header[2])
        if n_words < 1 or dim < 1:
            raise DataError(
                f"{self._name}, line 1: the numbers of words and dimensions must be positive, got {n_words} and {dim}"
            )
        if dim not in counts[1:]:
            usual = self._usual(lines, 1)
            self._report_header(f"{dim:,} values a word, {usual:,} follow")
            dim = usual
        return n_words, dim

    def _report_header(self, problem: str) -> None:
        self._options.report(f"{self._name}, line 1", f"the first line promises {problem}")

    def _usual(self, lines: list[bytes], begin: int) -> int:
        """Return the most frequent number of values in lines from `begin` on."""
        usual = Counter(count_values(line) for line in lines[begin:] if is_regular(line)).most_common(1)
        if not usual:
            problem = find_commas(lines) or "line 1: expected a word and its values; this is not text of vectors"
            raise DataError(f"{self._name}, {problem}")
        return usual[0][0]

    def _has_names(self, first: LineBlock, dim: int) -> bool:
        """Report a first line of column names."""
        (line,) = first.lines(1)
        if holds_column_names(line, dim):
            self._options.report(f"{self._name}, line 1", f"{quoted(line)} are names of columns; remove the line")
            return True
        return False

    def _expected(self, n_promised: int | None, dim: int, first: LineBlock, size: int) -> int:
        """Estimate the number of rows; at most what the size of the file allows."""
        n_lines = first.n_lines
        expected = n_lines
        if size:
            mean = max(2 * dim + 2, (first.end - first.begin) // max(1, n_lines))
            expected = size // mean + n_lines // 8 + 1
            if n_promised is not None:
                expected = min(n_promised, size // (2 * dim + 2) + 1)
        if self._options.vocabulary is not None:
            expected = min(expected, n_lines)
        return expected if self._options.limit is None else min(expected, self._options.limit)

    # --- The rows -----------------------------------------------------------------------------------------------------

    def _prepared(self, blocks: Iterable[LineBlock], has_tabs: bool) -> Iterator[LineBlock]:
        """Yield the blocks, with spaces for tabs, and keep the beginning of the last line."""
        for block in blocks:
            begin = block.data.rfind(b"\n", block.begin, block.end - 1) + 1
            self._last_line = bytes(block.data[begin : begin + len(_UNKNOWN)])
            yield block._replace(data=block.data.translate(_TABS_TO_SPACES)) if has_tabs else block

    def _parse(self, first: LineBlock, blocks: Iterator[LineBlock], dim: int) -> Generator[ParsedRows, None, None]:
        """Parse a file of one block in Python, as loading kernels takes longer; others on threads."""
        vocabulary = self._options.vocabulary
        if first.is_last:
            lines = first.lines()
            yield parse_lines(len(lines), enumerate(lines), dim, vocabulary)
            return

        parsers = [partial(parse_block, dim=dim, vocabulary=vocabulary)] * resolve_threads(self._options.threads)
        yield from run_in_order(parsers, chain([first], blocks))

    def _append(self, rows: ParsedRows) -> bool:
        """Append the rows of the next block; returns False once the limit is reached."""
        limit, n_full = self._options.limit, rows.n_lines - len(rows.blank)
        is_enough = limit is not None and self._n_rows + n_full >= limit
        if limit is not None and is_enough:
            n_full = limit - self._n_rows
            rows = _first_rows(rows, n_full)
        is_blank = set(rows.blank)
        full = next((line for line in reversed(range(rows.n_lines)) if line not in is_blank), None)
        last = -1 if full is None else self._n_lines + full
        self._blank += (self._n_lines + line for line in rows.blank)
        problems = [(line, "the line is blank") for line in self._blank if line < last]
        self._blank = [line for line in self._blank if line > last]
        problems += ((self._n_lines + line, problem) for line, problem in rows.problems)
        for line, problem in sorted(problems):
            self._builder.report(line, problem)
        for line, kind, word in rows.odd:
            self._builder.note(self._n_lines + line, kind, word)
        self._builder.append([self._n_lines + line for line in rows.lines], rows.words, rows.values)
        self._n_lines += rows.n_lines
        self._n_rows += n_full
        return not is_enough


def _first_rows(rows: ParsedRows, n: int) -> ParsedRows:
    """Return the rows of the first n lines that are not blank."""
    end = int(np.delete(np.arange(rows.n_lines), rows.blank)[n - 1]) + 1
    n_rows = bisect_left(rows.lines, end)
    return ParsedRows(
        end,
        rows.lines[:n_rows],
        rows.words[:n_rows],
        rows.values[:n_rows],
        [line for line in rows.blank if line < end],
        [(line, problem) for line, problem in rows.problems if line < end],
        [odd for odd in rows.odd if odd[0] < end],
    )
