"""Tasks on several threads."""

import itertools
import os
import random
import threading
import time
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedtrain.errors import SettingError
from embedtrain.machine import threads
from embedtrain.machine.threads import (
    ConflictOrder,
    available_threads,
    in_order,
    read_ahead,
    resolve_threads,
    run_in_order,
    run_tasks,
)


def double(task):
    return 2 * task


def fails_at(number, error=ZeroDivisionError):
    def work(task):
        if task == number:
            raise error(f"task {task}")
        return task

    return work


@pytest.fixture
def alive():
    """Threads that were started since the test began and still run."""
    before = set(threading.enumerate())
    return lambda: set(threading.enumerate()) - before


# --- run_tasks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_workers", [1, 2, 3, 7])
@pytest.mark.parametrize("n_tasks", [0, 1, 2, 100])
def test_every_task_is_done_once(n_workers, n_tasks, alive):
    results = list(run_tasks([double] * n_workers, range(n_tasks)))
    assert sorted(results) == list(range(0, 2 * n_tasks, 2))
    assert not alive()


@pytest.mark.parametrize("n_workers", [1, 2])
def test_tasks_and_results_may_be_false(n_workers):
    tasks = [None, 0, "", [], False]
    assert sorted(map(repr, run_tasks([lambda task: task] * n_workers, tasks))) == sorted(map(repr, tasks))


def test_one_worker_stays_in_the_calling_thread(alive):
    for thread, started in run_tasks([lambda _: (threading.current_thread(), alive())], range(3)):
        assert thread is threading.current_thread()
        assert not started


@pytest.mark.parametrize("n_started", [0, 1])
def test_a_system_without_threads_is_an_error_of_settings(monkeypatch, alive, n_started):
    left, start = iter(range(n_started)), threading.Thread.start

    def started(thread):
        if next(left, None) is None:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", started)
    message = r"does not start another thread \(can't start new thread\); lower threads, or raise"
    with pytest.raises(SettingError, match=message):
        list(run_tasks([double] * 2, itertools.count()))
    with pytest.raises(SettingError, match=message):
        next(read_ahead(range(3)))


def test_every_worker_has_one_thread_of_its_own():
    homes = [set(), set(), set()]

    def worker(home):
        def work(_):
            home.add(threading.get_ident())
            time.sleep(0.001)

        return work

    assert len(list(run_tasks([worker(home) for home in homes], range(60)))) == 60
    assert [len(home) for home in homes] == [1, 1, 1]
    assert len(set.union(*homes)) == 3
    assert threading.get_ident() not in set.union(*homes)


def test_tasks_are_drawn_one_at_a_time_and_not_ahead():
    drawn, done = [], []

    def tasks():  # a generator that two threads enter at once raises ValueError
        for task in range(40):
            time.sleep(0.0005)
            drawn.append(task)
            yield task
            assert len(drawn) - len(done) <= 4

    list(run_tasks([done.append] * 4, tasks()))
    assert sorted(done) == drawn == list(range(40))


@pytest.mark.parametrize("n_workers", [1, 3])
@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_error_of_a_worker_is_raised(n_workers, error, alive):
    with pytest.raises(error, match="task 5"):
        list(run_tasks([fails_at(5, error)] * n_workers, range(1000)))
    assert not alive()


@pytest.mark.parametrize("n_workers", [1, 3])
def test_an_error_of_the_tasks_is_raised(n_workers, alive):
    def tasks():
        yield 1
        yield 2
        raise LookupError("no third")

    with pytest.raises(LookupError, match="no third"):
        list(run_tasks([double] * n_workers, tasks()))
    assert not alive()


def test_after_an_error_no_more_tasks_are_drawn():
    tasks = itertools.count()
    with pytest.raises(ZeroDivisionError):
        list(run_tasks([fails_at(3)] * 3, tasks))
    drawn = next(tasks)
    time.sleep(0.05)
    assert next(tasks) == drawn + 1


@pytest.mark.parametrize("n_workers", [1, 3])
def test_closing_early_joins_the_threads(n_workers, alive):
    tasks = itertools.count()
    results = run_tasks([double] * n_workers, tasks)
    assert all(next(results) % 2 == 0 for _ in range(3))
    results.close()
    assert not alive()
    drawn = next(tasks)
    time.sleep(0.05)
    assert next(tasks) == drawn + 1


def test_results_come_while_others_are_at_work():
    release = threading.Event()

    def work(task):
        if task == 0:
            assert release.wait(5)
        return task

    results = run_tasks([work, work], range(4))
    assert [next(results) for _ in range(3)] == [1, 2, 3]
    release.set()
    assert list(results) == [0]


# --- Tasks that never come --------------------------------------------------------------------------------------------


@pytest.fixture
def blocked():
    """Tasks 1, 2 and one that never comes, and an event that is set when a worker waits for it."""
    reading, writing = os.pipe()
    waits = threading.Event()

    def tasks():
        yield 1
        yield 2
        waits.set()
        os.read(reading, 1)
        yield 3

    before = set(threading.enumerate())
    yield tasks(), waits
    os.close(writing)  # the end of the pipe, and of the thread
    for thread in set(threading.enumerate()) - before:
        thread.join(5)
    os.close(reading)


@pytest.mark.parametrize("n_workers", [2, 3])
def test_closing_does_not_wait_for_a_worker_that_waits_for_a_task(blocked, n_workers, alive):
    tasks, waits = blocked
    results = run_tasks([double] * n_workers, tasks)
    assert sorted([next(results), next(results)]) == [2, 4]
    assert waits.wait(5)
    started = time.monotonic()
    results.close()
    assert time.monotonic() - started < 1
    assert len(alive()) == 1


def test_closing_waits_for_a_worker_at_work_while_another_waits_for_a_task(blocked):
    tasks, waits = blocked
    finished = []

    def work(task):
        if task == 2:
            time.sleep(1)
            finished.append(task)

    results = run_tasks([work, work], tasks)
    next(results)
    assert waits.wait(5)
    results.close()
    assert finished == [2]


def test_a_task_that_comes_too_late_is_not_done(monkeypatch, alive):
    monkeypatch.setattr(threads, "_GRACE", 0)
    come, done = threading.Event(), []

    def tasks():
        yield 1
        come.wait(5)
        yield 2

    results = run_tasks([done.append] * 2, tasks())
    next(results)
    time.sleep(0.05)
    results.close()
    (left,) = alive()
    come.set()
    left.join(5)
    assert not left.is_alive()
    assert done == [1]


# --- in_order ---------------------------------------------------------------------------------------------------------


@settings(derandomize=True, deadline=None)
@given(st.permutations(range(12)))
def test_in_order_sorts_by_number(order):
    assert list(in_order((number, -number) for number in order)) == [-number for number in range(12)]


@pytest.mark.parametrize("n_workers", [1, 3])
def test_results_are_in_the_order_of_the_tasks(n_workers):
    def work(task):
        time.sleep((10 - task) / 1000)  # later tasks are faster
        return -task

    assert list(run_in_order([work] * n_workers, range(10))) == [-task for task in range(10)]


def test_in_order_yields_as_soon_as_possible():
    seen = []

    def numbered():
        for number in (1, 0, 3, 2):
            seen.append(number)
            yield number, number

    assert [(result, len(seen)) for result in in_order(numbered())] == [(0, 2), (1, 2), (2, 4), (3, 4)]


# --- Settings and waiting ---------------------------------------------------------------------------------------------


def test_threads_are_a_number_or_all():
    assert resolve_threads(0) == resolve_threads(None) == available_threads() >= 1
    assert [resolve_threads(n) for n in (1, 2, 64)] == [1, 2, 64]
    for n in (-1, -8, 1025):
        with pytest.raises(
            SettingError, match=f"threads must be a whole number between 0 and 1024, got {n}; 0 uses all"
        ):
            resolve_threads(n)


# --- ConflictOrder ----------------------------------------------------------------------------------------------------


def letters(task):
    """What a task of these tests shares: its letters."""
    return set(task)


class Journal:
    """Workers that record when they begin and end a task, which takes a moment drawn with a seed."""

    def __init__(self, order, seed=0):
        self.order, self.events, self.lock, self.random = order, [], threading.Lock(), random.Random(seed)

    def note(self, what, task):
        with self.lock:
            self.events.append((what, task))
            return self.random.random() / 500

    def work(self, task):
        time.sleep(self.note("begin", task))
        self.note("end", task)
        self.order.done(task)
        return task

    def when(self, what, task):
        return self.events.index((what, task))


@pytest.mark.parametrize("n_workers", [1, 2, 3, 8])
@pytest.mark.parametrize("seed", range(3))
def test_a_task_begins_when_the_earlier_ones_that_share_something_are_done(n_workers, seed, alive):
    chance, order = random.Random(seed), ConflictOrder(lambda task: letters(task[1]))
    tasks = [(number, "".join(chance.sample("abcdef", chance.randrange(4)))) for number in range(40)]
    journal = Journal(order, seed)
    assert sorted(run_tasks([journal.work] * n_workers, order.fetch(tasks))) == tasks
    for one, other in itertools.combinations(tasks, 2):
        if letters(one[1]) & letters(other[1]):
            assert journal.when("end", one) < journal.when("begin", other)
    assert not alive()


def test_tasks_that_share_nothing_are_done_side_by_side():
    order, meeting = ConflictOrder(letters), threading.Barrier(3)

    def work(task):
        meeting.wait(20)  # for all three
        order.done(task)
        return task

    assert sorted(run_tasks([work] * 3, order.fetch(["ab", "c", "d"]))) == ["ab", "c", "d"]


def test_a_task_that_waits_is_overtaken_but_not_where_it_shares_something():
    order = ConflictOrder(letters)
    drawn = order.fetch(["a", "ab", "b", "c", "cd"])
    assert (next(drawn), next(drawn)) == ("a", "c"), "b must follow ab"
    order.done("c")
    assert next(drawn) == "cd"
    order.done("a")
    assert next(drawn) == "ab"
    order.done("ab")
    assert list(drawn) == ["b"]


def test_no_task_is_drawn_while_an_earlier_one_may_start():
    order, tasks = ConflictOrder(letters), iter(["a", "a", "b", "c"])
    drawn = order.fetch(tasks)
    assert (next(drawn), next(drawn)) == ("a", "b")
    order.done("a")
    assert next(drawn) == "a"
    assert list(tasks) == ["c"]


@pytest.mark.parametrize("n_workers", [1, 2, 4])
def test_an_error_in_a_task_ends_all_threads_though_others_wait_for_it(n_workers, alive):
    order = ConflictOrder(letters)

    def work(task):
        try:
            time.sleep(0.02)  # until the next one waits
            if task == "ab":
                raise ZeroDivisionError("in its turn")
        finally:
            order.done(task)

    with pytest.raises(ZeroDivisionError, match="in its turn"):
        list(run_tasks([work] * n_workers, order.fetch(["ab", "a", "b", "a", "b"] * 9), on_skipped=order.done))
    assert not alive()


@pytest.mark.parametrize("n_workers", [1, 2, 4])
def test_tasks_can_be_fetched_again_after_closing_early(n_workers, alive):
    order, tasks = ConflictOrder(letters), ["ab", "a", "b", "bc", "c", "ac"] * 5

    def work(task):
        time.sleep(0.001)
        order.done(task)
        return task

    for _ in range(5):
        with closing(run_tasks([work] * n_workers, order.fetch(tasks), on_skipped=order.done)) as results:
            assert next(results) == "ab"
        assert not alive()
    assert sorted(run_tasks([work] * n_workers, order.fetch(tasks))) == sorted(tasks)


# --- Reading ahead ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 4])
def test_items_are_read_ahead_in_order_in_another_thread(n):
    drawn_in = set()

    def items():
        for number in range(20):
            drawn_in.add(threading.current_thread())
            yield number

    assert list(read_ahead(items(), n)) == list(range(20))
    assert threading.current_thread() not in drawn_in
    assert not any(thread.is_alive() for thread in drawn_in)


def test_no_more_than_n_items_are_read_ahead():
    drawn = []
    ahead = read_ahead((drawn.append(number) or number for number in itertools.count()), 3)
    assert next(ahead) == 0
    ahead.close()
    assert len(drawn) <= 1 + 3 + 2  # taken, on the shelf, in the hand, and drawn before the hand is looked at


def test_an_error_comes_through_after_what_was_read_before_it():
    def items():
        yield 1
        raise ValueError("broken")

    ahead = read_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="broken"):
        next(ahead)
