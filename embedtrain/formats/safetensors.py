"""The safetensors format: a length, a JSON header of that length, and arrays one after the other.

The words are in tensors too, ``words`` (bytes) and ``starts``, as in `npz`. Source: the format's specification,
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
from embedtrain.formats.content import Choice, Content
from embedtrain.formats.selection import describe, pack_words, select, settings_of, unpack_words
from embedtrain.formats.text import require_content
from embedtrain.machine.files import atomic_file
from embedtrain.machine.npz import no_damage
from embedtrain.machine.reading import reading, source_name

_LENGTH = struct.Struct("<Q")
_LONGEST_HEADER = 100_000_000  # bytes, as the specification has it
_TYPES: dict[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "F16": np.dtype("<f2"),
    "I64": np.dtype("<i8"),
    "U8": np.dtype("u1"),
}
_NAMES = {dtype: name for name, dtype in _TYPES.items()}
_PIECE = 1 << 24  # bytes written at once
_ALL = Choice()


def read(path: Path, choice: Choice = _ALL) -> Content:
    """Read or map words and vectors.

    Raises
    ------
    DataError
        If the file cannot be read, is damaged, or holds no words.
    """
    name = source_name(path)
    with reading(path), no_damage(f"cannot read {name}: it is damaged or no safetensors file; make it anew"):
        tensors, metadata = _map_tensors(path)
    if missing := {"words", "starts", "vectors"} - set(tensors):
        found = ", ".join(sorted(tensors))[:100] or "nothing"
        raise DataError(
            f"{name}: expected tensors words, starts, vectors, got {found}; {min(missing)} is missing: "
            "where a model keeps its words elsewhere, join them as WordVectors(words, vectors)"
        )
    settings = settings_of(name, metadata["about"]) if "about" in metadata else {}
    words = unpack_words(name, tensors["words"], tensors["starts"])
    return select(name, Content(words, tensors["vectors"], tensors.get("counts"), settings), choice)


def _map_tensors(path: Path) -> tuple[dict[str, NDArray[Any]], dict[str, str]]:
    """The arrays of known types by name, and what is said of them."""
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
            raise ValueError(f"the tensor {name!r} does not fit its place")
        if begin + last > size:
            raise ValueError("it is cut short")
        empty = not math.prod(shape)
        tensors[name] = np.empty(shape, dtype) if empty else np.memmap(path, dtype, "r", begin + first, shape)
    return {name: tensor.view(np.ndarray) for name, tensor in tensors.items()}, metadata


def write(path: Path, content: Content, *, threads: int | None = None) -> None:
    """Write words, vectors, counts and settings, all or nothing.

    Raises
    ------
    DataError
        If a word or value cannot be in a file, or the file cannot be written.
    """
    content = require_content(content)
    spelled, starts = pack_words(content.words)
    tensors: dict[str, NDArray[Any]] = {"starts": starts}  # the widest values first: so all are aligned
    if content.counts is not None:
        tensors["counts"] = content.counts
    tensors |= {"vectors": content.vectors, "words": spelled}
    with atomic_file(path) as file:
        file.write(_header(tensors, {"about": describe(content.settings)}))
        for tensor in tensors.values():
            step = max(1, _PIECE // max(1, tensor[:1].nbytes))
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
