"""``embedtrain convert``: write a file of vectors in another format."""

from __future__ import annotations

from pathlib import Path

import click


class _ConvertCommand(click.Command):
    """A command whose help lists the formats."""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the description and the list of formats."""
        from embedtrain import formats

        super().format_help_text(ctx, formatter)
        with formatter.section("Formats"):
            listed = formats.FORMATS.values()
            formatter.write_dl([(f"{one.name} ({', '.join(one.suffixes)})", one.description) for one in listed])


@click.command(cls=_ConvertCommand, short_help="Write a vectors file in another format.")
@click.argument("source", type=click.Path())
@click.argument("target", type=click.Path())
@click.option("--format", "format", metavar="NAME", help="Format of TARGET. Default: by its suffix, or word2vec.")
@click.option("--from", "source_format", metavar="NAME", help="Format of SOURCE. Default: recognised.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N rows.")
@click.option("--center", is_flag=True, help="Subtract the mean of all vectors.")
@click.option("--remove-components", "n_removed", type=int, metavar="N", help="Then remove N principal components.")
@click.option("--float16", is_flag=True, help="Round values to half precision.")
@click.option(
    "--errors", type=click.Choice(["strict", "skip"]), default="strict", show_default=True,
    help="Stop at bad rows, or leave them out and count them.",
)  # fmt: skip
@click.option("--threads", type=int, help="Default, and 0: all.")
def convert(
    source: str, target: str, format: str | None, source_format: str | None, limit: int | None, center: bool,
    n_removed: int | None, float16: bool, errors: str, threads: int | None,
) -> None:  # fmt: skip
    """Write the vectors in SOURCE to TARGET, in the format of its suffix.

    Text and word2vec-bin files may also end in .gz, .bz2, .xz or .zst.

    Example: embedtrain convert vectors.vec vectors.npz
    """
    import numpy as np

    from embedtrain import formats
    from embedtrain.formats.format import ReadOptions, SkippedErrors, VectorTable
    from embedtrain.machine.files import check_distinct_paths
    from embedtrain.machine.progress import say

    chosen = formats.format_of(target, format)
    outputs = _outputs(target, chosen.name)
    check_distinct_paths({"the input": [source, *Path(source).glob("*")]}, outputs)
    chosen.check_output(Path(target))
    skipped = SkippedErrors()
    options = ReadOptions(
        limit,
        dtype=np.float16 if float16 else np.float32,
        threads=threads,
        must_be_writable=True,
        on_error=skipped.add if errors == "skip" else None,
    )
    table = formats.read(source, options, source_format)
    if skipped.n:
        say(f"Note: {skipped}")
    if center or n_removed is not None:
        from embedtrain.vectors.components import remove_components
        from embedtrain.vectors.word_vectors import WordVectors

        changed = remove_components(WordVectors(**table._asdict()), n_removed or 0)
        table = VectorTable(changed.words, changed.vectors, changed.counts, changed.settings)
    format = formats.format_of(target, format, table.buckets).name
    formats.write(target, table, format, threads)
    if table.settings.get("model") == "item2vec" and format != "npz":
        say(f"Note: {target} has no context vectors, which complements need; write npz to keep them")
    n_words, dim = table.vectors.shape
    written = " and ".join(map(str, outputs.values()))
    say(f"{written}: {n_words:,} words, {dim:,} dimensions, format {format}", wrap=False)


def _outputs(target: str, format: str) -> dict[str, Path]:
    """Return the files to be written; keys are for messages."""
    if format != "projector":
        return {"TARGET": Path(target)}
    from embedtrain.formats import projector

    vectors, words = projector.paths(Path(target))
    return {"TARGET": vectors, "the file of words": words}
