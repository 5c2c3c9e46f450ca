"""Options, prompt and output of the commands that query vectors."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from embedtrain.errors import one_line
from embedtrain.machine.progress import is_terminal

if TYPE_CHECKING:
    from embedtrain.vectors.word_vectors import WordVectors

COUNT = click.IntRange(min=1)
topn_option = click.option("-n", "--topn", default=10, show_default=True, type=COUNT, help="How many to show.")
restrict_option = click.option(
    "--restrict", type=COUNT, metavar="N", help="Search the first N words only, the most frequent."
)
method_option = click.option(
    "--method", type=click.Choice(["add", "mul"]), default="add", show_default=True,
    help="3CosAdd (B - A + C) or 3CosMul (cosines to B and C multiplied, divided by that to A).",
)  # fmt: skip
subwords_option = click.option("--no-subwords", is_flag=True, help="Unknown words have no vectors, even with subwords.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON lines in UTF-8, one object a result.")


def require_order(file: str, words: Sequence[str]) -> None:
    """Check that the file is not given after the words."""
    swapped = next((word for word in words if os.path.isfile(word)), None)
    if swapped is not None and not os.path.exists(file):
        others = [word for word in words if word != swapped]
        suggest(f"{file} is not a file, but {swapped} is", [swapped, file, *others])


def load_all(files: Sequence[str], output: str | None = None, dictionary: str | None = None) -> list[WordVectors]:
    """Read several files of vectors, after checking that they differ and that the output can be written."""
    from embedtrain import formats
    from embedtrain.machine.files import check_distinct_paths
    from embedtrain.vectors.word_vectors import WordVectors

    if len({os.path.realpath(file) for file in files}) < max(2, len(files)):
        raise click.UsageError(f"name at least two files of vectors, all different, got {' '.join(files)}")
    if output is not None:
        inside = [path for file in files for path in Path(file).glob("*")]
        check_distinct_paths({"an input": [*files, dictionary, *inside]}, {"-o": output})
        formats.format_of(output).check_output(Path(output))
    return [WordVectors.load(file) for file in files]


def suggest(problem: str, arguments: Sequence[str]) -> NoReturn:
    """Raise an error that shows the command with other arguments."""
    command = click.get_current_context().info_name
    raise click.UsageError(f"{problem}; did you mean: embedtrain {command} {shlex.join(arguments)}")


def run_queries(words: Sequence[str], prompt: str, query: Callable[[list[str], bool], None]) -> None:
    """Query the arguments or, without any or with "-", each line of standard input; a terminal ends with an empty one.

    `query` takes arguments, and whether they should be repeated above the answer.
    """
    from embedtrain.errors import DataError

    if words and list(words) != ["-"]:
        query(list(map(_as_utf8, words)), False)
        return
    is_typed = is_terminal(sys.stdin)
    n_lines = n_errors = 0
    for line in typed_or_piped(prompt):
        n_lines += 1
        try:
            query([line], not is_typed)
        except (DataError, click.UsageError) as error:
            n_errors += 1
            click.echo(one_line(f"Error: {error}"), err=True)
    if not n_lines and not is_typed:
        raise click.UsageError(f"no words: expected {prompt}, as arguments or on standard input")
    if n_errors and not is_typed:
        sys.exit(1)


def typed_or_piped(prompt: str) -> Iterator[str]:
    """Yield the lines of standard input that are not blank, as UTF-8; on a terminal until an empty one."""
    if not is_terminal(sys.stdin):
        stream = getattr(sys.stdin, "buffer", None) or ()
        yield from filter(None, (line.decode(errors="replace").removeprefix("\ufeff").strip() for line in stream))
        return
    click.echo(f"Type {prompt}; an empty line ends.", err=True)
    while True:
        click.echo("> ", nl=False, err=True)
        if not (line := _as_utf8(sys.stdin.readline()).strip()):
            return
        yield line


def split_words(arguments: Iterable[str], known: Container[str]) -> list[str]:
    """Split arguments at spaces, except those that are words."""
    parts = ([argument] if argument in known else argument.split() or [argument] for argument in arguments)
    return list(chain.from_iterable(parts))


def _as_utf8(typed: str) -> str:
    """Decode typed text as UTF-8, even in another locale."""
    try:
        return os.fsencode(typed).decode()
    except UnicodeError:
        return typed


def show(line: str) -> None:
    """Print a line; on a terminal control and direction characters are escaped, a pipe gets them as they are."""
    click.echo(one_line(line) if is_terminal(sys.stdout) else line)


def print_scores(scored: Iterable[tuple[str, float]], heading: str = "") -> None:
    """Print scores and words, one per line."""
    if heading:
        show(f"{heading}:")
    for word, score in scored:
        show(f"{score:.4f}  {word}")


def print_json(value: Any) -> None:
    """Print a line of JSON in UTF-8, in any locale."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    if is_terminal(sys.stdout) and one_line(text) != text:
        text = json.dumps(value)
    click.echo(text.encode(errors="backslashreplace"))  # paths may hold halves of surrogate pairs
