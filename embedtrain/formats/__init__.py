"""The formats of vectors files, and reading and writing by name or content."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from embedtrain.errors import DataError, SettingError
from embedtrain.formats import fasttext, foreign, npy_folder, npz, projector, safetensors, text, word2vec_binary
from embedtrain.formats.format import Format, Head, ReadOptions, VectorTable
from embedtrain.machine.compression import SUFFIXES, Stream, plain_name, require_compressor
from embedtrain.machine.files import STDIN, reading, source_name
from embedtrain.machine.progress import listed, note
from embedtrain.machine.threads import resolve_threads

#: All formats by name, in the order in which recognition tries them.
FORMATS = {
    format.name: format for format in (
        npy_folder.FORMAT, npz.FORMAT, safetensors.FORMAT, projector.FORMAT, fasttext.FORMAT, word2vec_binary.FORMAT,
        text.WORD2VEC, text.GLOVE,
    )
}  # fmt: skip
_BY_SUFFIX = {suffix: format for format in FORMATS.values() for suffix in format.suffixes}
_HEAD = 1 << 20  # bytes
_ALL = ReadOptions()


def named(format: str) -> Format:
    """Return the format of this name."""
    if format not in FORMATS:
        raise SettingError(f"format must be one of {', '.join(FORMATS)}, got {format!r}")
    return FORMATS[format]


def format_of(path: str | os.PathLike[str], format: str | None = None, buckets: int | None = None) -> Format:
    """Return the format of an output: that of this name, or of its suffix; word2vec text without a suffix.

    Of two formats with the same suffix, vectors with subwords in this number of `buckets` take the one that holds them.
    """
    path = check_path(path)
    chosen = _format_of_suffix(path) if format is None else named(format)
    if format is None and buckets is not None and not chosen.holds_subwords:
        suffixes = chosen.suffixes
        chosen = next((one for one in FORMATS.values() if one.holds_subwords and one.suffixes == suffixes), chosen)
    if buckets == 0 and chosen is fasttext.FORMAT:
        raise SettingError("fastText's format has n-grams in buckets only, not with `buckets=0`; write npz")
    if path.suffix.lower() in SUFFIXES:
        if not chosen.is_compressible:
            raise SettingError(f"the format {chosen.name} is not compressed as {path.suffix}; name a file without it")
        require_compressor(path)
    return chosen


def _format_of_suffix(path: Path) -> Format:
    if os.path.isdir(path):  # unlike a Path's method, it never raises
        return npy_folder.FORMAT
    suffix = Path(plain_name(path.name)).suffix.lower()
    is_special = os.path.exists(path) and not os.path.isfile(path)  # a device or pipe
    if suffix in _BY_SUFFIX or is_special or not re.match(r"\.[a-z]", suffix):  # version1.5 has no suffix
        return _BY_SUFFIX.get(suffix, text.WORD2VEC)
    known = listed(reversed(_BY_SUFFIX), "or")
    raise SettingError(f"no format is written as {suffix}, got {source_name(path)}; end the name in {known}")


def is_named_as_vectors(path: str | os.PathLike[str]) -> bool:
    """Whether a name has the suffix of a format, and not one that text has too."""
    suffix = Path(plain_name(os.fspath(path))).suffix.lower()
    return suffix in _BY_SUFFIX and suffix not in (".txt", ".tsv")


def recognise(path: str | os.PathLike[str]) -> Format:
    """Return the format of a file or folder of vectors by its content."""
    path = _check_file(path)
    name = source_name(path)
    is_compressed, head = False, Head(path, b"", True)
    if not path.is_dir():
        with reading(path), open(path, "rb") as file:
            stream = Stream(name, file)
            buffer = bytearray(_HEAD)
            is_compressed, data = stream.is_compressed, bytes(buffer[: stream.fill(memoryview(buffer))])
            head = Head(path, data, not is_compressed and len(data) >= path.stat().st_size)
    format = next((format for format in FORMATS.values() if format.detect(head)), None)
    if format is None:
        foreign.refuse(name, head)
    if is_compressed and not format.is_compressible:
        raise DataError(f"{name} is a compressed file of the format {format.name}; decompress it first")
    return format


def read(path: str | os.PathLike[str], options: ReadOptions = _ALL, format: str | None = None) -> VectorTable:
    """Read a file of vectors; by default its format is recognised by the content."""
    path = _check_file(path)
    resolve_threads(options.threads)  # refuses wrong ones of formats that use no threads too
    chosen = recognise(path) if format is None else named(format)
    table = chosen.read(path, options)
    if not len(table.words) and options.vocabulary is None:
        raise DataError(f"{source_name(path)}: none of its rows can be read; get the file again")
    return table


def write(
    path: str | os.PathLike[str], table: VectorTable, format: str | None = None, threads: int | None = None
) -> None:
    """Write a file of vectors atomically; by default its format is that of its suffix."""
    path = check_path(path)
    resolve_threads(threads)
    chosen = format_of(path, format, table.buckets)
    if table.subwords is not None:
        note_left_out(path, chosen)
    chosen.write(path, table, threads=threads)


def note_left_out(path: Path, chosen: Format) -> None:
    """Issue a note if the format of an output does not hold the subwords that vectors have."""
    if not chosen.holds_subwords:
        holding = listed((f"{one.name} ({one.suffixes[0]})" for one in FORMATS.values() if one.holds_subwords), "or")
        note(f"{source_name(path)} has no vectors for unknown words: {chosen.name} holds no subwords; write {holding}")


def check_path(path: str | os.PathLike[str]) -> Path:
    """Check that this is a path that a file can have."""
    if not isinstance(path, (str, os.PathLike)):
        raise DataError(f"a path must be a str or Path, got {type(path).__name__}")
    if not str(path) or "\0" in str(path):
        raise DataError(f"a path must not be empty or hold NUL, got {str(path)[:200]!r}")
    return Path(path)


def _check_file(path: str | os.PathLike[str]) -> Path:
    """Check that this is the path of a folder or of a file that can be read twice."""
    path = check_path(path)
    if path == STDIN:
        raise DataError("standard input is not a vectors file, which is read twice; save it to a file first")
    with reading(path):
        mode = os.stat(path).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise DataError(f"{source_name(path)} is a pipe or device, and is read twice; save it to a file first")
    return path
