"""Files of named arrays in the format of `numpy.savez`, written in parts and mapped."""

from __future__ import annotations

import errno
import json
import math
import os
import struct
import warnings
import zipfile
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, Literal

import numpy as np
from numpy.lib.format import dtype_to_descr, read_array_header_1_0, read_magic
from numpy.typing import NDArray

from embedtrain._version import __version__
from embedtrain.errors import DataError, EmbedtrainError, one_line
from embedtrain.machine.files import open_regular
from embedtrain.machine.memory import release_pages, require_memory

_PART = 1 << 18  # bytes read or written at once
_KEPT = 256  # parts of a mapped array that may stay in memory while it is written
_ALIGNMENT = 64  # bytes; arrays start at multiples, so that mapped ones are aligned
_LOCAL_HEADER = struct.Struct("<26xHH")  # of a zip archive's member: the lengths of its name and of its extra fields
LONGEST_JSON = 1 << 22  # bytes; parsed they take up to thirty times as much


def write_arrays(file: BinaryIO, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write a file as `numpy.savez` does, in parts that fit the cache."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            rows = np.atleast_1d(array)
            step = _PART // max(1, rows[:1].nbytes) + 1
            with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                entry.write(_header(array, file.tell() if file.seekable() else 0))
                for number, begin in enumerate(range(0, len(rows), step)):
                    entry.write(np.ascontiguousarray(rows[begin : begin + step]).reshape(-1).view(np.uint8).data)
                    if number % _KEPT == 0:
                        release_pages(array)


def _header(array: NDArray[Any], position: int) -> bytes:
    """The header of an array at `position` in the file, padded with spaces so that the array is aligned."""
    about = {"descr": dtype_to_descr(array.dtype), "fortran_order": False, "shape": array.shape}
    text = f"{about!r}\n".encode()
    spaces = -(position + 10 + len(text)) % _ALIGNMENT
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text) + spaces) + text[:-1] + b" " * spaces + b"\n"


def array_names(path: str | os.PathLike[str]) -> list[str]:
    """Return the names of the arrays in a file that NumPy wrote."""
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        return [member.filename.removesuffix(".npy") for member in archive.infolist()]  # a name may be damaged


def map_arrays(
    path: str | os.PathLike[str], names: Container[str] | None = None, *, mapped: bool = True
) -> dict[str, NDArray[Any]]:
    """Read the arrays in a file that `write_arrays` or NumPy wrote, or those of `names`; read-only, in native types.

    Uncompressed arrays are mapped if `mapped`, after their checksum was verified. Nothing is unpickled. Damaged files
    raise exceptions of many kinds, see `no_damage`.
    """
    arrays = {}
    with open_regular(path) as file, zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            name = member.filename.removesuffix(".npy")
            if names is None or name in names:
                arrays[name] = _read_member(file, archive, member, mapped)
    return arrays


def _read_member(file: BinaryIO, archive: zipfile.ZipFile, member: zipfile.ZipInfo, mapped: bool) -> NDArray[Any]:
    """Read an array of an archive, mapped if that is wanted and possible."""
    with archive.open(member) as entry:
        shape, order, dtype = _read_header(entry, member.filename, member.file_size)
        begin = entry.tell()
        size = member.file_size - begin
        if os.name == "nt" or not (size and dtype.isnative and member.compress_type == zipfile.ZIP_STORED):
            mapped = False  # Windows locks mapped files
        if not mapped:
            purpose = f"the values of {one_line(member.filename[:40])}"
            require_memory(size, purpose, "store the arrays uncompressed, to be mapped")
        content = np.empty(0 if mapped else size, np.uint8)
        for at in range(0, size, _PART):
            part = entry.read(min(_PART, size - at))
            if len(part) < min(_PART, size - at):
                raise ValueError(f"{member.filename} ends early")
            if not mapped:
                content[at : at + len(part)] = np.frombuffer(part, np.uint8)
        entry.read()  # the checksum is verified at the end
    if not mapped:
        array = content.view(dtype).reshape(shape, order=order).astype(dtype.newbyteorder("="), copy=False)
        return read_only(array)
    file.seek(member.header_offset)
    header = file.read(_LOCAL_HEADER.size)
    position = member.header_offset + len(header) + sum(_LOCAL_HEADER.unpack(header)) + begin
    return map_part(file, dtype, position, shape, order)


def map_array(path: str | os.PathLike[str]) -> NDArray[Any]:
    """Map the array in a file that `numpy.save` wrote, read-only; damaged files raise exceptions of many kinds."""
    with open_regular(path) as file:
        shape, order, dtype = _read_header(file, "it", os.fstat(file.fileno()).st_size)
        return map_part(file, dtype, file.tell(), shape, order)


def map_part(
    file: BinaryIO, dtype: np.dtype[Any], position: int, shape: tuple[int, ...], order: Literal["C", "F"] = "C"
) -> NDArray[Any]:
    """Map the array at a position of a file, read-only; empty ones cannot be mapped."""
    if not math.prod(shape):
        return np.empty(shape, dtype)
    return np.memmap(file, dtype, "r", position, shape, order=order).view(np.ndarray)


def _read_header(entry: IO[bytes], name: str, end: int) -> tuple[tuple[int, ...], Literal["C", "F"], np.dtype[Any]]:
    """Read the header of an array that ends at position `end`.

    Headers of version 2, for types of thousands of fields, can take all memory.
    """
    if read_magic(entry) != (1, 0):
        raise ValueError("an array with a header of another version")
    try:
        shape, is_fortran, dtype = read_array_header_1_0(entry)
    except (MemoryError, RecursionError):  # of Python's parser
        raise ValueError("the header of an array nests too deep") from None
    if dtype.hasobject or entry.tell() + math.prod(shape) * dtype.itemsize != end:
        raise ValueError(f"{name} cannot be an array of shape {shape} and type {dtype}")
    return shape, "F" if is_fortran else "C", dtype


def pack_about(format: int, facts: Mapping[str, Any]) -> NDArray[np.uint8]:
    """Describe a file in an array of JSON: the number of its format, the version of embedtrain, and `facts`."""
    return np.frombuffer(json.dumps({"format": format, "embedtrain": __version__, **facts}).encode(), np.uint8)


def unpack_about(about: NDArray[np.uint8], format: int, problem: str) -> dict[str, Any]:
    """Read what `pack_about` wrote; refuse another format in a message that begins with `problem`."""
    facts = dict(parse_json(about.tobytes()))
    if facts["format"] != format:
        found, version = (one_line(facts[name])[:20] for name in ("format", "embedtrain"))
        raise DataError(
            f"{problem}: it has the format {found} of embedtrain {version}, "
            f"this is {__version__} and reads the format {format}"
        )
    return facts


def parse_json(text: bytes | str) -> Any:
    """Read JSON of a file; raises `ValueError` also if it is longer than what embedtrain writes."""
    if len(text) > LONGEST_JSON:
        raise ValueError(f"JSON of {len(text):,} bytes")
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("JSON that nests too deep") from None


def plain(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    """Return the array, or a copy of it, with a native type, aligned and contiguous."""
    return np.require(array, dtype, ("C", "A"))


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """A read-only view, so that kernels are compiled for one kind of arrays."""
    view = array.view(np.ndarray)
    view.setflags(write=False)
    return view


@contextmanager
def no_damage(problem: str) -> Iterator[None]:
    """Turn any exception of NumPy or zipfile about a damaged file into a `DataError` that begins with `problem`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except (EmbedtrainError, MemoryError):
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # of a position before the file
            raise
        cause = f" ({one_line(' '.join(str(error).split())[:100])})"
        raise DataError(problem + cause * (not isinstance(error, KeyError))) from error  # whose text is only a name
