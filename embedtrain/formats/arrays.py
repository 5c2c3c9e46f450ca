"""Shared by the formats of arrays: selecting rows of mapped tables, and settings as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError, quoted
from embedtrain.formats.format import ReadOptions, VectorTable
from embedtrain.formats.table import check_float16, check_shapes, rows_not_finite, unwritable
from embedtrain.machine.memory import require_memory
from embedtrain.machine.npz import LONGEST_JSON, parse_json
from embedtrain.machine.words import first_duplicate, is_word, unreadable_word

_KIND = "embedtrain vectors"
_VERSION = 1


def select(name: str, table: VectorTable, options: ReadOptions) -> VectorTable:
    """Return the rows to read of a table whose vectors are mapped; with `options.mmap` they stay so, unchecked."""
    if not len(table.words):
        raise DataError(f"{name}: there are no words in the file")
    check_shapes(f"{name}: ", table)
    words, vectors, counts, contexts = table.words, table.vectors, table.counts, table.context_vectors
    if options.mmap and options.dtype.itemsize < vectors.dtype.itemsize:
        raise SettingError(f"dtype {options.dtype} is not that of {name}, {vectors.dtype}; leave out dtype or mmap")
    rows: Sequence[int] = range(len(words))[: options.limit]
    if options.vocabulary is not None:
        rows = [row for row in rows if words[row] in options.vocabulary]
    if not options.mmap:
        n_bytes = len(rows) * vectors.shape[1] * options.dtype.itemsize
        require_memory(n_bytes, f"the vectors in {name}", "read fewer words, or with float16 or mmap")
    if bad := _bad_rows(words, vectors, rows, options):
        for row in sorted(bad):
            options.report(f"{name}, word {row + 1:,}", bad[row])
        rows = [row for row in rows if row not in bad]
    kept: Any = slice(len(rows)) if isinstance(rows, range) else np.array(rows, np.int64)
    words, vectors = [words[row] for row in rows], vectors[kept]
    if not options.mmap:
        with np.errstate(over="ignore"):
            vectors = vectors.astype(options.dtype, order="C", copy=isinstance(rows, range))
        if options.dtype != np.float32:
            check_float16(name, words, vectors)
    counts = None if counts is None else np.array(counts[kept], np.int64)
    factors = table.factors if len(words) == len(table.words) else None  # new rows have counts with all contexts
    if factors is None and contexts is not None:
        is_of_words = table.factors is None or table.factors.context_words is None
        contexts = contexts[kept] if is_of_words else None  # mapped if all are kept: most readers do not need them
    return VectorTable(words, vectors, counts, table.settings, contexts, table.subwords, factors)


def _bad_rows(words: Sequence[str], vectors: NDArray[Any], rows: Sequence[int], options: ReadOptions) -> dict[int, str]:
    """Return the problems of bad rows, by row."""
    bad = {}
    if not options.mmap:
        part = vectors[: len(rows)] if isinstance(rows, range) else vectors[np.array(rows, np.int64)]
        bad = {rows[i]: f"the vector of {quoted(words[rows[i]])} is not finite" for i in rows_not_finite(part)}
    chosen = [words[row] for row in rows]
    unspaced = [word.replace(" ", "") for word in chosen]  # spaces in words are fine
    if options.must_be_writable or unreadable_word(unspaced) is not None or first_duplicate(chosen) is not None:
        seen: dict[str, int] = {}
        for row, word, other in zip(rows, chosen, unspaced, strict=True):
            if unreadable_word([other]) is not None:
                bad[row] = f"the word {quoted(word)} is empty or has a space or control character"
            elif options.must_be_writable and not is_word(other):
                bad[row] = unwritable(word)
            elif seen.setdefault(word, row) != row:
                bad[row] = f"the word {quoted(word)} appears twice, first as word {seen[word] + 1:,}"
    return bad


def describe(settings: Mapping[str, Any]) -> str:
    """Return the description of a file of arrays, as JSON."""
    text = json.dumps({"kind": _KIND, "version": _VERSION, "settings": plain_settings(settings)})
    if len(text) > LONGEST_JSON:
        raise DataError(f"the settings have {len(text):,} bytes as JSON, files hold {LONGEST_JSON:,}; remove some")
    return text


def plain_settings(value: Any) -> Any:
    """Convert settings to JSON types; keys and other objects become str, as do numbers that are not finite."""
    if isinstance(value, Mapping):
        return {str(key): plain_settings(inside) for key, inside in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_settings(inside) for inside in value]
    is_plain = value is None or isinstance(value, (str, int)) or (isinstance(value, float) and math.isfinite(value))
    return value if is_plain else str(value)


def settings_of(name: str, about: str | bytes) -> dict[str, Any]:
    """Return the settings in a description that `describe` made."""
    try:
        known = parse_json(about)
        kind, version, settings = known["kind"], int(known["version"]), dict(known["settings"])
    except (ValueError, KeyError, TypeError, OverflowError):
        kind, version, settings = None, 0, {}
    if kind != _KIND:
        raise DataError(f"{name} is not a file of vectors of embedtrain; write it again with `embedtrain convert`")
    if version > _VERSION:
        raise DataError(f"{name}: version {str(version)[:20]} of the format is newer than this embedtrain; update it")
    return settings
