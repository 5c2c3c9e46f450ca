"""Compressed files: read by their first bytes, written by the suffix of their name."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import re
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from embedtrain.errors import DataError, EmbedtrainError
from embedtrain.machine.files import STDIN

_INPUT = 1 << 16  # compressed bytes read at once
_GZIP_LEVEL = 6  # 9 takes several times as long for a hundredth less
_XZ_PRESET = 2  # 6, lzma's own, takes four times as long for a twentieth less
_OUTPUT = 1 << 22  # the most bytes decompressed at once
_ZSTANDARD = 1 << 13  # compressed bytes at once for the package zstandard, whose output has no limit


class _Format(NamedTuple):
    name: str
    magic: bytes  # a regular expression
    decompressor: Callable[[], Any]  # has decompress(bytes, most), eof and unused_data; zlib's unconsumed_tail


class _SlicedInput:
    """Wrap a decompressor whose output has no limit: it gets little input at once."""

    def __init__(self, decompressor: Any) -> None:
        self._decompressor = decompressor
        self.unconsumed_tail = memoryview(b"")

    def decompress(self, data: bytes | memoryview, most: int) -> bytes:
        """Decompress the next bytes; `most` is ignored."""
        data = memoryview(data)
        self.unconsumed_tail = data[_ZSTANDARD:]
        return self._decompressor.decompress(data[:_ZSTANDARD]) if data else b""

    @property
    def eof(self) -> bool:
        """Whether the frame has ended."""
        return self._decompressor.eof

    @property
    def unused_data(self) -> bytes:
        """The bytes after the frame."""
        return self._decompressor.unused_data + bytes(self.unconsumed_tail)


def _zstd_module() -> Any:
    """Return the standard library's module, from Python 3.14 on, or the package zstandard."""
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        try:
            import zstandard as zstd
        except ImportError:
            raise DataError('for Zstandard files install the package with its extra: "embedtrain[zstd]"') from None
    return zstd


def _zstandard() -> Any:
    decompressor = _zstd_module().ZstdDecompressor()
    return _SlicedInput(decompressor.decompressobj()) if hasattr(decompressor, "decompressobj") else decompressor


_FORMATS = (
    _Format("gzip", rb"\x1f\x8b", lambda: zlib.decompressobj(wbits=31)),  # 31: with gzip's header and checksum
    _Format("bzip2", rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", bz2.BZ2Decompressor),
    _Format("xz", rb"\xfd7zXZ\x00", lzma.LZMADecompressor),
    _Format("Zstandard", rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18", _zstandard),  # or pzstd's skippable frame
)
SUFFIXES = (".gz", ".bz2", ".xz", ".zst")


def plain_name(name: str) -> str:
    """Remove the suffix of a compression format from a file's name."""
    return name[: name.rindex(".")] if name.lower().endswith(SUFFIXES) else name


def _format_of(start: bytes) -> _Format | None:
    return next((known for known in _FORMATS if re.match(known.magic, start)), None)


def is_compressed(path: Path) -> bool:
    """Whether a regular file begins like compressed data."""
    if path == STDIN or not path.is_file():
        return False
    with open(path, "rb") as file:
        return _format_of(file.read(_INPUT)) is not None


class ByteStream(io.RawIOBase):
    """Bytes that are read by `readinto`, which returns their number, 0 only at the end."""

    def readable(self) -> bool:
        """Return True."""
        return True


class Stream(ByteStream):
    """The decompressed bytes of `file`, which may be plain and may be a pipe.

    Compressed data may be several members in sequence, as parallel compressors and ``cat`` write them.
    """

    def __init__(self, name: str, file: BinaryIO) -> None:
        self._name, self._file = name, file
        start = file.read(_INPUT)
        self._format = _format_of(start)
        self._input, self._ready = b"", memoryview(start)  # compressed bytes, and decompressed ones
        if self._format is not None:
            self._input, self._ready = start, memoryview(b"")
            self._decompressor = self._format.decompressor()
        self._is_full = False  # whether the last output had the full size, so that more may follow

    @property
    def is_compressed(self) -> bool:
        """Whether the data are compressed."""
        return self._format is not None

    def readinto(self, buffer: Any) -> int:
        """Read into the buffer."""
        if not self._ready:
            if self._format is None:
                return self._file.readinto(buffer)  # type: ignore[attr-defined]
            self._ready = memoryview(self._decompressed(self._format))
        n = min(len(buffer), len(self._ready))
        buffer[:n], self._ready = self._ready[:n], self._ready[n:]
        return n

    def fill(self, buffer: memoryview) -> int:
        """Fill the buffer, or read to the end of the data; returns the number of bytes."""
        end = 0
        while end < len(buffer) and (n := self.readinto(buffer[end:])):
            end += n
        return end

    def _take(self) -> bytes:
        """Decompress part of the input and keep the rest."""
        data = self._decompressor.decompress(self._input, _OUTPUT)
        if self._decompressor.eof:  # here zlib's unconsumed_tail may repeat unused_data
            self._input, self._is_full = self._decompressor.unused_data, False
        else:
            self._input, self._is_full = getattr(self._decompressor, "unconsumed_tail", b""), len(data) >= _OUTPUT
        return data

    def _decompressed(self, format: _Format) -> bytes:
        """Decompress the next bytes; none at the end."""
        try:
            while True:
                if not (self._input or self._is_full):
                    self._input = self._file.read(_INPUT)
                at_end = not (self._input or self._is_full)
                if self._decompressor.eof:
                    if at_end:
                        return b""
                    self._input = self._input.lstrip(b"\0")  # padding between members
                    if self._input:
                        self._decompressor = format.decompressor()
                    continue
                if at_end:
                    raise EOFError("the end is missing")
                if data := self._take():
                    return data
        except Exception as error:  # zlib, lzma, zstandard, EOFError; bzip2's OSError has no errno
            if isinstance(error, (EmbedtrainError, MemoryError)) or getattr(error, "errno", None) is not None:
                raise
            raise DataError(
                f"cannot read {self._name}: the {format.name} data are damaged or cut short ({error})"
            ) from error


def require_compressor(path: str | os.PathLike[str]) -> None:
    """Check that what the suffix of an output needs is installed."""
    if Path(path).suffix.lower() == ".zst":
        _zstd_module()


def compressing(path: str | os.PathLike[str], file: BinaryIO) -> AbstractContextManager[Any]:
    """Return a file that writes to `file`, compressed if the name `path` ends in .gz, .bz2, .xz or .zst."""
    suffix = Path(path).suffix.lower()
    if suffix == ".gz":  # without a name and time: the same vectors are the same bytes
        return gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0)
    if suffix == ".bz2":
        return bz2.BZ2File(file, "wb")
    if suffix == ".xz":
        return lzma.LZMAFile(file, "wb", preset=_XZ_PRESET)
    if suffix != ".zst":
        return nullcontext(file)
    zstd = _zstd_module()
    if hasattr(zstd, "ZstdFile"):
        return zstd.ZstdFile(file, "wb")
    return zstd.ZstdCompressor().stream_writer(file, closefd=False)
