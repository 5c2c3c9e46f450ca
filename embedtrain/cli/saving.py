"""Saving at the end of a command: what was computed is kept where the output cannot be written."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from embedtrain.machine.files import is_stream, place_to_keep

if TYPE_CHECKING:
    from embedtrain.errors import DataError


def folder_beside(path: Path) -> Path | None:
    """The folder for temporary files: that of the output, unless it is a device or a pipe, or only rank 0 has it."""
    folder = Path(os.path.realpath(path)).parent
    return None if is_stream(path) or not folder.is_dir() else folder


def saving(path: Path) -> AbstractContextManager[Callable[[], bool]]:
    """Defer interrupts while an output is saved, unless it is a pipe, which may have no reader."""
    from embedtrain.machine.interrupts import deferred_interrupts

    return nullcontext(lambda: False) if is_stream(path) else deferred_interrupts()


def save_or_keep(save: Callable[[Path], object], path: Path) -> tuple[Path, DataError | None]:
    """Save to a path, or to the temporary folder where the system refuses it; returns the path and the error."""
    from embedtrain.errors import DataError

    try:
        save(path)
        return path, None
    except DataError as error:
        if not isinstance(error.__cause__, OSError):
            raise
        try:
            with place_to_keep(path) as kept:
                save(kept)
        except (DataError, OSError):
            raise error from None
        return kept, error
