"""The plan of a run: what it would do and take, found out without doing it."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from itertools import takewhile

import numpy as np

from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.machine.memory import available_memory
from embedtrain.training.loop import do_tasks
from embedtrain.training.protocols import Model
from embedtrain.training.reports import Plan
from embedtrain.training.run import Run

_PROBE = 1.0  # seconds of training that tell its speed
_MIN_COUNTS = (1, 2, 3, 5, 10, 20, 50, 100)


def plan_run(run: Run) -> Plan:
    """Read the material of a run and say what training would do and take."""
    with ExitStack() as stack:
        run.compile()
        material = run.read(stack)
        needed, free = run.memory(), available_memory()
        speed = math.nan
        if sum(needed.values()) <= free:
            model = run.built(np.zeros(0, np.uint8))
            if model.scratch_bytes:
                needed["work of the threads"] = model.scratch_bytes * run.n_threads
            speed = _probe(run, model)
    settings, vocabulary, texts = run.settings, run.vocabulary, material.texts
    left = settings.epochs * material.units - run.history.passed
    before = {stage: run.clock.seconds[stage] for stage in ("read", "count") if stage in run.clock.seconds}
    return Plan(
        **{"tokens": 0, "types": 0, "covered": 0, "cells": 0, **material.facts()},
        sentences=0 if texts is None else texts.whole.n_sentences,
        words=len(vocabulary),
        coverage=[] if texts is None else _coverage(texts.whole.vocabulary),
        removed_share=1 - settings.kept_share(vocabulary.counts),
        memory=needed,
        free_memory=free,
        disk=material.disk,
        speed=speed,
        unit=run.build.unit,
        seconds={**before, "train": left / speed},
    )


def _coverage(whole: Vocabulary) -> list[tuple[int, int, int]]:
    """For several min-counts, how many words there would be, and how many tokens they cover."""
    frequent = [whole.n_frequent(least) for least in _MIN_COUNTS]
    return [(least, n, int(whole.counts[:n].sum())) for least, n in zip(_MIN_COUNTS, frequent, strict=True)]


def _probe(run: Run, model: Model) -> float:
    """Words, or cells, a second that the model trains on: what it learns is thrown away."""
    workers = [model.worker(thread) for thread in range(run.n_threads)]
    passed, began = 0, time.perf_counter()
    tasks = takewhile(lambda _: time.perf_counter() - began < _PROBE, model.schedule.tasks(0))
    for result in do_tasks(workers, model.schedule, tasks):
        passed += result.passed
    return passed / (time.perf_counter() - began)
