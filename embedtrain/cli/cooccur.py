"""``embedtrain cooccur``: how often the words of a text stand beside each other."""

from __future__ import annotations

import shlex
import time
import warnings
from typing import Any

import click

from embedtrain.cli.options import (
    TrainingCommand,
    corpus_options,
    counting_options,
    output_path,
    read_corpus,
    threads_option,
    vocabulary_options,
)
from embedtrain.cli.training import REFUSED, folder_beside, inputs_of

_REFUSED = {
    **REFUSED,
    "distance-weighting": "use --weighting distance or --weighting uniform",
    "vocab-file": "use --read-vocab {value}",
}


@click.command(cls=TrainingCommand, refused=_REFUSED, short_help="Count how often words stand beside each other.")
@corpus_options
@vocabulary_options
@threads_option
@counting_options
@click.option("-o", "--output", help="File of counts; default: the corpus' name with .npz, in this folder.")
def cooccur(output: str | None, quiet: bool, **settings: Any) -> None:
    """Count how often the words of CORPUS stand beside each other, as a sparse matrix.

    The file holds the matrix as scipy.sparse.load_npz reads it, and its words. embedtrain glove trains on it.
    """
    from embedtrain.machine.interrupts import deferred_interrupts

    with deferred_interrupts():  # libraries lose interrupts while they are imported
        from embedtrain.counts.counts_file import is_counts_file
        from embedtrain.machine.files import check_distinct_paths, require_writable
        from embedtrain.machine.progress import counted, say
        from embedtrain.models.cooccurrence import counts_of_text

    for source in filter(is_counts_file, settings["corpus"]):
        raise click.UsageError(f"{source} holds counts already; train on it: embedtrain glove {shlex.quote(source)}")
    corpus = read_corpus(settings)
    if quiet:
        warnings.simplefilter("ignore")
    path = output_path(corpus.sources, corpus.files(), output, ".npz")
    inputs = {"the corpus": corpus.files(), **inputs_of(settings)}
    check_distinct_paths(inputs, {"-o": path, "--save-vocab": settings["save_vocab"]})
    require_writable(path)
    options: dict[str, Any] = {"temp_folder": folder_beside(path), "progress": False if quiet else None}
    started = time.perf_counter()
    with counts_of_text({"corpus": corpus, **options, **settings}) as counts:
        seconds = time.perf_counter() - started
        with deferred_interrupts() as interrupted:
            counts.save(path)
            came_late = interrupted()
    cells, words = counted(counts.matrix.nnz, "cell"), counted(len(counts), "word")
    say(f"counted  {cells} of {words} in {seconds:.1f} s", shown=not quiet)
    say(f"saved    {path}", shown=not quiet)
    say(f"next     embedtrain glove {shlex.quote(str(path))}", shown=not quiet)
    if came_late:
        click.echo(f"Error: interrupted; {path} holds the result", err=True)
        raise click.exceptions.Exit(130)
