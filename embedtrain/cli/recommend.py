"""``embedtrain recommend``: the items nearest to those that someone had."""

from __future__ import annotations

import json
import sys
from collections.abc import Container, Sequence
from itertools import islice
from typing import Any

import click

from embedtrain.cli import query_options
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

    Example: embedtrain recommend items.vec 22630 22326
    """
    from embedtrain.vectors.word_vectors import WordVectors

    query_options.require_order(file, items)
    vectors = WordVectors.load(file)
    is_given = bool(items) and items != ("-",)
    lines = iter([""]) if is_given else query_options.typed_or_piped("items of a history")
    while batch := list(islice(lines, 1 if is_terminal(sys.stdin) else _AT_ONCE)):
        histories = [_items(items if is_given else (line,), vectors) for line in batch]
        answers = vectors.recommend(histories[0] if is_given else histories, topn, repeats=repeats)
        for line, history, found in zip(batch, histories, [answers] if is_given else answers, strict=True):
            if as_json:
                near = [{"item": item, "cosine": round(cosine, 6)} for item, cosine in found]
                query_options.print_json({"history": history, "items": near})
            else:
                query_options.print_scores(found, line)


def _items(arguments: Sequence[str], known: Container[str]) -> list[Any]:
    """The items in arguments, or in a JSON list."""
    if arguments[0].startswith("["):
        try:
            items = json.loads(arguments[0])
        except (ValueError, RecursionError) as error:
            raise click.UsageError(f"not a JSON list of items ({error}): {arguments[0][:40]}") from None
        if isinstance(items, list) and not any(isinstance(item, list) for item in items):
            return items
    return query_options.split_words(arguments, known)
