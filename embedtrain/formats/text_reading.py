"""Reading text formats: blocks of lines are parsed side by side and put together in order.

What is as it should be never leaves the kernels; the other lines are looked at one by one, and refused or repaired.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError
from embedtrain.formats.content import Choice, Content
from embedtrain.formats.text_blocks import Block, Rows, read_blocks, read_rows
from embedtrain.formats.text_line import HEADER, Defect, count_values, mended, read_line, shown
from embedtrain.formats.text_table import Table
from embedtrain.machine.compression import Stream
from embedtrain.machine.reading import reading, source_name
from embedtrain.machine.threads import in_order, resolve_threads, run_tasks
from embedtrain.machine.words import first_duplicate, is_word

_LOOKED_AT = 20  # lines that tell how many values a row has


class Shape(NamedTuple):
    """What the beginning of a file says of it."""

    n_words: int | None  # None without a header
    dim: int


def read_text(path: Path, choice: Choice, *, needs_header: bool) -> Content:
    """Read lines "word value value …", after a header with the numbers of words and values if there is one.

    Raises
    ------
    DataError
        If the file cannot be read or, without `choice.report`, a line is not as it should be; the message names line,
        word and remedy.
    """
    with reading(path), open(path, "rb") as file:
        name = source_name(path)
        stream = Stream(name, file)
        return _Reader(name, choice).read(stream, needs_header, 0 if stream.is_compressed else path.stat().st_size)


class _Reader:
    """A file that is being read."""

    def __init__(self, name: str, choice: Choice) -> None:
        self._name, self._choice = name, choice
        self._words: list[str] = []
        self._lines: list[NDArray[np.int64]] = []  # of the file, from 0: where the words stand
        self._seen: set[str] = set()  # words, where duplicates are dropped
        self._n_lines, self._n_rows = 0, 0  # read so far; lines that are not blank, without the header
        self._n_headers = 0
        self._blank: int | None = None  # a blank line that may be at the end, where it is welcome

    def read(self, stream: Stream, needs_header: bool, size: int) -> Content:
        """Read all that is wanted of a stream of so many bytes, 0 if that is not known."""
        blocks = read_blocks(self._name, stream)
        first = next(blocks, None)
        if first is None:
            raise DataError(f"{self._name}, line 1: expected words and their values, the file is empty")
        shape = self._shape_of(first, needs_header)
        if shape.n_words is not None:
            first = first.without_first()
            self._n_lines = self._n_headers = 1
        self._table = Table(self._name, self._expected(shape, first, size), shape.dim, self._choice.dtype)
        self._take_all(chain([first], blocks), shape.dim)
        self._require_end(shape)
        return Content(self._words, self._table.finish())

    def _take_all(self, blocks: Iterator[Block], dim: int) -> None:
        wanted = self._choice.vocabulary
        if self._choice.report is not None:
            wanted = None  # a repair may change words; they are chosen afterwards

        def parse(task: tuple[int, Block]) -> tuple[int, Rows]:
            number, block = task
            return number, read_rows(block, dim, wanted)

        parsers = [parse] * resolve_threads(self._choice.threads)
        with closing(run_tasks(parsers, enumerate(blocks))) as parsed:
            for rows in in_order(parsed):
                self._take(rows, dim)
                if self._has_enough:
                    break

    @property
    def _has_enough(self) -> bool:
        """Whether the first words that were asked for were read; those that are not wanted among them count too."""
        n_read = len(self._words) if self._choice.vocabulary is None else self._n_rows
        return self._choice.limit is not None and n_read >= self._choice.limit

    # --- The beginning and the end ------------------------------------------------------------------------------------

    def _shape_of(self, first: Block, needs_header: bool) -> Shape:
        n_looked_at = min(_LOOKED_AT, len(first.starts) - 1)
        lines = [first.line(number) for number in range(n_looked_at)]
        counts = [count_values(line) for line in lines]
        header = HEADER.fullmatch(lines[0])
        if header is None or not (needs_header or next(filter(None, counts[1:]), 0) == int(header[2])):
            if needs_header:
                raise DataError(
                    f"{self._name}, line 1: expected the numbers of words and dimensions, got {shown(lines[0])}; "
                    "this is not word2vec text format, without that line it is GloVe's"
                )
            return Shape(None, self._usual(counts))
        n_words, dim = int(header[1]), int(header[2])
        if n_words < 1 or dim < 1:
            raise DataError(
                f"{self._name}, line 1: the numbers of words and dimensions must be positive, got {n_words} and {dim}"
            )
        if dim not in counts[1:]:
            usual = self._usual(counts[1:])
            problem = f"the first line promises {dim:,} values a word, {usual:,} follow"
            self._refuse_or_report(0, Defect(problem, "takes what is there"))
            dim = usual
        return Shape(n_words, dim)

    def _usual(self, counts: list[int]) -> int:
        """The number of values that most rows have."""
        usual = next((count for count, _ in Counter(count for count in counts if count).most_common(1)), 0)
        if not usual:
            raise DataError(f"{self._name}, line 1: expected a word and its values; this is no text of vectors")
        return usual

    def _expected(self, shape: Shape, first: Block, size: int) -> int:
        """About how many rows there will be; never more than the file has room for."""
        n_lines = len(first.starts) - 1
        expected = n_lines
        if size:
            mean = max(2 * shape.dim + 2, int(first.starts[-1] - first.starts[0]) // max(1, n_lines))
            expected = size // mean + n_lines // 8 + 1
            if shape.n_words is not None:
                expected = min(shape.n_words, size // (2 * shape.dim + 2) + 1)
        if self._choice.vocabulary is not None:
            expected = min(expected, n_lines)
        return expected if self._choice.limit is None else min(expected, self._choice.limit)

    def _require_end(self, shape: Shape) -> None:
        """See that there was what the header promised, and every word once."""
        limit = self._choice.limit
        if self._has_enough:
            del self._words[limit:]
            self._table.cut(len(self._words))
        elif shape.n_words is not None and self._n_rows != shape.n_words:
            problem = f"the first line promises {shape.n_words:,} words, {self._n_rows:,} follow"
            self._refuse_or_report(0, Defect(problem, "takes what is there, if the file was not cut short"))
        if not self._n_rows:
            raise DataError(f"{self._name}: there are no words in the file")
        if twice := first_duplicate(self._words):
            lines = np.concatenate(self._lines)[: len(self._words)]
            first, second, *_ = (int(lines[row]) for row, word in enumerate(self._words) if word == twice)
            raise self._error(second, _twice(twice, first))

    # --- Between ------------------------------------------------------------------------------------------------------

    def _take(self, rows: Rows, dim: int) -> None:
        """Append the rows of the next block."""
        n_lines = len(rows.block.starts) - 1
        if rows.doubtful.size:
            rows = self._with_doubtful(rows, dim)
        self._look_at_blank(rows.blank, n_lines)
        if self._choice.report is not None:
            rows = self._repaired(rows)
        if self._choice.limit is not None and self._choice.vocabulary is not None:
            within = rows.lines < self._choice.limit + self._n_headers - self._n_lines
            words = [word for word, is_within in zip(rows.words, within.tolist(), strict=True) if is_within]
            rows = rows._replace(lines=rows.lines[within], words=words, values=rows.values[within])
        self._table.append(rows.values, rows.words)
        self._words += rows.words
        self._lines.append(rows.lines + self._n_lines)
        self._n_lines += n_lines
        self._n_rows += n_lines - len(rows.blank)

    def _with_doubtful(self, rows: Rows, dim: int) -> Rows:
        """The rows, with those in order that could be read after all."""
        lines, words, values = [], [], []
        for number in rows.doubtful.tolist():
            line = read_line(rows.block.line(number), dim)
            for defect in line.defects:
                self._refuse_or_report(self._n_lines + number, defect)
            wanted = self._choice.vocabulary
            if line.values is not None and (wanted is None or self._choice.report or line.word in wanted):
                lines.append(number)
                words.append(line.word)
                values.append(line.values)
        if not lines:
            return rows
        all_lines = np.concatenate([rows.lines, lines])
        order = np.argsort(all_lines)
        all_words = [*rows.words, *words]
        return rows._replace(
            lines=all_lines[order],
            words=[all_words[place] for place in order.tolist()],
            values=np.concatenate([rows.values, np.array(values)])[order],
        )

    def _look_at_blank(self, blank: NDArray[np.int64], n_lines: int) -> None:
        """Refuse or report blank lines, but for those at the end."""
        is_blank = np.zeros(n_lines, bool)
        is_blank[blank] = True
        full = np.flatnonzero(~is_blank)
        if full.size:
            inside = blank[blank < full[-1]]
            if self._blank is None and inside.size:
                self._blank = self._n_lines + int(inside[0])
            if self._blank is not None:
                self._refuse_or_report(self._blank, Defect("the line is blank", "leaves it and those like it out"))
            self._blank = None
            blank = blank[blank > full[-1]]
        if self._blank is None and blank.size:
            self._blank = self._n_lines + int(blank[0])

    def _repaired(self, rows: Rows) -> Rows:
        """The rows that are wanted, each word once and as every file can hold it."""
        words, kept = [], []
        for place, word in enumerate(rows.words):
            line = self._n_lines + int(rows.lines[place])
            if not is_word(word):
                self._refuse_or_report(
                    line, Defect(f"the word {shown(word)} has whitespace", f"makes it {shown(mended(word))}")
                )
                word = mended(word)
            if word in self._seen:
                self._refuse_or_report(line, _twice(word))
            elif self._choice.vocabulary is None or word in self._choice.vocabulary:
                words.append(word)
                kept.append(place)
            self._seen.add(word)
        return rows._replace(lines=rows.lines[kept], words=words, values=rows.values[kept])

    def _refuse_or_report(self, line: int, defect: Defect) -> None:
        if self._choice.report is None:
            raise self._error(line, defect)
        self._choice.report(f"{self._name}, line {line + 1}: {defect.problem}; the repair {defect.remedy}")

    def _error(self, line: int, defect: Defect) -> DataError:
        place = f"{self._name}, line {line + 1}"
        return DataError(f"{place}: {defect.problem}; `embedtrain convert --repair` {defect.remedy}")


def _twice(word: str, first: int | None = None) -> Defect:
    place = "" if first is None else f", first in line {first + 1}"
    return Defect(f"the word {shown(word)} stands twice{place}", "keeps the first")
