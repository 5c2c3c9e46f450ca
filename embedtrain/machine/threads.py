"""Threads: how many, and one loop that gives them work. Nothing else in the package starts a thread.

Kernels release the interpreter lock, so Python threads run them side by side; the loop below stays in the
calling thread, where Ctrl-C arrives, and sees a result as soon as it is there.
"""

from __future__ import annotations

import math
import os
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from embedtrain.errors import SettingError

Task = TypeVar("Task")
Result = TypeVar("Result")

_WAIT = 0.1  # seconds; an untimed wait cannot be interrupted on every platform


class _Done:
    """A worker found no more tasks."""


@dataclass
class _Failure:
    error: BaseException


_DONE = _Done()


def available_threads() -> int:
    """Processors that this process may use: the machine's, less its affinity and its container's quota."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        count = os.cpu_count() or 1
    return max(1, min(count, _container_quota()))


def _container_quota() -> int:
    """Whole processors that a Linux container is limited to; large without a limit."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return math.ceil(int(quota) / int(period))
    except (OSError, ValueError):  # no container, or "max"
        return 1 << 16


def resolve_threads(threads: int | None) -> int:
    """Check the setting `threads`; None and 0 mean all that are available.

    Raises
    ------
    SettingError
        If `threads` is negative.
    """
    if threads is not None and threads < 0:
        raise SettingError(f"threads must be at least 0, got {threads}; 0 uses all {available_threads()} available")
    return threads or available_threads()


def run_tasks(workers: Sequence[Callable[[Task], Result]], tasks: Iterable[Task]) -> Generator[Result, None, None]:
    """Let every worker call itself on the next task, in a thread each, and yield the results as they come.

    Tasks are drawn one at a time, under a lock, when a worker is free. With one worker all happens in the
    calling thread. The first exception of a worker, or of `tasks`, is raised here; then, or when the iterator
    is closed, workers stop after the task they are at.
    """
    if len(workers) == 1:
        for task in tasks:
            yield workers[0](task)
        return

    remaining, lock, stop = iter(tasks), threading.Lock(), threading.Event()
    outcomes: queue.SimpleQueue[Result | _Done | _Failure] = queue.SimpleQueue()
    threads = [
        threading.Thread(target=_work, args=(worker, remaining, lock, stop, outcomes), daemon=True)
        for worker in workers
    ]
    for thread in threads:
        thread.start()
    running = len(threads)
    try:
        while running:
            try:
                outcome = outcomes.get(timeout=_WAIT)
            except queue.Empty:
                continue
            if isinstance(outcome, _Failure):
                raise outcome.error
            if isinstance(outcome, _Done):
                running -= 1
            else:
                yield outcome
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _work(
    worker: Callable[[Task], Result],
    remaining: Iterator[Task],
    lock: threading.Lock,
    stop: threading.Event,
    outcomes: queue.SimpleQueue[Result | _Done | _Failure],
) -> None:
    """What a thread does: task after task, until there are none or it is told to stop."""
    try:
        while not stop.is_set():
            with lock:
                task = next(remaining, _DONE)
            if isinstance(task, _Done):
                break
            outcomes.put(worker(task))
        outcomes.put(_DONE)
    except BaseException as error:  # raised again in the calling thread
        stop.set()
        outcomes.put(_Failure(error))


def in_order(numbered: Iterable[tuple[int, Result]]) -> Iterator[Result]:
    """The results of numbered tasks in the order of their numbers 0, 1, 2, …, each as soon as its turn has come."""
    waiting: dict[int, Result] = {}
    turn = 0
    for number, result in numbered:
        waiting[number] = result
        while turn in waiting:
            yield waiting.pop(turn)
            turn += 1


@contextmanager
def if_slow(action: Callable[[], None], seconds: float = 1.0) -> Iterator[None]:
    """Call `action` if the block is still at work after `seconds`."""
    timer = threading.Timer(seconds, action)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
