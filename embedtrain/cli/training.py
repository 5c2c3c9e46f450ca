"""What every training command does: check the outputs, train or plan, save, and say what happened."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from embedtrain.cli.options import output_path, read_corpus
from embedtrain.cli.summary import save_and_say, say_plan

if TYPE_CHECKING:
    from embedtrain.corpus.sources import Corpus
    from embedtrain.errors import Interrupted, OutputError
    from embedtrain.training.reports import Plan
    from embedtrain.vectors.word_vectors import WordVectors

_CORPUS = "name the corpus without an option: embedtrain {command} {value}"
#: What other tools' options mean here, where it is the same for all models.
REFUSED = {
    "train": _CORPUS,
    "input": _CORPUS,
    "input-file": _CORPUS,
    "save-file": "use -o {value}",
    **dict.fromkeys(
        ("cbow", "sg", "skip-gram", "model"), "the model is the command: embedtrain skipgram, cbow or glove"
    ),
    "loss": "negative sampling is --negative, hierarchical softmax --hs",
}
_ONLY_GLOVE = "it belongs to glove; {command} counts no cells"
#: And for the models of word2vec.
REFUSED_BY_WORD2VEC = {
    **REFUSED,
    "alpha": "it means different things in different tools, use --lr {value}",
    **dict.fromkeys(("x-max", "weighting", "symmetric", "vectors"), _ONLY_GLOVE),
    "memory": "it belongs to glove and cooccur; {command} takes what its tables need",
}


def run_command(
    ctx: click.Context,
    settings: dict[str, Any],
    train: Callable[..., WordVectors],
    plan: Callable[..., Plan],
    *,
    read: Callable[[dict[str, Any]], tuple[Any, Mapping[str, list[Any]]]],
) -> None:
    """Train as the options of a command say.

    Parameters
    ----------
    ctx : click.Context
    settings : dict
        All options of the command by name.
    train, plan : callable
        Of the model, such as `train_skipgram` and `plan_skipgram`.
    read : callable
        Takes what is trained on from the settings, as `read_text` does, and returns it with the files that are read,
        its own first.
    """
    from embedtrain.errors import Interrupted, OutputError
    from embedtrain.machine.files import check_distinct_paths, require_writable
    from embedtrain.training.epoch_log import EpochLog

    output, quiet, log, dry_run = (settings.pop(name) for name in ("output", "quiet", "log", "dry_run"))
    if settings["resume"] is not None:
        go_on(ctx, settings)
    sources = settings["corpus"]
    material, inputs = read(settings)
    if quiet:
        warnings.simplefilter("ignore")
    path = output_path(sources, next(iter(inputs.values())), output, ".vec")
    outputs = {"-o": path, "--log": log, "--checkpoint": settings["checkpoint"], "--save-vocab": settings["save_vocab"]}
    check_distinct_paths({**inputs, **inputs_of(settings)}, outputs)
    for file in (path, log):
        if file is not None:
            require_writable(file)
    options: dict[str, Any] = {"temp_folder": folder_beside(path), "progress": False if quiet else None}
    if dry_run:
        say_plan(plan(material, **options, **settings))
        return
    epoch_log = EpochLog(log) if log else None
    if epoch_log and settings["resume"] is not None:
        epoch_log.require_log()

    ended: Interrupted | OutputError | None = None
    try:
        vectors = train(material, **options, callback=epoch_log, **settings)
    except (Interrupted, OutputError) as early:
        ended, vectors = early, early.vectors
    finish(vectors, path, ended, settings["checkpoint"], quiet=quiet)


def read_text(settings: dict[str, Any]) -> tuple[Corpus, dict[str, list[Any]]]:
    """The corpus that a command is given, and the files of all text that it reads."""
    corpus = read_corpus(settings)
    inputs = {"the corpus": corpus.files()}
    if settings.get("valid") is not None:
        inputs["the file of --valid"] = corpus.like(settings["valid"]).files()
    return corpus, inputs


def folder_beside(path: Path) -> Path | None:
    """Where temporary files of an output go: into its folder, but not beside a device or a pipe."""
    target = Path(os.path.realpath(path))
    return target.parent if target.is_file() or not target.exists() else None


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


def inputs_of(settings: Mapping[str, Any]) -> dict[str, list[Any]]:
    """The files that options name, by what messages call them; but not the checkpoint that a run resumes and keeps."""
    inputs = {}
    for name in ("read_vocab", "init", "resume"):
        path = settings.get(name)
        if path is not None and not (name == "resume" and are_same(path, settings["checkpoint"])):
            inputs[f"the file of --{name.replace('_', '-')}"] = [path]
    return inputs


def was_given(ctx: click.Context, name: str) -> bool:
    """Whether an option stands on the command line."""
    return ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE


def are_same(path: str, other: str | None) -> bool:
    """Whether two paths lead to the same file."""
    return other is not None and os.path.realpath(path) == os.path.realpath(other)


def go_on(ctx: click.Context, settings: dict[str, Any]) -> None:
    """Take what was not said on the command line from the checkpoint, and keep the checkpoint up to date."""
    from embedtrain.training.checkpoint import read_settings

    for name, value in read_settings(settings["resume"]).items():
        if name in settings and not was_given(ctx, name):
            settings[name] = value
    settings["checkpoint"] = settings["checkpoint"] or settings["resume"]
