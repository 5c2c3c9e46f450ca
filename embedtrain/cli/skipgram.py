"""``embedtrain skipgram``: from a text file to vectors."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import click

from embedtrain.cli.options import TrainingCommand, training_options
from embedtrain.cli.summary import save_and_say

_REFUSED = {
    "alpha": "it means different things in different tools, use --lr {value}",
    "train": "name the corpus without an option: embedtrain skipgram {value}",
    "input": "name the corpus without an option: embedtrain skipgram {value}",
}


@click.command(cls=TrainingCommand, refused=_REFUSED, short_help="Train vectors that predict the words around a word.")
@click.argument("corpus", type=click.Path())
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
def skipgram(corpus: str, output: str | None, quiet: bool, **settings: Any) -> None:
    """Train word vectors on CORPUS by skip-gram with negative sampling (word2vec).

    CORPUS is text, plain or gzip, UTF-8, a sentence a line, tokens between spaces. The vectors are written in
    word2vec text format.
    """
    from embedtrain.corpus.sources import require_readable
    from embedtrain.errors import Interrupted
    from embedtrain.machine.files import require_writable
    from embedtrain.skipgram import train_skipgram

    path = output_path(corpus, output)
    require_readable(corpus)
    require_writable(path)
    if quiet:
        warnings.simplefilter("ignore")
    try:
        beside = path.parent if path.is_file() or not path.exists() else None  # not beside a device or a pipe
        vectors = train_skipgram(corpus, temp_folder=beside, progress=False if quiet else None, **settings)
    except Interrupted as interruption:
        save_and_say(interruption.vectors, path, quiet=quiet)
        click.echo(f"Error: interrupted; {path} holds what was trained so far", err=True)
        raise click.exceptions.Exit(130) from None
    save_and_say(vectors, path, quiet=quiet)


def output_path(corpus: str, output: str | None) -> Path:
    """Where the vectors go."""
    if output is None:
        name = Path(corpus).name
        for suffix in (".gz", ".txt"):
            name = name.removesuffix(suffix)
        output = f"{name or 'vectors'}.vec"
    if os.path.realpath(output) == os.path.realpath(corpus):
        raise click.UsageError(f"the vectors would replace the corpus {corpus}; name another file with -o")
    if Path(output).suffix in (".gz", ".bz2", ".xz", ".zst", ".zip"):
        raise click.UsageError(
            f"vectors are written as plain text, not {Path(output).suffix}; name another file with -o"
        )
    return Path(output)
