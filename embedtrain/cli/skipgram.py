"""``embedtrain skipgram``: from a text file to vectors that predict the words around a word."""

from __future__ import annotations

from typing import Any

import click

from embedtrain.cli.options import TrainingCommand, held_out_options, training_options
from embedtrain.cli.training import REFUSED, read_text, run_command

_ONLY_GLOVE = "it belongs to glove; skip-gram counts no cells"
_REFUSED = {
    **REFUSED,
    "alpha": "it means different things in different tools, use --lr {value}",
    "x-max": _ONLY_GLOVE,
    "weighting": _ONLY_GLOVE,
    "symmetric": _ONLY_GLOVE,
    "vectors": _ONLY_GLOVE,
    "memory": "it belongs to glove and cooccur; skip-gram takes what its tables need",
}


@click.command(cls=TrainingCommand, refused=_REFUSED, short_help="Train vectors that predict the words around a word.")
@training_options(epochs=5)
@held_out_options
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
def skipgram(ctx: click.Context, /, **settings: Any) -> None:
    """Train word vectors on CORPUS by skip-gram with negative sampling (word2vec).

    CORPUS is text: files, plain or compressed, folders, patterns, or - for standard input. UTF-8, a sentence a line,
    tokens between spaces; or JSON lines. The vectors are written in word2vec text format.
    """
    from embedtrain.machine.interrupts import deferred_interrupts

    with deferred_interrupts():  # libraries lose interrupts while they are imported
        from embedtrain.skipgram import plan_skipgram, train_skipgram

    run_command(ctx, settings, train_skipgram, plan_skipgram, read=read_text)
