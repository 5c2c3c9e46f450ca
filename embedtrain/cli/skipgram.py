"""``embedtrain skipgram``: from a text file to vectors."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from embedtrain.cli.options import TrainingCommand, output_path, read_corpus, training_options
from embedtrain.cli.summary import save_and_say, say_plan

if TYPE_CHECKING:
    from embedtrain.corpus.sources import Corpus
    from embedtrain.errors import Interrupted, OutputError
    from embedtrain.vectors.word_vectors import WordVectors

_REFUSED = {
    "alpha": "it means different things in different tools, use --lr {value}",
    "train": "name the corpus without an option: embedtrain skipgram {value}",
    "input": "name the corpus without an option: embedtrain skipgram {value}",
}


@click.command(cls=TrainingCommand, refused=_REFUSED, short_help="Train vectors that predict the words around a word.")
@training_options
@click.option("--window", default=5, show_default=True, help="Words before and after a word that are its contexts.")
@click.option(
    "--window-mode", type=click.Choice(["dynamic", "fixed"]), default="dynamic", show_default=True,
    help="Each word draws its window from 1 to --window, or always takes it whole.",
)  # fmt: skip
@click.option("--negative", default=5, show_default=True, help="Noise words for each pair.")
@click.option(
    "--noise-exponent",
    default=0.75,
    show_default=True,
    help="Noise words are drawn in proportion to count ** exponent.",
)
@click.option(
    "--sample", default=1e-3, show_default=True, help="Subsample words more frequent than about this; 0: none."
)
@click.option("--lr", default=0.025, show_default=True, help="Initial learning rate; it falls linearly.")
@click.pass_context
def skipgram(
    ctx: click.Context, /, output: str | None, quiet: bool, log: str | None, dry_run: bool, **settings: Any
) -> None:
    """Train word vectors on CORPUS by skip-gram with negative sampling (word2vec).

    CORPUS is text: files, plain or compressed, folders, patterns, or - for standard input. UTF-8, a sentence a line,
    tokens between spaces; or JSON lines. The vectors are written in word2vec text format.
    """
    from embedtrain.machine.interrupts import deferred_interrupts

    with deferred_interrupts():  # libraries lose interrupts while they are imported
        from embedtrain.errors import Interrupted, OutputError
        from embedtrain.machine.files import require_apart, require_writable
        from embedtrain.skipgram import plan_skipgram, train_skipgram
        from embedtrain.training.epoch_log import EpochLog

    if settings["resume"] is not None:
        go_on(ctx, settings)
    corpus = read_corpus(settings)
    if quiet:
        warnings.simplefilter("ignore")
    path = output_path(corpus, output, ".vec")
    outputs = {"-o": path, "--log": log, "--checkpoint": settings["checkpoint"], "--save-vocab": settings["save_vocab"]}
    require_apart(inputs_of(corpus, settings), outputs)
    for file in (path, log):
        if file is not None:
            require_writable(file)
    target = Path(os.path.realpath(path))
    beside = target.parent if target.is_file() or not target.exists() else None  # not beside a device or a pipe
    options: dict[str, Any] = {"temp_folder": beside, "progress": False if quiet else None}
    if dry_run:
        say_plan(plan_skipgram(corpus, **options, **settings))
        return
    epoch_log = EpochLog(log) if log else None
    if epoch_log and settings["resume"] is not None:
        epoch_log.require_log()

    ended: Interrupted | OutputError | None = None
    try:
        vectors = train_skipgram(corpus, **options, callback=epoch_log, **settings)
    except (Interrupted, OutputError) as early:
        ended, vectors = early, early.vectors
    finish(vectors, path, ended, settings["checkpoint"], quiet=quiet)


def finish(
    vectors: WordVectors, path: Path, ended: Interrupted | OutputError | None, checkpoint: str | None, *, quiet: bool
) -> None:
    """Save what was trained, whatever ended the run, and say how it ended."""
    from embedtrain.errors import DataError, OutputError
    from embedtrain.machine.interrupts import deferred_interrupts

    with deferred_interrupts() as interrupted:
        try:
            save_and_say(vectors, path, quiet=quiet)
        except DataError as error:
            raise ended if isinstance(ended, OutputError) else error from None  # the first one is to be told of
        came_late = interrupted()
    if isinstance(ended, OutputError):
        raise DataError(f"{ended}; {path} holds what was trained so far")
    if ended or came_late:
        state = "what was trained so far" if ended else "the result"
        go_on_with = f"; go on with --resume {checkpoint}" if ended and has_checkpoint(vectors) else ""
        click.echo(f"Error: interrupted; {path} holds {state}{go_on_with}", err=True)
        raise click.exceptions.Exit(130)


def has_checkpoint(vectors: WordVectors) -> bool:
    """Whether the run that made the vectors has written a checkpoint."""
    return vectors.report is not None and "checkpoint" in vectors.report.seconds


def inputs_of(corpus: Corpus, settings: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The files that a run reads, by what messages call them; but not the checkpoint that it resumes and keeps."""
    inputs = {"the corpus": corpus.files()}
    if settings["valid"] is not None:
        inputs["the file of --valid"] = corpus.like(settings["valid"]).files()
    for name in ("read_vocab", "init", "resume"):
        if settings[name] is not None and not (name == "resume" and are_same(settings[name], settings["checkpoint"])):
            inputs[f"the file of --{name.replace('_', '-')}"] = [settings[name]]
    return inputs


def are_same(path: str, other: str | None) -> bool:
    """Whether two paths lead to the same file."""
    return other is not None and os.path.realpath(path) == os.path.realpath(other)


def go_on(ctx: click.Context, settings: dict[str, Any]) -> None:
    """Take what was not said on the command line from the checkpoint, and keep the checkpoint up to date."""
    from click.core import ParameterSource

    from embedtrain.training.checkpoint import read_settings

    for name, value in read_settings(settings["resume"]).items():
        if name in settings and ctx.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
            settings[name] = value
    settings["checkpoint"] = settings["checkpoint"] or settings["resume"]
