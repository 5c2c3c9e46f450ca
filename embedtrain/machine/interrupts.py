"""Interrupts: Ctrl-C and similar signals, deferred where a block must finish."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from embedtrain.machine.threads import run_aside

_TERMINATIONS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
_INTERRUPTS = [signal.SIGINT, *_TERMINATIONS]


def terminate_as_interrupt() -> None:
    """Let SIGTERM and SIGHUP raise `KeyboardInterrupt` as Ctrl-C does, unless ignored (``nohup``) or handled already.

    Outside the main thread, this has no effect.
    """
    default = [number for number in _TERMINATIONS if signal.getsignal(number) is signal.SIG_DFL]
    _handle(default, signal.default_int_handler)


def act_on_signals(act: Callable[[int], object]) -> None:
    """Call a function in another thread when Ctrl-C or the like arrives, also while the main thread is in foreign code.

    Nothing is raised in the main thread. On Windows, this has no effect.
    """
    if os.name != "nt":
        raising = [number for number in _INTERRUPTS if signal.getsignal(number) is signal.default_int_handler]
        _handle(raising, lambda number, frame: None)
        arrived, written = os.pipe()
        os.set_blocking(written, False)
        signal.set_wakeup_fd(written, warn_on_full_buffer=False)
        run_aside(lambda: act(os.read(arrived, 1)[0]))


@contextmanager
def deferred_interrupts() -> Iterator[Callable[[], bool]]:
    """Defer `KeyboardInterrupt` to the end of the block; yields a function that returns whether a signal arrived.

    Once it has returned True, its caller handles the signal, and nothing is raised at the end. A second signal raises
    at once. Outside the main thread, where no signal arrives, this has no effect.
    """
    arrived = handled = 0

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal arrived
        arrived += 1
        if arrived > 1:
            raise KeyboardInterrupt

    def interrupted() -> bool:
        nonlocal handled
        handled = arrived
        return handled > 0

    deferred = [number for number in _INTERRUPTS if signal.getsignal(number) is signal.default_int_handler]
    try:
        _handle(deferred, note)
        yield interrupted
    finally:
        try:
            _handle(deferred, signal.default_int_handler)
        except KeyboardInterrupt:  # a signal arrived just now: restore the other handlers too
            arrived += 1
            _handle(deferred, signal.default_int_handler)
    if arrived > handled:
        raise KeyboardInterrupt


def _handle(numbers: Iterable[int], handler: Callable[[int, FrameType | None], object]) -> None:
    """Set a handler for signals; in other threads than the main one, Python refuses it."""
    with suppress(ValueError):
        for number in numbers:
            signal.signal(number, handler)
