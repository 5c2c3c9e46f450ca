"""``embedtrain combine``: one vector a word from the vectors of several models."""

from __future__ import annotations

import click

from embedtrain.cli import query_options


@click.command(short_help="Combine the vectors of several models.")
@click.argument("files", type=click.Path(), nargs=-1, required=True, metavar="FILE FILE...")
@click.option("-o", "--output", type=click.Path(), required=True, metavar="FILE", help="File of the result.")
@click.option("--how", default="concat", show_default=True, metavar="HOW", help="concat, average, or svd of concat.")
@click.option("--dim", type=int, help="Dimensions with --how svd; by default those of the largest file.")
def combine(files: tuple[str, ...], output: str, how: str, dim: int | None) -> None:
    """Combine the vectors of words that several FILEs share, each vector scaled to length 1 first.

    Example: embedtrain combine skipgram.vec glove.vec -o both.vec
    """
    from embedtrain.machine.progress import say
    from embedtrain.vectors.combination import combine

    combined = combine(query_options.load_all(files, output), how, dim=dim)
    combined.save(output)
    say(f"{output}: {len(combined):,} words, {combined.vector_size:,} dimensions", wrap=False)
