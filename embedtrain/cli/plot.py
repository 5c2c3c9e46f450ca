"""``embedtrain plot``: a figure of some words."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Draw a figure of some words.")
@click.argument("file", type=click.Path())
@click.argument("words", nargs=-1)
@click.option("-o", "--output", required=True, metavar="PATH", help="The figure: .png, .svg or .pdf.")
@click.option(
    "--group", "groups", nargs=2, multiple=True, metavar="NAME 'WORD …'", help="Words with a colour and a legend."
)
@click.option("--pair", "pairs", nargs=2, multiple=True, metavar="A B", help="An arrow from a word to another.")
def plot(
    file: str,
    words: tuple[str, ...],
    output: str,
    groups: tuple[tuple[str, str], ...],
    pairs: tuple[tuple[str, str], ...],
) -> None:
    """Draw WORDS of the vectors FILE by their first two principal components, with labels that do not overlap.

    Example: embedtrain plot vectors.vec --pair france paris --pair italy rome -o capitals.pdf
    """
    from embedtrain.cli.query_options import require_order
    from embedtrain.explorer import figure
    from embedtrain.machine.files import check_distinct_paths, require_writable
    from embedtrain.machine.progress import say
    from embedtrain.vectors.word_vectors import WordVectors

    require_order(file, words)
    if Path(output).suffix.lower() not in figure.SUFFIXES:
        raise click.UsageError(f"the figure must end in {', '.join(figure.SUFFIXES)}, got {output}")
    check_distinct_paths({"the vectors": [file]}, {"-o": output})
    require_writable(output)
    named = {"": list(words), **{name: some.split() for name, some in groups}}
    figure.plot(WordVectors.load(file), named, None, pairs, output)
    say(f"saved    {output}", wrap=False)
