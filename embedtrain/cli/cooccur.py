"""``embedtrain cooccur``: co-occurrence counts of a text."""

from __future__ import annotations

import shlex
import time
from typing import Any

import click

from embedtrain.cli import options
from embedtrain.cli.saving import folder_beside, save_or_keep, saving
from embedtrain.models.cooccurrence import Cooccurrence


@click.command(cls=options.GroupedCommand, short_help="Count how often words occur near each other.")
@options.settings_options(Cooccurrence)
@options.MERGE
@options.corpus_options
@options.output_option("File of counts; by default the corpus' name with .npz, here.")
def cooccur(output: str | None, quiet: bool, merge: bool, **given: Any) -> None:
    """Count how often the words of CORPUS occur near each other, as a sparse matrix.

    The file has the matrix, for scipy.sparse.load_npz, and its words. embedtrain glove trains on it.

    With --merge, the inputs are files that cooccur wrote for the parts of a text, with --exact and one --read-vocab;
    the output is that of the whole text, to the bit.

    Example: embedtrain cooccur corpus.txt -o counts.npz
    """
    from embedtrain.machine.interrupts import deferred_interrupts

    with deferred_interrupts():  # libraries lose interrupts while they are imported
        from embedtrain.counts.counts_file import is_counts_file
        from embedtrain.errors import DataError
        from embedtrain.machine.progress import counted, say

    for source in filter(is_counts_file, () if merge else given["corpus"]):
        raise click.UsageError(f"{source} holds counts already; train on it: embedtrain glove {shlex.quote(source)}")
    of_merge = {"threads", "memory"} if merge else None
    corpus, path, ranks = options.begin_counting(given, output, ".npz", quiet, of_merge)
    settings = Cooccurrence(**given, temp_folder=folder_beside(path), ranks=ranks)
    started = time.perf_counter()
    counts = settings.merged(corpus.files()) if merge else settings.mapped_counts(corpus)
    seconds = time.perf_counter() - started
    if ranks.rank > 0:
        return
    with saving(path) as interrupted:
        path, failure = save_or_keep(counts.save, path)
        came_late = interrupted()
    if failure is not None:
        raise DataError(f"{failure.args[0]}; {path} holds the result")
    cells, words = counted(counts.matrix.nnz, "cell"), counted(len(counts), "word")
    say(f"{'merged' if merge else 'counted':8} {cells} of {words} in {seconds:.1f} s", shown=not quiet)
    say(f"saved    {path}", shown=not quiet)
    if not settings.exact:
        say(f"next     embedtrain glove {shlex.quote(str(path))}", shown=not quiet, wrap=False)
    if came_late:
        say(f"Error: interrupted; {path} holds the result", wrap=False)
        raise click.exceptions.Exit(130)
