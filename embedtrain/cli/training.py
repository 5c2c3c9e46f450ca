"""The commands that train a model, one for each class of settings in `MODELS`."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from embedtrain.cli.options import (
    PATH,
    GroupedCommand,
    corpus_options,
    edges_options,
    grouped_option,
    inputs_of,
    output_option,
    output_path,
    read_corpus,
    set_progress,
    settings_options,
    with_options,
)
from embedtrain.cli.saving import folder_beside, saving
from embedtrain.cli.summary import print_plan, save_and_report
from embedtrain.machine.progress import say
from embedtrain.machine.ranks import launched_ranks
from embedtrain.models import MODELS, OTHERS
from embedtrain.models.item2vec import Item2vec
from embedtrain.training.declarations import declared
from embedtrain.training.settings import CountModelSettings, TrainingSettings

if TYPE_CHECKING:
    from embedtrain.corpus.sources import Corpus
    from embedtrain.errors import Interrupted, OutputError
    from embedtrain.vectors.word_vectors import WordVectors

_TEXT = """
CORPUS is text: files, plain or compressed, folders, patterns, or - for standard input. UTF-8, one sentence per line,
with spaces between tokens; raw text with --tokenize words; or JSON lines.{counts} The vectors are written in
the format of the suffix of -o, see embedtrain convert --help; .vec is word2vec text, .vec.gz the same compressed.

Example: embedtrain {model} corpus.txt -o vectors.vec

Raw text: embedtrain {model} books --tokenize words --lowercase -o out.vec
"""
_COUNTS = """ Or it is a file of counts: of embedtrain cooccur, an .npz of SciPy, or GloVe's cooccurrence.bin, with
--vocab."""

_SESSIONS = """
CORPUS is files, plain or compressed, folders, patterns, or - for standard input: a session a line, spaces between its
items, or JSON lines (.jsonl, or --field): lists of items, which may have spaces, or objects with a list in --field.
Write .npz, as other formats hold neither items with spaces nor what complements need.

Example: embedtrain {model} sessions.txt -o items.npz
"""

_GRAPH = """
EDGES is an edge list, plain or compressed, or - for standard input: lines of two nodes and perhaps a weight, divided by
tabs, else commas, else spaces, as in the first line; lines that begin with # or % are comments. Self loops are left
out, repeated edges count once or, with --weighted, have the sum of their weights. Where options speak of words and
lines, those of a graph are its nodes and walks.

Example: embedtrain {model} edges.txt -o nodes.vec
"""

_OUTPUTS_OF_EPOCHS = with_options(
    grouped_option(
        "--log", group="output", type=PATH, metavar="FILE", help="Write a line of JSON to this file for every epoch."
    ),
    grouped_option(
        "--dry-run", group="output", is_flag=True,
        help="Read the input, report the expected memory and time, and stop.",
    ),
)  # fmt: skip


def training_command(model: type[Any]) -> click.Command:
    """Make the command that trains a model with the settings of its class."""

    @click.pass_context
    def command(ctx: click.Context, /, **options: Any) -> None:
        _run_command(ctx, model, options)

    if issubclass(model, TrainingSettings):
        command = _OUTPUTS_OF_EPOCHS(command)
    of_graph = model in OTHERS
    has_subwords = any(field.name == "subwords" for field in declared(model))
    suffix = ".npz" if model is Item2vec else ".vec" + ", with subwords .npz" * has_subwords
    output = output_option(f"Vectors file; by default the input's name with {suffix}, here.")
    command = settings_options(model)(output((edges_options if of_graph else corpus_options)(command)))
    summary = inspect.getdoc(model) or ""
    text = (_GRAPH if of_graph else _SESSIONS if model is Item2vec else _TEXT).format(
        model=model.model, counts=_COUNTS if issubclass(model, CountModelSettings) else ""
    )
    short = summary.split("\n")[0]
    return click.command(model.model, cls=GroupedCommand, help=f"{summary}\n{text}", short_help=short)(command)


COMMANDS = [training_command(model) for model in (*MODELS, *OTHERS)]
#: Commands whose work ranks share.
OVER_RANKS = ["vocab", "cooccur", *(model.model for model in (*MODELS, *OTHERS) if model.over_ranks)]


def _run_command(ctx: click.Context, model: type[Any], options: dict[str, Any]) -> None:
    """Train with the options of a command, and save the vectors."""
    from embedtrain.machine.interrupts import deferred_interrupts

    with deferred_interrupts():  # libraries lose interrupts while they are imported
        from embedtrain.errors import Interrupted, OutputError
        from embedtrain.machine.files import check_distinct_paths
        from embedtrain.training import run  # noqa: F401  # imports everything a run needs
        from embedtrain.training.epoch_log import EpochLog

    output, quiet, log, dry_run = (options.pop(name, None) for name in ("output", "quiet", "log", "dry_run"))
    ranks = launched_ranks()
    if ranks.rank > 0:  # which writes and prints nothing
        quiet, log = True, None
    if options.get("resume") is not None:
        _apply_checkpoint(ctx, options)
    checkpoint, sources = options.get("checkpoint"), options["corpus"]
    data, inputs = _read_data(ctx, options, takes_counts=issubclass(model, CountModelSettings))
    set_progress(options, quiet)
    path = output_path(sources, next(iter(inputs.values())), output, ".vec")
    has_subwords = options.get("subwords") is not None
    if output is None and (has_subwords or model is Item2vec):
        path = path.with_suffix(".npz")
    outputs = {
        "-o": path,
        "--log": log,
        "--checkpoint": checkpoint,
        "--save-vocab": options["save_vocab"],
        "--documents": options.get("documents"),
    }
    check_distinct_paths({**inputs, **inputs_of(options)}, outputs)
    if ranks.rank == 0:
        n_dims = (options["dim"] or 100) * (options.get("init") is None)  # those of `init` are not known yet
        _check_writable(path, log, options["buckets"] if has_subwords else None, n_dims)
    if log and not dry_run:
        options["callback"] = EpochLog(log)
    settings = model(**options, temp_folder=folder_beside(path), ranks=ranks)
    if dry_run:
        plan = settings.plan(data)
        return print_plan(plan) if ranks.rank == 0 else None
    if log and options["resume"] is not None:
        options["callback"].check_log()

    ended: Interrupted | OutputError | None = None
    try:
        vectors = settings.train(data)
    except (Interrupted, OutputError) as early:
        ended, vectors = early, early.vectors
    if ranks.rank == 0:
        _finish(vectors, path, ended, checkpoint, quiet=quiet)


def _check_writable(path: Path, log: Any, n_buckets: int | None, n_dims: int) -> None:
    """Check that the outputs can be written, and the format of vectors, perhaps with subwords in buckets."""
    from embedtrain.formats import format_of, note_left_out
    from embedtrain.machine.files import require_writable
    from embedtrain.machine.memory import require_disk

    for file in (path, log):
        if file is not None and Path(file).suffix.lower() != ".npy":  # a folder, which may exist
            require_writable(file)
    format = format_of(path, None, n_buckets)
    format.check_output(path)
    if n_buckets is not None:
        note_left_out(path, format)
        if format.name == "fasttext":  # it has all buckets
            require_disk(path, 4 * n_buckets * n_dims, "write .npz, or set fewer `buckets`")


def _read_data(
    ctx: click.Context, options: dict[str, Any], *, takes_counts: bool
) -> tuple[Corpus | Path, dict[str, list[Any]]]:
    """Return the corpus or the file of counts of a command, and all input files, those of the corpus first."""
    from embedtrain.corpus.sources import OPTIONS
    from embedtrain.counts.counts_file import is_counts_file

    sources = options["corpus"]
    counts = [source for source in sources if is_counts_file(source)] if takes_counts else []
    if not counts:
        corpus = read_corpus(options)
        inputs: dict[str, list[Any]] = {"the corpus": corpus.files()}
        if options.get("valid") is not None:
            inputs["the file of --valid"] = corpus.like(options["valid"]).files()
        return corpus, inputs
    if len(sources) > 1:
        raise click.UsageError(f"{counts[0]} holds counts: train on this file only, or on text only")
    for name in OPTIONS:
        del options[name]
        if _is_given(ctx, name):
            raise click.UsageError(f"--{name.replace('_', '-')} says how text is read; {sources[0]} holds counts")
    path = Path(options.pop("corpus")[0])
    words = {f"the file of --{name.replace('words', 'vocab').replace('_', '-')}": [options[name]]
             for name in ("words", "context_words") if options.get(name) is not None}  # fmt: skip
    return path, {"the counts": [path], **words}


def _finish(
    vectors: WordVectors, path: Path, ended: Interrupted | OutputError | None, checkpoint: Any, *, quiet: bool
) -> None:
    """Save the vectors, also of a run that ended early, and report how it ended."""
    from embedtrain.errors import DataError, OutputError

    with saving(path) as interrupted:
        try:
            path, failure = save_and_report(vectors, path, quiet=quiet)
        except DataError as error:
            both = f"{ended.args[0]}; {error.args[0]}" if isinstance(ended, OutputError) else error.args[0]
            raise DataError(both) from None
        came_late = interrupted()
    failure = ended if isinstance(ended, OutputError) else failure
    state = "what was trained so far" if ended else "the result"
    if failure is not None:
        raise DataError(f"{failure.args[0]}; {path} holds {state}")
    if ended or came_late:
        has_checkpoint = vectors.report is not None and "checkpoint" in vectors.report.seconds
        remedy = f"; go on with --resume {checkpoint}" if ended and has_checkpoint else ""
        say(f"Error: interrupted; {path} holds {state}{remedy}", wrap=False)
        raise click.exceptions.Exit(130)


def _is_given(ctx: click.Context, name: str) -> bool:
    """Whether an option was given on the command line."""
    return ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE


def _apply_checkpoint(ctx: click.Context, options: dict[str, Any]) -> None:
    """Take options that were not given from the checkpoint, and continue to write it."""
    from embedtrain.training.checkpoint import read_settings

    for name, value in read_settings(options["resume"]).items():
        if name in options and not _is_given(ctx, name):
            options[name] = value
    options["checkpoint"] = options["checkpoint"] or options["resume"]
