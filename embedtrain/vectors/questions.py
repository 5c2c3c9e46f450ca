"""Evaluation files: analogies, and pairs of words that people have judged for similarity."""

from __future__ import annotations

import codecs
import csv
import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, TypeAlias

from embedtrain.errors import DataError, SettingError
from embedtrain.machine.reading import open_source, reading, source_name

#: a is to b as c is to d.
Question: TypeAlias = "tuple[str, str, str, str]"

#: Files that gensim comes with, by the names that stand for them.
BUNDLED = {"google": "questions-words.txt", "wordsim353": "wordsim353.tsv", "simlex999": "simlex999.txt"}

_LONGEST = 1 << 14  # bytes of a line
_NO_TEXT = re.compile(rb"[\0-\x08\x0e-\x1b]")  # control characters but whitespace
_MISSING = {"", "-", "?", "na", "n/a", "nan", "none", "null"}  # what stands for a score that nobody gave
_LIKE_A_NUMBER = re.compile(r"[-+.]?\d")  # as 1_0 and 3% are, which are none


class Section(NamedTuple):
    """Questions of one kind."""

    name: str
    questions: list[Question]


class Pair(NamedTuple):
    """Two words and how similar people find them."""

    first: str
    second: str
    score: float


def find(name: str | os.PathLike[str]) -> Path:
    """The file that a path, or the name of a file that comes with gensim, stands for.

    Raises
    ------
    DataError
        If the name is one of `BUNDLED`, and neither such a file nor gensim is there.
    """
    path = Path(name)
    file = BUNDLED.get(str(name))
    if file is None or path.exists():
        return path
    gensim = find_spec("gensim")  # looked for, not imported: that takes seconds
    if gensim is None or gensim.origin is None:
        raise DataError(f"{name!r} is a file that comes with gensim, which is not installed; install it or give a path")
    return Path(gensim.origin).parent / "test" / "test_data" / file


def read_analogies(path: str | os.PathLike[str]) -> list[Section]:
    """Read lines of four words, Google's with lines ": section" between them, or Microsoft's without.

    Parameters
    ----------
    path : path, ``-`` for standard input, or a name of `BUNDLED`

    Raises
    ------
    DataError
        If it cannot be read, or is something else; the message names the line.
    """
    path = find(path)
    sections: list[Section] = []
    for number, line in _lines(path, "utf-8"):
        if line.startswith(":"):
            sections.append(Section(line.lstrip(": "), []))
            continue
        words = line.split()
        if len(words) != 4:
            raise DataError(
                f"{source_name(path)}, line {number}: expected the four words of an analogy or ': section', "
                f"got {_counted_columns(words)}; this is no file of analogies"
            )
        if not sections:
            sections.append(Section(path.stem, []))
        sections[-1].questions.append((words[0], words[1], words[2], words[3]))
    if not any(section.questions for section in sections):
        raise DataError(f"{source_name(path)} holds no analogies; it needs lines of four words")
    return sections


def read_pairs(path: str | os.PathLike[str], delimiter: str | None = None, encoding: str = "utf-8") -> list[Pair]:
    """Read lines of two words and a score, with tabs, commas, semicolons or spaces between them.

    The score is the first number after the words. Lines that begin with ``#`` are left out, and so is a first line of
    headings: no number is among them.

    Parameters
    ----------
    path : path, ``-`` for standard input, or a name of `BUNDLED`
    delimiter : str, optional
        What stands between columns; by default what is found in the first line.
    encoding : str

    Raises
    ------
    DataError
        If it cannot be read, or is something else; the message names the line.
    SettingError
        If `delimiter` or `encoding` cannot be.
    """
    path = find(path)
    pairs: list[Pair] = []
    first: tuple[int, list[str]] | None = None
    column = None
    for number, fields in _rows(path, delimiter, encoding):
        if column is None:
            column = _column_of_score(fields)
            if column is None and first is None:
                first = number, fields  # what it is, the next line says
                continue
            if first is not None and column is not None and not _are_headings(first[1], column):
                pairs.append(_pair(path, *first, column))
        pairs.append(_pair(path, number, fields, column))
    if not pairs and first is not None:
        pairs.append(_pair(path, *first, column))
    if not pairs:
        raise DataError(f"{source_name(path)} holds no pairs; it needs lines of two words and a score")
    if column != 2 and all(_is_number(pair.first) for pair in pairs):
        raise DataError(f"{source_name(path)}: the first column holds numbers, not words; leave it out")
    return pairs


def _rows(path: Path, delimiter: str | None, encoding: str) -> Iterator[tuple[int, list[str]]]:
    """The columns of the lines that are no comments, and the lines' numbers."""
    if delimiter in ("", '"', "\r", "\n"):
        raise SettingError(f"delimiter must be what stands between columns, as '\\t' or ',', got {delimiter!r}")
    for number, line in _lines(path, encoding):
        if not line.startswith("#"):
            if delimiter is None:
                delimiter = next((mark for mark in "\t,;" if mark in line), " ")
            yield number, _split(line, delimiter)


def _split(line: str, delimiter: str) -> list[str]:
    if delimiter.isspace() and delimiter != "\t":
        return line.split()
    if len(delimiter) > 1:
        return [field.strip() for field in line.split(delimiter)]
    return [field.strip() for field in next(csv.reader([line], delimiter=delimiter))]


def _column_of_score(fields: list[str]) -> int | None:
    if len(fields) < 3 or _is_number(fields[1]):  # a vectors file has numbers from there on
        return None
    return next((column for column, field in enumerate(fields) if column > 1 and _is_number(field)), None)


def _are_headings(fields: list[str], column: int) -> bool:
    """Whether these are names of columns, of which `column` holds scores, and not a pair without a score."""
    return (
        len(fields) > column and fields[column].lower() not in _MISSING and not any(map(_LIKE_A_NUMBER.match, fields))
    )


def _pair(path: Path, number: int, fields: list[str], column: int | None) -> Pair:
    if column is None or len(fields) <= column or not (fields[0] and fields[1] and _is_number(fields[column])):
        raise DataError(
            f"{source_name(path)}, line {number}: expected two words and a score, got {_counted_columns(fields)}; "
            "this is no file of judged pairs, or begin the line with # to leave it out"
        )
    return Pair(fields[0], fields[1], float(fields[column]))


def _is_number(field: str) -> bool:
    try:
        return "_" not in field and abs(float(field)) < float("inf")
    except ValueError:
        return False


def _counted_columns(fields: list[str]) -> str:
    shown = " ".join(fields)
    columns = f"{len(fields)} column{'' if len(fields) == 1 else 's'}"
    return f"{columns}, {shown[:40] + '…' if len(shown) > 40 else shown!r}"


def _lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, without whitespace around them, and their numbers."""
    try:
        encoding = codecs.lookup(encoding).name
    except LookupError:
        raise SettingError(f"encoding must be one of Python's, as 'utf-8', got {encoding!r}") from None
    with reading(path), open_source(path) as file:
        number = 0
        while line := file.readline(_LONGEST):
            number += 1
            place = f"{source_name(path)}, line {number}"
            if len(line) == _LONGEST or _NO_TEXT.search(line):
                raise DataError(f"{place}: this is no text of words in lines, but another kind of file")
            try:
                text = line.decode(encoding).removeprefix("\ufeff" if number == 1 else "").strip()
            except UnicodeDecodeError:
                raise DataError(f"{place}: not {encoding.upper()}; convert the file to it, if it is text") from None
            if text:
                yield number, text
