"""``embedtrain analogy``: a is to b as c is to which word?"""

from __future__ import annotations

import click

from embedtrain.cli import query_options
from embedtrain.errors import DataError


@click.command(cls=query_options.WordsCommand, short_help="Complete an analogy.")
@click.argument("file", type=click.Path())
@click.argument("words", nargs=-1, metavar="A B C")
@query_options.method_option
@query_options.topn_option
@query_options.restrict_option
@query_options.json_option
def analogy(file: str, words: tuple[str, ...], method: str, topn: int, restrict: int | None, as_json: bool) -> None:
    """Show the words of the vectors FILE that complete "A is to B as C is to ...".

    The words man, king, woman should give queen. Without words, they are read from the terminal. Words that begin
    with - must follow --.

    Example: embedtrain analogy vectors.vec man king woman
    """
    from embedtrain.vectors.word_vectors import WordVectors

    query_options.require_words(words, "A B C")
    if len(words) not in (0, 3):
        raise click.UsageError(f"an analogy begins with three words, A B C; got {len(words)}")
    vectors = WordVectors.load(file)
    most_similar = vectors.most_similar if method == "add" else vectors.most_similar_cosmul

    def query(words: list[str]) -> None:
        if len(words) != 3:
            raise DataError(f"an analogy begins with three words, got {len(words)}")
        a, b, c = words
        found = most_similar([b, c], [a], topn, restrict_vocab=restrict)
        if as_json:
            answers = [{"word": word, "score": round(score, 6)} for word, score in found]
            query_options.print_json({"a": a, "b": b, "c": c, "method": method, "answers": answers})
        else:
            query_options.print_scores(found)

    query_options.run_queries(words, "three words: A is to B as C is to ...", query)
