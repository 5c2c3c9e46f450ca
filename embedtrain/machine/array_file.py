"""Temporary files in which several threads read and write arrays."""

from __future__ import annotations

import os
import tempfile
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, one_line
from embedtrain.machine.files import writing
from embedtrain.machine.threads import Lock


class ArrayFile:
    """A file in which several threads read and write arrays, at any position in bytes."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name  # unbuffered; the name for messages
        self._lock = Lock()  # guards the position; Windows has no pread

    def append(self, array: NDArray[Any]) -> None:
        """Write an array at the end."""
        self._write(array, 0, os.SEEK_END)

    def write_at(self, begin: int, array: NDArray[Any]) -> None:
        """Write an array at position `begin`, which may lie beyond the end."""
        self._write(array, begin, os.SEEK_SET)

    def _write(self, array: NDArray[Any], begin: int, whence: int) -> None:
        rest = array.reshape(-1).view(np.uint8).data
        with self._lock, writing(self._name):
            self._file.seek(begin, whence)
            while rest:
                rest = rest[self._file.write(rest) :]

    def read_into(self, array: NDArray[Any], begin: int) -> None:
        """Fill a contiguous array from position `begin` on."""
        rest = array.reshape(-1).view(np.uint8).data
        try:
            with self._lock:
                self._file.seek(begin)
                while rest:
                    n_bytes = self._file.readinto(rest)  # type: ignore[attr-defined]
                    if not n_bytes:
                        raise EOFError("it ends too early")
                    rest = rest[n_bytes:]
        except (OSError, EOFError) as error:
            raise DataError(f"cannot read {self._name}: {getattr(error, 'strerror', None) or error}") from error

    def mapped(self, dtype: type[np.generic]) -> NDArray[Any]:
        """Close the file and map its contents as a read-only array; the file exists as long as the array."""
        with self, writing(self._name):
            if self._file.seek(0, os.SEEK_END):
                return np.memmap(self._file, dtype, "r").view(np.ndarray)
            return np.frombuffer(b"", dtype)

    def close(self) -> None:
        """Close the file; a temporary one is removed."""
        self._file.close()

    def __enter__(self) -> ArrayFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def temporary_file(folder: str | os.PathLike[str] | None = None) -> ArrayFile:
    """Open an unnamed file in `folder` (default: the system's); the system removes it, however the process ends."""
    name = f"temporary files in {one_line(folder or tempfile.gettempdir())}"
    with writing(name):
        return ArrayFile(cast(BinaryIO, tempfile.TemporaryFile(dir=folder, buffering=0)), name)
