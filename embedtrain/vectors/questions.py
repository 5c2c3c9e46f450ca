"""Evaluation files: analogies, and pairs of words that people have judged for similarity."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple, TypeAlias

from embedtrain.corpus.sources import reading
from embedtrain.errors import DataError

#: a is to b as c is to d.
Question: TypeAlias = "tuple[str, str, str, str]"

#: Files that gensim comes with, by the names that stand for them.
BUNDLED = {"google": "questions-words.txt", "wordsim353": "wordsim353.tsv", "simlex999": "simlex999.txt"}

_LONGEST = 1 << 14  # characters of a line


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
    path : path, or a name of `BUNDLED`

    Raises
    ------
    DataError
        If it cannot be read, or is something else; the message names the line.
    """
    path = find(path)
    sections: list[Section] = []
    for number, line in _lines(path):
        if line.startswith(":"):
            sections.append(Section(line.lstrip(": "), []))
            continue
        words = line.split()
        if len(words) != 4:
            raise DataError(
                f"{path}, line {number}: expected the four words of an analogy or ': section', "
                f"got {_counted_columns(words)}; this is no file of analogies"
            )
        if not sections:
            sections.append(Section(path.stem, []))
        sections[-1].questions.append((words[0], words[1], words[2], words[3]))
    if not any(section.questions for section in sections):
        raise DataError(f"{path} holds no analogies; it needs lines of four words")
    return sections


def read_pairs(path: str | os.PathLike[str], delimiter: str | None = None) -> list[Pair]:
    """Read lines of two words and a score, with tabs, commas, semicolons or spaces between them.

    The score is the first number after the words. A line of headings and lines that begin with ``#`` are left out.

    Parameters
    ----------
    path : path, or a name of `BUNDLED`
    delimiter : str, optional
        What stands between columns; by default what is found in the first line.

    Raises
    ------
    DataError
        If it cannot be read, or is something else; the message names the line.
    """
    path = find(path)
    pairs: list[Pair] = []
    column, heading = None, True
    for number, line in _lines(path):
        if line.startswith("#"):
            continue
        if delimiter is None:
            delimiter = next((mark for mark in "\t,;" if mark in line), " ")
        fields = _split(line, delimiter)
        if column is None:
            column = _column_of_score(fields)
            if column is None and heading:
                heading = False
                continue
        pairs.append(_pair(path, number, fields, column))
    if not pairs:
        raise DataError(f"{path} holds no pairs; it needs lines of two words and a score")
    return pairs


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


def _pair(path: Path, number: int, fields: list[str], column: int | None) -> Pair:
    if column is None or len(fields) <= column or not (fields[0] and fields[1] and _is_number(fields[column])):
        raise DataError(
            f"{path}, line {number}: expected two words and a score, got {_counted_columns(fields)}; "
            "this is no file of judged pairs"
        )
    return Pair(fields[0], fields[1], float(fields[column]))


def _is_number(field: str) -> bool:
    try:
        return abs(float(field)) < float("inf")
    except ValueError:
        return False


def _counted_columns(fields: list[str]) -> str:
    shown = " ".join(fields)
    columns = f"{len(fields)} column{'' if len(fields) == 1 else 's'}"
    return f"{columns}, {shown[:40] + '…' if len(shown) > 40 else shown!r}"


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, without whitespace around them, and their numbers."""
    with reading(path), open(path, "rb") as file:
        number = 0
        while line := file.readline(_LONGEST):
            number += 1
            if len(line) == _LONGEST or b"\0" in line:
                raise DataError(f"{path}, line {number}: this is no text of words in lines, but another kind of file")
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            except UnicodeDecodeError:
                raise DataError(f"{path}, line {number}: not UTF-8; convert the file to it") from None
            if text:
                yield number, text
