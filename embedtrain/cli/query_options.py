"""Options, prompt and output of the commands that query vectors."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

topn_option = click.option(
    "-n", "--topn", default=10, show_default=True, type=click.IntRange(min=1), help="How many words to show."
)
restrict_option = click.option(
    "--restrict", type=click.IntRange(min=1), metavar="N", help="Search the first N words only, the most frequent."
)
method_option = click.option(
    "--method",
    type=click.Choice(["add", "mul"]),
    default="add",
    show_default=True,
    help="3CosAdd (B - A + C) or 3CosMul (cosines to B and C multiplied, divided by that to A).",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


class WordsCommand(click.Command):
    """A command whose arguments are words, some of which begin with -."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse; the message about an unknown option tells how to give it as a word."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise click.UsageError(f"{error.format_message()} A word that begins with - must follow --.", ctx) from None


def require_words(words: Sequence[str], name: str) -> None:
    """Check that there are words, or a terminal to type them in."""
    if not words and not (sys.stdin is not None and sys.stdin.isatty()):
        raise click.UsageError(f"Missing argument '{name}'.", click.get_current_context())


def run_queries(words: Sequence[str], prompt: str, query: Callable[[list[str]], None]) -> None:
    """Query the words of the command line or, without any, each line from the terminal up to an empty one."""
    from embedtrain.errors import DataError

    if words:
        query(list(map(_as_utf8, words)))
        return
    click.echo(f"Type {prompt}; an empty line ends.", err=True)
    while typed := _as_utf8(_prompt()).split():
        try:
            query(typed)
        except DataError as error:
            click.echo(f"Error: {error}", err=True)


def _prompt() -> str:
    click.echo("> ", nl=False, err=True)
    return sys.stdin.readline()


def _as_utf8(typed: str) -> str:
    """Decode typed text as UTF-8, even in another locale."""
    try:
        return os.fsencode(typed).decode()
    except UnicodeError:
        return typed


def print_scores(scored: Iterable[tuple[str, float]]) -> None:
    """Print scores and words, one per line."""
    for word, score in scored:
        click.echo(f"{score:.4f}  {word}")


def print_json(value: Any) -> None:
    """Print JSON in ASCII, for any terminal and pipe."""
    click.echo(json.dumps(value, indent=2, allow_nan=False))
