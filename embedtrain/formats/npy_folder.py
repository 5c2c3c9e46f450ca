"""A folder to be mapped: ``vectors.npy``, ``words.txt`` with a word a line, ``counts.npy``, ``about.json``."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from embedtrain.errors import DataError
from embedtrain.formats.content import Choice, Content
from embedtrain.formats.selection import describe, select, settings_of
from embedtrain.formats.text import require_content
from embedtrain.formats.text_line import BOM
from embedtrain.machine.files import atomic_folder, one_line, writing
from embedtrain.machine.npz import no_damage
from embedtrain.machine.reading import reading, source_name

VECTORS, WORDS, COUNTS, ABOUT = "vectors.npy", "words.txt", "counts.npy", "about.json"
_FILES = {VECTORS, WORDS, COUNTS, ABOUT}
_ALL = Choice()


def read(path: Path, choice: Choice = _ALL) -> Content:
    """Read or map words and vectors. Counts and settings may be missing.

    Raises
    ------
    DataError
        If the folder is not what `write` makes.
    """
    name = source_name(path)
    with reading(path / WORDS), no_damage(f"{source_name(path / WORDS)} is not UTF-8; save it so"):
        words = (
            (path / WORDS).read_bytes().removeprefix(BOM).decode().replace("\r\n", "\n").removesuffix("\n").split("\n")
        )
    arrays = {}
    for file in (VECTORS, COUNTS):
        if file == VECTORS or (path / file).exists():
            with (
                reading(path / file),
                no_damage(f"cannot read {source_name(path / file)}: it is damaged, make it anew"),
            ):
                arrays[file] = np.load(path / file, mmap_mode="r", allow_pickle=False).view(np.ndarray)
    settings = {}
    if (path / ABOUT).exists():
        with reading(path / ABOUT):
            settings = settings_of(source_name(path / ABOUT), (path / ABOUT).read_bytes())
    return select(name, Content(words, arrays[VECTORS], arrays.get(COUNTS), settings), choice)


def write(path: Path, content: Content, *, threads: int | None = None) -> None:
    """Write a new folder, or replace one that is of this kind or empty.

    Raises
    ------
    DataError
        If a word or value cannot be in a file, or the folder cannot be written.
    """
    content = require_content(content)
    if content.words[0].encode().startswith(BOM):
        raise DataError(
            f"{WORDS} cannot begin with a byte order mark, as {content.words[0]!r} does; write another format"
        )
    target = Path(os.path.realpath(path))
    with writing(path):
        if target.exists() and not target.is_dir():
            raise DataError(f"cannot write {one_line(path)}: there is a file of this name; name a new folder")
        if target.is_dir() and (foreign := sorted(set(os.listdir(target)) - _FILES)):
            raise DataError(
                f"cannot write {one_line(path)}: it holds other files, as {one_line(foreign[0])}; name a new folder"
            )
        if not target.parent.is_dir():
            raise DataError(
                f"cannot write {one_line(path)}: there is no folder {one_line(target.parent)}; create it first"
            )
        with atomic_folder(path) as folder:
            _write_files(folder, content)


def _write_files(folder: Path, content: Content) -> None:
    np.save(folder / VECTORS, content.vectors, allow_pickle=False)
    (folder / WORDS).write_bytes("".join(f"{word}\n" for word in content.words).encode())
    if content.counts is not None:
        np.save(folder / COUNTS, content.counts, allow_pickle=False)
    (folder / ABOUT).write_bytes(describe(content.settings).encode())
