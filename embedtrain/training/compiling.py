"""Compile kernels before a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from embedtrain.machine.interrupts import deferred_interrupts
from embedtrain.machine.progress import say
from embedtrain.machine.threads import if_slow
from embedtrain.training.settings import TextSettings


@contextmanager
def compiling(settings: TextSettings) -> Iterator[None]:
    """Report a slow compilation, and defer interrupts, which libraries lose while they compile."""
    shown = settings.progress is not False
    with deferred_interrupts(), if_slow(lambda: say("compiling kernels, which is done once …", shown=shown)):
        yield
