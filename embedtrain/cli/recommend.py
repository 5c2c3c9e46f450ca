"""``embedtrain recommend``: the items nearest to those that someone had."""

from __future__ import annotations

import json
import sys
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import click

from embedtrain.cli import query_options
from embedtrain.errors import one_line
from embedtrain.machine.progress import is_terminal

_AT_ONCE = 10_000  # histories


@click.command(short_help="Recommend items for histories of items.")
@click.argument("file", type=click.Path())
@click.argument("items", nargs=-1)
@query_options.topn_option
@click.option("--repeats", is_flag=True, help="Recommend items of the history too.")
@query_options.json_option
def recommend(file: str, items: tuple[str, ...], topn: int, repeats: bool, as_json: bool) -> None:
    """Show the items of the vectors FILE that are nearest to the mean of a history, ITEMS.

    Without ITEMS, or with -, histories are read from the terminal or standard input, one a line: items with spaces
    between them, or a JSON list. Items without a vector are left out. Those of the history are not recommended, unless
    with --repeats.

    Example: embedtrain recommend items.npz 22630 22326
    """
    from embedtrain.vectors.word_vectors import WordVectors

    query_options.require_order(file, items)
    vectors = WordVectors.load(file)
    is_given, is_typed = bool(items) and items != ("-",), is_terminal(sys.stdin)
    errors: list[str] = []
    lines = query_options.typed_or_piped("items of a history")
    given = iter([("", _items(items, vectors))]) if is_given else _histories(lines, vectors, errors)
    while batch := list(islice(given, 1 if is_typed else _AT_ONCE)):
        histories = [history for _, history in batch]
        answers = vectors.recommend(histories[0] if is_given else histories, topn, repeats=repeats)
        for (line, history), found in zip(batch, [answers] if is_given else answers, strict=True):
            if as_json:
                near = [{"item": item, "score": round(score, 6)} for item, score in found]
                query_options.print_json({"history": history, "items": near})
            else:
                query_options.print_scores(found, line)
    if errors and not is_typed:
        sys.exit(1)


def _histories(lines: Iterable[str], known: Container[str], errors: list[str]) -> Iterator[tuple[str, list[Any]]]:
    """Yield each line with its items; those that cannot be read are printed and added to `errors`."""
    for number, line in enumerate(lines, 1):
        try:
            yield line, _items((line,), known)
        except click.UsageError as error:
            errors.append(f"Error: history {number}: {error}")
            click.echo(one_line(errors[-1]), err=True)


def _items(arguments: Sequence[str], known: Container[str]) -> list[Any]:
    """The items in arguments, or in a JSON list."""
    words = query_options.split_words(arguments, known)
    if words[0] in known or not words[0].startswith(("[", "{")):
        return words
    try:
        items = json.loads(arguments[0])
    except (ValueError, RecursionError):
        items = None
    if not isinstance(items, list) or not all(isinstance(item, (str, int)) for item in items):
        raise click.UsageError(f"not a JSON list of items, strings or whole numbers: {arguments[0][:40]}")
    return items
