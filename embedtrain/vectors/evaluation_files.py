"""Evaluation files: analogy questions, pairs of words with human similarity scores, and labels of words."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple, TypeAlias

from embedtrain.errors import DataError, SettingError, quoted
from embedtrain.machine.files import open_source, reading, source_name

#: a is to b as c is to d.
Question: TypeAlias = "tuple[str, str, str, str]"

#: Names of files that gensim contains.
BUNDLED = {"google": "questions-words.txt", "wordsim353": "wordsim353.tsv", "simlex999": "simlex999.txt"}

_LONGEST = 1 << 14  # bytes of a line
_NOT_TEXT = re.compile(rb"[\0-\x08\x0e-\x1b]")  # control characters other than whitespace

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_PAIR = "two words and a score"


class Section(NamedTuple):
    """Analogy questions of one kind."""

    name: str
    questions: list[Question]


class Pair(NamedTuple):
    """Two words and their human similarity score."""

    first: str
    second: str
    score: float


def resolve(name: str | os.PathLike[str]) -> Path:
    """The path of a file; for a name in `BUNDLED`, that of gensim's file."""
    path = Path(name)
    file = BUNDLED.get(str(name))
    if file is None or path.exists():
        return path
    gensim = find_spec("gensim")  # importing it takes seconds
    if gensim is None or gensim.origin is None:
        raise DataError(f"{name!r} is a file that comes with gensim, which is not installed; install it or give a path")
    return Path(gensim.origin).parent / "test" / "test_data" / file


def read_analogies(path: str | os.PathLike[str]) -> list[Section]:
    """Read lines of four words, with lines ": section" between them (Google) or without (Microsoft).

    Lines that begin with ``#`` are comments.
    """
    path = resolve(path)
    sections: list[Section] = []
    for location, line in read_lines(path, "utf-8"):
        if line.startswith(":"):
            sections.append(Section(line.lstrip(": "), []))
            continue
        words = line.split()
        if len(words) != 4:
            raise _unexpected(location, "the four words of an analogy or ': section'", words)
        if not sections:
            sections.append(Section(path.stem, []))
        sections[-1].questions.append((words[0], words[1], words[2], words[3]))
    if not any(section.questions for section in sections):
        raise DataError(f"{source_name(path)} holds no analogies; it needs lines of four words")
    return sections


def read_pairs(path: str | os.PathLike[str], delimiter: str | None = None, encoding: str = "utf-8") -> list[Pair]:
    """Read lines of two words and a score.

    Columns are separated by tabs, commas, semicolons or whitespace, by what the first line has. The score is the first
    number after the words in the second line; the first line is a heading if that column is not a number. Lines that
    begin with ``#`` are comments.
    """
    path = resolve(path)
    rows = _rows(path, delimiter, encoding)
    head = list(islice(rows, 2))
    if not head:
        raise DataError(f"{source_name(path)} holds no pairs; it needs lines of two words and a score")
    location, fields = head[-1]
    column = next((column for column in range(2, len(fields)) if _is_number(fields[column])), None)
    if column is None or all(_is_number(field) for _, row in head for field in row[1:2]):  # as in a file of vectors
        raise _unexpected(location, _PAIR, fields)
    if len(head) == 2 and len(head[0][1]) > column and not _is_number(head[0][1][column]):
        del head[0]
    pairs = []
    for location, fields in chain(head, rows):
        if len(fields) <= column or not (fields[0] and fields[1] and _is_number(fields[column])):
            raise _unexpected(location, _PAIR, fields)
        pairs.append(Pair(fields[0], fields[1], float(fields[column])))
    if column > 2 and all(_is_number(pair.first) for pair in pairs):
        raise DataError(f"{source_name(path)}: the first column holds numbers, not words; leave it out")
    return pairs


def read_labelled(path: Path, divider: str = " ") -> Iterator[tuple[str, str]]:
    """Yield a word and the rest of its line, after a tab if there is one, as words may have spaces, or a `divider`."""
    for location, line in read_lines(path, "utf-8"):
        word, *rest = re.split("\t" if "\t" in line else divider, line, maxsplit=1)
        if not any(map(str.strip, rest)):
            raise DataError(f"{location}: expected a word or node and its label, got {quoted(line)}")
        yield word.strip(), rest[0].strip()


def _rows(path: Path, delimiter: str | None, encoding: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the location and columns of each line."""
    if delimiter == "":
        raise SettingError(r"delimiter must be the characters between columns, as '\t' or ',', got ''")
    for location, line in read_lines(path, encoding):
        if delimiter is None:  # a single comma may be that of a number
            delimiter = next((mark for mark in "\t;," if line.count(mark) > 1), " ")
        fields = line.split(None if delimiter == " " else delimiter)
        yield location, [field.strip().strip('"') for field in fields]


def _is_number(field: str) -> bool:
    try:
        return "_" not in field and abs(float(field)) < float("inf")
    except ValueError:
        return False


def _unexpected(location: str, expected: str, fields: list[str]) -> DataError:
    number = next((field[:40] for field in fields[2:] if _DECIMAL_COMMA.fullmatch(field)), None)
    remedy = f"write {number.replace(',', '.')} for {number}" if number else "put # before a line to leave it out"
    got = f"got {len(fields)} column{'s' * (len(fields) != 1)}, {' '.join(fields)[:40]!r}"
    return DataError(f"{location}: expected {expected}, {got}; {remedy}")


def read_lines(path: Path, encoding: str) -> Iterator[tuple[str, str]]:
    """Yield the location and the stripped text of each line that is neither blank nor a comment."""
    with reading(path), open_source(path) as file:
        number = 0
        while line := file.readline(_LONGEST):
            number += 1
            location = f"{source_name(path)}, line {number}"
            if b"\r" in line.rstrip(b"\r\n"):
                raise DataError(f"{location}: carriage returns without line feeds; save the file with the line ends LF")
            if len(line) == _LONGEST or _NOT_TEXT.search(line):
                raise DataError(f"{location}: not text of words in lines, but another kind of file")
            try:
                text = line.decode(encoding).removeprefix("\ufeff" if number == 1 else "").strip()
            except LookupError:
                raise SettingError(f"encoding must be one of Python's, as 'utf-8', got {encoding!r}") from None
            except UnicodeError:
                raise DataError(f"{location}: not {encoding.upper()}; convert the file to it, if it is text") from None
            if text and not text.startswith("#"):
                yield location, text
