"""What many threads would gain a whole run: the parts of a run that are not parallel, and the time computed from them.

    python bench/threads.py text8.xz --modes skipgram cbow-hs

For each part, prints the processor time of its serial work (the calling thread's in a run with most threads, and
reading of the file), and the time computed from it and from the processor time of a run with one thread. The times are
computed, not measured, and memory bandwidth is not considered. In training, nothing waits for the calling thread, but
only one thread at a time runs Python: the time that a chunk needs for that limits the number of threads.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from modes import MODES, train_embedtrain
from text import cut_into_lines

from embedtrain.corpus import encoding
from embedtrain.models.word2vec_model import Word2vecModel
from embedtrain.training import run
from embedtrain.training.chunk_schedule import LARGEST_CHUNK, Chunk

_EMPTY = Chunk(0, 0, 0, 0, 0.025, 0.025)


class Times:
    """Processor seconds by part: of all threads, and of what only one thread at a time does."""

    def __init__(self) -> None:
        self.all: dict[str, float] = {}
        self.one: dict[str, float] = {}
        self.lock = 0.0  # of the interpreter, for a chunk in a worker

    def add(self, part: str, *, sign: int = 1) -> None:
        """Add the clocks to a part, or subtract them."""
        self.all[part] = self.all.get(part, 0.0) + sign * time.process_time()
        self.one[part] = self.one.get(part, 0.0) + sign * time.thread_time()


def timed(items: Iterator[Any], note: Callable[[float], None]) -> Iterator[Any]:
    """Yield the items, and note the processor time that a thread needs to fetch one."""
    while True:
        started = time.thread_time()
        item = next(items, None)
        note(time.thread_time() - started)
        if item is None:
            return
        yield item


def measure(mode: str, text: Path, work: Path, threads: int, epochs: int) -> Times:
    """Run all parts with so many threads."""
    times, models = Times(), []
    read_chunks, train_epochs, worker = encoding.read_chunks, run.train_epochs, Word2vecModel.worker

    def drawn(*arguments: Any) -> Iterator[Any]:
        def note(seconds: float) -> None:  # a worker draws, and others wait
            times.one["read"] += seconds if threads > 1 else 0.0

        return timed(read_chunks(*arguments), note)

    def epochs_of(*arguments: Any, **named: Any) -> Iterator[Any]:
        times.add("prepare")
        times.add("train", sign=-1)
        yield from train_epochs(*arguments, **named)
        times.add("train")
        times.add("prepare", sign=-1)

    def noted(model: Any, thread: int, *arguments: Any) -> Any:
        models.append(model)
        return worker(model, thread, *arguments)

    encoding.read_chunks, run.train_epochs, Word2vecModel.worker = drawn, epochs_of, noted  # type: ignore[method-assign]
    try:
        times.add("read", sign=-1)
        encoded = encoding.encode(text, threads=threads, folder=work)
        times.add("read")
        times.add("prepare", sign=-1)
        vectors = train_embedtrain(mode, encoded, dim=100, sample=1e-4, epochs=epochs, threads=threads, work=work)  # type: ignore[arg-type]
        times.add("prepare")
        times.add("save", sign=-1)
        vectors.save(work / "threads.vec", threads=threads)
        times.add("save")
    finally:
        encoding.read_chunks, run.train_epochs, Word2vecModel.worker = read_chunks, train_epochs, worker  # type: ignore[method-assign]
    work_on, started = worker(models[-1], 0), time.thread_time()
    for _ in range(1000):
        work_on(_EMPTY)
    times.lock = (time.thread_time() - started) / 1000
    return times


def main() -> None:
    """Measure with one thread and with most, and compute the rest."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--modes", nargs="+", choices=MODES, default=["skipgram"])
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2, 4, 16, 64])
    settings = parser.parse_args()
    text, most = cut_into_lines(settings.text, settings.work), max(settings.threads)
    n_chunks = settings.epochs * encoding.encode(text, threads=1, folder=settings.work).ids.size / LARGEST_CHUNK
    for mode in settings.modes:
        measure(mode, text, settings.work, 1, 1)  # compiles
        one = measure(mode, text, settings.work, 1, settings.epochs)
        many = measure(mode, text, settings.work, most, settings.epochs)
        one.all["start"] = many.one["start"] = start_seconds()
        show(mode, one, many, n_chunks, settings.threads)


def start_seconds() -> float:
    """The processor time of starting Python and importing what a run needs."""
    before = os.times()
    subprocess.run([sys.executable, "-c", "import embedtrain.models.word2vec_model"], check=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def show(mode: str, one: Times, many: Times, n_chunks: float, threads: list[int]) -> None:
    """Print the parts, and the computed times."""
    lock = many.lock + many.one["train"] / n_chunks
    kernel = one.all["train"] / n_chunks
    print(
        f"{mode}: {1e3 * kernel:.1f} ms of training a chunk, {1e6 * lock:.0f} µs of Python: {kernel / lock:.0f} threads"
    )
    print(f"{'':10} {'serial':>7} " + " ".join(f"{n:>7}" for n in threads))
    totals = [0.0] * len(threads)
    for part in ("start", "read", "prepare", "train", "save"):
        serial, whole = many.one[part], one.all[part]
        row = [max(whole / n, lock * n_chunks) if part == "train" else serial + (whole - serial) / n for n in threads]
        print(f"{part:10} {serial:7.2f} " + " ".join(f"{seconds:7.2f}" for seconds in row))
        totals = [total + seconds for total, seconds in zip(totals, row, strict=True)]
    print(f"{'all':18} " + " ".join(f"{total:7.2f}" for total in totals), flush=True)


if __name__ == "__main__":
    main()
