"""The files of the TensorFlow projector: one of vectors, and one of words and counts.

The path is that of the vectors; in the name of the other, "metadata" replaces "vectors", or is appended. In a folder
they are ``vectors.tsv`` and ``metadata.tsv``. The projector expects no header in the first file, and one in the second
if that has more than one column. Given the first file, both are read.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from io import TextIOWrapper
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedtrain.formats.arrays import select
from embedtrain.formats.format import Format, Head, ReadOptions, VectorTable
from embedtrain.formats.table import checked
from embedtrain.formats.text import first_lines, format_lines
from embedtrain.formats.text_parsing import VALUE
from embedtrain.machine.files import atomic_file, open_regular, read_regular, reading, require_writable, source_name
from embedtrain.machine.npz import no_damage

_ROWS = 1 << 12  # written at once
_HEADING = "word\tcount"


def _detect(head: Head) -> bool:
    """Whether there is a file of words too, and the lines are values between tabs."""
    if head.path.is_dir() or not paths(head.path)[1].is_file():
        return False
    lines = first_lines(head.data, head.is_whole)
    return bool(lines) and all(VALUE.fullmatch(value) for line in lines for value in line.strip().split(b"\t"))


def _read(path: Path, options: ReadOptions) -> VectorTable:
    path, words_path = paths(path)
    name, words_name = source_name(path), source_name(words_path)
    with reading(words_path), no_damage(f"{words_name} is not UTF-8, or a count is not a number"):
        words, counts = _read_words(words_path)
    with reading(path), no_damage(f"cannot read {name}: a row has no values or others than the first"):
        with open_regular(path) as file, TextIOWrapper(file, "utf-8") as lines:  # faster than bytes
            vectors = np.loadtxt(lines, np.float32, delimiter="\t", comments=None, ndmin=2)
    return select(f"{name} with {words_name}", VectorTable(words, vectors, counts), options)


def _read_words(path: Path) -> tuple[list[str], NDArray[np.int64] | None]:
    """Read the words, and the counts where the heading names them."""
    text = read_regular(path).removeprefix(BOM_UTF8).decode()
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    heading = lines.pop(0) if "\t" in lines[0] else ""
    rows = [line.split("\t") for line in lines]
    return [row[0] for row in rows], np.array([row[1] for row in rows], np.int64) if heading == _HEADING else None


def _write(path: Path, table: VectorTable, *, threads: int | None = None) -> None:
    words, vectors, counts, *_ = checked(table)
    vectors_path, metadata_path = paths(path)
    with atomic_file(metadata_path) as metadata, atomic_file(vectors_path) as file:
        if counts is not None:
            metadata.write(f"{_HEADING}\n".encode())
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


FORMAT = Format("projector", "two files of the TensorFlow projector", (".tsv",), _write, _read, _detect, _check_output)
