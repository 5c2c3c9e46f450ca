"""Memory and disks: how much is free, and an error before more is taken."""

from __future__ import annotations

import mmap
import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from embedtrain.errors import SettingError, one_line

_SIZE = re.compile(r"\s*(\d+(?:\.\d*)?)\s*([kMGT]?i?)B?\s*", re.IGNORECASE)
_SIZE_SUFFIXES = {
    "": 1,
    "I": 1,
    **{f"{unit}{i}": base**power for power, unit in enumerate("KMGT", 1) for i, base in (("", 1000), ("I", 1024))},
}
_LEAST = 1_000_000  # bytes; a smaller number is taken for one without its unit
_GROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def available_memory() -> int:
    """Bytes that this process can allocate: free on the machine, and below its containers' limits."""
    import psutil  # slow to import, and not needed for queries

    return min([int(psutil.virtual_memory().available), *map(_left_in, _control_groups())])


def _control_groups() -> Iterator[Path]:
    """Yield the Linux control groups, of both versions, that may limit the memory of this process."""
    try:
        lines = _MEMBERSHIP.read_text().splitlines()
    except OSError:  # not on Linux
        return
    for line in lines:
        _, controllers, name = line.split(":", 2)
        if controllers in ("", "memory"):
            top = _GROUPS / controllers
            group = top / name.lstrip("/")
            yield from (folder for folder in (group, *group.parents) if folder == top or top in folder.parents)


def _left_in(group: Path) -> int:
    """Bytes left of the limit of a control group; `sys.maxsize` if it has none."""
    for limit, usage in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        try:
            left = int((group / limit).read_text()) - int((group / usage).read_text())
            statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):  # another version, no limit ("max"), or invisible from inside
            continue
        total = "total_" if "total_active_file" in statistics else ""  # includes subgroups
        pages_of_files = sum(int(statistics.get(f"{total}{kind}_file", 0)) for kind in ("inactive", "active"))
        return max(0, left + pages_of_files)  # Linux drops cached pages when memory is requested
    return sys.maxsize


def mapping_of(array: Any) -> mmap.mmap | None:
    """Return the memory map that holds an array, or None."""
    while array is not None:
        if isinstance(array, np.memmap):
            return array._mmap  # type: ignore[attr-defined]
        array = getattr(array, "base", None)
    return None


def release_pages(*arrays: Any) -> None:
    """Free the memory of arrays mapped from files; pages that are used again are read again."""
    for array in arrays:
        mapping = mapping_of(array)
        if mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
            mapping.madvise(mmap.MADV_DONTNEED)


def format_bytes(n: float) -> str:
    """Format a number of bytes, as 1.5 GB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if n < 1000:
            return f"{n:.0f} {unit}" if unit == "bytes" or n >= 100 else f"{n:.1f} {unit}"
        n /= 1000
    return f"{n:.1f} TB"


def parse_bytes(size: int | str, name: str) -> int:
    """Read the setting `name`: a number of bytes, or one with a unit, as in "500M", "1.5 GB" or "2GiB"."""
    match = _SIZE.fullmatch(str(size))
    n_bytes = float(match[1]) * _SIZE_SUFFIXES[(match[2] or "").upper()] if match else 0.0
    if not _LEAST <= n_bytes < 2**63:
        raise SettingError(f"`{name}` must be a size of at least {format_bytes(_LEAST)}, as 500M or 4G, got {size!r}")
    return int(n_bytes)


def require_disk(path: Path, needed: int, remedy: str) -> None:
    """Raise an error if the disk of an output has less than `needed` bytes free."""
    free = shutil.disk_usage(os.path.realpath(path.parent)).free
    if needed > free:
        sizes = f"takes {format_bytes(needed)} or more, {format_bytes(free)} are free"
        raise SettingError(f"{one_line(path)} {sizes} on its disk; {remedy}")


def require_memory(needed: int, purpose: str, remedy: str) -> None:
    """Raise an error if `needed` bytes are more than are available."""
    free = available_memory()
    if needed > free:
        raise SettingError(f"{purpose} need {format_bytes(needed)} of memory, {format_bytes(free)} are free; {remedy}")
