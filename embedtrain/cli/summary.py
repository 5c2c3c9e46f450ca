"""The output at the end of a training command."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from embedtrain.cli.saving import save_or_keep
from embedtrain.machine.files import is_stream
from embedtrain.machine.memory import format_bytes
from embedtrain.machine.progress import counted, say, wrapped

if TYPE_CHECKING:
    from embedtrain.errors import DataError
    from embedtrain.training.reports import Plan
    from embedtrain.vectors.word_vectors import WordVectors


def save_and_report(vectors: WordVectors, path: Path, *, quiet: bool) -> tuple[Path, DataError | None]:
    """Save the vectors, and print where and a command to try next; returns the result of `save_or_keep`."""
    from embedtrain.formats import format_of

    if any(" " in word for word in vectors.words) and not format_of(path).holds_spaces:
        path, given = path.with_name(f"{path.name}.npz"), path.name
        say(f"Note: {given} cannot hold words with spaces; they are written to {path.name}")
    started = time.perf_counter()
    path, failure = save_or_keep(vectors.save, path)
    seconds = time.perf_counter() - started
    if quiet or failure is not None:
        return path, failure
    n_words, dim = vectors.vectors.shape
    say(f"saved    {path}: {n_words:,} words × {counted(dim, 'dimension')}, in {seconds:.1f} s")
    if not is_stream(path):
        say(f"next     embedtrain neighbors {shlex.quote(str(path))} {shlex.quote(_example(vectors))}", wrap=False)
    return path, None


def print_plan(plan: Plan) -> None:
    """Print a plan."""
    if plan.tokens:
        _print_text(plan)
    if plan.cells:
        _print(f"counts   {counted(plan.cells, 'cell')} of {plan.words:,} × {plan.words:,}")
    else:
        _print(f"sample   {plan.removed_share:.1%} of the covered tokens would be removed by subsampling")
    needed = sum(plan.memory.values())
    parts = ", ".join(f"{format_bytes(size)} {purpose}" for purpose, size in plan.memory.items())
    remedy = "raise --min-count or lower --dim" if plan.coverage else "lower --dim"
    verdict = "free" if needed <= plan.free_memory else f"free: IT DOES NOT FIT, {remedy}"
    _print(f"memory   {format_bytes(needed)} ({parts}) of {format_bytes(plan.free_memory)} {verdict}")
    _print(f"disk     {format_bytes(plan.disk)} for temporary files")
    if plan.speed > 0:
        times = ", ".join(f"{stage} {seconds:,.1f} s" for stage, seconds in plan.seconds.items())
        _print(f"time     {times}, at {plan.speed / 1e6:.2f} M {plan.unit}/s")


def _print_text(plan: Plan) -> None:
    tokens, types = counted(plan.tokens, "token"), counted(plan.types, "type")
    _print(f"corpus   {tokens} of {types} in {counted(plan.sentences, 'sentence')}")
    _print(f"words    {plan.words:,} get vectors and cover {plan.covered / plan.tokens:.2%} of the tokens")
    if plan.coverage:  # not of walks
        click.echo("min-count     words     cover")
    for least, n_words, covered in plan.coverage:
        click.echo(f"{least:9,} {n_words:9,} {covered / plan.tokens:9.2%}")


def _print(text: str) -> None:
    click.echo(wrapped(text, sys.stdout))


def _example(vectors: WordVectors) -> str:
    """A word to look up: neither very frequent nor rare."""
    words = vectors.words[len(vectors) // 50 :]
    return "king" if "king" in vectors else next((word for word in words if word[0].isalnum()), words[0])
