"""What a file is, by its content: a format of vectors, or something else that people have in their hands."""

from __future__ import annotations

import codecs
import os
import re
import stat
import struct
import zipfile
from pathlib import Path
from typing import NamedTuple, NoReturn

from embedtrain.errors import DataError
from embedtrain.formats.npy_folder import VECTORS
from embedtrain.formats.text_line import BOM, HEADER, count_values, shown
from embedtrain.machine.compression import Stream
from embedtrain.machine.reading import STDIN, reading, source_name

_LOOKED_AT = 1 << 20  # bytes
_LINES = 5  # that tell a text
_ROWS = 8  # that tell words with bytes
_FLOAT = 4  # bytes
_SETTINGS = struct.Struct("<12i")  # of a fastText model
_PICKLE = re.compile(rb"\x80[\x02-\x05]|\(?[ic][A-Za-z_][\w.]*\n\w+\n|\([dl]p\d+\n")
_WEB_PAGE = re.compile(rb"\s*<(!doctype|html|\?xml)", re.IGNORECASE)
_NOT_IN_TEXT = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class _Foreign(NamedTuple):
    magic: bytes
    name: str
    remedy: str


_FASTTEXT = "take the .vec file beside it, or in gensim load_facebook_vectors(…).save_word2vec_format('….vec')"
_FOREIGN = (
    _Foreign(struct.pack("<i", 793_712_314), "a fastText model", _FASTTEXT),
    _Foreign(b"\x89HDF\r\n\x1a\n", "an HDF5 file", "write its vectors with the program that made it"),
    _Foreign(b"SQLite format 3\0", "an SQLite database, perhaps of Magnitude", "write its vectors as text"),
    _Foreign(b"FiFu", "a finalfusion file", "finalfusion convert --to text writes what can be read"),
    _Foreign(b"\x93NUMPY", "a NumPy array without words", "join words and vectors as WordVectors(words, vectors)"),
    _Foreign(b"%PDF-", "a PDF document", "name a file of vectors"),
    _Foreign(b"version https://git-lfs", "a pointer of Git LFS", "fetch the file itself with git lfs pull"),
    _Foreign(b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    _Foreign(b"Rar!", "a RAR archive", "unpack it first"),
    _Foreign(b"PAR1", "a Parquet file", "write its vectors as text"),
    _Foreign(b"ARROW1", "an Arrow file", "write its vectors as text"),
    _Foreign(b"\xff\xfe", "UTF-16 text", "save it as UTF-8"),
    _Foreign(b"\xfe\xff", "UTF-16 text", "save it as UTF-8"),
)


def recognise(path: str | os.PathLike[str]) -> str:
    """The name of the format of a file or folder of vectors, by its content.

    Raises
    ------
    DataError
        If it is something else; the message says what, and what to do.
    """
    path = require_file(path)
    name = source_name(path)
    if path.is_dir():
        if (path / VECTORS).exists():
            return "npy"
        raise DataError(f"{name} is a folder without {VECTORS}; name a file of vectors")
    with reading(path), open(path, "rb") as file:
        stream = Stream(name, file)
        head = _head(stream)
        size = None if stream.is_compressed else path.stat().st_size
    if not head.strip():
        raise DataError(f"{name} is empty; expected words and their vectors")
    array_format = _array_format(path, head)
    if array_format and stream.is_compressed:
        raise DataError(f"{name} is a compressed file of arrays; decompress it first")
    return array_format or _line_format(head, size is not None and len(head) >= size) or _refuse(name, head)


def require_file(path: str | os.PathLike[str]) -> Path:
    """See that this is the path of a file, which can be read twice, or of a folder.

    Raises
    ------
    DataError
        If it is not.
    """
    path = require_path(path)
    if path == STDIN:
        raise DataError("standard input is no vectors file, which is read twice; save it to a file first")
    with reading(path):
        mode = os.stat(path).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise DataError(f"{source_name(path)} is a pipe or device, and is read twice; save it to a file first")
    return path


def require_path(path: str | os.PathLike[str]) -> Path:
    """See that this can be a path at all.

    Raises
    ------
    DataError
        If not.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise DataError(f"a path must be a str or Path, got {type(path).__name__}")
    if not str(path) or "\0" in str(path):
        raise DataError(f"a path must not be empty or hold NUL, got {str(path)[:200]!r}")
    return Path(path)


def _head(stream: Stream) -> bytes:
    """The first bytes."""
    head, end = bytearray(_LOOKED_AT), 0
    with memoryview(head) as view:
        while end < len(view) and (n := stream.readinto(view[end:])):
            end += n
    return bytes(head[:end])


# --- What it is -------------------------------------------------------------------------------------------------------


def _array_format(path: Path, head: bytes) -> str | None:
    """The format of a file that holds arrays by name, if this is one; other archives are refused."""
    if head[8:10] == b'{"' and 2 <= struct.unpack("<Q", head[:8])[0] < 1 << 27:
        return "safetensors"
    if head[257:262] == b"ustar":
        raise DataError(f"{source_name(path)} is a tar archive; unpack it first, and name a file in it")
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except Exception:  # zipfile has all kinds of them for damaged archives; compressed again, it is none
        length = int.from_bytes(head[26:28], "little")
        members = [head[30 : 30 + length].decode(errors="replace")]
    if any(".npy" in member for member in members):
        return "npz"
    first = f" with {shown(members[0])}" if members else ""
    raise DataError(f"{source_name(path)} is a zip archive{first}; unpack it first, and name a file in it")


def _line_format(head: bytes, is_all: bool) -> str | None:
    """The format of what begins with a line, if it is one of vectors."""
    head = head.removeprefix(BOM)
    first, _, rest = head.partition(b"\n")
    header = HEADER.fullmatch(first)
    if header is None:
        return "glove" if _is_text(head, is_all) else None
    is_binary = not _is_text(rest, is_all) and _is_binary(rest, int(header[1]), int(header[2]), is_all)
    return "word2vec-bin" if is_binary else "word2vec"


def _is_text(text: bytes, is_all: bool) -> bool:
    """Whether most of the first lines end with numbers: one may be damaged, and one of bytes may look like text."""
    *lines, last = text.split(b"\n", _LINES)
    if len(lines) < _LINES and is_all:
        lines.append(last)
    elif not lines:  # the end of the line is not known
        lines.append(last[: last.rfind(b" ") + 1])
    lines = [line for line in lines if line.strip()]
    return 2 * sum(count_values(line) > 0 for line in lines) > len(lines)


def _is_binary(rows: bytes, n_words: int, dim: int, is_all: bool) -> bool:
    """Whether words are followed by bytes that are no text, or by as many as the first line promises to the end."""
    if n_words < 1 or dim < 1:
        return False
    end, n_rows = 0, 0
    while n_rows < min(n_words, _ROWS) and (space := rows.find(b" ", end)) >= 0:
        end = space + 1 + _FLOAT * dim
        n_rows += 1
    if _NOT_IN_TEXT.search(rows[:end]) or not _is_utf8(rows[:end]):
        return True
    return is_all and n_rows == n_words and len(rows) - end == rows[end:].count(b"\n") and len(rows) >= end


def _is_utf8(text: bytes) -> bool:
    """Whether this is UTF-8, but that the last character may be cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(text)
    except UnicodeDecodeError:
        return False
    return True


# --- What else it is --------------------------------------------------------------------------------------------------


def _refuse(name: str, head: bytes) -> NoReturn:
    """Say what this is that is no file of vectors."""
    for foreign in _FOREIGN:
        if head.startswith(foreign.magic):
            raise DataError(f"{name} is {foreign.name}; {foreign.remedy}")
    if _is_old_fasttext(head):
        raise DataError(f"{name} is a fastText model of an early version; {_FASTTEXT}")
    if _PICKLE.match(head):
        if b"gensim" in head:
            remedy = "in gensim, KeyedVectors.load(…).save_word2vec_format('….vec') writes what can be read"
            raise DataError(f"{name} was saved by gensim as a Python pickle; {remedy}")
        raise DataError(f"{name} is a Python pickle, which is never read, as it could run any program; write text")
    if _WEB_PAGE.match(head):
        raise DataError(f"{name} is a web page, perhaps of a download that failed; get the file of vectors itself")
    first = head.removeprefix(BOM).partition(b"\n")[0]
    if _NOT_IN_TEXT.search(first) or b"\0" in head:
        raise DataError(f"{name} is binary and of no known kind; expected text, or a first line with two numbers")
    found = shown(first.decode(errors="replace"))
    raise DataError(f"{name} is no file of vectors: {found} is neither two numbers nor a word and values")


def _is_old_fasttext(head: bytes) -> bool:
    """Whether settings come first, as before there was a magic number."""
    if len(head) < _SETTINGS.size:
        return False
    dim, window, epochs, _, negative, ngram, loss, model, _, shortest, longest, _ = _SETTINGS.unpack_from(head)
    return (
        loss in (1, 2, 3)
        and model in (1, 2, 3)
        and all(0 < n < 1 << 16 for n in (dim, window, epochs, ngram))
        and 0 <= negative < 1 << 16
        and 0 <= shortest <= longest < 1 << 8
    )
