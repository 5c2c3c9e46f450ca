"""What a file is, by its content: a format of vectors, or something else that people have in their hands."""

from __future__ import annotations

import os
import re
import struct
import zipfile
from pathlib import Path
from typing import NamedTuple

from embedtrain.corpus.compression import Stream
from embedtrain.corpus.sources import reading, source_name
from embedtrain.errors import DataError
from embedtrain.vectors.formats.npy_folder import VECTORS
from embedtrain.vectors.formats.text_line import count_values, shown

_LOOKED_AT = 1 << 20  # bytes
_BOM = b"\xef\xbb\xbf"
_HEADER = re.compile(rb" *-?\d{1,18} +(-?\d{1,18})[ \r]*\n?")
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
    path = Path(path)
    name = source_name(path)
    if os.path.isdir(path):  # which, unlike a Path, never raises
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
    if array_format:
        return array_format
    _refuse_foreign(name, head)
    return _text_or_binary(name, head, size is not None and len(head) >= size)


def _head(stream: Stream) -> bytes:
    """The first bytes."""
    head, end = bytearray(_LOOKED_AT), 0
    with memoryview(head) as view:
        while end < len(view) and (n := stream.readinto(view[end:])):
            end += n
    return bytes(head[:end])


def _array_format(path: Path, head: bytes) -> str | None:
    """The format of a file that holds arrays by name, if this is one."""
    if head[8:10] == b'{"' and 2 <= struct.unpack("<Q", head[:8])[0] < 1 << 27:
        return "safetensors"
    if not head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
    except Exception:  # zipfile has all kinds of them for damaged archives; compressed again, it is none
        members = [head[30:200].decode("latin-1")]
    if any(".npy" in member for member in members):
        return "npz"
    first = f" with {shown(members[0])}" if members else ""
    raise DataError(f"{source_name(path)} is a zip archive{first}; unpack it first, and name a file in it")


def _refuse_foreign(name: str, head: bytes) -> None:
    """See that this is nothing that is known to be something else."""
    for foreign in _FOREIGN:
        if head.startswith(foreign.magic):
            raise DataError(f"{name} is {foreign.name}; {foreign.remedy}")
    if _PICKLE.match(head):
        if b"gensim" in head:
            remedy = "in gensim, KeyedVectors.load(…).save_word2vec_format('….vec') writes what can be read"
            raise DataError(f"{name} was saved by gensim as a Python pickle; {remedy}")
        raise DataError(f"{name} is a Python pickle, which is never read, as it could run any program; write text")
    if head[257:262] == b"ustar":
        raise DataError(f"{name} is a tar archive; unpack it first, and name a file in it")
    if _WEB_PAGE.match(head):
        raise DataError(f"{name} is a web page, perhaps of a download that failed; get the file of vectors itself")


def _text_or_binary(name: str, head: bytes, is_all: bool) -> str:
    """The format of what begins with a line."""
    head = head.removeprefix(_BOM)
    first, _, rest = head.partition(b"\n")
    header = _HEADER.fullmatch(first)
    if header is not None and _is_binary_row(rest, 4 * int(header[1])):
        return "word2vec-bin"
    if _NOT_IN_TEXT.search(first) or b"\0" in head:
        raise DataError(f"{name} is binary and of no known kind; expected text, or a first line with two numbers")
    if header is not None:
        return "word2vec"
    if len(first) == len(head) and not is_all:
        first = first[: first.rfind(b" ") + 1]  # the end of the line is not known
    if not count_values(first):
        found = shown(first.decode(errors="replace"))
        raise DataError(f"{name} is no file of vectors: {found} is neither two numbers nor a word and values")
    return "glove"


def _is_binary_row(row: bytes, n_bytes: int) -> bool:
    """Whether a word is followed by so many bytes that are no text."""
    line = row.partition(b"\n")[0]
    if line and count_values(line) and not _NOT_IN_TEXT.search(line):
        return False
    word, _, values = row.partition(b" ")
    values = values[: max(0, n_bytes)]
    return bool(_NOT_IN_TEXT.search(values)) or (bool(values) and not values.isascii() and not _is_utf8(word + values))


def _is_utf8(text: bytes) -> bool:
    try:
        text[:-4].decode()
    except UnicodeDecodeError:
        return False
    return True
