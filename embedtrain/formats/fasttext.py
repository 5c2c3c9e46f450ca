"""fastText's binary format, versions 11 and 12, of models that were trained without labels.

In little endian: two int32, the magic number and the version; the settings, of which `_SETTINGS` names the int32; the
numbers of entries, words, labels, tokens and pruned buckets; for each word its bytes, 0, an int64 count and the byte 0;
then two matrices, each a byte (whether it is quantised), int64 numbers of rows and columns, and float32 values. The
first has a row for each word, then for each bucket of n-grams (see `Subwords`); the second are the context vectors.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError, quoted
from embedtrain.formats.format import Format, Head, ReadOptions, VectorTable
from embedtrain.formats.subwords import Subwords, word_blocks
from embedtrain.formats.table import NOT_UTF8, TableBuilder, all_finite, checked, rows_not_finite
from embedtrain.machine.files import atomic_file, open_regular, reading, source_name
from embedtrain.machine.memory import format_bytes, require_memory
from embedtrain.machine.progress import note
from embedtrain.machine.words import is_utf8, unreadable_word

_MAGIC = struct.pack("<i", 793712314)
_VERSIONS = 11, 12  # they differ in supervised models
_HEAD = struct.Struct("<4s i 12i d 3i 2q")
_SETTINGS = ("dim", "window", "epochs", "min_count", "negative", "word_ngrams", "loss", "model", "buckets", "minn",
             "maxn", "update_rate")  # fmt: skip
_HIERARCHICAL, _NEGATIVE = 1, 2  # losses
_CBOW, _SKIPGRAM, _SUPERVISED = 1, 2, 3  # models
_ENTRY = struct.Struct("<x q b")  # after the bytes of a word: 0, its count, its kind (0: word)
_MATRIX = struct.Struct("<? 2q")
_ROWS = 1 << 14  # written at once
_LARGE = 100_000_000  # bytes of a file whose size is said before it is written
_AGAIN = "it is damaged or cut short, get it again"


def _detect(head: Head) -> bool:
    return head.data.startswith(_MAGIC)


def _read(path: Path, options: ReadOptions) -> VectorTable:
    name = source_name(path)
    with reading(path), open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        settings, n_words = _read_head(name, file.read(_HEAD.size), size)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            words, counts, end = _read_words(name, content, n_words)
        n_buckets = settings["buckets"] if 1 <= settings["maxn"] >= settings["minn"] else 0
        inputs, end = _matrix(name, file, end, settings["dim"])
        contexts, end = _matrix(name, file, end, settings["dim"])
        if end != size or not n_words <= len(inputs) or n_buckets not in (0, len(inputs) - n_words):
            expected = f"{n_words:,} words and {n_buckets:,} buckets"
            raise DataError(f"{name}: {expected} do not fit its {len(inputs):,} rows and {size:,} bytes; {_AGAIN}")
    try:
        lengths = max(1, settings["minn"]), settings["maxn"]
        subwords = Subwords(*lengths, n_buckets, inputs[n_words:]) if n_buckets else None
    except SettingError as error:
        raise DataError(f"{name}: {error.args[0]}; {_AGAIN}") from None
    chosen = n_words if options.vocabulary is None else len(options.vocabulary)
    n_expected = min(n_words, options.limit or n_words, chosen)
    builder = TableBuilder(name, "word", n_expected, settings["dim"], options)
    _compose(builder, words, inputs, subwords, options)
    table = builder.finish()
    is_whole = settings["loss"] == _NEGATIVE and len(contexts) == len(table.words)
    return table._replace(
        counts=counts[builder.positions],
        settings=_known_settings(settings),
        context_vectors=contexts if is_whole and options.dtype == np.float32 else None,
        subwords=subwords,
    )


# --- Reading ----------------------------------------------------------------------------------------------------------


def _read_head(name: str, data: bytes, size: int) -> tuple[dict[str, Any], int]:
    """Return fastText's settings and the number of words, or refuse the file."""
    version = int.from_bytes(data[4:8], "little")
    if len(data) >= 8 and version not in _VERSIONS:
        raise DataError(f"{name} is a fastText model of version {version}, not 11 or 12; write it with fastText 0.9")
    if len(data) < _HEAD.size:
        raise DataError(f"{name} is a fastText model of {len(data):,} bytes; {_AGAIN}")
    _, _, *numbers, sample, n_entries, n_words, n_labels, _, n_pruned = _HEAD.unpack(data)
    settings = {**dict(zip(_SETTINGS, numbers, strict=True)), "sample": sample}
    if settings["model"] == _SUPERVISED or n_labels:
        raise DataError(f"{name} is a supervised fastText model, a classifier; read are models of skipgram and cbow")
    if n_pruned >= 0:
        raise DataError(_quantised(name))
    least = n_words * (1 + _ENTRY.size) + 2 * _MATRIX.size + settings["dim"] * n_words * 8
    if n_words < 1 or n_entries != n_words or settings["dim"] < 1 or _HEAD.size + least > size:
        promise = f"{n_words:,} words of {settings['dim']:,} dimensions"
        raise DataError(f"{name} promises {promise}, it has {size:,} bytes; {_AGAIN}")
    return settings, n_words


def _read_words(name: str, content: mmap.mmap, n_words: int) -> tuple[list[bytes], NDArray[np.int64], int]:
    """Return the bytes of words, their counts, and the end of the last."""
    words, ends, at = [], np.empty(n_words, np.int64), _HEAD.size
    for row in range(n_words):
        end = content.find(b"\0", at)
        if not 0 <= end <= len(content) - _ENTRY.size:
            raise DataError(f"{name}: {row:,} of its {n_words:,} words are whole; {_AGAIN}")
        words.append(content[at:end])
        ends[row] = end
        at = end + _ENTRY.size
    bytes_of = np.frombuffer(content, np.uint8)
    entries = bytes_of[ends[:, None] + np.arange(_ENTRY.size)]
    del bytes_of  # which prevents closing
    counts = np.ascontiguousarray(entries[:, 1:9]).view("<i8").astype(np.int64).ravel()
    is_bad = (entries[:, -1] != 0) | (counts < 0)
    if is_bad.any():
        raise DataError(f"{name}: entry {1 + int(is_bad.argmax()):,} is not a word with a count; {_AGAIN}")
    return words, counts, at


def _matrix(name: str, file: BinaryIO, at: int, dim: int) -> tuple[NDArray[np.float32], int]:
    """Return the matrix that begins at a position, mapped where possible, and its end."""
    file.seek(at)
    head = file.read(_MATRIX.size)
    if len(head) == _MATRIX.size:
        is_quantised, n_rows, n_columns = _MATRIX.unpack(head)
        if is_quantised:
            raise DataError(_quantised(name))
        begin, n_bytes = at + _MATRIX.size, n_rows * n_columns * 4
        if n_columns == dim and n_rows > 0 and begin + n_bytes <= os.fstat(file.fileno()).st_size:
            return _values(name, file, begin, (n_rows, n_columns)), begin + n_bytes
    raise DataError(f"{name}: a matrix is not whole or has other than {dim:,} columns; {_AGAIN}")


def _values(name: str, file: BinaryIO, begin: int, shape: tuple[int, int]) -> NDArray[np.float32]:
    if os.name == "nt" or sys.byteorder == "big":  # Windows locks mapped files
        require_memory(shape[0] * shape[1] * 4, f"the rows in {name}", "read it on a machine with more")
        file.seek(begin)
        return np.fromfile(file, "<f4", shape[0] * shape[1]).reshape(shape).astype(np.float32, copy=False)
    return np.memmap(file, np.float32, "r", begin, shape).view(np.ndarray)


def _quantised(name: str) -> str:
    return f"{name} is a quantised or pruned fastText model, without its rows; get the model before `fasttext quantize`"


def _compose(
    builder: TableBuilder, words: list[bytes], inputs: NDArray[np.float32], subwords: Subwords | None,
    options: ReadOptions,
) -> None:  # fmt: skip
    """Append the vectors of the words to be read."""
    decoded = [word.decode(errors="replace") for word in words[: options.limit]]
    chosen = options.vocabulary
    rows = [row for row, word in enumerate(decoded) if chosen is None or word in chosen]
    if unreadable_word([decoded[row] for row in rows]) is not None:
        bad = {row for row in rows if unreadable_word([decoded[row]]) is not None}
        for row in sorted(bad):
            builder.report(row, f"{quoted(decoded[row])} is empty or has a space or control character")
        rows = [row for row in rows if row not in bad]
    for row in rows:
        if "\ufffd" in decoded[row] and not is_utf8(words[row]):
            builder.note(row, NOT_UTF8, decoded[row])
    at = np.array(rows, np.int64)
    for block in word_blocks(len(rows)):
        good, vectors = at[block], inputs[at[block]]
        if subwords is not None:
            vectors = subwords.compose([words[row] for row in good], vectors)
        if bad_rows := rows_not_finite(vectors):
            for row in good[bad_rows].tolist():
                builder.report(row, f"the vector of {quoted(decoded[row])} is not finite")
            good, vectors = np.delete(good, bad_rows), np.delete(vectors, bad_rows, axis=0)
        builder.append(good.tolist(), [decoded[row] for row in good], vectors)


def _known_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return fastText's settings under the names that they have here."""
    names = ("dim", "window", "epochs", "min_count", "sample", "negative")
    is_negative = settings["loss"] == _NEGATIVE
    return {
        "model": "skipgram" if settings["model"] == _SKIPGRAM else "cbow",
        **{name: settings[name] for name in names if name != "negative" or is_negative},
        "hs": settings["loss"] == _HIERARCHICAL,
    }


# --- Writing ----------------------------------------------------------------------------------------------------------


def _write(path: Path, table: VectorTable, *, threads: int | None = None) -> None:
    words, vectors, counts, settings, contexts, subwords, _ = checked(table)
    if subwords is None:
        raise DataError("fastText's format needs subwords, which these vectors lack; write word2vec-bin or text")
    n_words, dim = vectors.shape
    n_rows = n_words + subwords.n_buckets
    n_bytes = (n_rows + n_words) * dim * 4
    if n_bytes > _LARGE:
        note(
            f"{source_name(path)} takes {format_bytes(n_bytes)}, as fastText's format has a row for each of the "
            f"{subwords.n_buckets:,} buckets"
        )
    counts = np.ones(n_words, np.int64) if counts is None else counts
    encoded = [word.encode() for word in words]
    with atomic_file(path) as file:
        file.write(_head(settings, subwords, n_words, int(counts.sum())))
        entries = (word + _ENTRY.pack(count, 0) for word, count in zip(encoded, counts.tolist(), strict=True))
        file.write(b"".join(entries))
        file.write(_MATRIX.pack(False, n_rows, dim))
        for block in word_blocks(n_words):
            _write_rows(file, subwords.own_rows(encoded[block], vectors[block]))
        for first in range(0, subwords.n_buckets, _ROWS):
            _write_rows(file, subwords.all_rows(first, min(first + _ROWS, subwords.n_buckets)))
        file.write(_MATRIX.pack(False, n_words, dim))
        for first in range(0, n_words, _ROWS):
            rows = vectors[first : first + _ROWS]
            _write_rows(file, np.zeros_like(rows) if contexts is None else contexts[first : first + _ROWS])


def _write_rows(file: BinaryIO, rows: NDArray[Any]) -> None:
    if not all_finite(rows):
        raise DataError("a row of the subwords is not finite; nothing is written")
    file.write(np.ascontiguousarray(rows, "<f4").data.cast("B"))


def _head(settings: Mapping[str, Any], subwords: Subwords, n_words: int, n_tokens: int) -> bytes:
    """Return what comes before the words; settings that are not known are fastText's."""

    def known(name: str, default: Any) -> Any:
        value = settings.get(name)
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1 << 31
        return type(default)(value) if is_number else default

    numbers = {
        "dim": subwords.rows.shape[1],
        **{name: known(name, 5) for name in ("window", "epochs", "min_count", "negative")},
        "word_ngrams": 1,
        "loss": _NEGATIVE,
        "model": _CBOW if settings.get("model") == "cbow" else _SKIPGRAM,
        "buckets": subwords.n_buckets,
        "minn": subwords.min_length,
        "maxn": subwords.max_length,
        "update_rate": 100,
    }
    values = (numbers[name] for name in _SETTINGS)
    return _HEAD.pack(_MAGIC, _VERSIONS[-1], *values, known("sample", 1e-4), n_words, n_words, 0, n_tokens, -1)


FORMAT = Format("fasttext", "fastText's model with subwords", (".bin",), _write, _read, _detect, holds_subwords=True)
