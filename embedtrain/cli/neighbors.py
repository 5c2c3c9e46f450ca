"""``embedtrain neighbors``: the words nearest to a word."""

from __future__ import annotations

import click

from embedtrain.cli import query_options


@click.command(cls=query_options.WordsCommand, short_help="Show the words nearest to a word.")
@click.argument("file", type=click.Path())
@click.argument("words", nargs=-1)
@query_options.topn_option
@query_options.restrict_option
@query_options.json_option
def neighbors(file: str, words: tuple[str, ...], topn: int, restrict: int | None, as_json: bool) -> None:
    """Show the words of the vectors FILE that are nearest to each of WORDS, by cosine.

    Without WORDS, they are read from the terminal. Words that begin with - must follow --.

    Example: embedtrain neighbors vectors.vec king
    """
    from embedtrain.vectors.word_vectors import WordVectors

    query_options.require_words(words, "WORDS")
    vectors = WordVectors.load(file)

    def query(words: list[str]) -> None:
        found = dict(zip(words, vectors.neighbors(words, topn, restrict), strict=True))
        if as_json:
            query_options.print_json([{"word": word, "neighbors": _as_objects(found[word])} for word in words])
            return
        for word in words:
            if len(words) > 1:
                click.echo(f"{word}:")
            query_options.print_scores(found[word])

    query_options.run_queries(words, "a word, or several", query)


def _as_objects(nearest: list[tuple[str, float]]) -> list[dict[str, str | float]]:
    return [{"word": word, "cosine": round(cosine, 6)} for word, cosine in nearest]
