"""What the commands that ask vectors share: options, the prompt, and how answers are shown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import click

topn_option = click.option(
    "-n", "--topn", default=10, show_default=True, type=click.IntRange(min=1), help="How many answers."
)
restrict_option = click.option(
    "--restrict", type=click.IntRange(min=1), metavar="N", help="Answer with the first N words only, the most frequent."
)
method_option = click.option(
    "--method",
    type=click.Choice(["add", "mul"]),
    default="add",
    show_default=True,
    help="3CosAdd (B - A + C) or 3CosMul (cosines to B and C multiplied, divided by that to A).",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")


class WordsCommand(click.Command):
    """A command that takes words, of which some begin with -."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """What Click makes of the command line; of an option that is none, what it may have been."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            raise click.UsageError(f"{error.format_message()} A word that begins with - comes after --.", ctx) from None


def require_words(words: Sequence[str], name: str) -> None:
    """See that there is a question, or somebody who can be asked for one.

    Raises
    ------
    UsageError
        If there are no words, and no terminal to ask at.
    """
    if not words and not is_terminal():
        raise click.UsageError(f"Missing argument '{name}'.", click.get_current_context())


def is_terminal() -> bool:
    """Whether there is somebody to ask."""
    return sys.stdin is not None and sys.stdin.isatty()


def question_and_answer(words: Sequence[str], wanted: str, answer: Callable[[list[str]], None]) -> None:
    """Answer the words of the command line or, without any, lines of words from a terminal until an empty one."""
    from embedtrain.errors import DataError

    if words:
        answer(list(map(_spelled, words)))
        return
    click.echo(f"Give {wanted}; an empty line ends.", err=True)
    while asked := _spelled(_ask()).split():
        try:
            answer(asked)
        except DataError as error:  # one that does not end the conversation
            click.echo(f"Error: {error}", err=True)


def _ask() -> str:
    click.echo("> ", nl=False, err=True)
    return sys.stdin.readline()


def _spelled(typed: str) -> str:
    """What was typed, though the terminal has not said that it is in UTF-8."""
    try:
        return os.fsencode(typed).decode()
    except UnicodeError:
        return typed


def say_answers(answers: Iterable[tuple[str, float]]) -> None:
    """Show scores and words, a line each."""
    for word, score in answers:
        click.echo(f"{score:.4f}  {word}")


def say_json(value: Any) -> None:
    """Show a value as JSON, in ASCII, which every terminal and pipe can hold."""
    click.echo(json.dumps(value, indent=2, allow_nan=False))
