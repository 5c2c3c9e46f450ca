"""Progress on standard error: a bar on a terminal, lines and warnings."""

from __future__ import annotations

import sys
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from embedtrain.errors import EmbedtrainWarning


class Progress:
    """A progress bar with speed and time left; silent unless `shown`."""

    def __init__(self, total: int | None, *, shown: bool, done: int = 0, unit: str = "words") -> None:
        self._bar: Any = None
        if shown:
            from tqdm import tqdm

            self._bar = tqdm(
                total=total,
                initial=done,
                unit=f" {unit}",
                unit_scale=True,
                file=sys.stderr,
                leave=False,
                mininterval=0.2,
                dynamic_ncols=True,
            )

    def update(self, units: int, **facts: str) -> None:
        """Advance the bar and show `facts` after it."""
        if self._bar is not None:
            self._bar.set_postfix(facts, refresh=False)
            self._bar.update(units)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()


def counted(n: int, what: str) -> str:
    """Format a number with its noun, as in "1 token" and "2,000 tokens"."""
    return f"{n:,} {what}{'s' * (n != 1)}"


def say(text: str, *, shown: bool = True) -> None:
    """Print a line on standard error."""
    if shown:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def note(text: str) -> None:
    """Issue a warning about the data."""
    warnings.warn(EmbedtrainWarning(text), stacklevel=3)


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
