"""``embedtrain cbow``: from a text file to vectors that predict a word from the words around it."""

from __future__ import annotations

from typing import Any

import click

from embedtrain.cli.options import TrainingCommand, training_options, word2vec_options
from embedtrain.cli.training import REFUSED_BY_WORD2VEC, read_text, run_command

_REFUSED = {**REFUSED_BY_WORD2VEC, "cbow-mean": "the mean is always taken"}


@click.command(
    cls=TrainingCommand, refused=_REFUSED, short_help="Train vectors that predict a word from those around it."
)
@training_options(epochs=5)
@word2vec_options
@click.option(
    "--cbow-update", type=click.Choice(["word2vec", "corrected"]), default="word2vec", show_default=True,
    help="Each word around takes the whole gradient of their mean, or its share.",
)  # fmt: skip
@click.option("--lr", type=float, help="Initial learning rate; it falls linearly. Default: 0.05, corrected 0.15.")
@click.pass_context
def cbow(ctx: click.Context, /, **settings: Any) -> None:
    """Train word vectors on CORPUS by CBOW (word2vec).

    Twice as fast as skip-gram, and a little behind it (analogies on 100 MB of Wikipedia: 37 %, skip-gram 38).

    CORPUS is text: files, plain or compressed, folders, patterns, or - for standard input. UTF-8, a sentence a line,
    tokens between spaces; or JSON lines. The vectors are written in word2vec text format.
    """
    from embedtrain.machine.interrupts import deferred_interrupts

    with deferred_interrupts():  # libraries lose interrupts while they are imported
        from embedtrain.models.cbow import plan_cbow, train_cbow

    run_command(ctx, settings, train_cbow, plan_cbow, read=read_text)
