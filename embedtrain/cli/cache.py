"""``embedtrain cache``: list or clear a cache."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="List or clear the encoded corpora in a cache.")
@click.argument("folder", type=click.Path())
@click.option("--clear", is_flag=True, help="Remove them all.")
def cache(folder: str, clear: bool) -> None:
    """List the encoded corpora that --cache FOLDER has stored, or remove them.

    Example: embedtrain cache FOLDER --clear
    """
    from embedtrain.corpus.cache import clear_cache, list_cache
    from embedtrain.machine.files import source_name
    from embedtrain.machine.memory import format_bytes
    from embedtrain.machine.progress import counted

    entries = list_cache(folder)
    for entry in entries:
        sources = ", ".join(source_name(Path(source)) for source in entry.sources)
        size = f"{counted(entry.n_tokens, 'token')} of {counted(entry.n_types, 'type')}"
        click.echo(f"{format_bytes(entry.n_bytes):>9}  {size}  {sources}")
    if clear:
        clear_cache(folder)
    total = format_bytes(sum(entry.n_bytes for entry in entries))
    click.echo(f"{len(entries)} encoded {'corpus' if len(entries) == 1 else 'corpora'}, {total}{', removed' * clear}")
