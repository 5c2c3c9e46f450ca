"""``embedtrain plot``: a figure of some words."""

from __future__ import annotations

from pathlib import Path

import click

_SUFFIXES = (".png", ".svg", ".pdf")


@click.command(short_help="Draw a figure of some words.")
@click.argument("file", type=click.Path())
@click.argument("words", nargs=-1)
@click.option("-o", "--output", required=True, metavar="PATH", help="The figure: .png, .svg or .pdf.")
@click.option("--group", nargs=2, multiple=True, metavar="NAME 'WORD …'", help="Words with a colour and a legend.")
@click.option("--pair", nargs=2, multiple=True, metavar="A B", help="An arrow from a word to another.")
def plot(
    file: str, words: tuple[str, ...], output: str, group: tuple[tuple[str, str], ...],
    pair: tuple[tuple[str, str], ...],
) -> None:  # fmt: skip
    """Draw WORDS of the vectors FILE by their first two principal components, with labels that do not overlap.

    Example: embedtrain plot vectors.vec --pair france paris --pair italy rome -o capitals.pdf
    """
    from embedtrain.cli.query_options import require_order, split_words
    from embedtrain.machine.files import atomic_file, check_distinct_paths, require_writable
    from embedtrain.machine.progress import say
    from embedtrain.vectors.word_vectors import WordVectors

    require_order(file, words)
    suffix = Path(output).suffix.lower()
    if suffix not in _SUFFIXES:
        raise click.UsageError(f"the figure must end in {', '.join(_SUFFIXES)}, got {output}")
    check_distinct_paths({"the vectors": [file]}, {"-o": output})
    require_writable(output)
    vectors = WordVectors.load(file)
    groups = {"": list(words)}
    for name, some in group:
        groups.setdefault(name, []).extend(split_words([some], vectors))
    ax = vectors.plot(groups, pairs=pair)
    with atomic_file(output) as written:
        ax.figure.savefig(written, format=suffix[1:])
    say(f"saved    {output}", wrap=False)
