"""Pauses of a run: for interrupts, and for checkpoints that are due."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from embedtrain.errors import OutputError
from embedtrain.machine.progress import note
from embedtrain.training.options import RunOptions


class Pauses:
    """Interrupts and checkpoints, at moments when tables and history belong together."""

    def __init__(self, interrupted: Callable[[], bool], checkpoint: Callable[[], None], options: RunOptions) -> None:
        self._interrupted, self._checkpoint = interrupted, checkpoint
        self._wanted = options.checkpoint is not None
        self._seconds = 60 * options.checkpoint_every if self._wanted else math.inf
        self._due = time.monotonic() + self._seconds

    def is_due(self) -> bool:
        """Whether someone interrupted, or it is time for a checkpoint."""
        return self._interrupted() or time.monotonic() >= self._due

    def take(self) -> None:
        """Write the checkpoint; then, if there was an interrupt, raise it."""
        interrupted = self._interrupted()
        if self._wanted and (interrupted or time.monotonic() >= self._due):
            try:
                self._checkpoint()
            except OutputError as error:
                if not interrupted:
                    raise
                note(f"no checkpoint: {error}")
            self._due = time.monotonic() + self._seconds
        if interrupted:
            raise KeyboardInterrupt
