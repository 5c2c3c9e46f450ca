"""``embedtrain analogy``: a is to b as c is to which word?"""

from __future__ import annotations

import click

from embedtrain.cli.asking import (
    WordsCommand,
    json_option,
    method_option,
    question_and_answer,
    require_words,
    restrict_option,
    say_answers,
    say_json,
    topn_option,
)
from embedtrain.errors import DataError


@click.command(cls=WordsCommand, short_help="Complete an analogy.")
@click.argument("file", type=click.Path())
@click.argument("words", nargs=-1, metavar="A B C")
@method_option
@topn_option
@restrict_option
@json_option
def analogy(file: str, words: tuple[str, ...], method: str, topn: int, restrict: int | None, as_json: bool) -> None:
    """Show the words of the vectors FILE that complete "A is to B as C is to ...".

    Man, king, woman asks for the queen. Without words, on a terminal, asks for them. Words that begin with -
    come after --.
    """
    from embedtrain.vectors.word_vectors import WordVectors

    require_words(words, "A B C")
    if len(words) not in (0, 3):
        raise click.UsageError(f"an analogy begins with three words, A B C; got {len(words)}")
    vectors = WordVectors.load(file)
    ask = vectors.most_similar if method == "add" else vectors.most_similar_cosmul

    def answer(asked: list[str]) -> None:
        if len(asked) != 3:
            raise DataError(f"an analogy begins with three words, got {len(asked)}")
        a, b, c = asked
        found = ask([b, c], [a], topn, restrict_vocab=restrict)
        if as_json:
            answers = [{"word": word, "score": round(score, 6)} for word, score in found]
            say_json({"a": a, "b": b, "c": c, "method": method, "answers": answers})
        else:
            say_answers(found)

    question_and_answer(words, "three words: A is to B as C is to ...", answer)
