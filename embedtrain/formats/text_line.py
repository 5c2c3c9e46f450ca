"""One line "word value value …" that is not as it should be: what it means, and what is wrong with it."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BOM = b"\xef\xbb\xbf"
#: A first line with the numbers of words and values.
HEADER = re.compile(rb" *(-?\d{1,18}) +(-?\d{1,18})[ \r]*")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_NOT_FINITE = re.compile(r"[+-]?(nan|inf(inity)?)", re.IGNORECASE | re.ASCII)
_CONTROL = re.compile("[\x00-\x1f\x7f]")
_NOT_IN_A_WORD = re.compile("[\\s\x00-\x1f\x7f-\x9f]")
_DROPS = "drops the line"


class Defect(NamedTuple):
    """What is wrong with a line."""

    problem: str
    remedy: str  # what a repair does, as in "drops the line"


class Line(NamedTuple):
    """What a line means."""

    word: str
    values: NDArray[np.float32] | None  # (dim,), None if the line is to be dropped
    defects: list[Defect]


def read_line(line: bytes, dim: int) -> Line:
    """What a line means that should have a word and `dim` values, as far as that can be told."""
    defects: list[Defect] = []
    try:
        text = line.decode()
    except UnicodeDecodeError:
        text = line.decode(errors="replace")
        defects.append(Defect(f"{shown(line)} is not UTF-8", "puts U+FFFD where it is not"))
    text = text.rstrip(" \r")
    if "\t" in text:
        defects.append(Defect(f"{shown(text)} has a tab", "reads tabs as spaces"))
        text = text.replace("\t", " ")
    fields = [field for field in text.split(" ") if field]
    if fields and text.startswith(" "):
        fields.insert(0, "")
    word = _word_of(fields, dim, defects)
    return Line(word, _values_of(word, fields, dim, defects), defects)


def _word_of(fields: list[str], dim: int, defects: list[Defect]) -> str:
    """What is before the values, without what no word may have."""
    own = fields[:1]
    extra = fields[1:-dim]
    if extra and not all(map(_is_number, extra)):
        own = fields[:-dim]
        defects.append(Defect(f"the word {shown(' '.join(own))} has a space", f"makes it {shown('_'.join(own))}"))
    word = "_".join(own)
    if _CONTROL.search(word):
        defects.append(Defect(f"the word {shown(word)} has a control character", f"makes it {shown(mended(word))}"))
        return mended(word)
    return word


def _values_of(word: str, fields: list[str], dim: int, defects: list[Defect]) -> NDArray[np.float32] | None:
    """The values, None if they cannot be told."""
    problem = ""
    texts = fields[-dim:]
    if not word:
        problem = "the word is empty"
    elif len(fields) <= dim or (all(map(_is_number, fields[1:-dim])) and len(fields) > dim + 1):
        problem = f"{shown(word)} has {len(fields) - 1:,} values instead of {dim:,}"
    elif odd := next((text for text in texts if not _is_value(text)), None):
        problem = f"{shown(odd)} among the values of {shown(word)} is no number"
    if problem:
        defects.append(Defect(problem, _DROPS))
        return None
    with np.errstate(over="ignore"):
        values = np.array([float(text) for text in texts]).astype(np.float32)
    if not np.isfinite(values).all():
        defects.append(Defect(f"the vector of {shown(word)} has a value that is not a finite float32", _DROPS))
        return None
    return values


def count_values(line: bytes) -> int:
    """How many numbers the line ends with; its first field is none."""
    fields = line.decode(errors="replace").split()[1:]
    return next((place for place, text in enumerate(reversed(fields)) if not _is_value(text)), len(fields))


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None


def _is_value(text: str) -> bool:
    return _is_number(text) or _NOT_FINITE.fullmatch(text) is not None


def mended(word: str) -> str:
    """The word as every file can hold it, with '_' in the place of whitespace and control characters."""
    return _NOT_IN_A_WORD.sub("_", word)


def shown(text: str | bytes) -> str:
    """A text as messages quote it, at most 40 characters of it."""
    return repr(text[:40]) if len(text) <= 40 else f"{text[:40]!r}…"
