"""``embedtrain check``: what is wrong with a file of vectors."""

from __future__ import annotations

import sys

import click


@click.command(short_help="List what is wrong with a vectors file.")
@click.argument("file", type=click.Path())
def check(file: str) -> None:
    """List everything that is wrong with the vectors FILE, a line each; the exit status is 1 then.

    Bad rows are those that `embedtrain convert --errors skip` leaves out.

    Example: embedtrain check vectors.vec
    """
    from embedtrain import formats
    from embedtrain.formats.format import ReadOptions

    problems = 0

    def show(problem: str) -> None:
        nonlocal problems
        problems += 1
        click.echo(problem)

    formats.read(file, ReadOptions(must_be_writable=True, on_error=show))
    if problems:
        sys.exit(1)
    click.echo(f"{file}: nothing found", err=True)
