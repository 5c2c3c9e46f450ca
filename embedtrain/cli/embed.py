"""``embedtrain embed``: vectors of texts."""

from __future__ import annotations

import os
import sys
from collections import deque
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import click

from embedtrain.cli import options, query_options
from embedtrain.training.settings import VocabularySettings


@click.command(cls=options.GroupedCommand, short_help="Compute vectors of texts.")
@click.argument("file", type=click.Path())
@partial(options.corpus_options, required=False)
@options.grouped_option(
    "--weights", group="model", default="mean", show_default=True, type=options.UnaliasedChoice(["mean", "sif"]),
    help="Average all words alike; or rare words count more, and the first principal component is removed.",
)  # fmt: skip
@query_options.subwords_option
@options.output_option("The array, .npy; by default, and with -, standard output.")
def embed(file: str, weights: str, no_subwords: bool, output: str | None, quiet: bool, **settings: Any) -> None:
    """Compute a vector of each line of CORPUS, by default of standard input: the mean of the vectors of its words.

    Words without a vector in FILE are left out; lines without any have rows of zeros. The result is a NumPy array.

    Example: embedtrain embed vectors.npz < texts.txt > rows.npy
    """
    from numpy.lib.format import write_array_header_1_0

    from embedtrain.machine.files import atomic_file, check_distinct_paths, require_writable
    from embedtrain.machine.progress import Progress, counted, is_terminal, say
    from embedtrain.vectors.text_means import TextMeans
    from embedtrain.vectors.word_vectors import WordVectors

    settings |= {"corpus": settings["corpus"] or ("-",), "progress": None}
    options.set_progress(settings, quiet)
    chosen, corpus = VocabularySettings(progress=settings.pop("progress")), options.read_corpus(settings)
    target: AbstractContextManager[Any] = nullcontext(sys.stdout.buffer)
    if output not in (None, "-"):
        check_distinct_paths({"the vectors": [file], "the corpus": corpus.files()}, {"-o": output})
        if os.path.splitext(output)[1].lower() not in ("", ".npy"):
            raise click.UsageError(f"the output is a NumPy array; end its name in .npy, got {output}")
        require_writable(output)
        target = atomic_file(output)
    elif is_terminal(sys.stdout):
        raise click.UsageError("an array is not for a terminal; name a file with -o, or add > rows.npy")
    vectors = WordVectors.load(file, subwords=not no_subwords)
    with chosen.compiling():
        deque(TextMeans(vectors, ["two words"], "mean").blocks())
    with Progress("reading", None, shown=chosen.shown) as progress:
        means = TextMeans(vectors, corpus, weights, progress)
    component, shape = means.component(), (means.n_texts, vectors.vector_size)
    with target as written:
        write_array_header_1_0(written, {"descr": "<f4", "fortran_order": False, "shape": shape})
        for rows in means.rows(component):
            written.write(rows.astype("<f4", copy=False).tobytes())
    say(f"saved    {counted(shape[0], 'row')} of {shape[1]:,} dimensions", shown=not quiet)
