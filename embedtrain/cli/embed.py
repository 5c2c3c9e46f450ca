"""``embedtrain embed``: vectors of texts."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import click

from embedtrain.cli import options, query_options
from embedtrain.training.settings import VocabularySettings

_ROWS = 1 << 12  # written at once


@click.command(cls=options.GroupedCommand, short_help="Compute vectors of texts.")
@click.argument("file", type=click.Path())
@partial(options.corpus_options, required=False)
@options.grouped_option(
    "--weights", group="model", default="mean", show_default=True, type=options.UnaliasedChoice(["mean", "sif"]),
    help="Average all words alike, or by smooth inverse frequency: rare words count more, and the first principal "
    "component is removed.",
)  # fmt: skip
@query_options.subwords_option
@options.output_option("The array, .npy; by default, and with -, standard output.")
def embed(
    file: str, weights: str, no_subwords: bool, output: str | None, quiet: bool, **settings: Any
) -> None:  # fmt: skip
    """Compute a vector of each line of CORPUS, by default of standard input: the mean of the vectors of its words.

    Words without a vector in FILE are left out; lines without any have rows of zeros. The rows are an array of NumPy.

    Example: embedtrain embed vectors.npz < texts.txt > rows.npy
    """
    import numpy as np

    from embedtrain.machine.array_file import temporary_file
    from embedtrain.machine.files import atomic_file, check_distinct_paths, require_writable
    from embedtrain.machine.progress import Progress, counted, is_terminal, say
    from embedtrain.vectors.text_means import TextMeans, without
    from embedtrain.vectors.word_vectors import WordVectors

    output = None if output == "-" else output
    if output is None and is_terminal(sys.stdout):
        raise click.UsageError("the array is not text for a terminal; name a file with -o, or add > rows.npy")
    settings |= {"corpus": settings["corpus"] or ("-",), "progress": None}
    options.set_progress(settings, quiet)
    chosen, corpus = VocabularySettings(progress=settings.pop("progress")), options.read_corpus(settings)
    if output is not None:
        check_distinct_paths({"the vectors": [file], "the corpus": corpus.files()}, {"-o": output})
        require_writable(output)
    vectors = WordVectors.load(file, subwords=not no_subwords)
    means = TextMeans(vectors, weights)
    with Progress("reading", None, shown=chosen.shown, unit="texts") as progress, temporary_file() as rows_file:
        with chosen.compiling():
            for block in means.blocks(corpus):
                rows_file.append(np.ascontiguousarray(block))
                progress.update(len(block))
        rows = rows_file.mapped(np.float32).reshape(-1, vectors.vector_size)
    component = means.component()
    stdout = sys.stdout.buffer
    target: AbstractContextManager[Any] = atomic_file(output) if output else nullcontext(stdout)
    with target as written:
        header = {"descr": rows.dtype.str, "fortran_order": False, "shape": rows.shape}
        np.lib.format.write_array_header_1_0(written, header)
        for begin in range(0, len(rows), _ROWS):
            written.write(without(component, rows[begin : begin + _ROWS]).data)
    means.warn()
    place = output or "to standard output"
    say(f"saved    {place}: {counted(len(rows), 'row')}, {rows.shape[1]:,} dimensions", shown=not quiet)
