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
@click.option("--complements", is_flag=True, help="Show what occurs with a word (needs .npz).")
@query_options.json_option
def neighbors(
    file: str, words: tuple[str, ...], topn: int, restrict: int | None, no_subwords: bool, complements: bool,
    as_json: bool,
) -> None:  # fmt: skip
    """Show the words of the vectors FILE that are nearest to each of WORDS, by cosine.

    Without WORDS, or with -, they are read from the terminal or standard input, line by line. Words that begin with -
    must follow --. If FILE has subwords, as fastText's models have, WORDS may be unknown. With --complements, the
    words that occur with a word come first: what is bought with an item, not instead of it; scores are no cosines.

    Example: embedtrain neighbors vectors.vec king
    """
    from embedtrain.vectors.word_vectors import WordVectors

    query_options.require_order(file, words)
    vectors = WordVectors.load(file, subwords=not no_subwords)

    def query(arguments: list[str], repeated: bool) -> None:
        words = query_options.split_words(arguments, vectors)
        if complements:
            found = [vectors.complements(word, topn, restrict) for word in words]
        else:
            found = vectors.neighbors(words, topn, restrict)
        for word, nearest in zip(words, found, strict=True):
            if as_json:
                score, kind = ("product", "complements") if complements else ("cosine", "neighbors")
                near = [{"word": other, score: round(value, 6)} for other, value in nearest]
                query_options.print_json({"word": word, kind: near})
            else:
                query_options.print_scores(nearest, word if repeated or len(words) > 1 else "")

    query_options.run_queries(words, "a word, or several", query)
