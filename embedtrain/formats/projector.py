"""The files of the TensorFlow projector: one of vectors, and one of words and counts.

The path is that of the vectors; in the name of the other, "metadata" replaces "vectors", or is appended. In a folder
they are ``vectors.tsv`` and ``metadata.tsv``. The projector expects no header in the first file, and one in the second
if that has more than one column.
"""

from __future__ import annotations

from pathlib import Path

from embedtrain.formats.format import Format, VectorTable
from embedtrain.formats.table import checked
from embedtrain.formats.text import format_lines
from embedtrain.machine.files import atomic_file, require_writable

_ROWS = 1 << 12  # written at once


def _write(path: Path, table: VectorTable, *, threads: int | None = None) -> None:
    words, vectors, counts, *_ = checked(table)
    vectors_path, metadata_path = paths(path)
    with atomic_file(metadata_path) as metadata, atomic_file(vectors_path) as file:
        if counts is not None:
            metadata.write(b"word\tcount\n")
        for begin in range(0, len(words), _ROWS):
            chosen, rows = words[begin : begin + _ROWS], vectors[begin : begin + _ROWS]
            lines = b"\n" + format_lines([""] * len(chosen), rows).tobytes()[:-1]  # each starts with a space
            file.write(lines.replace(b"\n ", b"\n").replace(b" ", b"\t")[1:] + b"\n")
            if counts is None:
                metadata.write("".join(f"{word}\n" for word in chosen).encode())
            else:
                pairs = zip(chosen, counts[begin : begin + _ROWS].tolist(), strict=True)
                metadata.write("".join(f"{word}\t{count}\n" for word, count in pairs).encode())


def paths(path: Path) -> tuple[Path, Path]:
    """Return the paths of the vectors and of the words."""
    path = path / "vectors.tsv" if path.is_dir() else path
    if "vectors" in path.name:
        return path, path.with_name(path.name.replace("vectors", "metadata"))
    return path, path.with_name(f"{path.stem}_metadata{path.suffix or '.tsv'}")


def _check_output(path: Path) -> None:
    for file in paths(path):
        require_writable(file)


FORMAT = Format(
    "projector",
    "the two files of the TensorFlow projector, written only",
    (".tsv",),
    _write,
    check_output=_check_output,
)
