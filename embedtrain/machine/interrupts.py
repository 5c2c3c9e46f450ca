"""Interrupts: Ctrl-C and similar signals, deferred where a block must finish."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_ENDINGS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
_INTERRUPTS = [signal.SIGINT, *_ENDINGS]


def terminate_as_interrupt() -> None:
    """Let SIGTERM, and SIGHUP where it exists, raise `KeyboardInterrupt` as Ctrl-C does.

    Signals that are ignored, as under ``nohup``, or that have a handler keep it. Outside the main thread, nothing is
    changed.
    """
    default = [number for number in _ENDINGS if signal.getsignal(number) is signal.SIG_DFL]
    _handle(default, signal.default_int_handler)


@contextmanager
def deferred_interrupts() -> Iterator[Callable[[], bool]]:
    """Defer interrupts until the block has ended; yields a function that tells whether one came.

    The first signal that would raise `KeyboardInterrupt` is only noted, a second one raises it at once. If the
    function has returned True, its caller handles the signal; otherwise `KeyboardInterrupt` is raised at the end of the
    block. Outside the main thread, where no signal arrives, nothing is deferred.
    """
    came = handled = 0

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal came
        came += 1
        if came > 1:
            raise KeyboardInterrupt

    def interrupted() -> bool:
        nonlocal handled
        handled = came
        return handled > 0

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
    if came > handled:
        raise KeyboardInterrupt


def _handle(numbers: Iterable[int], handler: Callable[[int, FrameType | None], object]) -> None:
    """Give signals a handler, in the main thread; in others Python refuses it."""
    with suppress(ValueError):
        for number in numbers:
            signal.signal(number, handler)
