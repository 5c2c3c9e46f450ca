"""``embedtrain analogy``: a is to b as c is to which word, or the words nearest to a sum such as king - man + woman."""

from __future__ import annotations

from collections.abc import Sequence

import click

from embedtrain.cli import query_options

_SIGNS = frozenset("+-−–")


@click.command(short_help="Complete an analogy.")
@click.argument("file", type=click.Path())
@click.argument("words", nargs=-1, metavar="A B C")
@query_options.method_option
@query_options.topn_option
@query_options.restrict_option
@query_options.subwords_option
@query_options.json_option
def analogy(
    file: str, words: tuple[str, ...], method: str, topn: int, restrict: int | None, no_subwords: bool, as_json: bool
) -> None:
    """Show the words of the vectors FILE that complete "A is to B as C is to ...".

    The words man, king, woman should give queen, as the expression "king - man + woman" does, with spaces around + and
    -. Without words, or with -, lines are read from the terminal or standard input. Words that begin with - must follow
    --.

    Example: embedtrain analogy vectors.vec man king woman
    """
    from embedtrain.vectors.word_vectors import WordVectors

    query_options.require_order(file, words)
    if words and words != ("-",) and len(" ".join(words).split()) == len(words):
        _terms(words)  # before vectors, which load slowly
    vectors = WordVectors.load(file, subwords=not no_subwords)
    most_similar = vectors.most_similar if method == "add" else vectors.most_similar_cosmul

    def query(arguments: list[str], repeated: bool) -> None:
        positive, negative = _terms(query_options.split_words(arguments, vectors))
        found = most_similar(positive, negative, topn, restrict_vocab=restrict)
        if as_json:
            answers = [{"word": word, "score": round(score, 6)} for word, score in found]
            query_options.print_json({
                "positive": positive, "negative": negative, "method": method, "answers": answers,
            })  # fmt: skip
        else:
            query_options.print_scores(found, " ".join(arguments) if repeated else "")

    query_options.run_queries(words, "three words, A is to B as C is to ..., or king - man + woman", query)


def _terms(words: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words to add and to subtract: of A B C, or of words with + or - between them."""
    if _SIGNS.isdisjoint(words) and len(words) == 3:
        a, b, c = words
        return [b, c], [a]
    signed = words if words and words[0] in _SIGNS else ["+", *words]
    signs, terms = signed[::2], signed[1::2]
    if len(words) < 2 or len(signs) != len(terms) or not _SIGNS.issuperset(signs) or not _SIGNS.isdisjoint(terms):
        raise click.UsageError(
            "expected three words A B C, or an expression such as 'king - man + woman', with spaces around + and -; "
            f"got {' '.join(words)!r}"
        )
    positive = [word for sign, word in zip(signs, terms, strict=True) if sign == "+"]
    return positive, [word for sign, word in zip(signs, terms, strict=True) if sign != "+"]
