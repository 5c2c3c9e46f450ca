"""Parts of files for several readers, cut at line ends."""

from __future__ import annotations

import os
from typing import Any, BinaryIO

from embedtrain.machine.compression import ByteStream

_AT_ONCE = 1 << 20  # bytes


class FilePart(ByteStream):
    """Part `number` of `n` of a file, of about equal sizes: the lines that begin in it."""

    def __init__(self, file: BinaryIO, number: int, n: int) -> None:
        size = file.seek(0, os.SEEK_END)
        self.begin, self._end = (_line_start(file, size * part // n) for part in (number, number + 1))
        self._file = file
        file.seek(self.begin)

    def readinto(self, buffer: Any) -> int:
        """Read into the buffer."""
        left = self._end - self._file.tell()
        return self._file.readinto(memoryview(buffer)[:left])  # type: ignore[attr-defined]


def _line_start(file: BinaryIO, position: int) -> int:
    """The first position, from the given one on, where a line begins or the file ends."""
    if position == 0:
        return 0
    file.seek(position - 1)
    while (line := file.readline(_AT_ONCE)) and not line.endswith(b"\n"):
        pass
    return file.tell()
