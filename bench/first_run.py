"""What the first run waits for: compilation, by kernel, and the start of a run whose kernels are compiled.

    python bench/first_run.py text.txt --models skipgram cbow glove

Each model is trained on the first 1.5 MB of the text with one thread: with an empty cache of kernels, once more with
a listener that takes the CPU time of every kernel, and with a full cache. "To the first chunk" is from the start of
Python.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

_BYTES = 1_500_000
_IMPORTS = "import numba, scipy"


def _timed(cache: str, *command: str) -> str:
    """Run Python; returns its CPU and wall time."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, *command], env={**os.environ, "NUMBA_CACHE_DIR": cache}, check=True)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return f"{cpu:.2f} s of CPU, {wall:.2f} s"


def _train(args: list[str]) -> None:
    """Train in this process, and print the CPU time to compile each kernel and to the first chunk."""
    from numba.core import event

    seconds: Counter[str] = Counter()
    open_events: list[tuple[str, float]] = []

    class Compilations(event.Listener):  # type: ignore[misc]  # Numba has no types
        def on_start(self, begun: event.Event) -> None:
            open_events.append((begun.data["dispatcher"].py_func.__qualname__, time.process_time()))

        def on_end(self, ended: event.Event) -> None:
            name, started = open_events.pop()
            if not open_events:  # inlined functions are parts of their kernels
                seconds[name] += time.process_time() - started

    from embedtrain.cli import main
    from embedtrain.training import loop

    do_tasks, first = loop.do_tasks, []

    def timed_tasks(*arguments: object) -> object:
        first.append(time.process_time())
        return do_tasks(*arguments)  # type: ignore[arg-type]

    loop.do_tasks = timed_tasks  # type: ignore[assignment]
    with event.install_listener("numba:compile", Compilations()):
        try:
            main(args)
        except SystemExit:
            pass
    kernels = ", ".join(f"{name} {cpu:.2f}" for name, cpu in seconds.most_common())
    print(
        f"  {first[0]:.2f} s of CPU to the first chunk; to compile: {sum(seconds.values()):.2f} ({kernels or 'none'})"
    )


def main() -> None:
    """Measure each model with an empty and a full cache."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--models", nargs="+", default=["skipgram", "cbow", "glove"])
    parser.add_argument("--listen", help=argparse.SUPPRESS)
    settings = parser.parse_args()
    if settings.listen:
        _train([settings.listen, str(settings.text), "-o", f"{settings.text}.vec", "--threads", "1", "--quiet"])
        return
    with tempfile.TemporaryDirectory() as work:
        text = Path(work, "text")
        with open(settings.text, "rb") as file:
            text.write_bytes(file.read(_BYTES))
        print(f"{_IMPORTS}: {_timed(work, '-c', _IMPORTS)}", flush=True)
        for model in settings.models:
            command = ["-m", "embedtrain", model, str(text), "-o", f"{text}.vec", "--threads", "1", "--quiet"]
            for state in ("empty", "full"):
                print(f"{model}, {state} cache: {_timed(f'{work}/{model}', *command)}", flush=True)
            for cache in (f"{work}/{model}", f"{work}/{model}, empty"):
                _timed(cache, __file__, str(text), "--listen", model)


if __name__ == "__main__":
    main()
