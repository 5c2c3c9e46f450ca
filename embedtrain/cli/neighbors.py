"""``embedtrain neighbors``: the words nearest to a word."""

from __future__ import annotations

import click

from embedtrain.cli.asking import (
    WordsCommand,
    json_option,
    question_and_answer,
    require_words,
    restrict_option,
    say_answers,
    say_json,
    topn_option,
)


@click.command(cls=WordsCommand, short_help="Show the words nearest to a word.")
@click.argument("file", type=click.Path())
@click.argument("words", nargs=-1)
@topn_option
@restrict_option
@json_option
def neighbors(file: str, words: tuple[str, ...], topn: int, restrict: int | None, as_json: bool) -> None:
    """Show the words of the vectors FILE that are nearest to each of WORDS, by cosine.

    Without WORDS, on a terminal, asks for them. Words that begin with - come after --.
    """
    from embedtrain.vectors.word_vectors import WordVectors

    require_words(words, "WORDS")
    vectors = WordVectors.load(file)

    def answer(asked: list[str]) -> None:
        answers = list(zip(asked, vectors.neighbors(asked, topn, restrict), strict=True))
        if as_json:
            say_json([{"word": word, "neighbors": _as_objects(similar)} for word, similar in answers])
            return
        for word, similar in answers:
            if len(answers) > 1:
                click.echo(f"{word}:")
            say_answers(similar)

    question_and_answer(words, "a word, or several", answer)


def _as_objects(similar: list[tuple[str, float]]) -> list[dict[str, str | float]]:
    return [{"word": word, "cosine": round(cosine, 6)} for word, cosine in similar]
