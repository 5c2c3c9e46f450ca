"""The plan of a run: what it would do and take, found out without doing it."""

from __future__ import annotations

import math
import time
from contextlib import ExitStack
from itertools import takewhile

import numpy as np

from embedtrain.machine.memory import available_memory
from embedtrain.machine.threads import run_tasks
from embedtrain.runs.run import Model, Run
from embedtrain.training.loop import LARGEST_CHUNK, plan_chunks
from embedtrain.vectors.reports import Plan

_PROBE = 1.0  # seconds of training that tell its speed
_MIN_COUNTS = (1, 2, 3, 5, 10, 20, 50, 100)


def plan_run(run: Run) -> Plan:
    """Read the corpus of a run and say what training would do and take."""
    with ExitStack() as stack:
        run.compile()
        texts = run.read(stack)
        needed, free = run.memory(), available_memory()
        speed = math.nan
        if sum(needed.values()) <= free:
            model = run.build(texts.training, texts.vocabulary, run.settings, np.zeros(0, np.uint8), run.n_threads)
            needed["work of the threads"] = model.scratch_bytes * run.n_threads
            speed = _probe(run, model)
    settings, whole, vocabulary = run.settings, texts.whole, texts.vocabulary
    left = settings.epochs * len(texts.training.ids) - run.history.tokens
    counts = whole.vocabulary.counts
    frequent = [whole.vocabulary.n_frequent(least) for least in _MIN_COUNTS]
    copies = (settings.valid_share > 0) + (run.options.read_vocab is not None)
    return Plan(
        tokens=len(whole.ids),
        types=len(whole.vocabulary),
        sentences=whole.n_sentences,
        words=len(vocabulary),
        covered=texts.covered,
        coverage=[(least, n, int(counts[:n].sum())) for least, n in zip(_MIN_COUNTS, frequent, strict=True)],
        removed_share=1 - settings.kept_share(vocabulary.counts),
        memory=needed,
        free_memory=free,
        disk=max(2, 1 + copies) * (4 * len(whole.ids) + 8 * whole.n_sentences),
        words_per_second=speed,
        seconds={"read": run.clock.seconds["read"], "train": left / speed},
    )


def _probe(run: Run, model: Model) -> float:
    """Words a second that the model trains on: what it learns is thrown away."""
    workers = [model.worker(thread) for thread in range(run.n_threads)]
    chunks = plan_chunks(len(run.texts.training.ids), 0, 1, run.settings.lr, LARGEST_CHUNK)
    n_tokens, began = 0, time.perf_counter()
    for result in run_tasks(workers, takewhile(lambda _: time.perf_counter() - began < _PROBE, chunks)):
        n_tokens += result.tokens
    return n_tokens / (time.perf_counter() - began)
