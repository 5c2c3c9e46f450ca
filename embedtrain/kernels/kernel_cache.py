"""Cache of compiled kernels: a folder of the user, shared by all installations with the same kernels and Numba.

Numba caches beside the sources, for one installation, and its classes of caches are private to it.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import FunctionType
from typing import Any

import numba
from numba.core import caching, config
from numba.core.cpu import CPUTargetOptions

_KEPT = 10  # folders of other sources or versions of Numba, the last used; some megabytes each
UNSAVED: list[str] = []  # folders in which compiled code cannot be saved, each with the reason


def _sources() -> str:
    """Digest of all kernel sources; Numba's own cache key depends only on the file that a kernel is in."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


SOURCES = _sources()


def _user_folder() -> Path:
    """The folder of the user's caches on this platform, which `NUMBA_CACHE_DIR` replaces."""
    if config.CACHE_DIR:
        return Path(config.CACHE_DIR)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


@cache
def kernel_folder() -> Path | None:
    """The folder of these kernels, which exists; None if it cannot be written, or the user has no home folder."""
    try:
        folder = _user_folder() / "embedtrain" / f"kernels-{SOURCES[:16]}-numba-{numba.__version__}"
        is_new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    with suppress(OSError):
        os.utime(folder)
        if is_new:
            _remove_oldest(folder.parent)
    return folder if os.access(folder, os.W_OK) else None


def _remove_oldest(parent: Path) -> None:
    """Remove all but the last used folders of kernels."""
    by_use = sorted(parent.glob("kernels-*"), key=lambda folder: folder.stat().st_mtime, reverse=True)
    for folder in by_use[_KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)


class _Locator(caching._CacheLocator):  # type: ignore[misc]  # Numba has no types
    """Place of the files of a kernel."""

    def __init__(self, function: FunctionType, path: str) -> None:
        self._module, self._py_file = function.__module__, path

    @classmethod
    def from_function(cls, function: FunctionType, path: str) -> _Locator | None:
        """Make a locator, or None without a folder or for functions that `SOURCES` do not cover: Numba has others."""
        is_covered = Path(path).is_relative_to(Path(__file__).parent)
        return cls(function, path) if is_covered and kernel_folder() else None

    def ensure_cache_path(self) -> None:
        os.makedirs(self.get_cache_path(), exist_ok=True)

    def get_cache_path(self) -> str:
        return str(kernel_folder())

    def get_source_stamp(self) -> str:
        return SOURCES

    def get_disambiguator(self) -> str:
        return self._module


class _Files(caching.CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Locator, *caching.CompileResultCacheImpl._locator_classes)


class _CacheFile(caching.IndexDataCacheFile):  # type: ignore[misc]
    """Compiled code, in a file for each signature: the digest of the rest, and a pickle.

    Numba's own files have no digest: a damaged one raises any exception, or runs as code.
    """

    def _path(self, key: Any) -> str:
        base = self._index_path.removesuffix(".nbi")
        whole = repr((numba.__version__, key))  # the key includes `SOURCES`
        return f"{base}.{hashlib.sha256(whole.encode()).hexdigest()[:16]}.nbc"

    def load(self, key: Any) -> Any:
        """Load what was saved under a key, or None, also if its file is damaged: it is compiled and saved again."""
        try:
            content = Path(self._path(key)).read_bytes()
        except OSError:
            return None
        digest, data = content[:32], content[32:]
        return pickle.loads(data) if hashlib.sha256(data).digest() == digest else None

    def save(self, key: Any, data: Any) -> None:
        content = self._dump(data)
        with self._open_for_write(self._path(key)) as file:
            file.write(hashlib.sha256(content).digest() + content)


class KernelCache(caching.FunctionCache):  # type: ignore[misc]
    """The cache of a kernel; raises `RuntimeError` if no folder can be written."""

    _impl_class = _Files

    def __init__(self, function: FunctionType) -> None:
        super().__init__(function)
        self._cache_file = _CacheFile(self.cache_path, self._impl.filename_base, SOURCES)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Load compiled code, or return None.

        Numba first prepares to compile, which takes a third of the start of a command, imports SciPy's linear algebra
        among others, and matters only to code that counts references.
        """
        if not hasattr(CPUTargetOptions, "_nrt"):
            target_context.refresh()
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save compiled code if possible; on a full disk the next process compiles again."""
        try:
            super().save_overload(sig, data)
        except OSError as error:
            UNSAVED.append(f"{self.cache_path}: {error.strerror or error}")
