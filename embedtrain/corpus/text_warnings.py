"""Warnings about the bytes of a text, with file and line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.type_table import TypeTable
from embedtrain.errors import DataError
from embedtrain.kernels.text import tokenize as tokens


@dataclass(frozen=True)
class ChunkLocations:
    """The file and the first line of every chunk."""

    names: list[str]
    lines: list[int]  # line feeds before the chunk in its file

    @classmethod
    def of(cls, chunks: Iterable[tuple[int, str, int]]) -> ChunkLocations:
        """Add up the lines of chunks, given as (number of the file, its name, line feeds in the chunk)."""
        names: list[str] = []
        lines: list[int] = []
        last, line = -1, 0
        for file, name, n_lines in chunks:
            line = line if file == last else 0
            last = file
            names.append(name)
            lines.append(line)
            line += n_lines
        return cls(names, lines)

    def _location(self, seen: int) -> str:
        """Format a location that kernels record: chunk << 32 | line."""
        chunk, line = seen >> 32, seen & 0xFFFFFFFF
        return f"{self.names[chunk]}, line {self.lines[chunk] + line + 1}"

    def invalid_utf8(self, types: TypeTable, invalid: list[int], policy: str) -> Iterator[str]:
        """Yield a warning about types that are not UTF-8; raise `DataError` if `policy` is "refuse"."""
        if not invalid:
            return
        first = min(invalid, key=types.first_seen.__getitem__)
        location, spelling = self._location(int(types.first_seen[first])), types.spelling(first)
        if policy == "refuse":
            raise DataError(
                f"{location}: {spelling[:40]!r} is not UTF-8; convert the text, or replace such bytes by U+FFFD"
            )
        n_tokens = int(types.counts[invalid].sum())
        first_one = f"{spelling[:40]!r} in {location}"
        yield f"not UTF-8, read with U+FFFD for the invalid bytes: {n_tokens:,} tokens, first {first_one}"

    def control_characters(self, states: list[NDArray[np.int64]]) -> Iterator[str]:
        """Yield a warning about control characters, from the states of the tokenisers."""
        found = [state for state in states if state[tokens.N_CONTROLS]]
        if found:
            n_controls = sum(int(state[tokens.N_CONTROLS]) for state in found)
            first = self._location(min(int(state[tokens.FIRST_CONTROL]) for state in found))
            yield f"control characters, such as NUL, read as spaces: {n_controls:,}, the first in {first}"
