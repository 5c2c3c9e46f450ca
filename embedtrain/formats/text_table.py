"""A table of vectors whose number of rows is not known until all are read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError
from embedtrain.formats.text import all_finite
from embedtrain.machine.memory import require_memory

_GROWTH = 4  # a quarter more at a time


class Table:
    """Rows appended one block after the other; a table that is too small grows where it lies, if the system can.

    Parameters
    ----------
    name : str
        What messages call the file.
    expected : int
        Rows that there will be, about.
    dim : int
        Values of each.
    dtype : dtype
        float32 or float16.

    Raises
    ------
    SettingError
        If there is too little memory.
    """

    def __init__(self, name: str, expected: int, dim: int, dtype: np.dtype[Any]) -> None:
        self._name = name
        require_memory(expected * dim * dtype.itemsize, f"the vectors in {name}", "ask for fewer words, or float16")
        self._rows: NDArray[Any] = np.empty((expected, dim), dtype)
        self._n = 0

    def append(self, values: NDArray[np.float32], words: Sequence[str]) -> None:
        """Append the values of some words.

        Raises
        ------
        DataError
            If one is beyond float16 where that is wanted.
        """
        end = self._n + len(values)
        if end > len(self._rows):
            self._resize(max(end, len(self._rows) + len(self._rows) // _GROWTH))
        rows = self._rows[self._n : end]
        with np.errstate(over="ignore"):
            rows[...] = values
        if rows.size and rows.dtype != np.float32 and not all_finite(rows):
            word = words[int(np.argmin(np.isfinite(rows).all(axis=1)))]
            raise DataError(f"{self._name}: the vector of {word!r} has a value beyond float16; read it as float32")
        self._n = end

    def cut(self, n: int) -> None:
        """Keep the first n rows."""
        self._n = n

    def finish(self) -> NDArray[Any]:
        """The table, of as many rows as it has."""
        if self._n < len(self._rows):
            self._resize(self._n)
        return self._rows

    def _resize(self, n: int) -> None:
        self._rows.resize((n, self._rows.shape[1]), refcheck=False)
