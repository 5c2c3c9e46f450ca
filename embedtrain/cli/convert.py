"""``embedtrain convert``: write a file of vectors in another format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from embedtrain.errors import DataError


@click.command(short_help="Write a vectors file in another format.")
@click.argument("source", type=click.Path())
@click.argument("target", type=click.Path())
@click.option(
    "--format",
    "format",
    metavar="NAME",
    help="Of TARGET: word2vec, word2vec-bin, glove, npz, npy, safetensors, projector. Default: as its name says.",
)
@click.option("--from", "source_format", metavar="NAME", help="Of SOURCE. Default: recognised.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the first N words.")
@click.option("--float16", is_flag=True, help="Round values to half precision.")
@click.option("--repair", is_flag=True, help="Mend what is wrong where that can be done, and report every change.")
@click.option("--threads", type=int, help="Default, and 0: all.")
def convert(
    source: str, target: str, format: str | None, source_format: str | None, limit: int | None, float16: bool,
    repair: bool, threads: int | None,
) -> None:  # fmt: skip
    """Write the vectors in SOURCE to TARGET, in the format that its name says.

    .vec and .txt are text with a header (word2vec, fastText), .glove is text without, .bin is word2vec's binary
    format; .npz and .safetensors are files of arrays, .npy is a folder of them, .tsv is for the TensorFlow projector.
    Text and .bin may end in .gz, .bz2, .xz or .zst too.
    """
    import numpy as np

    from embedtrain import formats
    from embedtrain.formats.content import Choice
    from embedtrain.machine.files import check_distinct_paths, one_line, require_writable

    format = format or formats.format_of(target)
    formats.require_format(format)
    outputs = _outputs(target, format)
    check_distinct_paths({"the input": [source, *Path(source).glob("*")]}, outputs)
    if format != "npy":
        for path in outputs.values():
            require_writable(path)
    choice = Choice(
        limit,
        dtype=np.dtype(np.float16 if float16 else np.float32),
        report=_report if repair else None,
        threads=threads,
    )
    content = formats.read(source, choice, source_format)
    if not repair:
        _require_words(source, content.words)
    formats.write(target, content, format, threads)
    n_words, dim = content.vectors.shape
    written = one_line(" and ".join(map(str, outputs.values())))
    click.echo(f"{written}: {n_words:,} words, {dim:,} dimensions, format {format}", err=True)


def _outputs(target: str, format: str) -> dict[str, Path]:
    """What is written, by what messages call it."""
    if format != "projector":
        return {"TARGET": Path(target)}
    from embedtrain.formats import projector

    vectors, words = projector.paths(Path(target))
    return {"TARGET": vectors, "the file of words": words}


def _require_words(source: str, words: Sequence[str]) -> None:
    """See that all words can be written: files of others may hold whitespace that is not ASCII."""
    from embedtrain.formats.text_line import mended, shown
    from embedtrain.machine.reading import source_name
    from embedtrain.machine.words import is_word

    for number, word in enumerate(words, 1):
        if not is_word(word):
            problem = f"{shown(word)} has whitespace or a control character, which no file should hold"
            raise DataError(
                f"{source_name(Path(source))}, word {number:,}: {problem}; --repair makes it {mended(word)}"
            )


def _report(change: str) -> None:
    click.echo(f"Note: {change}", err=True)
