"""Files: outputs that appear whole or not at all, and temporary space that goes away."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from embedtrain.errors import DataError


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A binary file that takes the name `path` when the block ends, and vanishes if the block raises.

    Raises
    ------
    DataError
        If the folder is missing or cannot be written, or the disk is full.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        try:
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
            temporary = Path(name)
            with os.fdopen(handle, "wb") as file:
                yield file
            _give_usual_mode(temporary)
            os.replace(temporary, path)
        except OSError as error:
            raise DataError(f"cannot write {path}: {error.strerror or error}") from error
    except BaseException:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise


def _give_usual_mode(path: Path) -> None:
    """Permissions as `open` would have given; temporary files are private."""
    mask = os.umask(0)
    os.umask(mask)
    path.chmod(0o666 & ~mask)


def require_writable(path: str | os.PathLike[str]) -> None:
    """Try, without leaving a trace, whether a file `path` could be written: before hours of work, not after.

    Raises
    ------
    DataError
        If it could not.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(f"cannot write {path}: it is a folder; name a file in it")
    if not path.parent.is_dir():
        raise DataError(f"cannot write {path}: there is no folder {path.parent}; create it first")
    try:
        tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error


@contextmanager
def temporary_folder(beside: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """A private folder in the folder `beside` (default: the system's), removed with its contents at the end.

    Raises
    ------
    DataError
        If it cannot be created.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix=".embedtrain-", dir=beside))
    except OSError as error:
        raise DataError(f"cannot write temporary files in {beside}: {error.strerror or error}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
