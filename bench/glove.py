"""Speed of GloVe: counting, training, and the whole command, against gensim's skip-gram in the same run.

    python bench/glove.py text8.xz                       counting, s; training, cells/s
    python bench/glove.py text8.xz --dims 100 300 --threads 1 2
    python bench/glove.py text8.xz --commands            from start to saved file, 15 epochs, seconds

Window 10, min-count 5; gensim's words/s (corpus_file, 2 workers, 1 epoch) are the measure of the machine. The programs
take turns, medians are printed with the range; kernels are compiled before.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from text import cut_into_lines
from throughput import SAMPLE, gensim_speed, in_turns, seconds, show


def counting_seconds(text: Path, threads: int, work: Path) -> float:
    """From encoded ids to the rows of the matrix."""
    from embedtrain.corpus.encoding import encode
    from embedtrain.corpus.sources import Corpus
    from embedtrain.counts.counting import count_windows

    encoded = encode(Corpus(text), threads=threads, folder=work)
    n_words = len(encoded.vocabulary.cut(5))
    started = time.perf_counter()
    count_windows(
        encoded, n_words, window=10, weighting="distance", symmetric=True, threads=threads, budget=1 << 32,
        folder=work,
    )  # fmt: skip
    return time.perf_counter() - started


def training_speed(counts: Path, dim: int, threads: int, work: Path) -> float:
    """Cells/s of three epochs."""
    import embedtrain

    result = embedtrain.train_glove(counts, dim=dim, epochs=3, threads=threads, temp_folder=work, progress=False)
    assert result.report is not None
    return result.report.speed


def compare_phases(settings: argparse.Namespace, text: Path) -> None:
    """Counting and training."""
    import embedtrain

    counts = settings.work / "counts.npz"
    embedtrain.cooccurrence_counts(text, temp_folder=settings.work, progress=False).save(counts)
    cases = [(dim, threads) for dim in settings.dims for threads in settings.threads]
    gensim, *measured = in_turns(
        settings.runs,
        lambda: gensim_speed(text, 100, 2),
        *(lambda t=threads: counting_seconds(text, t, settings.work) for threads in settings.threads),
        *(lambda d=dim, t=threads: training_speed(counts, d, t, settings.work) for dim, threads in cases),
    )
    base = show("gensim skip-gram, dim 100", gensim, "M words/s", 1e6)
    for threads, figures in zip(settings.threads, measured, strict=False):
        show(f"counting, {threads} threads", figures, "s")
    for (dim, threads), figures in zip(cases, measured[len(settings.threads) :], strict=True):
        median = show(f"training, dim {dim}, {threads} threads", figures, "M cells/s", 1e6)
        print(f"  {'':34} {median / base:8.1f} cells for each word of gensim's")


def compare_commands(settings: argparse.Namespace, text: Path) -> None:
    """From the start of a command to its saved file."""
    script = Path(__file__).with_name("gensim_script.py")
    for dim in settings.dims:
        theirs = [sys.executable, str(script), str(text), str(settings.work / "gensim.vec"), str(dim)]
        ours = [sys.executable, "-m", "embedtrain", "glove", str(text), "-o", str(settings.work / "ours.vec"),
                "--quiet", "--dim", str(dim), "--epochs", "15"]  # fmt: skip
        seconds([*ours[:-1], "1"])
        gensim, glove = in_turns(settings.runs, lambda c=theirs: seconds(c), lambda c=ours: seconds(c))
        base = show(f"gensim skip-gram, 1 epoch, dim {dim}", gensim, "s")
        median = show(f"embedtrain glove, 15 epochs, dim {dim}", glove, "s")
        print(f"  {'':34} {median / base:8.2f} of gensim's time")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--dims", type=int, nargs="+", default=[100])
    parser.add_argument("--threads", type=int, nargs="+", default=[2])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--commands", action="store_true", help="whole commands instead of the phases")
    settings = parser.parse_args()

    print(f"{os.cpu_count()} processors; gensim with sample {SAMPLE:g}")
    text = cut_into_lines(settings.text, settings.work)
    (compare_commands if settings.commands else compare_phases)(settings, text)


if __name__ == "__main__":
    main()
