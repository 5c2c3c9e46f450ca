"""``embedtrain compare``: how many nearest neighbours the words of several models have in common."""

from __future__ import annotations

import click

from embedtrain.cli import query_options


@click.command(short_help="Compare models by the neighbours of their words.")
@click.argument("files", type=click.Path(), nargs=-1, required=True, metavar="FILE FILE...")
@click.option("-n", "--topn", default=10, show_default=True, type=query_options.COUNT, help="Neighbours of a word.")
@click.option("--sample", default=1000, show_default=True, metavar="N", help="Draw at most N words of each band.")
@query_options.json_option
def compare(files: tuple[str, ...], topn: int, sample: int, as_json: bool) -> None:
    """Show the share of nearest neighbours that words have in common in two FILEs, by frequency.

    Such as of several seeds, models or times; of more FILEs, the mean over each two. The first FILE gives the order of
    words.

    Example: embedtrain compare seed1.vec seed2.vec
    """
    from embedtrain.vectors.comparison import compare

    bands = compare(query_options.load_all(files), topn=topn, sample=sample)
    if not as_json:
        click.echo("words by frequency  compared  overlap")
    for band in bands:
        if as_json:
            query_options.print_json(band._asdict())
        else:
            words = f"{band.first:,} to {band.last:,}"
            click.echo(f"{words:>18} {band.n_words:9,} {band.overlap:8.1%}")
