"""``embedtrain check``: what other programs would trip over in a file of vectors."""

from __future__ import annotations

import sys
from pathlib import Path

import click

_CLIENTS = ("gensim", "spacy", "fasttext", "torchtext")


@click.command(short_help="Say what other programs would trip over in a vectors file.")
@click.argument("file", type=click.Path())
@click.option(
    "--for", "client", type=click.Choice([*_CLIENTS, "all"]), default="all", show_default=True,
    help="The program that is to read it.",
)  # fmt: skip
def check(file: str, client: str) -> None:
    """Say what a program would trip over that reads the vectors FILE, a line each; the exit status is 1 then."""
    from embedtrain.vectors.checks import check as find

    findings = find(Path(file), _CLIENTS if client == "all" else (client,))
    for finding in findings:
        click.echo(str(finding))
    if findings:
        sys.exit(1)
    click.echo(f"{file}: nothing found", err=True)
