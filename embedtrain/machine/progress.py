"""Reports on standard error and in the log `embedtrain`: lines, progress, warnings."""

from __future__ import annotations

import logging
import math
import os
import shutil
import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from textwrap import fill
from typing import Any, ClassVar, Literal, TypeAlias

from embedtrain.errors import EmbedtrainWarning, one_line

Shown: TypeAlias = Literal["bar", "lines", "none", ""]  # progress as a bar or as lines; no progress; not even reports

_LOG = logging.getLogger("embedtrain")
_REDRAWN, _LINE_EVERY = 0.5, 60.0  # seconds


def shown(progress: bool | str | None) -> Shown:
    """What to show for a setting of progress."""
    if progress is False:
        return ""
    if progress in ("bar", "lines", "none"):
        return progress
    if is_terminal(sys.stderr) or _is_notebook(sys.stderr):
        return "bar"
    return "" if progress is None and not _is_logged() else "lines"


def is_terminal(stream: Any) -> bool:
    """Whether a stream, which may be None or closed, is a terminal."""
    with suppress(AttributeError, ValueError):
        return bool(stream.isatty())
    return False


def _is_notebook(stream: Any) -> bool:
    """Whether a stream is shown in a notebook, which redraws a line as a terminal does, and wraps by itself."""
    return type(stream).__module__.startswith("ipykernel.")


def _columns(stream: Any) -> int:
    """The width of a terminal."""
    with suppress(AttributeError, OSError, ValueError):
        if columns := os.get_terminal_size(stream.fileno()).columns:
            return columns
    return shutil.get_terminal_size().columns


def wrapped(text: str, stream: Any) -> str:
    """Break a report at the width of a terminal, with an indent of the second column."""
    if not is_terminal(stream):
        return text
    return fill(text, _columns(stream), subsequent_indent=" " * 9, break_long_words=False, break_on_hyphens=False)


class Progress:
    """Progress of a stage: a bar, or a line every minute or tenth, whichever is later."""

    _drawn: ClassVar[int] = 0  # characters of the bar on the terminal

    def __init__(self, stage: str, total: int | None, *, shown: Shown, done: int = 0, unit: str = "words") -> None:
        self._stage, self._total, self._shown, self._unit = stage, total, shown, unit
        self._before = self._done = self._reported = done
        self._started = time.monotonic()
        self._last = self._started if shown == "lines" else -math.inf

    def update(self, units: int, **facts: str) -> None:
        """Advance, and report with the `facts`, the most important first."""
        self._done += units
        seconds, tenth = time.monotonic() - self._last, (self._total or 0) / 10
        if self._shown == "bar" and seconds >= _REDRAWN:
            text = self._line(_columns(sys.stderr) - 1, facts)
            _write("\r" + text.ljust(Progress._drawn))
            Progress._drawn = len(text)
        elif self._shown == "lines" and seconds >= _LINE_EVERY and self._done - self._reported >= tenth:
            say(self._line(1000, facts))
        else:
            return
        self._last, self._reported = time.monotonic(), self._done

    def _line(self, width: int, facts: dict[str, str]) -> str:
        """As much as fits into a width."""
        speed = (self._done - self._before) / max(time.monotonic() - self._started, 1e-9)
        parts = [f"{_short(self._done)} {self._unit}"]
        if self._total:
            share = min(1.0, self._done / self._total)
            parts = [f"{share:4.0%}", f"{_duration((self._total - self._done) / max(speed, 1e-9))} left"]
            if width >= 60:
                parts[0] = f"[{'#' * int(10 * share):-<10}] {parts[0]}"
        line = f"{self._stage:8}"
        for part in (*parts, *(f"{name} {value}" for name, value in facts.items()), f"{_short(speed)} {self._unit}/s"):
            if len(line) + 2 + len(part) <= width:
                line += "  " + part
        return line

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        erase_bar()


def erase_bar() -> None:
    """Remove the bar, before something else is printed."""
    if Progress._drawn:
        _write("\r" + " " * Progress._drawn + "\r")
        Progress._drawn = 0


def _short(number: float) -> str:
    """Format a number in few characters, as in "1.25M"."""
    for size, suffix in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g}{suffix}"
    return f"{number:.0f}"


def _duration(seconds: float) -> str:
    """Format a time as in "1:02" or "1:00:02"."""
    minutes, hours = int(seconds) // 60, int(seconds) // 3600
    return f"{hours}:{minutes % 60:02}:{int(seconds) % 60:02}" if hours else f"{minutes}:{int(seconds) % 60:02}"


def counted(n: int, what: str) -> str:
    """Format a number with its noun, as in "1 token" and "2,000 tokens"."""
    return f"{n:,} {what}{'s' * (n != 1)}"


def listed(words: Iterable[str], conjunction: str = "and") -> str:
    """Join words, as in "a, b and c"."""
    *first, last = words
    return f"{', '.join(first)} {conjunction} {last}" if first else last


def _is_logged() -> bool:
    return _LOG.isEnabledFor(logging.INFO) and _LOG.hasHandlers()


def say(text: str, *, shown: object = True, wrap: bool = True) -> None:
    """Report a line: to the log if the user has one, otherwise on standard error."""
    erase_bar()
    text = one_line(text)
    if _is_logged():
        _LOG.info(text)
    elif shown:
        _write((wrapped(text, sys.stderr) if wrap else text) + "\n")


def _write(text: str) -> None:
    """Write to standard error, which may be missing or closed, as in a service."""
    with suppress(AttributeError, OSError, ValueError):
        sys.stderr.write(text)
        sys.stderr.flush()


def note(*texts: str) -> None:
    """Issue warnings about the data, at the line that called the package."""
    erase_bar()
    level, frame = 1, sys._getframe()
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in ("embedtrain", "contextlib"):
        level, frame = level + 1, frame.f_back
    for text in texts:
        warnings.warn(EmbedtrainWarning(text), stacklevel=level)


class Stopwatch:
    """Measures seconds by stage: ``with stopwatch("read"): …`` adds to a stage."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Add the time of the block to a stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] += time.perf_counter() - started
