"""Speed of embedtrain against gensim in the same run, on the same text.

    python bench/throughput.py text8.xz                          training phase, words/s
    python bench/throughput.py text8.xz --commands               from start to saved file, seconds
    python bench/throughput.py text8.xz --dims 100 300 --line-words 1000 15 --threads 1 2
    python bench/throughput.py text8.xz --modes skipgram skipgram-hs cbow cbow-hs --threads 1 2

Window 5, negative 5, sample 1e-4, min-count 5, 1 epoch; gensim reads a corpus_file with 2 workers.
The programs take turns, medians are printed with the range. Words are those of the text, before subsampling.
Compile time is apart: in the training phase it does not occur, and a command is run once before it is timed.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

from modes import MODES, in_gensim, new_gensim, train_embedtrain
from text import cut_into_lines

SAMPLE = 1e-4


def embedtrain_speed(mode: str, text: Path, dim: int, threads: int, work: Path) -> float:
    """Words/s of embedtrain's training phase."""
    result = train_embedtrain(mode, text, dim=dim, sample=SAMPLE, epochs=1, threads=threads, work=work)
    assert result.report is not None
    return result.report.speed


def gensim_speed(mode: str, text: Path, dim: int, workers: int) -> float:
    """Words/s of gensim's training phase."""
    model = new_gensim(mode, dim=dim, sample=SAMPLE, epochs=1, workers=workers)
    model.build_vocab(corpus_file=str(text))
    started = time.perf_counter()
    model.train(
        corpus_file=str(text), total_examples=model.corpus_count, total_words=model.corpus_total_words, epochs=1
    )
    return model.corpus_total_words / (time.perf_counter() - started)


def seconds(command: list[str]) -> float:
    """How long a command takes."""
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def in_turns(runs: int, *measures: Callable[[], float]) -> list[list[float]]:
    """The figures of each measure, all measured once a round."""
    rounds = [[measure() for measure in measures] for _ in range(runs)]
    return [list(figures) for figures in zip(*rounds, strict=True)]


def show(label: str, figures: list[float], unit: str, scale: float = 1) -> float:
    """Print median and range; returns the median."""
    scaled = [figure / scale for figure in figures]
    median = statistics.median(scaled)
    print(f"  {label:34} {median:8.2f} {unit}  ({min(scaled):.2f} to {max(scaled):.2f})", flush=True)
    return median


def compare_training(settings: argparse.Namespace) -> None:
    """Training phase, for every mode, dimension, line length and number of threads."""
    for mode, dim in product(settings.modes, settings.dims):
        text = cut_into_lines(settings.text, settings.work, 1000)
        lines = [cut_into_lines(settings.text, settings.work, n) for n in settings.line_words]
        cases = [
            (n, path, threads)
            for n, path in zip(settings.line_words, lines, strict=True)
            for threads in settings.threads
        ]
        print(f"training phase, {mode}, dim {dim}")
        gensim, *ours = in_turns(
            settings.runs,
            partial(gensim_speed, mode, text, dim, 2),
            *(partial(embedtrain_speed, mode, path, dim, threads, settings.work) for _, path, threads in cases),
        )
        base = show("gensim, 2 workers", gensim, "M words/s", 1e6)
        for (n, _, threads), figures in zip(cases, ours, strict=True):
            median = show(f"embedtrain, {threads} threads, {n} words a line", figures, "M words/s", 1e6)
            print(f"  {'':34} {median / base:8.1f} × gensim")


def compare_commands(settings: argparse.Namespace) -> None:
    """From the start of a command to its saved file, kernels cached."""
    text = cut_into_lines(settings.text, settings.work, 1000)
    for dim in settings.dims:
        script = Path(__file__).with_name("gensim_script.py")
        theirs = [sys.executable, str(script), str(text), str(settings.work / "gensim.vec"), str(dim)]
        ours = [sys.executable, "-m", "embedtrain", "skipgram", str(text), "-o", str(settings.work / "ours.vec"),
                "--quiet", "--dim", str(dim), "--sample", str(SAMPLE), "--epochs", "1"]  # fmt: skip
        seconds(ours)
        print(f"whole command, dim {dim}, 1 epoch")
        gensim, embedtrain = in_turns(settings.runs, lambda c=theirs: seconds(c), lambda c=ours: seconds(c))
        base = show("gensim, 2 workers", gensim, "s")
        median = show("embedtrain", embedtrain, "s")
        print(f"  {'':34} {base / median:8.1f} × faster")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--dims", type=int, nargs="+", default=[100])
    parser.add_argument("--line-words", type=int, nargs="+", default=[1000])
    parser.add_argument("--threads", type=int, nargs="+", default=[2])
    parser.add_argument("--modes", nargs="+", choices=[mode for mode in MODES if in_gensim(mode)], default=["skipgram"])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--commands", action="store_true", help="whole commands instead of the training phase")
    settings = parser.parse_args()
    from embedtrain.kernels.simd.lanes import LANES

    print(f"{platform.machine()}, {os.cpu_count()} processors, vectors of {LANES} floats")
    (compare_commands if settings.commands else compare_training)(settings)


if __name__ == "__main__":
    main()
