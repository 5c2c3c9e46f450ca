"""``embedtrain explore``: an explorer of vectors in one HTML file."""

from __future__ import annotations

from typing import Any

import click

from embedtrain.cli.query_options import COUNT


@click.command(short_help="Write an HTML page to explore the vectors in.", context_settings={"show_default": True})
@click.argument("file", type=click.Path())
@click.option("-o", "--output", required=True, metavar="PATH", help="The page: .html.")
@click.option("--limit", type=COUNT, default=50_000, help="Only the first, most frequent words.")
@click.option("--neighbors", type=COUNT, default=20, help="Neighbours of each word.")
@click.option(
    "--projection", type=click.Choice(["auto", "pca", "umap", "tsne"]), default="auto",
    help="How dimensions become two; auto: umap where it is installed, else pca.",
)  # fmt: skip
@click.option("--coordinates", metavar="FILE.npy", help="Coordinates of the words instead, an array of shape (n, 2).")
@click.option("--labels", metavar="PATH", help="Lines of a word, a tab or space, and its label, for colours.")
@click.option("--max-size", default="15M", help="Of the page, from 1M on; above, it has no vectors, thus no analogies.")
def explore(file: str, output: str, limit: int, **settings: Any) -> None:
    """Write an HTML page of the vectors FILE: a map, search, exact neighbours and analogies.

    The page needs no server and no network, and opens in any browser.

    Example: embedtrain explore vectors.vec -o vectors.html
    """
    from embedtrain.machine.progress import say
    from embedtrain.vectors.word_vectors import WordVectors

    if not output.lower().endswith((".html", ".htm")):
        raise click.UsageError(f"the page must end in .html, got {output}")
    vectors = WordVectors.load(file, limit=limit, subwords=False)
    vectors.explore(output, limit=limit, progress="auto", **settings)
    say(f"saved    {output}", wrap=False)
