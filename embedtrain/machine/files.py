"""Files: outputs that appear whole or not at all, and temporary space that goes away."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from embedtrain.errors import DataError


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say of an operating system's error in the block that `path` cannot be written."""
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot write {path}: {error.strerror or error}") from error


@contextmanager
def atomic_file(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A binary file that takes the name `path` when the block ends, and vanishes if the block raises.

    What is no regular file, such as a pipe or the null device, is written as it is.

    Raises
    ------
    DataError
        If the folder is missing or cannot be written, or the disk is full.
    """
    target = Path(os.path.realpath(path))  # of a link, the file behind it is replaced
    with writing(path):
        if _is_special(target):
            with open(target, "wb") as file:
                yield file
            return
        handle, name = tempfile.mkstemp(prefix=".embedtrain-", suffix=".part", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
            os.chmod(name, _usual_mode(target))
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise


def _is_special(path: Path) -> bool:
    """Whether this is a device, a pipe or the like."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except FileNotFoundError:
        return False


def _usual_mode(path: Path) -> int:
    """Permissions as of the file that is replaced, or as `open` would give; temporary files are private."""
    if path.exists():
        return path.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def require_writable(path: str | os.PathLike[str]) -> None:
    """Try, without leaving a trace, whether a file `path` could be written: before hours of work, not after.

    Raises
    ------
    DataError
        If it could not.
    """
    target = Path(os.path.realpath(path))
    with writing(path):
        if target.is_dir():
            raise DataError(f"cannot write {path}: it is a folder; name a file in it")
        if not target.parent.is_dir():
            raise DataError(f"cannot write {path}: there is no folder {target.parent}; create it first")
        if _is_special(target):
            open(target, "wb").close()
            return
        tempfile.TemporaryFile(dir=target.parent).close()


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
        place = beside or "the system's place for them"
        raise DataError(f"cannot write temporary files in {place}: {error.strerror or error}") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
