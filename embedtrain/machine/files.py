"""Files: outputs that appear whole or not at all, and temporary space that goes away.

What a run needs for a time it keeps locked, and removes at its end. A lock goes when its process dies, however it
dies; so what can be locked was left behind by a killed run, and the next one sweeps it away.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.machine.threads import Lock

_PREFIX = ".embedtrain-"  # of all that is temporary
_PART = ".part"  # ends the name of a file that is being written
_LOCK = "lock"  # the file in a temporary folder that is locked for all of it
_DOOMED = ".doomed"  # ends the name of a folder that is being removed
_HOUR = 3600.0  # seconds
_WEEK = 7 * 24 * _HOUR


def one_line(text: object) -> str:
    """A path or another text as messages show it: without breaks of lines, whatever is in it."""
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(text))


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Say of an operating system's error in the block that `path` cannot be written."""
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot write {one_line(path)}: {error.strerror or error}") from error


@contextmanager
def atomic_file(path: str | os.PathLike[str], *, durable: bool = False) -> Iterator[BinaryIO]:
    """A binary file that takes the name `path` when the block ends, and vanishes if the block raises.

    What is no regular file, such as a pipe or the null device, is written as it is.

    Parameters
    ----------
    path : path
        Of the file; an old one stays whole until it is replaced.
    durable : bool
        Whether to wait until the disk has the data before the old file is replaced, and then its new name where the
        platform can: after a power cut there is the old file or the new one, never half of it.

    Raises
    ------
    DataError
        If the folder is missing or cannot be written, or the disk is full.
    """
    target = Path(os.path.realpath(path))  # of a link, the file behind it is replaced
    with writing(path):
        if _is_special(path):
            with open(path, "wb") as special:
                yield special
            return
        file, part, lock = _make_part(target.parent)
        with lock:  # until it has its name: a sweep must not come between
            try:
                with file:
                    yield file
                    os.chmod(part, _usual_mode(target))
                    if durable:
                        file.flush()
                        os.fsync(file.fileno())
                os.replace(part, target)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
        if durable:
            _sync_folder(target.parent)


def _make_part(folder: Path) -> tuple[BinaryIO, Path, AbstractContextManager[object]]:
    """A new file to be written in `folder`, its path and its lock."""
    while True:
        handle, name = tempfile.mkstemp(prefix=_PREFIX, suffix=_PART, dir=folder)
        file, part = os.fdopen(handle, "wb"), Path(name)
        lock = _lock_new(file, part)
        if lock is not None:
            return file, part, lock
        file.close()


def _sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    with suppress(OSError):  # Windows opens no folders, some file systems do not sync them
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _is_special(path: str | os.PathLike[str]) -> bool:
    """Whether this is a device, a pipe or the like; links such as /dev/stdout lead to what has no path of its own."""
    try:
        return not stat.S_ISREG(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
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

    What killed runs left in its folder is swept away, see `sweep`.

    Raises
    ------
    DataError
        If it could not.
    """
    target = Path(os.path.realpath(path))
    with writing(path):
        if target.is_dir():
            raise DataError(f"cannot write {one_line(path)}: it is a folder; name a file in it")
        if _is_special(path):
            _require_special_writable(path)
            return
        if not target.parent.is_dir():
            raise DataError(
                f"cannot write {one_line(path)}: there is no folder {one_line(target.parent)}; create it first"
            )
        sweep(target.parent)
        tempfile.TemporaryFile(dir=target.parent).close()


def _require_special_writable(path: str | os.PathLike[str]) -> None:
    """Open a device; of a pipe only look at the permissions, for its reader would take the closing for the end."""
    if not stat.S_ISFIFO(os.stat(path).st_mode):
        open(path, "wb").close()
    elif not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


class ArrayFile:
    """A file that several threads write arrays to and read them from, at any position in bytes."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file, self._name = file, name  # unbuffered, and what messages call it
        self._lock = Lock()  # of the position; Windows has no pread

    def append(self, array: NDArray[Any]) -> None:
        """Write an array after all others."""
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
        """Close the file and return its contents as a read-only array, mapped: the file lasts as long as the array."""
        with self, writing(self._name):
            if self._file.seek(0, os.SEEK_END):
                return np.memmap(self._file, dtype, "r").view(np.ndarray)
            return np.frombuffer(b"", dtype)

    def close(self) -> None:
        """Close the file; a temporary one is gone."""
        self._file.close()

    def __enter__(self) -> ArrayFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def temporary_file(folder: str | os.PathLike[str] | None = None) -> ArrayFile:
    """Open an empty file in `folder` (default: the system's for such files) that has no name.

    The operating system removes it when it is closed and unmapped, however the process ends.
    """
    name = f"temporary files in {one_line(folder or tempfile.gettempdir())}"
    with writing(name):
        return ArrayFile(cast(BinaryIO, tempfile.TemporaryFile(dir=folder, buffering=0)), name)


def require_apart(
    inputs: Mapping[str, Iterable[str | os.PathLike[str] | None]], outputs: Mapping[str, str | os.PathLike[str] | None]
) -> None:
    """See that no output would replace an input or another output; devices and pipes take many.

    Parameters
    ----------
    inputs : mapping of str to paths
        What messages call them, and their files.
    outputs : mapping of str to path
        The same; what is None does not count.

    Raises
    ------
    SettingError
        If one would.
    """
    taken = {os.path.realpath(file): name for name, files in inputs.items() for file in files if file is not None}
    for name, path in outputs.items():
        if path is None:
            continue
        with writing(path):
            if _is_special(path) and not os.path.isdir(path):
                continue
        place = os.path.realpath(path)
        if place in taken:
            raise SettingError(f"{name} {one_line(path)} would replace {taken[place]}; name another file")
        taken[place] = f"the file of {name}"


@contextmanager
def temporary_folder(beside: str | os.PathLike[str] | None = None) -> Iterator[Path]:
    """A private folder in the folder `beside` (default: the system's), removed with its contents at the end.

    What killed runs left in `beside` is swept away first, see `sweep`.

    Raises
    ------
    DataError
        If it cannot be created.
    """
    try:
        place = tempfile.gettempdir() if beside is None else beside
        sweep(place)
        folder, lock = _make_folder(place)
    except OSError as error:
        named = one_line(beside or "the system's place for them")
        raise DataError(f"cannot write temporary files in {named}: {error.strerror or error}") from error
    with lock:
        try:
            yield folder
        finally:
            _remove_folder(folder)


def _make_folder(place: str | os.PathLike[str]) -> tuple[Path, AbstractContextManager[object]]:
    """A new folder in `place`, and its lock."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        with suppress(FileNotFoundError), open(folder / _LOCK, "xb") as file:
            lock = _lock_new(file, folder / _LOCK)
            if lock is not None:
                return folder, lock


def _remove_folder(folder: Path) -> None:
    """Remove a temporary folder; if that is cut short, what is left need not have its lock to be swept."""
    with suppress(OSError):  # Windows renames no folder that holds an open file
        folder = folder.rename(folder.with_name(folder.name.removesuffix(_DOOMED) + _DOOMED))
    shutil.rmtree(folder, ignore_errors=True)


def sweep(folder: str | os.PathLike[str]) -> None:
    """Remove what killed runs left in `folder`: temporary folders and half-written files that nobody has locked.

    A folder without a lock is just being made, or its maker was killed at that moment: it is removed when it is an
    hour old. On Windows nothing is locked, and what is a week old is removed unless it is in use. Whatever cannot be
    locked or removed stays where it is.
    """
    try:
        with os.scandir(folder) as entries:
            ours = [entry for entry in entries if entry.name.startswith(_PREFIX)]
    except OSError:
        return
    for entry in ours:
        path = Path(entry.path)
        with suppress(OSError):  # gone already, another user's, or on a file system without locks
            if entry.is_dir(follow_symlinks=False):
                _remove_if_left(path, path / _LOCK, _remove_folder)
            elif entry.is_file(follow_symlinks=False) and entry.name.endswith(_PART):
                _remove_if_left(path, path, os.unlink)


def _lock_new(file: BinaryIO, path: Path) -> AbstractContextManager[object] | None:
    """The lock of a file that was just made; None if a sweep was faster, and another must be made."""
    try:
        return _lock(file, path)
    except OSError:  # a file system without locks, where nothing is swept either
        return nullcontext()


def _is_stale(path: Path, seconds: float) -> bool:
    """Whether this was about to be removed, or was last changed so long ago."""
    return path.name.endswith(_DOOMED) or time.time() - os.lstat(path).st_mtime > seconds


if sys.platform == "win32":  # has no such locks, but removes no open file

    def _lock(file: BinaryIO, path: Path) -> AbstractContextManager[object] | None:
        """Nothing that would have to be closed before the file is renamed."""
        return nullcontext()

    def _remove_if_left(path: Path, lock: Path, remove: Callable[[Path], object]) -> None:
        """Remove `path` if it is old."""
        if _is_stale(path, _WEEK):
            remove(path)

else:
    import fcntl

    def _lock(file: BinaryIO, path: Path) -> AbstractContextManager[object] | None:
        """The lock of an open file, held until it is closed too; None if it is another's or no more at `path`."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(file.fileno()), os.lstat(path)):
                return None
        except (BlockingIOError, FileNotFoundError):
            return None
        return os.fdopen(os.dup(file.fileno()), "rb")  # a lock goes with the last handle of what was opened

    def _remove_if_left(path: Path, lock: Path, remove: Callable[[Path], object]) -> None:
        """Remove `path` if its lock can be taken, or if it has none and is old."""
        try:
            handle = os.open(lock, os.O_RDWR | os.O_NOFOLLOW)  # NFS locks only what could be written
        except FileNotFoundError:
            if _is_stale(path, _HOUR):
                remove(path)
            return
        with os.fdopen(handle, "rb") as file:
            taken = _lock(file, lock)
            if taken is not None:
                with taken:
                    remove(path)
