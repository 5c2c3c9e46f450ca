"""Interrupts: Ctrl-C and its relatives, and what they must not cut in two."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_ENDINGS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
_INTERRUPTS = [signal.SIGINT, *_ENDINGS]


def terminate_as_interrupt() -> None:
    """Let SIGTERM, and SIGHUP where it exists, raise `KeyboardInterrupt` as Ctrl-C does.

    Signals that are ignored, as under ``nohup``, or that have a handler stay as they are; so does everything outside
    the main thread.
    """
    default = [number for number in _ENDINGS if signal.getsignal(number) is signal.SIG_DFL]
    _handle(default, signal.default_int_handler)


@contextmanager
def deferred_interrupts() -> Iterator[Callable[[], bool]]:
    """Let the block finish what an interrupt would cut in two; yields a function that says whether one came.

    The first signal that would raise `KeyboardInterrupt` is only noted, a second one raises it at once. Who asks
    and hears of a signal takes it over; of what nobody heard, `KeyboardInterrupt` is raised when the block has ended.
    Outside the main thread, where no signal arrives, nothing is deferred.
    """
    came = heard = 0

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came += 1
        if came > 1:
            raise KeyboardInterrupt

    def interrupted() -> bool:
        nonlocal heard
        heard = came
        return heard > 0

    deferred = [number for number in _INTERRUPTS if signal.getsignal(number) is signal.default_int_handler]
    try:
        _handle(deferred, note)
        yield interrupted
    finally:
        try:
            _handle(deferred, signal.default_int_handler)
        except KeyboardInterrupt:  # of a signal at this very moment: the others must be restored too
            came += 1
            _handle(deferred, signal.default_int_handler)
    if came > heard:
        raise KeyboardInterrupt


def _handle(numbers: Iterable[int], handler: Callable[[int, FrameType | None], object]) -> None:
    """Give signals a handler, in the main thread; in others Python refuses it."""
    with suppress(ValueError):
        for number in numbers:
            signal.signal(number, handler)
