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
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError
from embedtrain.formats.arrays import describe, select, settings_of
from embedtrain.formats.format import Format, Head, ReadOptions, VectorTable
from embedtrain.formats.table import checked
from embedtrain.machine.files import atomic_file, reading, source_name
from embedtrain.machine.npz import no_damage
from embedtrain.machine.words import PackedWords

_LENGTH = struct.Struct("<Q")
_LONGEST_HEADER = 100_000_000  # bytes, by the specification
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
    with reading(path), no_damage(f"cannot read {name}: it is damaged or not a safetensors file; create it again"):
        tensors, metadata = _map_tensors(path)
        if missing := {"words", "starts", "vectors"} - set(tensors):
            found = ", ".join(sorted(tensors))[:100] or "nothing"
            raise DataError(
                f"{name}: expected tensors words, starts, vectors, got {found}; {min(missing)} is missing: "
                "where a model keeps its words elsewhere, join them as WordVectors(words, vectors)"
            )
        words = PackedWords.checked(name, tensors["words"], tensors["starts"])[:]
    settings = settings_of(name, metadata["about"]) if "about" in metadata else {}
    return select(name, VectorTable(words, tensors["vectors"], tensors.get("counts"), settings), options)


def _map_tensors(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """Return the arrays of known types by name, and the metadata."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
        begin = _LENGTH.size + length
        if length > _LONGEST_HEADER or begin > size:
            raise ValueError(f"a header of {length:,} bytes")
        header = json.loads(file.read(length))
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, tensor in header.items():
        dtype = _TYPES.get(tensor["dtype"])
        if dtype is None:
            continue
        shape = tuple(map(int, tensor["shape"]))
        first, last = map(int, tensor["data_offsets"])
        if min((*shape, first), default=0) < 0 or first + math.prod(shape) * dtype.itemsize != last:
            raise ValueError(f"the tensor {name!r} does not fit its offsets")
        if begin + last > size:
            raise ValueError("it is cut short")
        empty = not math.prod(shape)
        tensors[name] = np.empty(shape, dtype) if empty else np.memmap(path, dtype, "r", begin + first, shape)
    return {name: tensor.view(np.ndarray) for name, tensor in tensors.items()}, metadata


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
