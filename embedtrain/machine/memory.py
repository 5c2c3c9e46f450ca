"""Memory: what is free, and a refusal before more is taken."""

from __future__ import annotations

import mmap
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from embedtrain.errors import SettingError

_SIZE = re.compile(r"\s*(\d+(?:\.\d*)?)\s*([kMGT]?i?)B?\s*", re.IGNORECASE)
_UNITS = {
    "": 1,
    "I": 1,
    **{f"{unit}{i}": base**power for power, unit in enumerate("KMGT", 1) for i, base in (("", 1000), ("I", 1024))},
}
_LEAST = 1_000_000  # bytes: less is a number whose unit was forgotten
_GROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def available_memory() -> int:
    """Bytes that this process can still take: the machine's, or what is left of its containers' limits."""
    return min([int(psutil.virtual_memory().available), *map(_left_in, _control_groups())])


def _control_groups() -> Iterator[Path]:
    """The control groups of Linux that this process is in and that may limit its memory, of both versions."""
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
    """What is left of the limit of a control group; very much if it has none."""
    for limit, usage in (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes")):
        try:
            left = int((group / limit).read_text()) - int((group / usage).read_text())
            statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):  # another version, no limit ("max"), or not to be seen from in here
            continue
        total = "total_" if "total_active_file" in statistics else ""  # with the groups inside
        pages_of_files = sum(int(statistics.get(f"{total}{kind}_file", 0)) for kind in ("inactive", "active"))
        return max(0, left + pages_of_files)  # which are dropped when memory is asked for
    return sys.maxsize


def mapping_of(array: Any) -> mmap.mmap | None:
    """The map of a file that an array lies in, if it does."""
    while array is not None:
        if isinstance(array, np.memmap):
            return array._mmap  # type: ignore[attr-defined]
        array = getattr(array, "base", None)
    return None


def release_pages(*arrays: Any) -> None:
    """Give back the memory that arrays mapped from files have come to; what is asked for again is read again."""
    for array in arrays:
        mapping = mapping_of(array)
        if mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
            mapping.madvise(mmap.MADV_DONTNEED)


def format_bytes(n: float) -> str:
    """`n` bytes for people: 1.5 GB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if n < 1000:
            return f"{n:.0f} {unit}" if unit == "bytes" or n >= 100 else f"{n:.1f} {unit}"
        n /= 1000
    return f"{n:.1f} TB"


def parse_bytes(size: int | str, name: str) -> int:
    """The bytes that a setting asks for: a number of them, or one with a unit, as in "500M", "1.5 GB" or "2GiB".

    Raises
    ------
    SettingError
        If it is neither, or too little to be meant; the setting is called `name`.
    """
    match = _SIZE.fullmatch(str(size))
    n_bytes = float(match[1]) * _UNITS[(match[2] or "").upper()] if match else 0.0
    if not _LEAST <= n_bytes < 2**63:
        raise SettingError(f"{name} must be a size of at least {format_bytes(_LEAST)}, as 500M or 4G, got {size!r}")
    return int(n_bytes)


def require_memory(needed: int, purpose: str, remedy: str) -> None:
    """Refuse what does not fit.

    Raises
    ------
    SettingError
        If `needed` bytes are more than are available.
    """
    free = available_memory()
    if needed > free:
        raise SettingError(f"{purpose} need {format_bytes(needed)} of memory, {format_bytes(free)} are free; {remedy}")
