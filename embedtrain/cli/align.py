"""``embedtrain align``: rotate vectors onto those of another model."""

from __future__ import annotations

import click

from embedtrain.cli import query_options


@click.command(short_help="Rotate vectors onto those of another model.")
@click.argument("file", type=click.Path())
@click.argument("target", type=click.Path())
@click.option("-o", "--output", type=click.Path(), required=True, metavar="FILE", help="File of the rotated vectors.")
@click.option("--dictionary", metavar="FILE", help="Lines of a word of FILE and one of TARGET; default: shared words.")
@click.option("--restrict", type=query_options.COUNT, metavar="N", help="Align only the first N words of FILE.")
@query_options.topn_option
def align(file: str, target: str, output: str, dictionary: str | None, restrict: int | None, topn: int) -> None:
    """Rotate the vectors in FILE onto those in TARGET, and show the words that moved most, with their cosines.

    Rare words move by chance; --restrict leaves them out.

    Example: embedtrain align 1990.vec 2020.vec -o 1990-aligned.vec --restrict 10000
    """
    from embedtrain.machine.progress import say
    from embedtrain.vectors.alignment import align

    vectors, onto = query_options.load_all([file, target], output, dictionary)
    aligned = align(vectors, onto, dictionary=dictionary, restrict_vocab=restrict)
    aligned.vectors.save(output)
    cosines = f"mean cosine {aligned.before:.4f} before, {aligned.after:.4f} after"
    say(f"{output}: {file} rotated onto {target} by {len(aligned.moved):,} pairs of words; {cosines}", wrap=False)
    query_options.print_scores(aligned.moved[:topn])
