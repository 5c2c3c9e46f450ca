"""Memory: what is free, and a refusal before more is taken."""

from __future__ import annotations

from pathlib import Path

import psutil

from embedtrain.errors import SettingError


def available_memory() -> int:
    """Bytes that this process can still take: the machine's, or what is left of its container's limit."""
    free = int(psutil.virtual_memory().available)
    group = Path("/sys/fs/cgroup")
    try:
        limit = int((group / "memory.max").read_text())
        used = int((group / "memory.current").read_text())
        statistics = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        used -= int(statistics.get("inactive_file", 0))  # pages of files, dropped when memory is asked for
    except (OSError, ValueError):  # no container, or "max"
        return free
    return min(free, max(0, limit - used))


def format_bytes(n: float) -> str:
    """`n` bytes for people: 1.5 GB."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if n < 1000:
            return f"{n:.0f} {unit}" if unit == "bytes" or n >= 100 else f"{n:.1f} {unit}"
        n /= 1000
    return f"{n:.1f} TB"


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
