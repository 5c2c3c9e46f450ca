"""Files of named arrays in the format of `numpy.savez`, written in parts and mapped."""

from __future__ import annotations

import json
import math
import os
import struct
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, BinaryIO

import numpy as np
from numpy.lib.format import dtype_to_descr, read_array_header_1_0, read_array_header_2_0, read_magic
from numpy.typing import NDArray

from embedtrain._version import __version__
from embedtrain.errors import DataError, EmbedtrainError
from embedtrain.machine.memory import release_pages, require_memory

_PART = 1 << 18  # bytes read or written at once
_KEPT = 256  # parts of a mapped array that may stay in memory while it is written
_ALIGNMENT = 64  # bytes; arrays start at multiples, so that mapped ones are aligned
_LOCAL_HEADER = struct.Struct("<26xHH")  # of a zip archive's member: the lengths of its name and of its extra fields
_READ_HEADER = {(1, 0): read_array_header_1_0, (2, 0): read_array_header_2_0}


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


def map_arrays(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """Read the arrays in a file that `write_arrays` or NumPy wrote, by name, read-only.

    Uncompressed arrays are mapped, after their checksum was verified. Nothing is unpickled. Damaged files raise
    exceptions of many kinds, see `no_damage`.
    """
    with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
        members = archive.infolist()  # not namelist: a name may be damaged too
        return {member.filename.removesuffix(".npy"): _map_member(file, archive, member) for member in members}


def _map_member(file: BinaryIO, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """Read an array of an archive, mapped if that is possible."""
    with archive.open(member) as entry:
        shape, is_fortran, dtype = _READ_HEADER[read_magic(entry)](entry)
        begin, size = entry.tell(), math.prod(shape) * dtype.itemsize
        if dtype.hasobject or begin + size != member.file_size:
            raise ValueError(f"{member.filename} cannot be an array of shape {shape} and type {dtype}")
        if not size or member.compress_type != zipfile.ZIP_STORED or os.name == "nt":  # Windows locks mapped files
            require_memory(size, f"the values of {member.filename}", "store the arrays uncompressed, to be mapped")
            return _read(entry, size).view(dtype).reshape(shape, order="F" if is_fortran else "C")
        while entry.read(_PART):  # the checksum is verified at the end
            pass
    file.seek(member.header_offset)
    header = file.read(_LOCAL_HEADER.size)
    position = member.header_offset + len(header) + sum(_LOCAL_HEADER.unpack(header)) + begin
    return np.memmap(file, dtype, "r", position, shape, order="F" if is_fortran else "C").view(np.ndarray)


def _read(entry: IO[bytes], size: int) -> NDArray[np.uint8]:
    """Read the bytes to the end of an archive's member, where its checksum is verified."""
    content = np.empty(size, np.uint8)
    for begin in range(0, size, _PART):
        part = np.frombuffer(entry.read(_PART), np.uint8)
        content[begin : begin + len(part)] = part
    entry.read()
    content.setflags(write=False)
    return content


def pack_about(format: int, facts: Mapping[str, Any]) -> NDArray[np.uint8]:
    """Describe a file in an array of JSON: the number of its format, the version of embedtrain, and `facts`."""
    return np.frombuffer(json.dumps({"format": format, "embedtrain": __version__, **facts}).encode(), np.uint8)


def unpack_about(about: NDArray[np.uint8], format: int, problem: str) -> dict[str, Any]:
    """Read what `pack_about` wrote; refuse another format in a message that begins with `problem`."""
    facts = dict(json.loads(about.tobytes()))
    if facts["format"] != format:
        raise DataError(
            f"{problem}: it has the format {facts['format']} of embedtrain {facts['embedtrain']}, "
            f"this is {__version__} and reads the format {format}"
        )
    return facts


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
    except (EmbedtrainError, OSError, MemoryError):
        raise
    except Exception as error:
        raise DataError(f"{problem} ({' '.join(str(error).split())[:100]})") from error
