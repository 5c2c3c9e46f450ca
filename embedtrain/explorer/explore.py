"""The explorer: what goes into its page, and how large it becomes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.explorer.groups import cluster, labelled
from embedtrain.explorer.page import render
from embedtrain.explorer.projection import choose, project, read_coordinates, scaled
from embedtrain.machine.files import atomic_file, check_distinct_paths, require_writable
from embedtrain.machine.memory import format_bytes, parse_bytes, require_memory
from embedtrain.machine.progress import Progress, Shown, counted, note, say, shown
from embedtrain.vectors.neighbors import nearest_to_rows

if TYPE_CHECKING:
    from embedtrain.vectors.word_vectors import WordVectors

_QUERIES = 4096  # between reports of progress


def explore(
    vectors: WordVectors, path: str | os.PathLike[str], limit: int, neighbors: int, projection: str,
    coordinates: str | os.PathLike[str] | None, labels: str | os.PathLike[str] | Mapping[str, str] | None,
    max_size: int | str, progress: bool | str | None,
) -> None:  # fmt: skip
    """Write the explorer of `vectors`; `WordVectors.explore` documents the parameters."""
    max_bytes, report = parse_bytes(max_size, "max_size"), shown(progress)
    for name, value in (("limit", limit), ("neighbors", neighbors)):
        if not isinstance(value, Integral) or value < 1:
            raise SettingError(f"`{name}` must be a whole number of at least 1, got {value!r}")
    inputs = {"the vectors": [vectors.settings.get("file")], "`coordinates`": [coordinates]}
    inputs["`labels`"] = [None if isinstance(labels, Mapping) else labels]
    check_distinct_paths(inputs, {"the page": path})
    require_writable(path)
    n, dim = int(min(limit, len(vectors))), vectors.vector_size
    if not n:
        raise DataError("there are no words to explore")
    k = int(min(neighbors, n - 1))
    require_memory(n * (10 * dim + 16 * k + 400), "the vectors and the page", "lower `limit`")
    if coordinates is not None and projection != "auto":
        raise SettingError(f"`projection={projection}` is not used with `coordinates`; leave out one of them")
    placed = None if coordinates is None else read_coordinates(coordinates, n)
    projection = choose(projection, n) if placed is None else "file"
    words, units = list(vectors.words[:n]), vectors.vectors[:n] / vectors.norms[:n, None]
    counts = None if vectors.counts is None else vectors.counts[:n].tolist()
    facts = {"words": words, "counts": counts, "dim": dim, "neighbors": k, "projection": projection}
    arrays = {
        "coordinates": np.zeros((n, 2), "<u2"),
        "rows": np.zeros((n, k), "<u2" if n <= 1 << 16 else "<u4"),
        "cosines": np.zeros((n, k), np.uint8),
        "range": np.zeros(2, "<f4"),
        "vectors": _quantized(units),
    }
    facts["clusters"], arrays["clusters"] = cluster(units, words)
    if labels is not None:
        facts["labels"], arrays["labels"] = labelled(labels, words)
    size = _fit(facts, arrays, max_bytes)
    say(f"page     {counted(n, 'word')}, {counted(k, 'neighbour')} each, {format_bytes(size)}", shown=report)
    _search(vectors, arrays, report)
    arrays["coordinates"] = scaled(project(units, projection, report) if placed is None else placed)
    with atomic_file(path) as file:
        file.write(render(facts, arrays))


def _fit(facts: Mapping[str, Any], arrays: dict[str, NDArray[Any]], max_bytes: int) -> int:
    """Remove the vectors if the page is too large with them; return its size in bytes."""
    size = len(render(facts, arrays))
    if size <= max_bytes:
        return size
    del arrays["vectors"]
    without = len(render(facts, arrays))
    if without > max_bytes:
        remedy = f"set `max_size={without // 10**6 + 1}M`, or lower `limit` or `neighbors`"
        raise SettingError(f"{counted(len(facts['words']), 'word')} need a page of {format_bytes(without)}; {remedy}")
    remedy = f"set `max_size={size // 10**6 + 1}M` to keep them"
    note(f"the page has no analogies, as it would be too large with vectors; {remedy}")
    return without


def _search(vectors: WordVectors, arrays: Mapping[str, NDArray[Any]], report: Shown) -> None:
    """Fill in the neighbours of each word: (n, k) rows, cosines in 8 bits, and the range of the cosines."""
    rows = arrays["rows"]
    n, k = rows.shape
    cosines = np.empty((n, k), np.float32)
    with Progress("search", n, shown=report) as progress:
        for start in range(0, n, _QUERIES):
            queries = np.arange(start, min(start + _QUERIES, n))
            rows[queries], cosines[queries] = nearest_to_rows(vectors.vectors, vectors.norms, queries, k, among=n)
            progress.update(len(queries))
    low, high = cosines.min(initial=1), cosines.max(initial=-1)
    arrays["range"][:] = low, high
    arrays["cosines"][:] = np.rint((cosines - low) / ((high - low) or 1) * 255)


def _quantized(units: NDArray[np.float32]) -> NDArray[np.int8]:
    """Vectors as 8-bit integers, each with its largest element as 127."""
    largest = np.abs(units).max(axis=1, keepdims=True)
    return np.rint(units / np.where(largest == 0, 1, largest) * 127).astype(np.int8)
