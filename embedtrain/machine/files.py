"""Files: errors that name the path, and outputs that are whole or absent."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, cast

from embedtrain.errors import DataError, SettingError, one_line
from embedtrain.machine.progress import note

STDIN = Path("-")  # a file of this name goes by its absolute path
_PREFIX = ".embedtrain-"  # of temporary files and folders
_PART = ".part"  # suffix of a file that is being written
_VISIBLE = "embedtrain-"  # of folders for results that could not take their name
_OLD = 7 * 24 * 3600.0  # seconds after which a temporary file counts as left by a killed run


def source_name(path: Path) -> str:
    """Format the name of an input file for a message."""
    return "standard input" if path == STDIN else one_line(path)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn an operating system's error in the block into "cannot read PATH"."""
    try:
        yield
    except OSError as error:
        reason = "no such file" if isinstance(error, FileNotFoundError) else error.strerror or str(error)
        raise DataError(f"cannot read {source_name(path)[:200]}: {reason}{path_hint(path)}") from error


def note_repeated(paths: Iterable[Path]) -> None:
    """Note which files to be added up are given more than once."""
    for path, n in Counter(map(os.path.realpath, paths)).items():
        if n > 1:
            note(f"{one_line(path)} is given {n} times; its counts are added {n} times")


def path_hint(path: Path) -> str:
    """Return a hint for users who passed text where a path is expected."""
    return "; a str is a path, text in memory is a list of lines" if len(str(path).split()) > 1 else ""


def open_source(path: Path) -> Any:
    """Open a file or standard input in binary mode."""
    if path == STDIN:
        if sys.stdin is None:
            raise DataError("cannot read standard input: it is closed")
        return open(cast(int, sys.stdin.fileno()), "rb", closefd=False)
    return open(path, "rb")


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file to read; a pipe or device, whose reading may have no end, is an error."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError("it is not a regular file; save its contents to one")
    return open(path, "rb")


def read_regular(path: str | os.PathLike[str]) -> bytes:
    """Return the contents of a regular file, see `open_regular`."""
    with open_regular(path) as file:
        return file.read()


@contextmanager
def writing(path: str | os.PathLike[str]) -> Iterator[None]:
    """Turn an operating system's error in the block into "cannot write PATH"."""
    try:
        yield
    except OSError as error:
        raise DataError(f"cannot write {one_line(path)}: {error.strerror or error}") from error


@contextmanager
def atomic_file(path: str | os.PathLike[str], *, durable: bool = False) -> Iterator[BinaryIO]:
    """Open a binary file that replaces `path` when the block ends, and is removed if the block raises.

    With `durable`, data and name are synced to the disk: a power cut leaves the old file or the new one. Devices and
    pipes are written directly. A file that cannot be replaced is overwritten at the end.
    """
    target = Path(os.path.realpath(path))  # a link stays, its target is replaced
    with writing(path):
        if is_stream(path) or os.path.isdir(path):  # opening a folder raises
            with open(path, "wb") as stream:
                yield stream
            return
        name = target.parent / f"{_PREFIX}{secrets.token_hex(8)}{_PART}"
        mode = stat.S_IMODE(target.stat().st_mode) & 0o777 if target.exists() else None
        try:
            with open(name, "xb", opener=partial(os.open, mode=0o666 if mode is None else mode)) as file:
                yield file
                with suppress(PermissionError):  # some file systems refuse it
                    if mode is not None:  # which the umask may have cut
                        os.chmod(name, mode)
                if durable:
                    file.flush()
                    os.fsync(file.fileno())
            _put(name, target, lambda: os.replace(name, target), lambda: _overwrite(name, target, durable))
        finally:
            name.unlink(missing_ok=True)
        if durable:
            _sync_folder(target.parent)


@contextmanager
def atomic_folder(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Make a folder that replaces `path` when the block ends, and is removed if the block raises."""
    target = Path(os.path.realpath(path))
    with writing(path):
        temporary = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=target.parent))
        new, old = temporary / "new" / target.name, temporary / "old"
        try:
            new.mkdir(parents=True)
            yield new

            def replace() -> None:
                with suppress(FileNotFoundError):
                    new.chmod(stat.S_IMODE(target.stat().st_mode))
                    target.rename(old)  # if the run is killed here, `remove_leftovers` renames the new one
                new.rename(target)

            _put(new, target, replace, lambda: _overwrite_folder(new, target))
        finally:
            if old.exists() and not target.exists():
                old.rename(target)
            shutil.rmtree(temporary, ignore_errors=True)


def _put(new: Path, target: Path, replace: Callable[[], None], overwrite: Callable[[], None]) -> None:
    """Replace `target` by the finished `new`, or overwrite it; failing that, keep `new` under a visible name."""
    try:
        replace()
    except OSError as error:
        try:
            if error.errno not in (errno.EBUSY, errno.EPERM):  # mounted; another user's in a sticky folder
                raise
            overwrite()
        except BaseException as error:  # an interrupt may leave half of it
            with place_to_keep(target, target.parent) as kept:
                new.rename(kept)
            if not isinstance(error, OSError):
                raise
            reason = error.strerror or error
            raise DataError(f"cannot write {one_line(target)}: {reason}; the new one is {one_line(kept)}") from None


@contextmanager
def place_to_keep(path: Path, folder: Path | None = None) -> Iterator[Path]:
    """Make a visible folder in `folder`, by default the temporary one, and yield a path of the same name in it."""
    place = tempfile.mkdtemp(prefix=_VISIBLE, dir=folder)
    try:
        yield Path(place, path.name)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def _overwrite(new: Path, target: Path, durable: bool) -> None:
    with open(new, "rb") as source, open(target, "r+b") as file:
        shutil.copyfileobj(source, file)
        file.truncate()
        if durable:
            file.flush()
            os.fsync(file.fileno())


def _overwrite_folder(new: Path, target: Path) -> None:
    for name in set(os.listdir(target)) - set(os.listdir(new)):
        os.unlink(target / name)
    for name in os.listdir(new):
        shutil.copyfile(new / name, target / name)


def remove_leftovers(folder: str | os.PathLike[str]) -> None:
    """Remove unfinished files and folders that killed runs left in `folder` a week ago or earlier."""
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            is_ours = entry.name.startswith(_PREFIX)
            with suppress(OSError):  # removed by another run, or owned by another user
                if is_ours and time.time() - entry.stat(follow_symlinks=False).st_mtime > _OLD:
                    if entry.is_dir(follow_symlinks=False):
                        _finish_replacing(Path(entry.path))
                        shutil.rmtree(entry.path, ignore_errors=True)
                    elif entry.is_file(follow_symlinks=False) and entry.name.endswith(_PART):
                        os.unlink(entry.path)


def _finish_replacing(temporary: Path) -> None:
    """Put a new folder where the old one was, if a run was killed between `atomic_folder`'s renames."""
    if (temporary / "old").exists():
        for new in (temporary / "new").iterdir():
            with suppress(OSError):  # there is another one now
                new.rename(temporary.parent / new.name)


def _sync_folder(folder: Path) -> None:
    """Sync the names in a folder to the disk."""
    with suppress(OSError):  # not on Windows, nor on some file systems
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def is_stream(path: str | os.PathLike[str]) -> bool:
    """Whether this is a device, a pipe or the like, also behind a link such as /dev/stdout."""
    try:
        mode = os.stat(path).st_mode
        return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))
    except (FileNotFoundError, NotADirectoryError):
        return False


def require_writable(path: str | os.PathLike[str]) -> None:
    """Check that a file `path` can be written, without creating it."""
    target = Path(os.path.realpath(path))
    with writing(path):
        if target.is_dir():
            raise DataError(f"cannot write {one_line(path)}: it is a folder; name a file in it")
        if is_stream(path):
            _require_stream_writable(path)
            return
        require_folder_writable(path)
        if target.exists():
            _require_replaceable(target)


def require_folder_writable(path: str | os.PathLike[str]) -> None:
    """Check that files can be created beside `path`."""
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise DataError(f"cannot write {one_line(path)}: there is no folder {one_line(folder)}; create it first")
    with writing(path):
        remove_leftovers(folder)
        tempfile.TemporaryFile(dir=folder).close()


def _require_replaceable(path: Path) -> None:
    """Check that a file can be overwritten or, if only its permissions forbid that, replaced."""
    try:
        open(path, "r+b").close()
    except OSError as error:
        folder = path.parent.stat()
        if error.errno != errno.EACCES:  # it cannot be changed, or is mounted read-only
            raise
        if folder.st_mode & stat.S_ISVTX and os.geteuid() not in (0, folder.st_uid, path.stat().st_uid):
            raise


def _require_stream_writable(path: str | os.PathLike[str]) -> None:
    """Open a device; check only the permissions of a pipe, whose reader would see the end when it is closed."""
    if not stat.S_ISFIFO(os.stat(path).st_mode):
        open(path, "wb").close()
    elif not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def check_distinct_paths(
    inputs: Mapping[str, Iterable[str | os.PathLike[str] | None]], outputs: Mapping[str, str | os.PathLike[str] | None]
) -> None:
    """Check that no output replaces an input or another output; keys name them in messages, None is skipped.

    Devices and pipes may be given more than once.
    """
    taken = {os.path.realpath(file): name for name, files in inputs.items() for file in files if file is not None}
    for name, path in outputs.items():
        if path is None:
            continue
        with writing(path):
            if is_stream(path):
                continue
        real = os.path.realpath(path)
        if real in taken:
            raise SettingError(f"{name} {one_line(path)} would replace {taken[real]}; name another file")
        taken[real] = f"the file of {name}"
