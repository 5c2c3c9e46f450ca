"""``embedtrain neighbors``: the words nearest to a word."""

from __future__ import annotations

import click


@click.command(short_help="Show the words nearest to a word.")
@click.argument("file", type=click.Path())
@click.argument("words", nargs=-1, required=True)
@click.option("-n", "--topn", default=10, show_default=True, type=click.IntRange(min=1), help="How many neighbours.")
def neighbors(file: str, words: tuple[str, ...], topn: int) -> None:
    """Show the words of the vectors FILE that are nearest to each of WORDS, by cosine."""
    from embedtrain.vectors.word_vectors import WordVectors

    vectors = WordVectors.load(file)
    answers = [(word, vectors.most_similar(word, topn=topn)) for word in words]
    for word, similar in answers:
        if len(answers) > 1:
            click.echo(f"{word}:")
        for neighbor, cosine in similar:
            click.echo(f"{cosine:.4f}  {neighbor}")
