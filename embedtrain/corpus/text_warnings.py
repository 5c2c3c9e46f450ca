"""Places: what is wrong with a text, and in which file and line, in words for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.type_table import TypeTable
from embedtrain.errors import DataError
from embedtrain.kernels.text import tokenize as tokens


@dataclass(frozen=True)
class Places:
    """Turns what kernels noted of places into words."""

    names: list[str]  # of the file of each piece
    lines: list[int]  # line feeds before each piece in its file

    @classmethod
    def of(cls, pieces: Iterable[tuple[int, str, int]]) -> Places:
        """The places in pieces, of which each has the number of its file, its name, and so many line feeds."""
        names: list[str] = []
        lines: list[int] = []
        last, line = -1, 0
        for file, name, n_lines in pieces:
            line = line if file == last else 0
            last = file
            names.append(name)
            lines.append(line)
            line += n_lines
        return cls(names, lines)

    def _place(self, seen: int) -> str:
        piece, line = seen >> 32, seen & 0xFFFFFFFF
        return f"{self.names[piece]}, line {self.lines[piece] + line + 1}"

    def invalid(self, types: TypeTable, invalid: list[int], answer: str) -> Iterator[str]:
        """A note on types that are not UTF-8, or the error if they are refused."""
        if not invalid:
            return
        first = min(invalid, key=types.first_seen.__getitem__)
        place, spelling = self._place(int(types.first_seen[first])), types.spelling(first)
        if answer == "refuse":
            raise DataError(
                f"{place}: {spelling[:40]!r} is not UTF-8; convert the text, or replace such bytes by U+FFFD"
            )
        n_tokens = int(types.counts[invalid].sum())
        yield f"not UTF-8, read with U+FFFD for what is wrong: {n_tokens:,} tokens, first {spelling[:40]!r} in {place}"

    def controls(self, states: list[NDArray[np.int64]]) -> Iterator[str]:
        """A note on control characters."""
        found = [state for state in states if state[tokens.N_CONTROLS]]
        if found:
            n_controls = sum(int(state[tokens.N_CONTROLS]) for state in found)
            first = min(int(state[tokens.FIRST_CONTROL]) for state in found)
            yield f"control characters, such as NUL, read as spaces: {n_controls:,}, the first in {self._place(first)}"
