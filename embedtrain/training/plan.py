"""Figures of a plan: what training would do, found without doing it."""

from __future__ import annotations

import time
from itertools import takewhile

from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.training.loop import do_tasks
from embedtrain.training.protocols import Model

_PROBE = 1.0  # seconds of training that are timed
_MIN_COUNTS = (1, 2, 3, 5, 10, 20, 50, 100)


def coverage(vocabulary: Vocabulary) -> list[tuple[int, int, int]]:
    """For several min-counts: the min-count, how many types have it, and how many tokens they cover."""
    frequent = [vocabulary.n_frequent(least) for least in _MIN_COUNTS]
    return [(least, n, int(vocabulary.counts[:n].sum())) for least, n in zip(_MIN_COUNTS, frequent, strict=True)]


def training_speed(model: Model, n_threads: int) -> float:
    """Words or cells a second that a model trains on; what it learns is thrown away."""
    workers = [model.worker(thread) for thread in range(n_threads)]
    passed, started = 0, time.perf_counter()
    tasks = takewhile(lambda _: time.perf_counter() - started < _PROBE, model.schedule.tasks(0))
    for result in do_tasks(workers, model.schedule, tasks):
        passed += result.passed
    return passed / (time.perf_counter() - started)
