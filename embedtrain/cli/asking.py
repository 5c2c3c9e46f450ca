"""What the commands that ask vectors share: options, the prompt, and how answers are shown."""

from __future__ import annotations

import json
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
        answer(list(words))
        return
    click.echo(f"Give {wanted}; an empty line ends.", err=True)
    while asked := _ask().split():
        try:
            answer(asked)
        except DataError as error:  # one that does not end the conversation
            click.echo(f"Error: {error}", err=True)


def _ask() -> str:
    click.echo("> ", nl=False, err=True)
    return sys.stdin.readline()


def say_answers(answers: Iterable[tuple[str, float]]) -> None:
    """Show scores and words, a line each."""
    for word, score in answers:
        click.echo(f"{score:.4f}  {word}")


def say_json(value: Any) -> None:
    """Show a value as JSON, in ASCII, which every terminal and pipe can hold."""
    click.echo(json.dumps(value, indent=2, allow_nan=False))
