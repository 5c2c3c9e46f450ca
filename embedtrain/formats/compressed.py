"""Compressed output, as the name of a file asks for it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from embedtrain.errors import DataError

_GZIP_LEVEL = 6  # 9 takes several times as long for a hundredth less
_XZ_PRESET = 2  # 6, lzma's own, takes four times as long for a twentieth less


def compressing(path: str | os.PathLike[str], file: BinaryIO) -> AbstractContextManager[Any]:
    """What is written to goes to `file`: compressed if the name `path` ends in .gz, .bz2, .xz or .zst.

    Raises
    ------
    DataError
        If the package for .zst is missing.
    """
    suffix = Path(path).suffix.lower()
    if suffix == ".gz":  # without a name and time: the same vectors are the same bytes
        return gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0)
    if suffix == ".bz2":
        return bz2.BZ2File(file, "wb")
    if suffix == ".xz":
        return lzma.LZMAFile(file, "wb", preset=_XZ_PRESET)
    return _zstandard(file) if suffix == ".zst" else nullcontext(file)


def _zstandard(file: BinaryIO) -> AbstractContextManager[Any]:
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]  # from Python 3.14 on
    except ImportError:
        try:
            import zstandard
        except ImportError:
            raise DataError('for Zstandard files install the package with its extra: "embedtrain[zstd]"') from None
        return zstandard.ZstdCompressor().stream_writer(file, closefd=False)
    return zstd.ZstdFile(file, "wb")
