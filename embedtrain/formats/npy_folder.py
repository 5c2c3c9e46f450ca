"""A folder to be mapped: ``vectors.npy``, ``words.txt`` with one word per line, ``counts.npy``, ``about.json``."""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from pathlib import Path

import numpy as np

from embedtrain.errors import DataError, one_line, quoted
from embedtrain.formats.arrays import describe, select, settings_of
from embedtrain.formats.format import Format, Head, ReadOptions, VectorTable
from embedtrain.formats.table import checked
from embedtrain.machine.files import (
    atomic_folder,
    read_regular,
    reading,
    require_folder_writable,
    source_name,
    writing,
)
from embedtrain.machine.npz import map_array, no_damage

VECTORS, WORDS, COUNTS, ABOUT = "vectors.npy", "words.txt", "counts.npy", "about.json"
_FILES = {VECTORS, WORDS, COUNTS, ABOUT}


def _detect(head: Head) -> bool:
    return head.path.is_dir() and (head.path / VECTORS).exists()


def _read(path: Path, options: ReadOptions) -> VectorTable:
    name = source_name(path)
    with reading(path / WORDS), no_damage(f"{source_name(path / WORDS)} is not UTF-8; save it as UTF-8"):
        text = read_regular(path / WORDS).removeprefix(BOM_UTF8).decode()
        words = text.replace("\r\n", "\n").removesuffix("\n").split("\n")
    arrays = {}
    for file in (VECTORS, COUNTS):
        if file == VECTORS or (path / file).exists():
            problem = f"cannot read {source_name(path / file)}: it is damaged, create it again"
            with reading(path / file), no_damage(problem):
                arrays[file] = map_array(path / file)
    settings = {}
    if (path / ABOUT).exists():
        with reading(path / ABOUT):
            settings = settings_of(source_name(path / ABOUT), read_regular(path / ABOUT))
    return select(name, VectorTable(words, arrays[VECTORS], arrays.get(COUNTS), settings), options)


def _write(path: Path, table: VectorTable, *, threads: int | None = None) -> None:
    """Write a new folder, or replace an empty one or one of this format."""
    table = checked(table)
    _check_output(path)
    if table.words[0].encode().startswith(BOM_UTF8):
        raise DataError(f"{WORDS} cannot begin with a byte order mark, as {quoted(table.words[0])} does; write .npz")
    with atomic_folder(path) as folder:
        np.save(folder / VECTORS, table.vectors, allow_pickle=False)
        (folder / WORDS).write_bytes("".join(f"{word}\n" for word in table.words).encode())
        if table.counts is not None:
            np.save(folder / COUNTS, table.counts, allow_pickle=False)
        (folder / ABOUT).write_bytes(describe(table.settings).encode())


def _check_output(path: Path) -> None:
    """Check that the folder can be written."""
    target = Path(os.path.realpath(path))
    with writing(path):
        if target.exists() and not target.is_dir():
            raise DataError(f"cannot write {one_line(path)}: there is a file of this name; name a new folder")
        if target.is_dir() and os.path.samefile(target, os.curdir):
            raise DataError(f"cannot write {one_line(path)}: it is the current folder; name a new folder")
        if target.is_dir() and (foreign := sorted(set(os.listdir(target)) - _FILES)):
            raise DataError(f"cannot write {one_line(path)}: it holds {one_line(foreign[0])}; name a new folder")
        require_folder_writable(path)


FORMAT = Format("npy", "a folder of arrays, to be mapped", (".npy",), _write, _read, _detect, _check_output)
