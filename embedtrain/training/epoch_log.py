"""The log: a JSON object for each epoch, on a line of a file."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from embedtrain.errors import DataError
from embedtrain.machine.files import atomic_file, writing
from embedtrain.machine.reading import reading


class EpochLog:
    """A callback that writes what it is told of an epoch into a file of JSON lines.

    Epoch 1 begins the file anew. A later one that is the first it is told of continues it: lines on earlier epochs
    stay, so that the log of a resumed run tells of all its epochs, each once.

    Parameters
    ----------
    path : path
        Of the file.

    Raises
    ------
    DataError
        When called, if the file cannot be written, or is there and no such log.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(os.path.realpath(path) if os.path.islink(path) and os.path.isfile(path) else path)
        self._begun = False

    def __call__(self, epoch: Any) -> None:
        """Write the numbers of an `Epoch`."""
        record = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in vars(epoch).items()
            if value is None or isinstance(value, (int, float, str))
        }
        line = json.dumps(record) + "\n"
        if self._begun and epoch.number > 1:
            with writing(self._path), open(self._path, "a", encoding="utf-8") as file:
                file.write(line)
            return
        earlier = self._before(epoch.number) if epoch.number > 1 and self._path.is_file() else []
        with atomic_file(self._path) as new:
            new.write("".join([*earlier, line]).encode())
        self._begun = True

    def require_log(self) -> None:
        """See that the file, if it is there, could be continued: before an epoch of work, not after.

        Raises
        ------
        DataError
            If it is no such log, or cannot be read.
        """
        if self._path.is_file():
            self._before(0)

    def _before(self, number: int) -> list[str]:
        """The lines of the file on earlier epochs."""
        with reading(self._path):
            lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        try:
            whole = [line for line in lines if line.endswith("\n") or not line.startswith("{")]  # not cut by a crash
            return [line for line in whole if json.loads(line)["number"] < number]
        except (ValueError, KeyError, TypeError):
            raise DataError(
                f"cannot continue the log {self._path}: it is not a log of epochs; name another file"
            ) from None
