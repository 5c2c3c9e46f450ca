"""The output at the end of a training command."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from embedtrain.machine.memory import format_bytes
from embedtrain.machine.progress import counted, say

if TYPE_CHECKING:
    from embedtrain.training.reports import Plan
    from embedtrain.vectors.training_report import TrainingReport
    from embedtrain.vectors.word_vectors import WordVectors


def save_and_report(vectors: WordVectors, path: Path, *, quiet: bool) -> None:
    """Save the vectors, then print a summary and a command to try next."""
    started = time.perf_counter()
    vectors.save(path)
    seconds = time.perf_counter() - started
    if quiet:
        return
    report = vectors.report
    if report is not None:
        for line in _report_lines(report, seconds):
            say(line)
    n_words, dim = vectors.vectors.shape
    say(f"saved    {path}: {n_words:,} words × {counted(dim, 'dimension')}")
    say(f"next     embedtrain neighbors {shlex.quote(str(path))} {shlex.quote(_example(vectors))}")


def _report_lines(report: TrainingReport, saving: float) -> list[str]:
    times = {**report.seconds, "save": saving}
    of = "cell" if report.cells else "pair"
    losses = f"loss {report.losses[0]:.4g} → {report.losses[-1]:.4g} a {of}" if report.losses else "no epoch finished"
    if report.valid_losses:
        losses += f", held out {report.valid_losses[0]:.3f} → {report.valid_losses[-1]:.3f}"
    speed = f"{report.speed / 1e6:.2f} M {report.unit}/s on {counted(report.threads, 'thread')}"
    lines = []
    if report.tokens:
        lines.append(
            f"read     {counted(report.tokens, 'token')} of {counted(report.types, 'type')}; "
            f"{report.words:,} words are frequent enough and cover {report.covered / report.tokens:.1%}"
        )
    if report.cells:
        density = report.cells / report.words**2
        lines.append(f"counted  {counted(report.cells, 'cell')} of {report.words:,} × {report.words:,} ({density:.2%})")
    removed = "" if report.cells else f", subsampling removed {1 - report.kept_share:.1%}"
    if "train" in report.seconds:  # not for a model without epochs
        lines.append(f"trained  {counted(len(report.losses), 'epoch')}, {speed}, {losses}{removed}")
    lines.append("time     " + ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in times.items()))
    return lines


def print_plan(plan: Plan) -> None:
    """Print a plan."""
    if plan.tokens:
        _print_text(plan)
    if plan.cells:
        click.echo(f"counts   {counted(plan.cells, 'cell')} of {plan.words:,} × {plan.words:,}")
    else:
        click.echo(f"sample   {plan.removed_share:.1%} of the covered tokens would be removed by subsampling")
    needed = sum(plan.memory.values())
    parts = ", ".join(f"{format_bytes(size)} {purpose}" for purpose, size in plan.memory.items())
    remedy = "raise --min-count or lower --dim" if plan.tokens else "lower --dim"
    verdict = "free" if needed <= plan.free_memory else f"free: IT DOES NOT FIT, {remedy}"
    click.echo(f"memory   {format_bytes(needed)} ({parts}) of {format_bytes(plan.free_memory)} {verdict}")
    click.echo(f"disk     {format_bytes(plan.disk)} for temporary files")
    if plan.speed > 0:
        times = ", ".join(f"{stage} {seconds:,.1f} s" for stage, seconds in plan.seconds.items())
        click.echo(f"time     {times}, at {plan.speed / 1e6:.2f} M {plan.unit}/s")


def _print_text(plan: Plan) -> None:
    tokens, types = counted(plan.tokens, "token"), counted(plan.types, "type")
    click.echo(f"corpus   {tokens} of {types} in {counted(plan.sentences, 'sentence')}")
    click.echo(f"words    {plan.words:,} get vectors and cover {plan.covered / plan.tokens:.2%} of the tokens")
    click.echo("min-count     words     cover")
    for least, n_words, covered in plan.coverage:
        click.echo(f"{least:9,} {n_words:9,} {covered / plan.tokens:9.2%}")


def _example(vectors: WordVectors) -> str:
    """A word to look up: neither very frequent nor rare."""
    usual = [word for word in vectors.words[len(vectors) // 50 :] if not word.startswith("-")]
    return "king" if "king" in vectors or not usual else usual[0]
