"""The word2vec binary format: a line "words dimensions", then for each word its bytes, a space and float32 values.

word2vec.c ends each row by a line feed, gensim does not; both are read, the first is written. All rows must end as the
first does, else they are misaligned. Without line feeds a word that is not UTF-8 may be a sign of that; the values
before it tell. Values are little-endian.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, quoted
from embedtrain.formats.format import NOT_IN_TEXT, Format, Head, ReadOptions, VectorTable
from embedtrain.formats.table import NOT_UTF8, TableBuilder, checked, rows_not_finite
from embedtrain.formats.text import looks_like_rows
from embedtrain.machine.compression import Stream, compressing
from embedtrain.machine.files import atomic_file, reading, source_name
from embedtrain.machine.words import is_utf8, unreadable_word

_HEADER = re.compile(rb" *(\d{1,18}) +(\d{1,18})[ \r]*\n")
_SAMPLE = 8  # rows by which the format is recognised
_LONGEST_HEADER = 100  # bytes
_LONGEST_WORD = 1 << 20  # bytes
_LONGEST_ROW = 1 << 26  # bytes
_BLOCK = 1 << 22  # bytes read at once, at least
_FLOAT = 4  # bytes
_ROWS = 1 << 12  # written at once
_PLAUSIBLE = 1e-12, 1e6  # magnitudes of values; numbers read at wrong positions are beyond


def _detect(head: Head) -> bool:
    """Whether the rows hold bytes that are not text, or the file ends exactly where the header implies."""
    data = head.data.removeprefix(codecs.BOM_UTF8)
    header = _HEADER.match(data)
    if header is None or int(header[1]) < 1 or int(header[2]) < 1:
        return False
    rows, n_words, dim = data[header.end() :], int(header[1]), int(header[2])
    if looks_like_rows(rows, head.is_whole):
        return False
    end, n_rows, has_lines = 0, 0, False
    while n_rows < min(n_words, _SAMPLE) and (space := rows.find(b" ", end)) >= 0:
        has_lines |= b"\n" in rows[end:space].lstrip(b"\n")  # within a word
        end = space + 1 + _FLOAT * dim
        n_rows += 1
    if NOT_IN_TEXT.search(rows[:end]) or not is_utf8(rows[:end], is_cut=True):
        return True
    is_exact = head.is_whole and n_rows == n_words and len(rows) - end == rows[end:].count(b"\n") and len(rows) >= end
    return is_exact and not has_lines


def _read(path: Path, options: ReadOptions) -> VectorTable:
    with reading(path), open(path, "rb") as file:
        name = source_name(path)
        stream = Stream(name, file)
        return _BinaryReader(stream, name, options, None if stream.is_compressed else path.stat().st_size).read()


class _BinaryReader:
    """The state of reading a file; its size is known if it is not compressed."""

    def __init__(self, stream: Stream, name: str, options: ReadOptions, size: int | None) -> None:
        self._stream, self._name, self._options, self._size = stream, name, options, size
        self._n_rows = 0  # read so far
        self._feed = b""  # the end of each row
        self._buffer, self._end = bytearray(_BLOCK), 0  # bytes read, up to `_end`
        self._last = b""  # the values of the last row of the blocks so far

    def read(self) -> VectorTable:
        """Read the file."""
        self._fill()
        begin, self._n_words, self._dim = self._read_header()
        self._vector = self._dim * _FLOAT  # bytes
        # with errors skipped, all rows are read, whatever number the header gives
        self._n_wanted = self._n_words if self._options.on_error is None else 1 << 60
        if self._options.limit is not None:
            self._n_wanted = min(self._n_wanted, self._options.limit)
        self._check_size(begin)
        n_expected = self._n_wanted if self._size is None else min(self._n_wanted, self._size // (self._vector + 2))
        if self._size is None or self._options.vocabulary is not None:
            n_expected = min(n_expected, _BLOCK // self._vector + 1)  # the table grows with the rows
        self._builder = TableBuilder(self._name, "word", n_expected, self._dim, self._options)
        self._buffer.extend(bytes(max(0, self._vector + _LONGEST_WORD + 2 - len(self._buffer))))
        self._keep_from(begin)
        while self._n_rows < self._n_wanted and self._read_block():
            pass
        self._check_end()
        return self._builder.finish()

    # --- The beginning and the end ------------------------------------------------------------------------------------

    def _read_header(self) -> tuple[int, int, int]:
        """Return the end of the header, and the numbers of words and dimensions."""
        start = bytes(self._buffer[: min(self._end, _LONGEST_HEADER)])
        header = _HEADER.match(start)
        if header is None:
            raise DataError(
                f"{self._name}: expected a line with the numbers of words and dimensions, got "
                f"{quoted(start.split(bytes([10]))[0])}; this is not word2vec's binary format"
            )
        n_words, dim = int(header[1]), int(header[2])
        if n_words < 1 or dim < 1:
            raise DataError(f"{self._name}: the numbers of words and dimensions must be positive, got {n_words}, {dim}")
        return header.end(), n_words, dim

    def _check_size(self, begin: int) -> None:
        """Check that the size allows the header's numbers, before memory is allocated."""
        rest = _LONGEST_ROW if self._size is None else self._size - begin
        if self._vector + 2 > rest or self._vector > _LONGEST_ROW:
            raise DataError(
                f"{self._name}: the first line promises vectors of {self._dim:,} values, longer than the file; "
                "it is cut short or its beginning is wrong, get it again"
            )

    def _check_end(self) -> None:
        """Check that the file has as many words as the header promises."""
        if self._options.limit is not None and self._n_rows >= self._options.limit:
            return
        self._fill()
        rest = len(bytes(self._buffer[: self._end]).lstrip(b"\r\n"))
        if self._n_rows != self._n_words:
            self._report_number(f"{self._n_rows:,} are whole")
        elif rest:
            self._report_number(f"{rest:,} bytes or more follow them")
        if not self._n_rows:
            raise DataError(f"{self._name}: there are no whole words in the file; get it again")

    def _report_number(self, problem: str) -> None:
        promise = f"the first line promises {self._n_words:,} words of {self._dim:,} values"
        self._options.report(self._name, f"{promise}, {problem}")

    # --- The rows -----------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        """Read until the buffer is full or the file ends."""
        with memoryview(self._buffer) as view:
            self._end += self._stream.fill(view[self._end :])

    def _keep_from(self, begin: int) -> None:
        """Move the bytes from `begin` on to the beginning of the buffer."""
        rest = self._buffer[begin : self._end]
        self._buffer[: len(rest)] = rest
        self._end = len(rest)

    def _read_block(self) -> bool:
        """Append the whole rows in the buffer; returns whether there were any."""
        self._fill()
        encoded, starts, at = self._find_rows()
        if not starts:
            return False
        data = np.frombuffer(self._buffer, np.uint8, self._end)
        bytes_of_rows = np.ndarray(self._end - self._vector + 1, f"V{self._vector}", data, strides=(1,))  # one a byte
        words, chosen = self._decode(encoded, starts), self._options.vocabulary
        rows = [row for row, word in enumerate(words) if word is not None and (chosen is None or word in chosen)]
        values = bytes_of_rows[np.array(starts, np.int64)[rows]].view("<f4").reshape(-1, self._dim)
        if bad := rows_not_finite(values):
            for row in (rows[i] for i in bad):
                self._builder.report(self._n_rows + row, f"the vector of {quoted(words[row] or '')} is not finite")
            rows, values = np.delete(rows, bad).tolist(), np.delete(values, bad, axis=0)
        self._builder.append([self._n_rows + row for row in rows], [words[row] or "" for row in rows], values)
        self._n_rows += len(starts)
        self._last = bytes(self._buffer[at - self._vector : at])
        del data, bytes_of_rows  # which prevent resizing of the buffer
        self._keep_from(at)
        return True

    def _find_rows(self) -> tuple[list[bytes], list[int], int]:
        """Return the bytes of the words in whole rows, the starts of their vectors, and the end of the last."""
        buffer, end, vector = self._buffer, self._end, self._vector
        encoded: list[bytes] = []
        starts: list[int] = []
        at, n_most = 0, self._n_wanted - self._n_rows
        while len(starts) < n_most:
            space = buffer.find(b" ", at, end)
            if (end if space < 0 else space) - at > _LONGEST_WORD:
                after = f" after {quoted(encoded[-1].removeprefix(self._feed))}" if encoded else ""
                raise self._misaligned(len(starts), f"no space in {_LONGEST_WORD:,} bytes{after}")
            if space < 0 or space + 1 + vector > end:
                break
            encoded.append(bytes(buffer[at:space]))
            starts.append(space + 1)
            at = space + 1 + vector
        if not self._n_rows and starts and buffer.startswith(b"\n", starts[0] + vector, end):
            self._feed = b"\n"
        return encoded, starts, at

    def _decode(self, encoded: list[bytes], starts: list[int]) -> list[str | None]:
        """Return the words; None for reported ones."""
        text, feed = b" ".join(encoded).removeprefix(self._feed), b" " + self._feed  # no word has a space
        n_between = len(encoded) - 1
        starts_well = not self._n_rows or encoded[0].startswith(self._feed)
        if starts_well and text.count(feed) == n_between and text.count(b"\n") == n_between * len(self._feed):
            try:
                words = text.decode().split(feed.decode())
            except UnicodeDecodeError:
                words = []
            if words and unreadable_word(words) is None:
                return list(words)
        before = [self._last, *(bytes(self._buffer[start : start + self._vector]) for start in starts[:-1])]
        return [self._decode_word(row, word, before[row]) for row, word in enumerate(encoded)]

    def _decode_word(self, row: int, encoded: bytes, before: bytes) -> str | None:
        """Return the word of a row, or None if it is reported; raise an error if the row is misaligned.

        `before` are the values before it.
        """
        is_first = not self._n_rows and not row
        rest = encoded.removeprefix(self._feed)
        word = rest.decode(errors="replace")
        is_odd = "\ufffd" in word and not is_utf8(rest)
        is_good = unreadable_word([word]) is None
        is_aligned = is_first or (encoded.startswith(self._feed) and (is_good or self._feed))
        if b"\n" in rest or not is_aligned or (is_odd and not self._feed and not _is_plausible(before)):
            raise self._misaligned(row, f"{quoted(rest)} is not a word")
        if not is_good:
            self._builder.report(self._n_rows + row, f"{quoted(rest)} is empty or has a control character")
            return None
        if is_odd and (self._options.vocabulary is None or word in self._options.vocabulary):
            self._builder.note(self._n_rows + row, NOT_UTF8, word)
        return word

    def _misaligned(self, row: int, problem: str) -> DataError:
        return DataError(
            f"{self._name}, word {self._n_rows + row + 1:,}: {problem}; the word before has a space, or the first "
            "line is wrong, and what follows cannot be read: write the file again, as text for example"
        )


def _is_plausible(values: bytes) -> bool:
    """Whether these can be the values of a vector."""
    sizes = np.abs(np.frombuffer(values, "<f4"))
    least, most = _PLAUSIBLE
    return bool(((sizes == 0) | ((sizes > least) & (sizes < most))).all())


def _write(path: Path, table: VectorTable, *, threads: int | None = None) -> None:
    words, vectors, *_ = checked(table)
    if too_long := next((word for word in words if len(word.encode()) >= _LONGEST_WORD), None):
        raise DataError(f"the word {quoted(too_long)} has {_LONGEST_WORD:,} bytes or more, too many for .bin; use text")
    with atomic_file(path) as plain, compressing(path, plain) as file:
        file.write(f"{len(words)} {vectors.shape[1]}\n".encode())
        for begin in range(0, len(words), _ROWS):
            rows: NDArray[Any] = np.ascontiguousarray(vectors[begin : begin + _ROWS], "<f4")
            encoded = words[begin : begin + _ROWS]
            file.write(b"".join(b"%b %b\n" % (word.encode(), row) for word, row in zip(encoded, rows, strict=True)))


FORMAT = Format("word2vec-bin", "word2vec's binary format", (".bin",), _write, _read, _detect, is_compressible=True)
