"""The word2vec binary format: a line "words dimensions", then for each word its bytes, a space and float32 values.

word2vec.c ends each row by a line feed, gensim does not; both are read, and the first is written. Where the first row
ends so all must: a word that begins elsewhere is part of a vector. Values are little-endian.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError
from embedtrain.formats.compressed import compressing
from embedtrain.formats.content import Choice, Content
from embedtrain.formats.text import all_finite, require_content
from embedtrain.formats.text_line import mended, shown
from embedtrain.formats.text_table import Table
from embedtrain.machine.compression import Stream
from embedtrain.machine.files import atomic_file
from embedtrain.machine.reading import reading, source_name
from embedtrain.machine.words import first_duplicate, is_word, unreadable_word

_HEADER = re.compile(rb" *(\d{1,18}) +(\d{1,18})[ \r]*\n")
_LONGEST_HEADER = 100  # bytes
_LONGEST_WORD = 1 << 20  # bytes
_LONGEST_ROW = 1 << 26  # bytes
_BLOCK = 1 << 22  # bytes read at once, at least
_FLOAT = 4  # bytes
_ROWS = 1 << 12  # written at once
_ALL = Choice()


def read(path: Path, choice: Choice = _ALL) -> Content:
    """Read words and vectors, of compressed files too.

    Raises
    ------
    DataError
        If the file cannot be read or, without `choice.report`, is not as it should be; the message names the word.
    """
    with reading(path), open(path, "rb") as file:
        stream = Stream(source_name(path), file)
        return _Reader(stream, source_name(path), choice, None if stream.is_compressed else path.stat().st_size).read()


class _Reader:
    """A file that is being read, of a size that is known if it is not compressed."""

    def __init__(self, stream: Stream, name: str, choice: Choice, size: int | None) -> None:
        self._stream, self._name, self._choice, self._size = stream, name, choice, size
        self._words: list[str] = []
        self._places: list[NDArray[np.int64]] = []  # of the words among all of the file, from 0
        self._seen: set[str] = set()  # where a repair drops duplicates
        self._n_rows = 0  # read so far
        self._feed = b""  # what ends each row
        self._buffer, self._end = bytearray(_BLOCK), 0  # bytes that were read, up to the end

    def read(self) -> Content:
        """Read all that is wanted."""
        self._fill()
        begin, self._n_words, self._dim = self._read_header()
        self._vector = self._dim * _FLOAT  # bytes
        self._require_room(begin)
        n_expected = self._n_wanted if self._size is None else min(self._n_wanted, self._size // (self._vector + 2))
        if self._size is None or self._choice.vocabulary is not None:
            n_expected = min(n_expected, _BLOCK // self._vector + 1)  # the table grows with what is there
        self._table = Table(self._name, n_expected, self._dim, self._choice.dtype)
        self._buffer.extend(bytes(max(0, self._vector + _LONGEST_WORD + 2 - len(self._buffer))))
        self._keep_from(begin)
        while self._n_rows < self._n_wanted and self._take_block():
            pass
        self._require_end()
        if (twice := first_duplicate(self._words)) is not None:
            places = np.concatenate(self._places)
            first, second, *_ = (int(places[row]) for row, word in enumerate(self._words) if word == twice)
            raise self._error(second, f"it stands twice, as word {first + 1:,} too", "keeps the first")
        return Content(self._words, self._table.finish())

    @property
    def _n_wanted(self) -> int:
        """Rows to be read; a repair takes all that are there, whatever their number was to be."""
        promised = self._n_words if self._choice.report is None else 1 << 60
        return promised if self._choice.limit is None else min(promised, self._choice.limit)

    # --- The beginning and the end ------------------------------------------------------------------------------------

    def _read_header(self) -> tuple[int, int, int]:
        start = bytes(self._buffer[: min(self._end, _LONGEST_HEADER)])
        header = _HEADER.match(start)
        if header is None:
            raise DataError(
                f"{self._name}: expected a line with the numbers of words and dimensions, got "
                f"{shown(start.split(bytes([10]))[0])}; this is not word2vec's binary format"
            )
        n_words, dim = int(header[1]), int(header[2])
        if n_words < 1 or dim < 1:
            raise DataError(f"{self._name}: the numbers of words and dimensions must be positive, got {n_words}, {dim}")
        return header.end(), n_words, dim

    def _require_room(self, begin: int) -> None:
        """See that the header can be true, before memory is taken."""
        rest = _LONGEST_ROW if self._size is None else self._size - begin
        if self._vector + 2 > rest or self._vector > _LONGEST_ROW:
            raise DataError(
                f"{self._name}: the first line promises vectors of {self._dim:,} values, for which there is no room; "
                "the file is cut short or its beginning wrong, get it again"
            )
        if self._size is not None and min(self._n_words, self._n_wanted) * (self._vector + 2) > rest:
            self._refuse_or_report(
                f"the first line promises {self._n_words:,} words of {self._dim:,} values, "
                f"for which {self._size:,} bytes are too few",
                "takes those that are whole",
            )

    def _require_end(self) -> None:
        """See that there was what the header promised."""
        limit = self._choice.limit
        if limit is not None and self._n_rows >= limit:
            return
        self._fill()
        rest = len(bytes(self._buffer[: self._end]).lstrip(b"\r\n"))
        if self._n_rows != self._n_words:
            problem = f"the first line promises {self._n_words:,} words, {self._n_rows:,} are whole"
            self._refuse_or_report(problem, "takes what is there")
        elif rest:
            problem = f"there are {rest:,} bytes or more after the {self._n_words:,} words of the first line"
            self._refuse_or_report(problem, "takes what is whole")
        if not self._n_rows:
            raise DataError(f"{self._name}: there are no whole words in the file; get it again")

    # --- Between ------------------------------------------------------------------------------------------------------

    def _fill(self) -> None:
        """Read until the buffer is full or the file ends."""
        with memoryview(self._buffer) as view:
            while self._end < len(view):
                n = self._stream.readinto(view[self._end :])
                if n == 0:
                    break
                self._end += n

    def _keep_from(self, begin: int) -> None:
        """Move what was not taken to the beginning."""
        rest = self._buffer[begin : self._end]
        self._buffer[: len(rest)] = rest
        self._end = len(rest)

    def _take_block(self) -> bool:
        """Take all whole rows that fit the buffer; returns whether there were any."""
        self._fill()
        spelled, starts, at = self._scan()
        if not starts:
            return False
        places = np.arange(self._n_rows, self._n_rows + len(starts))
        self._n_rows += len(starts)
        data = np.frombuffer(self._buffer, np.uint8, self._end)
        rows = np.ndarray(self._end - self._vector + 1, f"V{self._vector}", data, strides=(1,))  # one at each byte
        words = self._decoded(spelled, int(places[0]))
        wanted = self._chosen(words, places)
        if wanted is not None:
            words, places = [words[row] for row in wanted], places[wanted]
            starts = [starts[row] for row in wanted]
        values = rows[np.array(starts, np.int64)].view("<f4").reshape(-1, self._dim)
        self._append(words, places, values)
        del data, rows
        self._keep_from(at)
        return True

    def _scan(self) -> tuple[list[bytes], list[int], int]:
        """The bytes of the words that are whole with their vectors, where these start, and where the last one ends."""
        buffer, end, vector = self._buffer, self._end, self._vector
        spelled: list[bytes] = []
        starts: list[int] = []
        at, most = 0, self._n_wanted - self._n_rows
        while len(starts) < most:
            space = buffer.find(b" ", at, min(end, at + _LONGEST_WORD + 1))
            if space < 0 and end - at > _LONGEST_WORD:
                if self._choice.report is not None:
                    break
                before = f" after {shown(_text(spelled[-1]))}" if spelled else ""
                raise self._error(
                    self._n_rows + len(starts), f"no space in {_LONGEST_WORD:,} bytes{before}", "takes those before it"
                )
            if space < 0 or space + 1 + vector > end:
                break
            spelled.append(bytes(buffer[at:space]))
            starts.append(space + 1)
            at = space + 1 + vector
        if not self._n_rows and starts and buffer.startswith(b"\n", starts[0] + vector, end):
            self._feed = b"\n"
        return spelled, starts, at

    def _decoded(self, spelled: list[bytes], place: int) -> list[str]:
        """The words, the first of which has this place in the file."""
        feed, n_between = self._feed, len(spelled) - 1
        text = b" ".join(spelled).removeprefix(feed)  # no word has a space
        n_feeds = text.count(b"\n"), text.count(b" " + feed)
        if n_feeds != (n_between * len(feed), n_between) or self._is_astray(spelled[0], place):
            row = next(row for row, word in enumerate(spelled) if self._is_astray(word, place + row))
            raise self._astray(spelled[row], place + row)
        try:
            words = text.decode().split(" " + feed.decode())
        except UnicodeDecodeError:
            words = [self._decoded_alone(word, place + row) for row, word in enumerate(text.split(b" " + feed))]
        if unreadable_word(words) is not None:
            for row, word in enumerate(words):
                if unreadable_word([word]) is not None:
                    new = mended(word) or "_"
                    self._respell(word, place + row, f"{shown(word)} is no word", f"calls it {shown(new)}")
                    words[row] = new
        return words

    def _is_astray(self, word: bytes, place: int) -> bool:
        """Whether the row before this word ends elsewhere than it should."""
        return b"\n" in word.removeprefix(self._feed) or not (place == 0 or word.startswith(self._feed))

    def _decoded_alone(self, word: bytes, place: int) -> str:
        try:
            return word.decode()
        except UnicodeDecodeError:
            self._respell(word, place, f"{shown(word)} is not UTF-8", "puts U+FFFD where it is not")
            return mended(word.decode(errors="replace"))

    def _respell(self, word: str | bytes, place: int, problem: str, remedy: str) -> None:
        """Refuse or repair the spelling of a word; where no line feeds end rows, it may be part of a vector."""
        if place and not self._feed:
            raise self._astray(word, place)
        self._refuse_or_report_word(place, problem, remedy)

    def _chosen(self, words: list[str], places: NDArray[np.int64]) -> list[int] | None:
        """The rows that are wanted, None for all; a repair may change the words."""
        wanted, chosen = self._choice.vocabulary, []
        if self._choice.report is None:
            return None if wanted is None else [row for row, word in enumerate(words) if word in wanted]
        for row, word in enumerate(words):
            place = int(places[row])
            if not is_word(word):
                words[row] = mended(word)
                self._refuse_or_report_word(
                    place, f"the word {shown(word)} has whitespace", f"makes it {shown(words[row])}"
                )
            if words[row] in self._seen:
                self._refuse_or_report_word(place, f"the word {shown(words[row])} stands twice", "keeps the first")
            elif wanted is None or words[row] in wanted:
                chosen.append(row)
            self._seen.add(words[row])
        return chosen

    def _append(self, words: list[str], places: NDArray[np.int64], values: NDArray[np.float32]) -> None:
        if values.size and not all_finite(values):
            finite = np.asarray(np.isfinite(values).all(axis=1))
            for row in np.flatnonzero(~finite).tolist():
                problem = f"the vector of {shown(words[row])} is not finite"
                self._refuse_or_report_word(int(places[row]), problem, "drops the word")
            words = [word for word, is_finite in zip(words, finite.tolist(), strict=True) if is_finite]
            places, values = places[finite], values[finite]
        self._table.append(values, words)
        self._words += words
        self._places.append(places)

    # --- Complaints ---------------------------------------------------------------------------------------------------

    def _refuse_or_report(self, problem: str, remedy: str) -> None:
        if self._choice.report is None:
            raise DataError(f"{self._name}: {problem}; get the file again, or `embedtrain convert --repair` {remedy}")
        self._choice.report(f"{self._name}: {problem}; the repair {remedy}")

    def _refuse_or_report_word(self, place: int, problem: str, remedy: str) -> None:
        if self._choice.report is None:
            raise self._error(place, problem, remedy)
        self._choice.report(f"{self._name}, word {place + 1:,}: {problem}; the repair {remedy}")

    def _astray(self, word: str | bytes, place: int) -> DataError:
        return DataError(
            f"{self._name}, word {place + 1:,}: {shown(word)} is no word; the word before has a space, or the first "
            "line is wrong, and what follows cannot be told: write the file again, as text for example"
        )

    def _error(self, place: int, problem: str, remedy: str) -> DataError:
        return DataError(f"{self._name}, word {place + 1:,}: {problem}; `embedtrain convert --repair` {remedy}")


def _text(word: bytes) -> str:
    return word.removeprefix(b"\n").decode(errors="replace")


def write(path: Path, content: Content, *, threads: int | None = None) -> None:
    """Write words and vectors, all or nothing; compressed if the name asks for it.

    Raises
    ------
    DataError
        If a word or value cannot be in such a file, or the file cannot be written.
    """
    words, vectors, *_ = require_content(content)
    if too_long := next((word for word in words if len(word.encode()) >= _LONGEST_WORD), None):
        raise DataError(
            f"the word {shown(too_long)} has {_LONGEST_WORD:,} bytes or more, which .bin cannot hold; write text"
        )
    with atomic_file(path) as plain, compressing(path, plain) as file:
        file.write(f"{len(words)} {vectors.shape[1]}\n".encode())
        for begin in range(0, len(words), _ROWS):
            rows: NDArray[Any] = np.ascontiguousarray(vectors[begin : begin + _ROWS], "<f4")
            spelled = words[begin : begin + _ROWS]
            pieces = (b"%b %b\n" % (word.encode(), row) for word, row in zip(spelled, rows, strict=True))
            file.write(b"".join(pieces))
