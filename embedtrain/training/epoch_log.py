"""A log of epochs as JSON lines."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

from embedtrain.errors import DataError
from embedtrain.machine.files import atomic_file, reading, writing
from embedtrain.machine.npz import parse_json


class EpochLog:
    """A callback that writes the figures of every epoch to a file of JSON lines.

    Epoch 1 starts a new file. The log of a resumed run keeps the lines of earlier epochs.
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

    def check_log(self) -> None:
        """Raise `DataError` before training if the file exists and cannot be continued."""
        if self._path.is_file():
            self._before(0)

    def _before(self, number: int) -> list[str]:
        """The lines of epochs before `number`."""
        with reading(self._path):
            lines = self._path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
        try:
            whole = [line for line in lines if line.endswith("\n") or not line.startswith("{")]  # not cut by a crash
            return [line for line in whole if parse_json(line)["number"] < number]
        except (ValueError, KeyError, TypeError):
            raise DataError(
                f"cannot continue the log {self._path}: it is not a log of epochs; name another file"
            ) from None
