"""One file of arrays, as `numpy.savez` writes them: the bytes of words, where they start, vectors, counts, settings.

Nothing is pickled: any NumPy reads it with ``allow_pickle=False``. ``words`` and ``starts`` give word i as
``bytes(words[starts[i]:starts[i + 1]]).decode()``.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError
from embedtrain.formats.content import Choice, Content
from embedtrain.formats.selection import describe, pack_words, select, settings_of, unpack_words
from embedtrain.formats.text import require_content
from embedtrain.machine.files import atomic_file
from embedtrain.machine.npz import map_arrays, no_damage, write_arrays
from embedtrain.machine.reading import reading, source_name

_ALL = Choice()


def read(path: Path, choice: Choice = _ALL) -> Content:
    """Read or map words and vectors.

    Raises
    ------
    DataError
        If the file cannot be read, is damaged, or holds other arrays.
    """
    name = source_name(path)
    with reading(path), no_damage(f"cannot read {name}: it is damaged or no .npz file; make it anew"):
        try:
            arrays = map_arrays(path)
        except MemoryError:
            raise DataError(f"cannot read {name}: an array of it does not fit into memory") from None
    if not {"words", "starts", "vectors", "about"} <= set(arrays):
        found = ", ".join(sorted(arrays))[:100] or "nothing"
        raise DataError(f"{name}: expected the arrays words, starts, vectors and about, got {found}; make it anew")
    settings = settings_of(name, arrays["about"].tobytes())
    words = unpack_words(name, arrays["words"], arrays["starts"])
    return select(name, Content(words, arrays["vectors"], arrays.get("counts"), settings), choice)


def write(path: Path, content: Content, *, threads: int | None = None) -> None:
    """Write words, vectors, counts and settings, all or nothing.

    Raises
    ------
    DataError
        If a word or value cannot be in a file, or the file cannot be written.
    """
    content = require_content(content)
    spelled, starts = pack_words(content.words)
    arrays: dict[str, NDArray[Any]] = {"words": spelled, "starts": starts, "vectors": content.vectors}
    if content.counts is not None:
        arrays["counts"] = content.counts
    arrays["about"] = np.frombuffer(describe(content.settings).encode(), np.uint8)
    with atomic_file(path) as file:
        write_arrays(file, arrays)
