"""Files that are not text to train on, recognised by their first bytes, with a remedy."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus import json_lines
from embedtrain.corpus.sources import Corpus
from embedtrain.errors import DataError, one_line
from embedtrain.machine import compression
from embedtrain.machine.files import STDIN, reading

HEAD = 1 << 16  # bytes at the beginning of a file that are looked at
_MOST_FILES = 1000  # of a folder, looked at for an error message
_NAMED = 5  # files in a message
_NAME_TEXTS = "name the text files with a pattern such as 'folder/*.txt'"
_FORCE = "; `force=True` reads it as text, a sequence a line"
_BINARY = (
    (rb"PK\x03\x04.{22}[\x00-\xff]{4}[\w/ -]+\.npy", "a file of NumPy arrays, perhaps counts, vectors or a checkpoint; "
     "give counts to glove or svd, vectors to `init`, a checkpoint to `resume`"),
    (rb"PK\x03\x04", "a zip archive or an office document, extract its text first"),
    (rb"\xff\xfe\x00\x00", "UTF-32 text; read it with `encoding` utf-32"),
    (rb"\xff\xfe|\xfe\xff", "UTF-16 text; read it with `encoding` utf-16"),
    (rb"(?:[\t\n\r -~]\x00){9}", "UTF-16 text; read it with `encoding` utf-16-le"),
    (rb"(?:\x00[\t\n\r -~]){9}", "UTF-16 text; read it with `encoding` utf-16-be"),
    (rb"%PDF-", "a PDF document, extract its text first"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8[79]a", f"an image; {_NAME_TEXTS}"),
    (rb"[\x00-\xff]{256}\x00ustar", "a tar archive, extract it first"),
    (rb"\xba\x16O/", "a fastText model; name the text that it was made of"),
    (rb"\x93NUMPY", "a NumPy array; write a line of words for each sequence"),
    (rb"\x80[\x02-\x05][\x00-\xff]", "a Python pickle, perhaps a model of gensim; name the text that it was made of"),
)  # fmt: skip
_ANY_BINARY = re.compile(b"|".join(b"(%b)" % pattern for pattern, _ in _BINARY), re.DOTALL)
_WORD2VEC_BINARY = re.compile(rb"\d+ (\d{1,9})\n[^\n ]+ ")  # and float32 values
_CONTROLS = bytes([*range(9), *range(14, 27), 127])  # without ESC, which colours logs
_MOST_CONTROLS = 32  # text has fewer, or at most one in 20 bytes

_MARKUP = re.compile(rb"\s*<(!doctype|html|head|body|\?xml|mediawiki|rss|tei)\b", re.IGNORECASE)
_JSON_ARRAY = re.compile(rb'\s*\[\s*(?:\{\s*"|\[\s*"|"([^"\\\n]|\\.)*"\s*[],])')
_JSON_OBJECT = re.compile(rb'\s*\{\s*"([^"\\\n]|\\.)*"\s*:')
_NUMBER = re.compile(rb"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_COUNT = re.compile(rb"\d{1,18}")
_DECIMAL_COMMA = re.compile(rb"(:\d\d),(?=\d{3}\b)")  # in the times of logs
_FEWEST_ROWS = 20  # of an edge list or a vocabulary file
_TABLE_FIELDS = (2, 3, 4)  # of an edge list with weights and times
_FEWEST_RECORDS = 5  # of CSV


def require_text(name: str, start: NDArray[np.uint8], *, is_whole: bool, corpus: Corpus) -> None:
    """Raise `DataError` if a file of a corpus, of which `start` is the beginning, is not text to train on."""
    kind = kind_of(start[:HEAD].tobytes(), is_whole=is_whole and len(start) <= HEAD)
    if kind is not None:
        raise DataError(f"cannot read {name}: it is {kind}{_others(corpus)}")


def _others(corpus: Corpus) -> str:
    """Name the files of a corpus that are not text; empty for one file, and for text that is not in UTF-8."""
    files = corpus.files()
    if len(files) < 2 or corpus.encoding != "utf-8":
        return ""
    looked_at = files[:_MOST_FILES]
    wrong = [one_line(path) for path in looked_at if _kind_of_file(path)]
    more = f" and {len(wrong) - _NAMED:,} more" if len(wrong) > _NAMED else ""
    return f" ({len(wrong):,} of {len(looked_at):,} files are not text: {', '.join(wrong[:_NAMED])}{more})"


def _kind_of_file(path: Path) -> str | None:
    if path == STDIN or not path.is_file() or compression.plain_name(path.name).lower().endswith(json_lines.SUFFIXES):
        return None
    buffer = bytearray(HEAD)
    with reading(path), open(path, "rb") as file:
        n = compression.Stream(one_line(path), file).fill(memoryview(buffer))
    return kind_of(bytes(buffer[:n]), is_whole=n < HEAD)


def kind_of(head: bytes, *, is_whole: bool) -> str | None:
    """Describe what begins with these bytes, with a remedy, if it is not text to train on; None for text."""
    if known := _ANY_BINARY.match(head):
        return _BINARY[(known.lastindex or 1) - 1][1]
    if _is_word2vec_binary(head):
        return "a file of vectors, in word2vec's binary format; name the text"
    n_controls = len(head) - len(head.translate(None, _CONTROLS))
    if n_controls >= _MOST_CONTROLS and n_controls > len(head) / 20:
        return f"not text, {n_controls:,} of its first {len(head):,} bytes are control characters; {_NAME_TEXTS}"
    head = head.removeprefix(b"\xef\xbb\xbf")
    if _MARKUP.match(head):
        return f"HTML or XML; extract its text first{_FORCE}"
    whole = head if is_whole else head[: head.rfind(b"\n") + 1]
    lines = [line for line in whole.split(b"\n") if line.strip()]
    found = _json(head, lines) or next((kind for table in _TABLES if lines and (kind := table(lines))), None)
    return found and found + _FORCE


def _is_word2vec_binary(head: bytes) -> bool:
    """Whether what follows a header and a word is neither UTF-8 nor free of control characters."""
    if not (start := _WORD2VEC_BINARY.match(head)):
        return False
    values = head[start.end() : start.end() + 4 * int(start[1])]
    decoded = values.decode(errors="replace")
    return "\ufffd" in decoded[:-1] or any(c < " " and not c.isspace() for c in decoded)


def _json(head: bytes, lines: Sequence[bytes]) -> str | None:
    if _JSON_ARRAY.match(head):
        return (
            "a JSON array; write JSON lines, an object a line, and name the field of the text with `field`; or if each "
            "line is a list of tokens, name the file .jsonl or give a `field`"
        )
    if not _JSON_OBJECT.match(head):
        return None
    try:
        records = [json.loads(line) for line in lines[:_FEWEST_RECORDS]]
    except (ValueError, RecursionError):
        records = []
    if not records:
        return "JSON; write JSON lines, an object a line, and name the field of the text with `field`"
    return f"JSON lines; name the field of the text with `field`: {', '.join(map(str, list(records[0])[:8]))}"


def _vectors(lines: Sequence[bytes]) -> str | None:
    """Lines of a word and decimals, perhaps after a line of two integers."""
    has_header = len(lines) > 1 and re.fullmatch(rb"\d+ \d{1,9}", lines[0].strip()) is not None
    rows = lines[has_header:]
    if not all(map(_NUMBER.fullmatch, rows[0].split(None, 2)[1:2])):
        return None
    n_fields = len(rows[0].split())
    if n_fields < 3 or len(rows) < 2 or (has_header and n_fields != 1 + int(lines[0].split()[1])):
        return None
    if all(_is_vector(row, n_fields) for row in rows):
        return "a file of vectors; name the text, and vectors to start from with `init`"
    return None


def _is_vector(row: bytes, n_fields: int) -> bool:
    """Whether a line is a word and numbers, most of them with a decimal point."""
    values = row.split()[1:]
    return (
        len(values) == n_fields - 1
        and sum(b"." in value for value in values) > len(values) / 2
        and all(map(_NUMBER.fullmatch, values))
    )


def _vocabulary(lines: Sequence[bytes]) -> str | None:
    """Lines of a word and its count, the counts descending."""
    counts: list[int] = []
    for line in lines:
        fields = line.split(None, 2)
        if len(fields) != 2 or not _COUNT.fullmatch(fields[1]) or (counts and int(fields[1]) > counts[-1]):
            return None
        counts.append(int(fields[1]))
    if len(counts) < _FEWEST_ROWS or counts[0] == counts[-1] or all(line.split()[0].isdigit() for line in lines):
        return None
    return "a vocabulary file, of words and counts; name the text, and the vocabulary with `read_vocab`"


def _edge_list(lines: Sequence[bytes]) -> str | None:
    """Lines of the same small number of fields, most of them numbers, after comments and perhaps a header."""
    rows = [line.split(None, max(_TABLE_FIELDS)) for line in lines if not line.startswith((b"#", b"%"))]
    if len(rows) < _FEWEST_ROWS or (n_fields := len(rows[1])) not in _TABLE_FIELDS:
        return None
    if any(len(row) != n_fields for row in rows[1:]):
        return None
    n_numbers = sum(_NUMBER.fullmatch(field) is not None for row in rows[1:] for field in row)
    if 2 * n_numbers <= n_fields * len(rows[1:]):
        return None
    return (
        f"an edge list or a table: {n_fields} fields in every line, most of them numbers; "
        "train on a graph with embedtrain node2vec or RandomWalks, or write the items of each session, one a line"
    )


def _csv(lines: Sequence[bytes]) -> str | None:
    """Records of the same number of fields, separated by commas or semicolons that no space follows."""
    for delimiter in (",", ";"):
        if not re.search(rf"{delimiter}[^\s{delimiter}]".encode(), lines[0]):
            continue
        text = (_DECIMAL_COMMA.sub(rb"\1.", line).decode(errors="replace") for line in lines)
        try:
            records = list(csv.reader(text, delimiter=delimiter))[:-1]  # the last one may be cut
        except csv.Error:
            continue
        n_fields = len(records[0]) if records else 0
        if n_fields < 2 or len(records) < _FEWEST_RECORDS or any(len(record) != n_fields for record in records):
            continue
        n_spaced = sum(field.startswith(" ") for record in records for field in record[1:])
        if n_spaced <= len(records) * (n_fields - 1) / 2:
            first = one_line(lines[0].decode(errors="replace").strip()[:60])
            return f"CSV with {n_fields} columns ({first}); write the text alone, a sentence or session a line"
    return None


_TABLES: tuple[Callable[[Sequence[bytes]], str | None], ...] = (_vectors, _vocabulary, _edge_list, _csv)
