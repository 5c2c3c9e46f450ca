"""``embedtrain skipgram``: from a text file to vectors that predict the words around a word."""

from __future__ import annotations

from typing import Any

import click

from embedtrain.cli.options import TrainingCommand, training_options, word2vec_options
from embedtrain.cli.training import REFUSED_BY_WORD2VEC, read_text, run_command

_REFUSED = {**REFUSED_BY_WORD2VEC, "cbow-update": "it belongs to cbow"}


@click.command(cls=TrainingCommand, refused=_REFUSED, short_help="Train vectors that predict the words around a word.")
@training_options(epochs=5)
@word2vec_options
@click.option("--lr", default=0.025, show_default=True, help="Initial learning rate; it falls linearly.")
@click.pass_context
def skipgram(ctx: click.Context, /, **settings: Any) -> None:
    """Train word vectors on CORPUS by skip-gram (word2vec).

    The model to start with: of those here it answered most analogies (38 % on 100 MB of Wikipedia, CBOW 37, GloVe 32).

    CORPUS is text: files, plain or compressed, folders, patterns, or - for standard input. UTF-8, a sentence a line,
    tokens between spaces; or JSON lines. The vectors are written in word2vec text format.
    """
    from embedtrain.machine.interrupts import deferred_interrupts

    with deferred_interrupts():  # libraries lose interrupts while they are imported
        from embedtrain.models.skipgram import plan_skipgram, train_skipgram

    run_command(ctx, settings, train_skipgram, plan_skipgram, read=read_text)
