"""JSON lines: an object a line, with text in one of its fields, or a list of tokens a line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import repeat
from typing import IO

from embedtrain.errors import DataError
from embedtrain.machine.memory import format_bytes

SUFFIXES = (".jsonl", ".ndjson")
_LONGEST = 64_000_000  # bytes of a line


def read_lines(name: str, file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of a file."""
    for number, line in enumerate(iter(lambda: file.readline(_LONGEST + 1), b""), 1):
        if len(line) > _LONGEST:
            raise DataError(f"{name}, line {number}: a record of more than {format_bytes(_LONGEST)}; divide its text")
        yield line


def texts(name: str, lines: Iterable[bytes], field: str) -> Iterator[str | list[str]]:
    """Yield every list, and the text or tokens of every object; empty ones without the field or with null in it.

    Invalid UTF-8 becomes lone surrogates.
    """
    others: set[str] = set()
    any_has_it, kind, n_missing = False, None, 0
    for number, line in enumerate(lines, 1):
        decoded = line.decode(errors="surrogateescape").removeprefix("\ufeff")
        if not decoded.strip():
            continue
        try:
            record = json.loads(decoded)
        except (ValueError, RecursionError) as error:
            raise DataError(f"{name}, line {number}: not JSON ({error}); write an object or a token list") from error
        record = {field: record} if isinstance(record, list) else record
        if not isinstance(record, dict):
            raise DataError(f"{name}, line {number}: expected a JSON object, got {type(record).__name__}")
        if field not in record:
            others.update(list(record)[: 20 - len(others)])
        else:
            any_has_it = True
        text = record.get(field)
        if text is None:
            n_missing += 1
            continue
        if not isinstance(text, (str, list)):
            raise DataError(f"{name}, line {number}: field {field!r} holds {type(text).__name__}, not text or tokens")
        kind = kind or type(text)
        if type(text) is not kind:
            raise DataError(
                f"{name}, line {number}: field {field!r} holds {type(text).__name__}, above it held "
                f"{kind.__name__}; give all as text or all as lists of tokens"
            )
        yield from repeat(kind(), n_missing)
        n_missing = 0
        yield text
    if others and not any_has_it:
        found = ", ".join(map(repr, sorted(others)[:8]))
        raise DataError(f"{name}: no record has the field {field!r}; name another with `field`, they have {found}")
    yield from repeat((kind or str)(), n_missing)
