"""``embedtrain neighbors``: the words nearest to a word."""

from __future__ import annotations

import click

from embedtrain.cli import query_options


@click.command(short_help="Show the words nearest to a word.")
@click.argument("file", type=click.Path())
@click.argument("words", nargs=-1)
@query_options.topn_option
@query_options.restrict_option
@query_options.subwords_option
@query_options.json_option
def neighbors(
    file: str, words: tuple[str, ...], topn: int, restrict: int | None, no_subwords: bool, as_json: bool
) -> None:
    """Show the words of the vectors FILE that are nearest to each of WORDS, by cosine.

    Without WORDS, or with -, they are read from the terminal or standard input, line by line. Words that begin with -
    must follow --. If FILE has subwords, as fastText's models have, WORDS may be unknown.

    Example: embedtrain neighbors vectors.vec king
    """
    from embedtrain.vectors.word_vectors import WordVectors

    query_options.require_order(file, words)
    vectors = WordVectors.load(file, subwords=not no_subwords)

    def query(arguments: list[str], repeated: bool) -> None:
        words = query_options.split_words(arguments, vectors)
        for word, nearest in zip(words, vectors.neighbors(words, topn, restrict), strict=True):
            if as_json:
                near = [{"word": other, "cosine": round(cosine, 6)} for other, cosine in nearest]
                query_options.print_json({"word": word, "neighbors": near})
            else:
                query_options.print_scores(nearest, word if repeated or len(words) > 1 else "")

    query_options.run_queries(words, "a word, or several", query)
