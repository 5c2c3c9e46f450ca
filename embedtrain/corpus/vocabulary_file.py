"""Vocabulary files: lines "word count", as word2vec.c and GloVe write them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import DataError, quoted
from embedtrain.machine.files import atomic_file, note_repeated, reading, source_name
from embedtrain.machine.words import is_word, require_words

_AT_ONCE = 1 << 16  # lines


def write_vocabulary(path: str | os.PathLike[str], vocabulary: Vocabulary) -> None:
    """Write a vocabulary atomically."""
    with atomic_file(path) as file:
        for lines in format_lines(vocabulary):
            file.write(lines.encode())


def format_lines(vocabulary: Vocabulary) -> Iterator[str]:
    """Yield the lines of the file, many at a time."""
    for begin in range(0, len(vocabulary), _AT_ONCE):
        words, counts = vocabulary.words[begin : begin + _AT_ONCE], vocabulary.counts[begin : begin + _AT_ONCE]
        require_words(word for word in words if " " in word)
        yield "".join(f"{word} {count}\n" for word, count in zip(words, counts.tolist(), strict=True))


def read_vocabulary(path: str | os.PathLike[str]) -> Vocabulary:
    """Read a vocabulary and sort its words by count."""
    return _by_count(*read_words(Path(path), need_counts=True))


def merge_vocabularies(paths: Sequence[Path], *, force: bool) -> Vocabulary:
    """Add the counts in vocabulary files; one whose words all occur twice or more is refused, unless `force`."""
    note_repeated(paths)
    total: Counter[str] = Counter()
    for path in paths:
        words, counts = read_words(path, need_counts=True)
        if min(counts) > 1 and not force:
            raise DataError(
                f"{source_name(path)} lacks rare words: each of its words occurs {min(counts)} times or more; "
                "make it with `min_count=1`, or set `force` if its text has no rarer word"
            )
        total.update(dict(zip(words, counts, strict=True)))
    if total.total() >= 2**63:
        raise DataError(f"the sum of the counts is {total.total():,}; it must be below 2 ** 63")
    return _by_count(list(total), list(total.values()))


def _by_count(words: Sequence[str], counts: Sequence[int]) -> Vocabulary:
    """Sort words by count."""
    order = sorted(range(len(words)), key=lambda row: (-counts[row], words[row].encode()))
    return Vocabulary([words[row] for row in order], np.array([counts[row] for row in order], np.int64))


def read_words(path: Path, *, need_counts: bool = False, skip_blank: bool = False) -> tuple[list[str], list[int]]:
    """Read lines "word count", or lines of one word if counts are not needed, in file order."""
    lines: dict[str, int] = {}
    counts: list[int] = []
    total = 0
    for number, location, line in read_lines(path, skip_blank=skip_blank):
        word, count = _parse(line, location, need_counts)
        if word in lines:
            raise DataError(f"{location}: the word {word!r} is in line {lines[word]} too; remove one of them")
        if lines and (count is None) == bool(counts):
            found, first = ("no count", "one") if count is None else ("a count", "none")
            raise DataError(f"{location}: {word!r} has {found} and line 1 has {first}; give all words one or none")
        lines[word] = number
        if count is not None:
            counts.append(count)
            total += count
            if total >= 2**63:
                raise DataError(f"{location}: the sum of the counts is {total:,}; it must be below 2 ** 63")
    return list(lines), counts


def words_of(given: str | os.PathLike[str] | Iterable[str] | None) -> list[str]:
    """Words given as themselves, or as the path of a file with one a line."""
    return read_words(Path(given), skip_blank=True)[0] if isinstance(given, (str, os.PathLike)) else list(given or ())


def read_lines(path: Path, *, skip_blank: bool = True) -> Iterator[tuple[int, str, str]]:
    """Yield the lines of a file of words, each after its number and its location for messages."""
    found, name = False, source_name(path)
    with reading(path), open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            location = f"{name}, line {number}"
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError:
                raise DataError(f"{location}: {quoted(line)} is not UTF-8") from None
            if text.strip() or not skip_blank:
                found = True
                yield number, location, text
    if not found:
        raise DataError(f"{name} holds no words: it is empty or blank")


def _parse(line: str, location: str, need_counts: bool) -> tuple[str, int | None]:
    """Return the word in a line, and its count if it has one."""
    try:
        word, *rest = line.split()
        (count,) = map(int, rest) if rest or need_counts else (None,)
    except ValueError:
        expected = "a word, a space and its count" if need_counts else "a word, or a word, a space and its count"
        raise DataError(f"{location}: expected {expected}, got {quoted(line)}") from None
    if not is_word(word):
        raise DataError(f"{location}: the word {quoted(word)} holds a control character; no vectors file can hold it")
    if count is not None and count < 0:
        raise DataError(f"{location}: {word!r} has the count {count}; counts are at least 0")
    return word, count
