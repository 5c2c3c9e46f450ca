"""What is amiss in a file of vectors, for whoever reads it: found in one pass, a row at a time."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import chain, islice
from typing import BinaryIO, NamedTuple

import numpy as np

from embedtrain.errors import DataError
from embedtrain.formats.text_line import BOM, count_values, shown
from embedtrain.machine.compression import RawStream, Stream

_LOOKED_AT = 20  # lines that tell how many values a row has
_AT_ONCE = 1 << 20  # bytes
_LONGEST = 1 << 26  # bytes of a line or row
_TOO_LARGE = (2 - 2**-24) * 2.0**127  # from here on the nearest float32 is infinite
_PLAIN = re.compile(rb"([^\x00-\x20]+)((?: -?\d{1,9}\.?\d*(?:[eE]-\d+)?)+) *\r?\n?")


class Defect(NamedTuple):
    """Something amiss."""

    kind: str  # as in `checks`
    place: str  # as in "line 3"
    problem: str


def defects_of(stream: Stream, format: str) -> Iterator[Defect]:
    """All defects of a text, or of a file in word2vec's binary format, in its order.

    Raises
    ------
    DataError
        If a line is far too long to be one.
    """
    file = io.BufferedReader(RawStream(stream), _AT_ONCE)  # type: ignore[type-var, unused-ignore]
    return _of_binary(file) if format == "word2vec-bin" else _of_text(_lines(file))


# --- Text -------------------------------------------------------------------------------------------------------------


def _of_text(lines: Iterator[bytes]) -> Iterator[Defect]:
    """All defects of a text, in its order."""
    first = next(lines)
    bare = first.removeprefix(BOM)
    head = list(islice(lines, _LOOKED_AT))
    parts = bare.decode(errors="replace").split()
    n_words, promised = None, max(0, len(parts) - 1)
    if len(parts) == 2 and (numbers := _whole_numbers(parts)):
        n_words, promised = numbers
    if bare != first:
        yield Defect("bom and word" if n_words is None else "bom and header", "line 1", "a byte order mark")
    if n_words is None:
        head.insert(0, bare)
        yield Defect("no header", "line 1", "there is no line with the numbers of words and dimensions")
        if _whole_numbers(parts[:2]):
            yield Defect("numbers", "line 1", "it begins with whole numbers")
    elif bare.rstrip().count(b" ") != 1:
        yield Defect("uneven header", "line 1", "the two numbers are not parted by one space")
    counts = Counter(map(count_values, head))
    del counts[0]
    is_kept = n_words is not None and promised in counts
    dim = promised if is_kept or not counts else counts.most_common(1)[0][0]
    if n_words is not None and min(n_words, promised) < 0:
        yield Defect("negative", "line 1", f"it promises {n_words:,} words of {promised:,} dimensions")
    elif promised != dim:
        kind = ("wide" if promised > dim else "thin") + (" first row" if n_words is None else " header")
        yield Defect(kind, "line 1", f"it promises {promised:,} dimensions, the lines have {dim:,}")
    if 1 <= dim <= 2:
        yield Defect("narrow", "line 1", f"vectors have {dim} dimensions, fewer than 3")
    if dim >= 1:
        yield from _of_rows(chain(head, lines), 1 if n_words is None else 2, n_words, dim)


def _whole_numbers(parts: list[str]) -> list[int]:
    """The parts of a line as numbers, none if one of them is no whole number."""
    try:
        return [int(part) for part in parts]
    except ValueError:
        return []


def _of_rows(rows: Iterator[bytes], begin: int, n_promised: int | None, dim: int) -> Iterator[Defect]:
    """The defects of lines "word value value …", the first of which has this number."""
    seen: dict[bytes, int] = {}
    n_rows = blank = 0
    for number, line in enumerate(rows, begin):
        place = f"line {number:,}"
        if not line.strip():
            yield Defect("blank", place, "the line is blank")
            blank = blank or number
            continue
        if blank:
            yield Defect("blank inside", f"line {blank:,}", "the line is blank, and others follow")
            blank = 0
        n_rows += 1
        match = _PLAIN.fullmatch(line)
        word, problems = (match[1], {}) if match and match[2].count(b" ") == dim else _taken_apart(line, dim)
        if not _is_utf8(line):
            problems["utf8"] = f"the line of {_quoted(word)} is not UTF-8"
        if (before := seen.setdefault(word, number)) != number:
            problems["twice"] = f"the word {_quoted(word)} stands in line {before:,} too"
        for kind, problem in problems.items():
            yield Defect(kind, place, problem)
    if not n_rows:
        yield Defect("none", "line 1", "there are no words")
    if n_promised is not None and 0 <= n_promised != n_rows:
        kind = "many" if n_promised > n_rows else "few"
        yield Defect(kind, "line 1", f"it promises {n_promised:,} words, {n_rows:,} lines follow")


def _taken_apart(line: bytes, dim: int) -> tuple[bytes, dict[str, str]]:
    """The word of a line and what is wrong with it on its own: the kinds, and how to say them."""
    fields = line.rstrip().split(b" ")
    full = [field for field in fields if field]
    spelled = full[:-dim]
    values = full[-dim:] if spelled else full[bool(fields[0]) :]
    word = b" ".join(spelled or fields[:1])
    parts = line.split()  # by whitespace of any kind
    problems = {}
    if b"\r" in line.removesuffix(b"\n").removesuffix(b"\r"):
        problems["return"] = f"a carriage return in the line of {_quoted(word)}"
    if not spelled and len(parts) == dim + 1:
        problems["tab"] = f"a tab between the values of {_quoted(parts[0])}"
        return parts[0], problems
    if len(values) < dim:
        problems["single" if len(fields) == 2 else "short"] = f"{_quoted(word)} has {len(values):,} values, not {dim:,}"
    elif not spelled:
        problems["empty"] = "the word is empty"
    elif len(spelled) > 1 and all(map(_is_number, spelled[1:])):
        problems["long"] = f"{_quoted(spelled[0])} has {len(full) - 1:,} values, not {dim:,}"
    elif len(spelled) > 1:
        problems["space"] = f"the word {_quoted(word)} has a space"
    elif len(parts) != dim + 1:
        problems["parted"] = f"the word {_quoted(word)} has a tab or other whitespace"
    if b"" in fields[1:][-dim:]:
        problems["gap"] = f"spaces in a row between the values of {_quoted(word)}"
    elif len(spelled) < 2 and (around := b" ".join(fields[:-dim])) != around.strip(b" "):
        problems["padded"] = f"spaces around the word {_quoted(word)}"
    return word, problems | _of_values(values, word)


def _of_values(values: list[bytes], word: bytes) -> dict[str, str]:
    """What is wrong with the values of a word."""
    first: dict[str, bytes] = {}  # of each kind
    for value in values:
        if not _is_number(value):
            first.setdefault("no number", value)
        elif not abs(float(value.decode())) < _TOO_LARGE:  # as nan is not
            first.setdefault("not finite", value)
        elif b"_" in value:
            first.setdefault("spelled with an underscore", value)
        elif not value.isascii():
            first.setdefault("not ASCII", value)
    return {kind: f"{_quoted(value)} among the values of {_quoted(word)} is {kind}" for kind, value in first.items()}


def _is_number(field: bytes) -> bool:
    """Whether Python reads it as one."""
    try:
        float(field.decode())
    except ValueError:  # or UnicodeDecodeError, which is one
        return False
    return True


# --- word2vec's binary format -----------------------------------------------------------------------------------------


def _of_binary(file: BinaryIO) -> Iterator[Defect]:
    """What gensim would trip over; line feeds before words it takes away."""
    first = file.readline()
    if first.startswith(BOM):
        yield Defect("bom and header", "line 1", "a byte order mark")
    n_words, dim = map(int, first.removeprefix(BOM).split())
    if n_words < 0 or dim < 1:
        yield Defect("negative", "line 1", f"it promises {n_words:,} words of {dim:,} dimensions")
        return
    seen: dict[bytes, int] = {}
    for number in range(1, n_words + 1):
        word, values, is_whole = _binary_row(file, dim)
        if not is_whole:
            yield Defect("many", "line 1", f"it promises {n_words:,} words, {number - 1:,} follow")
            return
        place = f"word {number:,}"
        if not _is_utf8(word):
            yield Defect("utf8", place, f"the word {_quoted(word)} is not UTF-8")
        if not np.isfinite(np.frombuffer(values, "<f4")).all():
            yield Defect("not finite", place, f"the vector of {_quoted(word)} is not finite")
        if (before := seen.setdefault(word, number)) != number:
            yield Defect("twice", place, f"the word {_quoted(word)} is word {before:,} too")
    if _binary_row(file, dim)[2]:
        yield Defect("few", "line 1", f"it promises {n_words:,} words, more follow")


def _binary_row(file: BinaryIO, dim: int) -> tuple[bytes, bytes, bool]:
    """The next word, the bytes of its values, and whether they are there."""
    word = bytearray()
    while (letter := file.read(1)) not in (b" ", b"") and len(word) < _LONGEST:
        word += letter
    values = file.read(min(4 * dim, _LONGEST))  # the header may lie
    return bytes(word.lstrip(b"\n")), values, len(values) == 4 * dim


# --- Both -------------------------------------------------------------------------------------------------------------


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return True


def _quoted(word: bytes) -> str:
    return shown(word.decode(errors="backslashreplace"))


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines, each with its line feed."""
    for line in iter(partial(file.readline, _LONGEST), b""):
        if len(line) == _LONGEST:
            raise DataError(f"a line is longer than {_LONGEST >> 20} MiB; this is no text of vectors")
        yield line
