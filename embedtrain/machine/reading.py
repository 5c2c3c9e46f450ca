"""Inputs: files and standard input, and errors that name them."""

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
    """What messages call a file: in one line, whatever its name, which may be a text in the place of one."""
    return "standard input" if path == STDIN else one_line(path)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say what is wrong with a file that cannot be read."""
    try:
        yield
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        raise DataError(f"cannot read {source_name(path)[:200]}: {reason}{path_hint(path)}") from error


def path_hint(path: Path) -> str:
    """What somebody should know who gave text in the place of a path."""
    return "; a str is a path, text in memory is a list of lines" if len(str(path).split()) > 1 else ""


def open_source(path: Path) -> Any:
    """The bytes of a file or of standard input; a context manager."""
    if path == STDIN:
        if sys.stdin is None:
            raise DataError("cannot read standard input: it is closed")
        return open(cast(int, sys.stdin.fileno()), "rb", closefd=False)
    return open(path, "rb")
