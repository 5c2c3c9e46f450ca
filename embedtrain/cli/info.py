"""``embedtrain info``: describe a file of vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from embedtrain.cli.query_options import json_option, print_json
from embedtrain.errors import DataError, one_line, quoted

_SHOWN = 10  # words
_ROWS = 1 << 12  # read at once


@click.command(short_help="Describe a vectors file.")
@click.argument("file", type=click.Path())
@json_option
def info(file: str, as_json: bool) -> None:
    """Describe the vectors FILE: its format, size, words, dimensions, settings and norms.

    Example: embedtrain info vectors.vec
    """
    from embedtrain.machine.memory import format_bytes

    facts = _facts(Path(file))
    if as_json:
        print_json(facts)
        return
    norms = facts["norms"]
    rows = {
        "format": facts["format"],
        "size": format_bytes(facts["bytes"]),
        "words": f"{facts['words']:,}",
        "dimensions": f"{facts['dimensions']:,}",
        "values": facts["dtype"],
        "counts": f"{facts['tokens']:,} tokens" if facts["tokens"] is not None else "none",
        **({} if facts["subwords"] is None else {"subwords": facts["subwords"]}),
        "first words": " ".join(facts["first_words"]),
        "norms": f"{norms['least']:.4g} to {norms['most']:.4g}, mean {norms['mean']:.4g}",
        **{str(name): str(value) for name, value in facts["settings"].items()},
    }
    width = max(map(len, rows)) + 2
    for name, value in rows.items():
        click.echo(one_line(f"{name:{width}}{value}"))


def _facts(path: Path) -> dict[str, Any]:
    """Collect the facts to show."""
    import numpy as np

    from embedtrain import formats
    from embedtrain.formats.arrays import plain_settings
    from embedtrain.formats.format import ReadOptions
    from embedtrain.formats.table import rows_not_finite
    from embedtrain.machine.files import source_name

    format = formats.recognise(path)
    words, vectors, counts, settings, _, subwords, _ = formats.read(path, ReadOptions(mmap=True), format.name)
    files = [inside for inside in path.iterdir() if inside.is_file()] if path.is_dir() else [path]
    norms = np.empty(len(words))
    for begin in range(0, len(words), _ROWS):
        rows = slice(begin, begin + _ROWS)
        if bad := rows_not_finite(vectors[rows]):
            raise DataError(f"{source_name(path)}: the vector of {quoted(words[begin + bad[0]])} is not finite")
        norms[rows] = np.linalg.norm(np.asarray(vectors[rows], np.float64), axis=1)
    return {
        "file": str(path),
        "format": format.name,
        "bytes": sum(file.stat().st_size for file in files),
        "words": len(words),
        "dimensions": int(vectors.shape[1]),
        "dtype": "text" if format.is_text else str(vectors.dtype),
        "tokens": None if counts is None else int(counts.sum()),
        "subwords": None if subwords is None else str(subwords),
        "first_words": list(words[:_SHOWN]),
        "norms": {"least": float(norms.min()), "mean": float(norms.mean()), "most": float(norms.max())},
        "settings": plain_settings(settings),
    }
