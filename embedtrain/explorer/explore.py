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
from embedtrain.vectors.neighbors import nearest_to_rows, unit_tiles

if TYPE_CHECKING:
    from embedtrain.vectors.word_vectors import WordVectors

_QUERIES = 4096  # whose neighbours are searched before progress is reported


def explore(
    vectors: WordVectors,
    path: str | os.PathLike[str],
    limit: int,
    neighbors: int,
    projection: str,
    coordinates: str | os.PathLike[str] | None,
    labels: str | os.PathLike[str] | Mapping[str, str] | None,
    max_size: int | str,
    progress: bool | str | None,
) -> None:
    """Write the explorer of `vectors`; `WordVectors.explore` documents the parameters."""
    most, report = parse_bytes(max_size, "max_size"), shown(progress)
    for name, value in (("limit", limit), ("neighbors", neighbors)):
        if not isinstance(value, Integral) or value < 1:
            raise SettingError(f"`{name}` must be a whole number of at least 1, got {value!r}")
    labels_file = None if isinstance(labels, Mapping) else labels
    inputs = {"the vectors": vectors.settings.get("file"), "`coordinates`": coordinates, "`labels`": labels_file}
    check_distinct_paths({name: [file] for name, file in inputs.items()}, {"the page": path})
    require_writable(path)
    n, dim = int(min(limit, len(vectors))), vectors.vector_size
    if not n:
        raise DataError("there are no words to explore")
    k = int(min(neighbors, n - 1))
    require_memory(n * (10 * dim + 16 * k + 400), "the vectors and the page", "lower `limit`")
    placed = None if coordinates is None else read_coordinates(coordinates, n)
    projection = choose(projection, n) if placed is None else "file"
    words, norms = list(vectors.words[:n]), vectors.norms[:n]
    units = np.concatenate([tile for _, tile in unit_tiles(vectors.vectors[:n], norms)])
    groups = {"clusters": cluster(units, words)}
    if labels is not None:
        groups["labels"] = labelled(labels, words)
    counts = None if vectors.counts is None else vectors.counts[:n].tolist()
    facts = {"words": words, "counts": counts, "dim": dim, "neighbors": k, "projection": projection}
    facts |= {name: group.names for name, group in groups.items()}
    arrays = {name: group.rows.tobytes() for name, group in groups.items()}
    arrays |= {"coordinates": bytes(4 * n), "rows": bytes(_bytes_of_row(n) * n * k), "cosines": bytes(n * k)}
    arrays |= {"range": bytes(8), "vectors": _quantized(units).tobytes()}
    size = _fit(facts, arrays, most)
    say(f"page     {counted(n, 'word')}, {k} neighbours each, {format_bytes(size)}", shown=report)
    arrays |= _nearest(vectors, n, k, report)
    arrays["coordinates"] = scaled(project(units, projection, report) if placed is None else placed).tobytes()
    with atomic_file(path) as file:
        file.write(render(facts, arrays))


def _fit(facts: Mapping[str, Any], arrays: dict[str, bytes], most: int) -> int:
    """Remove the vectors if the page is too large with them; return its size."""
    size = len(render(facts, arrays))
    if size <= most:
        return size
    with_vectors = f"{size // 10**6 + 1}M"
    del arrays["vectors"]
    size = len(render(facts, arrays))
    if size > most:
        raise SettingError(
            f"{counted(len(facts['words']), 'word')} with {facts['neighbors']} neighbours each need a page of "
            f"{format_bytes(size)}; set `max_size={size // 10**6 + 1}M`, or lower `limit` or `neighbors`"
        )
    note(
        f"the page has no analogies, as it would be too large with vectors; set `max_size={with_vectors}` to keep them"
    )
    return size


def _nearest(vectors: WordVectors, n: int, k: int, report: Shown) -> dict[str, bytes]:
    """The k neighbours of each word: their rows, cosines in 8 bits, and the range of the cosines."""
    rows, cosines = np.empty((n, k), "<u4"), np.empty((n, k), np.float32)
    with Progress("search", n, shown=report) as progress:
        for start in range(0, n, _QUERIES):
            block = slice(start, min(start + _QUERIES, n))
            found = nearest_to_rows(vectors.vectors, vectors.norms, np.arange(block.start, block.stop), k, among=n)
            rows[block], cosines[block] = found
            progress.update(block.stop - block.start)
    low, high = float(cosines.min(initial=1)), float(cosines.max(initial=-1))
    levels = np.rint((cosines - low) / ((high - low) or 1.0) * 255)
    return {
        "rows": rows.view(np.uint8).reshape(n, k, 4)[..., : _bytes_of_row(n)].tobytes(),
        "cosines": levels.astype(np.uint8).tobytes(),
        "range": np.array([low, high], "<f4").tobytes(),
    }


def _bytes_of_row(n: int) -> int:
    return 2 if n <= 1 << 16 else 3


def _quantized(units: NDArray[np.float32]) -> NDArray[np.int8]:
    """Vectors as 8-bit integers, each with its largest element as 127."""
    largest = np.abs(units).max(axis=1, keepdims=True)
    return np.rint(units / np.where(largest == 0, 1, largest) * 127).astype(np.int8)
