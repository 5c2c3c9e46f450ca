"""The safetensors format: a length, a JSON header of that length, and the bytes of arrays.

The words are in the tensors ``words`` (bytes) and ``starts``, as in `npz`. Specification:
https://github.com/huggingface/safetensors.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, one_line
from embedtrain.formats.arrays import describe, select, settings_of
from embedtrain.formats.format import Format, Head, ReadOptions, VectorTable
from embedtrain.formats.table import checked
from embedtrain.machine.files import atomic_file, reading, source_name
from embedtrain.machine.npz import LONGEST_JSON, map_part, no_damage, parse_json
from embedtrain.machine.words import PackedWords

_LENGTH = struct.Struct("<Q")
_TYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"),
    "U8": np.dtype("u1"),
}
_NAMES = {dtype: name for name, dtype in _TYPES.items()}
_PART = 1 << 24  # bytes written at once


def _detect(head: Head) -> bool:
    return head.data[8:10] == b'{"' and 2 <= _LENGTH.unpack(head.data[:8])[0] < 1 << 27


def _read(path: Path, options: ReadOptions) -> VectorTable:
    name = source_name(path)
    with (
        reading(path),
        no_damage(f"cannot read {name}: it is damaged or not a safetensors file; create it again"),
        open(path, "rb") as file,
    ):
        header, start = _read_header(file), file.tell()
        about = (header.pop("__metadata__", None) or {}).get("about")
        if missing := {"words", "starts", "vectors"} - set(header):
            found = one_line(", ".join(sorted(header))[:100]) or "nothing"
            raise DataError(
                f"{name}: expected tensors words, starts, vectors, got {found}; {min(missing)} is missing: "
                "where a model keeps its words elsewhere, join them as WordVectors(words, vectors)"
            )
        words, starts, vectors = (_map_tensor(file, start, header[key]) for key in ("words", "starts", "vectors"))
        counts = _map_tensor(file, start, header["counts"]) if "counts" in header else None
        settings = {} if about is None else settings_of(name, about)
        table = VectorTable(PackedWords.checked(name, words, starts)[:], vectors, counts, settings)
    return select(name, table, options)


def _read_header(file: BinaryIO) -> dict[str, Any]:
    """Return the description of each tensor, and leave the file at the first."""
    (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
    if length > LONGEST_JSON:
        raise ValueError(f"a header of {length:,} bytes, expected at most {LONGEST_JSON:,}")
    text = file.read(length)
    if len(text) < length:
        raise ValueError("it is cut short")
    return dict(parse_json(text))


def _map_tensor(file: BinaryIO, start: int, tensor: Mapping[str, Any]) -> NDArray[Any]:
    """Map a tensor, whose offsets count from position `start`."""
    dtype, shape = _TYPES[tensor["dtype"]], tuple(map(int, tensor["shape"]))
    first, last = map(int, tensor["data_offsets"])
    if min((*shape, first), default=0) < 0 or first + math.prod(shape) * dtype.itemsize != last:
        raise ValueError("a tensor does not fit its offsets")
    return map_part(file, dtype, start + first, shape)


def _write(path: Path, table: VectorTable, *, threads: int | None = None) -> None:
    table = checked(table)
    packed = PackedWords.of(table.words)
    tensors: dict[str, NDArray[Any]] = {"starts": packed.starts}  # wide types first, so that all are aligned
    if table.counts is not None:
        tensors["counts"] = table.counts
    tensors |= {"vectors": table.vectors, "words": packed.text}
    with atomic_file(path) as file:
        file.write(_header(tensors, {"about": describe(table.settings)}))
        for tensor in tensors.values():
            step = max(1, _PART // max(1, tensor[:1].nbytes))
            for begin in range(0, len(tensor), step):
                file.write(np.ascontiguousarray(tensor[begin : begin + step]).tobytes())


def _header(tensors: Mapping[str, NDArray[Any]], metadata: Mapping[str, str]) -> bytes:
    header: dict[str, Any] = {"__metadata__": metadata}
    end = 0
    for name, tensor in tensors.items():
        begin, end = end, end + tensor.nbytes
        header[name] = {"dtype": _NAMES[tensor.dtype], "shape": tensor.shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % _LENGTH.size)
    return _LENGTH.pack(len(text)) + text


FORMAT = Format("safetensors", "tensors with counts and settings", (".safetensors",), _write, _read, _detect)
