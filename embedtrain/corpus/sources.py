"""Sources: whatever holds text, read once, as pieces of bytes that end between tokens.

A `str` or `Path` is one file, plain or gzip; an iterable of `str` is lines; an iterable of token lists is
sentences. A source yields `Piece`s in reading order, and every piece ends at ASCII whitespace or at the end of
its source.
"""

from __future__ import annotations

import gzip
import os
import re
import stat
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeAlias, cast

from embedtrain.errors import DataError

#: What a corpus can be given as.
CorpusLike: TypeAlias = "str | os.PathLike[str] | Iterable[str] | Iterable[Iterable[str]]"

_PIECE = 1 << 21  # bytes read at once
_GZIP_MAGIC = b"\x1f\x8b"
_NO_TEXT = {
    b"\xfd7zXZ\x00": "xz data, decompress them first",
    b"BZh": "bzip2 data, decompress them first",
    b"\x28\xb5\x2f\xfd": "zstandard data, decompress them first",
    b"PK\x03\x04": "a zip archive, extract it first",
    b"\xff\xfe": "UTF-16 or UTF-32 text, convert it to UTF-8 first",
    b"\xfe\xff": "UTF-16 text, convert it to UTF-8 first",
}
_BOM = b"\xef\xbb\xbf"
_SPACES = (b" ", b"\n", b"\t", b"\r")  # enough to cut at
_NO_TOKEN = re.compile("[\x00-\x1f\x7f-\x9f]")


class Piece(NamedTuple):
    """Some text of a source."""

    number: int  # 0, 1, 2, … in reading order
    text: bytes


def source_name(corpus: CorpusLike) -> str:
    """What messages call the corpus."""
    return str(corpus) if isinstance(corpus, (str, os.PathLike)) else "the corpus"


def read_pieces(corpus: CorpusLike) -> Iterator[Piece]:
    """The text of a corpus, in order.

    Raises
    ------
    DataError
        If there is no such file, or it cannot be read, or an item of an iterable is not what its first item promised.
    """
    if isinstance(corpus, (str, os.PathLike)):
        blocks = _read_file(Path(corpus))
    elif isinstance(corpus, (bytes, bytearray)) or not isinstance(corpus, Iterable):
        raise DataError(f"corpus must be a path, lines or token lists, got {type(corpus).__name__}")
    else:
        blocks = _join_lines(_lines(corpus))
    for number, text in enumerate(_cut_between_tokens(blocks)):
        yield Piece(number, text)


def require_readable(corpus: CorpusLike) -> None:
    """Try whether the file of a corpus could be read: before anything else is done.

    Raises
    ------
    DataError
        If it could not.
    """
    if isinstance(corpus, (str, os.PathLike)):
        with _reading(Path(corpus)):
            if stat.S_ISFIFO(os.stat(corpus).st_mode):
                return  # opening a pipe is for reading it
            open(corpus, "rb").close()


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Say what is wrong with a file that cannot be read."""
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DataError(f"cannot read {path}: the gzip data are damaged or cut short ({error})") from error
    except OSError as error:
        if os.path.isdir(path):
            raise DataError(f"cannot read {path}: it is a folder; name a file in it") from error
        reason = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        if len(str(path).split()) > 1:
            reason += "; a str is a path, text in memory is a list of lines"
        raise DataError(f"cannot read {str(path)[:200]}: {reason}") from error


def _read_file(path: Path) -> Iterator[bytes]:
    """Blocks of a plain or gzip file, without a byte order mark, and a line feed at the end."""
    with _reading(path), open(path, "rb") as plain:
        start = plain.read(_PIECE)
        for magic, what in _NO_TEXT.items():
            if start.startswith(magic):
                raise DataError(f"cannot read {path}: it is {what}")
        if start.startswith(_GZIP_MAGIC):
            file: BinaryIO | gzip.GzipFile = gzip.GzipFile(fileobj=cast(BinaryIO, _Rejoined(start, plain)))
            block = file.read(_PIECE)
        else:
            file, block = plain, start
        block = block.removeprefix(_BOM)
        while block:
            yield block
            block = file.read(_PIECE)
        yield b"\n"  # the end of a file ends its last sentence


class _Rejoined:
    """What was read of a file, then the rest of it: pipes cannot go back."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start, self._rest = start, rest

    def read(self, size: int) -> bytes:
        """The next bytes, at most `size`."""
        if not self._start:
            return self._rest.read(size)
        part, self._start = self._start[:size], self._start[size:]
        return part


def _cut_between_tokens(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, cut after whitespace; what follows the last whitespace of a block waits for the next."""
    waiting: list[bytes] = []
    for block in blocks:
        end = 1 + max(block.rfind(space) for space in _SPACES)
        if end:
            yield b"".join([*waiting, block[:end]])
            waiting = []
        waiting.append(block[end:])
    if any(waiting):
        yield b"".join(waiting)


def _lines(items: Iterable[str] | Iterable[Iterable[str]]) -> Iterator[str]:
    """A line for each item: lines as they are, token lists joined by spaces."""
    are_lines: bool | None = None
    for number, item in enumerate(items, 1):
        if are_lines is None:
            are_lines = isinstance(item, str)
        if isinstance(item, str) != are_lines:
            wanted, found = ("a line", "a token list") if are_lines else ("a token list", "a bare string")
            raise DataError(f"sentence {number} is {found} where the first was {wanted}; give all as one or the other")
        yield item if isinstance(item, str) else _join_tokens(item, number)


def _join_tokens(tokens: Iterable[str], number: int) -> str:
    """The tokens in one line, each checked to be what a line would give back."""
    if isinstance(tokens, (bytes, bytearray)):
        raise DataError(f"sentence {number} must be a list of str, got bytes; decode them")
    try:
        tokens = list(tokens)
        line = " ".join(tokens)
    except TypeError:
        raise DataError(f"sentence {number} must be a list of str, got {_first_wrong(tokens)}") from None
    if line.split() != tokens or _NO_TOKEN.search(line):
        wrong = next(token for token in tokens if token.split() != [token] or _NO_TOKEN.search(token))
        raise DataError(
            f"sentence {number}: the token {wrong!r} is empty or holds whitespace or a control character; "
            "replace it, with '_' for example: no vectors file can hold it"
        )
    return line


def _first_wrong(tokens: object) -> str:
    if not isinstance(tokens, list):
        return type(tokens).__name__
    wrong = next(token for token in tokens if not isinstance(token, str))
    return f"{type(wrong).__name__} {wrong!r}; convert it with str()"


def _join_lines(lines: Iterable[str]) -> Iterator[bytes]:
    """Blocks of whole lines."""
    waiting: list[str] = []
    size = 0
    for line in lines:
        waiting.append(line.removesuffix("\n"))  # as a file's lines have it
        size += len(line) + 1
        if size >= _PIECE:
            yield _encode(waiting)
            waiting, size = [], 0
    if waiting:
        yield _encode(waiting)


def _encode(lines: list[str]) -> bytes:
    try:
        return ("\n".join(lines) + "\n").encode()
    except UnicodeEncodeError as error:
        wrong = error.object[error.start]
        raise DataError(
            f"the text holds {wrong!r}, half of a surrogate pair, which UTF-8 cannot; decode it anew"
        ) from None
