"""Threads: how many there are, and a loop that gives them tasks. No other module starts a thread.

Kernels release the interpreter lock, so Python threads run them in parallel. The loop runs in the calling thread,
where Ctrl-C arrives.
"""

from __future__ import annotations

import math
import os
import queue
import threading
import time
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from numbers import Integral
from pathlib import Path
from threading import Lock as Lock
from typing import Generic, TypeVar

from embedtrain.errors import SettingError

Task = TypeVar("Task")
Result = TypeVar("Result")

MOST_THREADS = 1024
_WAIT = 0.1  # seconds; an untimed wait cannot be interrupted on every platform
_AHEAD = 4  # results of each worker that may wait
_WAITING = 64  # tasks that wait for others, while later ones start
_GRACE = 0.5  # seconds to wait at the end for a task being fetched, perhaps from a pipe that stays open


def available_threads() -> int:
    """Count the processors that this process may use, by its affinity and its container's quota."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        count = os.cpu_count() or 1
    return max(1, min(count, _container_quota(), MOST_THREADS))


def _container_quota() -> int:
    """Count the processors that a Linux container may use; large without a limit."""
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return math.ceil(int(quota) / int(period))
    except (OSError, ValueError):  # no container, or "max"
        return 1 << 16


def resolve_threads(threads: int | None) -> int:
    """Check the setting `threads` and replace None and 0 by the number available."""
    if threads is not None and (not isinstance(threads, Integral) or not 0 <= threads <= MOST_THREADS):
        raise SettingError(
            f"`threads` must be a whole number between 0 and {MOST_THREADS}, got {threads!r}; "
            f"0 uses all {available_threads()} available"
        )
    return int(threads or available_threads())


def run_tasks(
    workers: Sequence[Callable[[Task], Result]],
    tasks: Iterable[Task],
    *,
    on_skipped: Callable[[Task], object] = lambda task: None,
) -> Generator[Result, None, None]:
    """Let every worker process tasks in a thread of its own, and yield the results in the order of completion.

    Tasks are fetched one at a time, under a lock, while few results wait to be consumed. A single worker runs in the
    calling thread. The first exception of a worker or of `tasks` is raised here. Then, or when the iterator is closed,
    workers stop after their current task; a task that is still being fetched is passed to `on_skipped` instead.
    """
    if len(workers) == 1:
        for task in tasks:
            yield workers[0](task)
        return
    yield from _run_in_threads(workers, tasks, on_skipped, _AHEAD * len(workers))


def read_ahead(items: Iterable[Task], n: int = _AHEAD) -> Generator[Task, None, None]:
    """Yield items that another thread fetches, up to `n` ahead."""
    yield from _run_in_threads([lambda item: item], items, lambda item: None, n)


def _run_in_threads(
    workers: Sequence[Callable[[Task], Result]], tasks: Iterable[Task], on_skipped: Callable[[Task], object], n: int
) -> Generator[Result, None, None]:
    """Run tasks as `run_tasks` does, while fewer than `n` results wait to be consumed."""
    pool: _Pool[Task, Result] = _Pool(iter(tasks), on_skipped, n_slots=n)
    threads = [threading.Thread(target=pool.work, args=(worker,), daemon=True) for worker in workers]
    try:
        for thread in threads:
            _start(thread)
        running = len(threads)
        while running:
            try:
                outcome = pool.outcomes.get(timeout=_WAIT)
            except queue.Empty:
                continue
            if isinstance(outcome, _Failure):
                raise outcome.error
            if isinstance(outcome, _Done):
                running -= 1
            else:
                yield outcome
                pool.result_slots.release()
    finally:
        pool.stop.set()
        deadline = time.monotonic() + _GRACE
        for thread in threads:
            while thread.is_alive() and (pool.fetching is not thread or time.monotonic() < deadline):
                thread.join(_WAIT)


def _start(thread: threading.Thread) -> None:
    try:
        thread.start()
    except RuntimeError as error:
        raise SettingError(
            f"the system does not start another thread ({error}); lower `threads`, or raise the limit (ulimit -u)"
        ) from None


def run_aside(work: Callable[[], object]) -> None:
    """Call a function in a thread that ends with the process."""
    _start(threading.Thread(target=work, daemon=True))


def run_all(workers: Sequence[Callable[[int], object]], n: int) -> None:
    """Let the workers process the tasks 0 to n - 1."""
    for _ in run_tasks(workers, range(n)):
        pass


class _Done:
    """The end of the tasks, as a worker reports it."""


@dataclass
class _Failure:
    """An exception of a worker or of the tasks."""

    error: BaseException


class _Pool(Generic[Task, Result]):
    """The state that the threads of `run_tasks` share."""

    def __init__(self, tasks: Iterator[Task], on_skipped: Callable[[Task], object], n_slots: int) -> None:
        self.tasks, self.on_skipped, self.lock = tasks, on_skipped, threading.Lock()
        self.stop = threading.Event()
        self.fetching: threading.Thread | None = None  # skips its task if `stop` is set by then
        self.result_slots = threading.Semaphore(n_slots)  # for results not consumed yet
        self.outcomes: queue.SimpleQueue[Result | _Done | _Failure] = queue.SimpleQueue()

    def work(self, worker: Callable[[Task], Result]) -> None:
        """Process tasks until there are none or `stop` is set."""
        try:
            while not self.stop.is_set():
                if not self.result_slots.acquire(timeout=_WAIT):
                    continue
                while not self.lock.acquire(timeout=_WAIT):  # its owner may wait for input
                    if self.stop.is_set():
                        return
                try:
                    if self.stop.is_set():
                        return
                    self.fetching = threading.current_thread()
                    task = next(self.tasks)
                except StopIteration:
                    break
                finally:
                    self.fetching = None
                    self.lock.release()
                if self.stop.is_set():
                    self.on_skipped(task)
                else:
                    self.outcomes.put(worker(task))
            self.outcomes.put(_Done())
        except BaseException as error:  # raised again in the calling thread
            self.stop.set()
            self.outcomes.put(_Failure(error))


class ConflictOrder(Generic[Task]):
    """Starts each task when all earlier ones that use one of its resources are done.

    Every resource is used in the same order, whatever the number of threads.
    """

    def __init__(self, resources: Callable[[Task], Iterable[Hashable]]) -> None:
        self._resources = resources  # of a task, each used by one task at a time
        self._changed = threading.Condition()
        self._in_use: set[Hashable] = set()

    def fetch(self, tasks: Iterable[Task]) -> Iterator[Task]:
        """Yield the first task that may start; `done` must be called for every task, also a failed one.

        A task is drawn only when none drawn before may start.
        """
        self._in_use.clear()
        left = ((task, set(self._resources(task))) for task in tasks)
        waiting: list[tuple[Task, set[Hashable]]] = []
        while True:
            with self._changed:
                while (number := self._startable(waiting, left)) is None:
                    if not waiting:
                        return
                    self._changed.wait()
                task, needed = waiting.pop(number)
                self._in_use |= needed
            yield task

    def _startable(
        self, waiting: list[tuple[Task, set[Hashable]]], left: Iterator[tuple[Task, set[Hashable]]]
    ) -> int | None:
        """Find the first of the tasks `waiting` that may start; draws into it from those `left` while none may."""
        taken = set(self._in_use)  # or needed by an earlier task
        for number in range(_WAITING):
            if number == len(waiting):
                waiting.extend(islice(left, 1))
                if number == len(waiting):
                    return None
            needed = waiting[number][1]
            if taken.isdisjoint(needed):
                return number
            taken |= needed
        return None

    def done(self, task: Task) -> None:
        """Release the resources of a task."""
        with self._changed:
            self._in_use.difference_update(self._resources(task))
            self._changed.notify_all()


def run_in_order(workers: Sequence[Callable[[Task], Result]], tasks: Iterable[Task]) -> Generator[Result, None, None]:
    """Run tasks as `run_tasks` does, and yield the results in the order of the tasks."""

    def numbered(worker: Callable[[Task], Result]) -> Callable[[tuple[int, Task]], tuple[int, Result]]:
        return lambda task: (task[0], worker(task[1]))

    with closing(run_tasks([numbered(worker) for worker in workers], enumerate(tasks))) as results:
        yield from in_order(results)


def in_order(numbered: Iterable[tuple[int, Result]]) -> Iterator[Result]:
    """Yield the results of tasks numbered 0, 1, 2, … in order, each as soon as possible."""
    waiting: dict[int, Result] = {}
    next_number = 0
    for number, result in numbered:
        waiting[number] = result
        while next_number in waiting:
            yield waiting.pop(next_number)
            next_number += 1
