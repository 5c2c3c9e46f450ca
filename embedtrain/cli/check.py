"""``embedtrain check``: list the problems of a file of vectors."""

from __future__ import annotations

import sys

import click


@click.command(short_help="List the problems of a vectors file.")
@click.argument("file", type=click.Path())
def check(file: str) -> None:
    """List the problems of the vectors FILE, one per line; the exit status is 1 if there are any.

    Bad rows are those that `embedtrain convert --errors skip` leaves out. Words with spaces or invalid UTF-8, which it
    takes, are counted in one line.

    Example: embedtrain check vectors.vec
    """
    from embedtrain import formats
    from embedtrain.formats.format import ReadOptions
    from embedtrain.machine.progress import counted, say

    problems = 0

    def show(problem: str) -> None:
        nonlocal problems
        problems += 1
        click.echo(problem)

    table = formats.read(file, ReadOptions(must_be_writable=True, on_error=show, on_note=show))
    if problems:
        say(f"{file}: {counted(problems, 'problem')}, {counted(len(table.words), 'good row')}", wrap=False)
        sys.exit(1)
    say(f"{file}: no problems found", wrap=False)
