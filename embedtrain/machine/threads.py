"""Threads: how many, and one loop that gives them work. Nothing else in the package starts a thread.

Kernels release the interpreter lock, so Python threads run them side by side; the loop below stays in the
calling thread, where Ctrl-C arrives, and sees a result as soon as it is there.
"""

from __future__ import annotations

import math
import os
import queue
import threading
import time
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from threading import Lock as Lock
from typing import Generic, TypeVar

from embedtrain.errors import SettingError

Task = TypeVar("Task")
Result = TypeVar("Result")

_WAIT = 0.1  # seconds; an untimed wait cannot be interrupted on every platform
_AHEAD = 4  # results of each worker that may wait to be taken
_GRACE = 0.5  # seconds; a task that is not drawn by then may never be, as from a pipe that stays open


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
    if threads is not None and (not isinstance(threads, Integral) or threads < 0):
        raise SettingError(
            f"threads must be a whole number of at least 0, got {threads!r}; 0 uses all {available_threads()} available"
        )
    return int(threads or available_threads())


def run_tasks(
    workers: Sequence[Callable[[Task], Result]],
    tasks: Iterable[Task],
    *,
    left: Callable[[Task], object] = lambda task: None,
) -> Generator[Result, None, None]:
    """Let every worker call itself on the next task, in a thread each, and yield the results as they come.

    Tasks are drawn one at a time, under a lock, when a worker is free and its last results were taken. With one worker
    all happens in the calling thread. The first exception of a worker, or of `tasks`, is raised here; then, or when
    the iterator is closed, workers stop after the task they are at, and what one of them is still drawing is not done:
    `left` is called with it.
    """
    if len(workers) == 1:
        for task in tasks:
            yield workers[0](task)
        return

    shop: _Workshop[Task, Result] = _Workshop(iter(tasks), left, room=_AHEAD * len(workers))
    threads = [threading.Thread(target=shop.work, args=(worker,), daemon=True) for worker in workers]
    try:
        for thread in threads:
            thread.start()
        running = len(threads)
        while running:
            try:
                outcome = shop.outcomes.get(timeout=_WAIT)
            except queue.Empty:
                continue
            if isinstance(outcome, _Failure):
                raise outcome.error
            if isinstance(outcome, _Done):
                running -= 1
            else:
                yield outcome
                shop.room.release()
    finally:
        shop.stop.set()
        patient_until = time.monotonic() + _GRACE
        for thread in threads:
            while thread.is_alive() and (shop.drawing is not thread or time.monotonic() < patient_until):
                thread.join(_WAIT)


def run_all(workers: Sequence[Callable[[int], object]], n: int) -> None:
    """Let the workers do tasks 0 to n - 1."""
    for _ in run_tasks(workers, range(n)):
        pass


class _Done:
    """A worker found no more tasks."""


@dataclass
class _Failure:
    error: BaseException


class _Workshop(Generic[Task, Result]):
    """What the threads of `run_tasks` share."""

    def __init__(self, tasks: Iterator[Task], left: Callable[[Task], object], room: int) -> None:
        self.tasks, self.left, self.lock = tasks, left, threading.Lock()
        self.stop = threading.Event()
        self.drawing: threading.Thread | None = None  # it does no more work if it sees `stop` afterwards
        self.room = threading.Semaphore(room)  # for results that nobody took yet
        self.outcomes: queue.SimpleQueue[Result | _Done | _Failure] = queue.SimpleQueue()

    def work(self, worker: Callable[[Task], Result]) -> None:
        """Do task after task, until there are none or it is time to stop."""
        try:
            while not self.stop.is_set():
                if not self.room.acquire(timeout=_WAIT):
                    continue
                while not self.lock.acquire(timeout=_WAIT):  # whoever has it may be waiting for text
                    if self.stop.is_set():
                        return
                try:
                    if self.stop.is_set():
                        return
                    self.drawing = threading.current_thread()
                    task = next(self.tasks)
                except StopIteration:
                    break
                finally:
                    self.drawing = None
                    self.lock.release()
                if self.stop.is_set():
                    self.left(task)
                else:
                    self.outcomes.put(worker(task))
            self.outcomes.put(_Done())
        except BaseException as error:  # raised again in the calling thread
            self.stop.set()
            self.outcomes.put(_Failure(error))


class Turns(Generic[Task]):
    """Lets tasks start in one order, each when all earlier ones that share something with it are done.

    So what is shared is touched in the same order by any number of threads.

    Parameters
    ----------
    shares : callable
        What a task touches that only one may touch at a time.
    """

    def __init__(self, shares: Callable[[Task], Iterable[Hashable]]) -> None:
        self._shares = shares
        self._changed = threading.Condition()
        self._taken: set[Hashable] = set()

    def draw(self, tasks: Iterable[Task]) -> Iterator[Task]:
        """The tasks in their order, drawn by one thread at a time, who waits until the next may start.

        Every task that is drawn and begun must be ended by `done`, whatever happens to it.
        """
        self._taken.clear()
        for task in tasks:
            wanted = set(self._shares(task))
            with self._changed:
                while not self._taken.isdisjoint(wanted):
                    self._changed.wait()
                self._taken |= wanted
            yield task

    def done(self, task: Task) -> None:
        """Give free what a task had taken."""
        with self._changed:
            self._taken.difference_update(self._shares(task))
            self._changed.notify_all()


def read_ahead(items: Iterable[Task], n: int = _AHEAD) -> Generator[Task, None, None]:
    """The items, drawn in a thread of their own, up to `n` before they are asked for.

    Drawing must not be able to wait for ever: at the end, the thread is waited for.
    """
    shelf: queue.Queue[Task | _Done | _Failure] = queue.Queue(n)
    stop = threading.Event()
    thread = threading.Thread(target=_draw, args=(items, shelf, stop), daemon=True)
    thread.start()
    try:
        while True:
            try:
                item = shelf.get(timeout=_WAIT)
            except queue.Empty:
                continue
            if isinstance(item, _Done):
                return
            if isinstance(item, _Failure):
                raise item.error
            yield item
    finally:
        stop.set()
        thread.join()


def _draw(items: Iterable[Task], shelf: queue.Queue[Task | _Done | _Failure], stop: threading.Event) -> None:
    """Put item after item on the shelf where there is room, until there are none or it is time to stop."""

    def put(item: Task | _Done | _Failure) -> None:
        while not stop.is_set():
            with suppress(queue.Full):
                return shelf.put(item, timeout=_WAIT)

    try:
        for item in items:
            put(item)
            if stop.is_set():
                return
        put(_Done())
    except BaseException as error:  # raised again where the items are asked for
        put(_Failure(error))


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
