"""What a training command says at its end."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING

from embedtrain.machine.progress import say

if TYPE_CHECKING:
    from embedtrain.vectors.reports import TrainingReport
    from embedtrain.vectors.word_vectors import WordVectors


def save_and_say(vectors: WordVectors, path: Path, *, quiet: bool) -> None:
    """Save the vectors, then say what was done and what to try next."""
    started = time.perf_counter()
    vectors.save(path)
    seconds = time.perf_counter() - started
    if quiet:
        return
    report = vectors.report
    if report is not None:
        for line in _account(report, seconds):
            say(line)
    n_words, dim = vectors.vectors.shape
    say(f"saved    {path}: {n_words:,} words × {dim} dimensions")
    say(f"next     embedtrain neighbors {shlex.quote(str(path))} {shlex.quote(_example(vectors))}")


def _account(report: TrainingReport, saving: float) -> list[str]:
    times = {**report.seconds, "save": saving}
    epochs = len(report.losses)
    losses = f"loss {report.losses[0]:.3f} → {report.losses[-1]:.3f} a pair" if report.losses else "no epoch finished"
    speed = f"{report.words_per_second / 1e6:.2f} M words/s on {report.threads} thread{'s' * (report.threads != 1)}"
    return [
        f"read     {report.tokens:,} tokens of {report.types:,} types; "
        f"{report.words:,} words are frequent enough and cover {report.covered / report.tokens:.1%}",
        f"trained  {epochs} epoch{'s' * (epochs != 1)}, {speed}, {losses}, "
        f"subsampling removed {1 - report.kept_share:.1%}",
        "time     " + ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in times.items()),
    ]


def _example(vectors: WordVectors) -> str:
    """A word to ask for: a usual one, neither very frequent nor rare."""
    usual = [word for word in vectors.words[len(vectors) // 50 :] if not word.startswith("-")]
    return "king" if "king" in vectors or not usual else usual[0]
