"""The first run, which has to wait for compilers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from embedtrain.machine.interrupts import deferred_interrupts
from embedtrain.machine.progress import say
from embedtrain.machine.threads import if_slow
from embedtrain.training.options import RunOptions


@contextmanager
def compiling(options: RunOptions) -> Iterator[None]:
    """Say what takes so long, if the block does; libraries lose interrupts while they compile."""
    shown = options.progress is not False
    with deferred_interrupts(), if_slow(lambda: say("compiling kernels, which is done once …", shown=shown)):
        yield
