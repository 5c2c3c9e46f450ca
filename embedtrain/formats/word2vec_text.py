"""The word2vec text format, which is fastText's .vec too: a line "words dimensions", then "word value value …"."""

from __future__ import annotations

import os
from pathlib import Path

from embedtrain.formats.content import Choice, Content
from embedtrain.formats.text import write_text

_ALL = Choice()


def read(path: str | os.PathLike[str], choice: Choice = _ALL) -> Content:
    """Read words and vectors.

    Raises
    ------
    DataError
        If there is no such file, or it is not what its first line says; the message names the line.
    """
    from embedtrain.formats.text_reading import read_text

    return read_text(Path(path), choice, needs_header=True)


def write(path: str | os.PathLike[str], content: Content, *, threads: int | None = None) -> None:
    """Write words and vectors, all or nothing.

    Raises
    ------
    DataError
        If a word or value cannot be in such a file, or the file cannot be written.
    """
    write_text(path, content, has_header=True, threads=threads)
