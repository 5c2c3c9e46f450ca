"""When a run pauses: for interrupts, and for checkpoints that are due."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from embedtrain.errors import OutputError
from embedtrain.machine.progress import note


class CheckpointTimer:
    """A `StopPoint` for interrupts and for checkpoints, of which one is written every `minutes`; None writes none."""

    def __init__(self, interrupted: Callable[[], bool], write: Callable[[], None], minutes: float | None) -> None:
        self._interrupted, self._write, self._writes = interrupted, write, minutes is not None
        self._seconds = math.inf if minutes is None else 60 * minutes
        self._due = time.monotonic() + self._seconds

    def requested(self) -> bool:
        """Whether a signal came, or it is time for a checkpoint."""
        return self._interrupted() or time.monotonic() >= self._due

    def reached(self) -> None:
        """Write the checkpoint; then, if a signal came, raise `KeyboardInterrupt`."""
        interrupted = self._interrupted()
        if self._writes and (interrupted or time.monotonic() >= self._due):
            try:
                self._write()
            except OutputError as error:
                if not interrupted:
                    raise
                note(f"no checkpoint: {error}")
            self._due = time.monotonic() + self._seconds
        if interrupted:
            raise KeyboardInterrupt
