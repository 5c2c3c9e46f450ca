"""Files that are read, standard input among them, and errors that name them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from embedtrain.errors import DataError
from embedtrain.machine.files import one_line

STDIN = Path("-")  # a file of this name goes by its absolute path


def source_name(path: Path) -> str:
    """Format the name of a file for a message, in one line."""
    return "standard input" if path == STDIN else one_line(path)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn an operating system's error in the block into "cannot read PATH"."""
    try:
        yield
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        raise DataError(f"cannot read {source_name(path)[:200]}: {reason}{path_hint(path)}") from error


def path_hint(path: Path) -> str:
    """A hint for users who passed text where a path is expected."""
    return "; a str is a path, text in memory is a list of lines" if len(str(path).split()) > 1 else ""


def open_source(path: Path) -> Any:
    """Open a file or standard input in binary mode."""
    if path == STDIN:
        if sys.stdin is None:
            raise DataError("cannot read standard input: it is closed")
        return open(cast(int, sys.stdin.fileno()), "rb", closefd=False)
    return open(path, "rb")
