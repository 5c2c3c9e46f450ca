"""The formats of vectors files, a module each, and which one a file has."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from embedtrain.errors import DataError, SettingError
from embedtrain.formats.content import Choice, Content
from embedtrain.formats.detect import recognise as recognise
from embedtrain.formats.detect import require_file, require_path
from embedtrain.machine.reading import source_name

_MODULES = {
    "word2vec": "word2vec_text",
    "word2vec-bin": "word2vec_binary",
    "glove": "glove_text",
    "npz": "npz",
    "npy": "npy_folder",
    "projector": "projector",
    "safetensors": "safetensors",
}
#: What formats are called.
NAMES = tuple(_MODULES)
_BY_SUFFIX = {
    ".bin": "word2vec-bin",
    ".glove": "glove",
    ".npz": "npz",
    ".npy": "npy",
    ".tsv": "projector",
    ".safetensors": "safetensors",
}
_COMPRESSED = (".gz", ".bz2", ".xz", ".zst")
_COMPRESSIBLE = ("word2vec", "word2vec-bin", "glove")
_ALL = Choice()


def format_of(path: str | os.PathLike[str]) -> str:
    """The format that a name stands for, to be written; word2vec text in doubt.

    ``.bin`` is word2vec's binary format, ``.glove`` GloVe's, ``.npz``, ``.npy`` (a folder) and ``.safetensors`` are
    what they say, ``.tsv`` is for the TensorFlow projector; an existing folder is one of arrays.
    """
    path = require_path(path)
    if os.path.isdir(path):  # which, unlike a Path, never raises
        return "npy"
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    if suffixes and suffixes[-1] in _COMPRESSED:
        suffixes.pop()
    return _BY_SUFFIX.get(suffixes[-1] if suffixes else "", "word2vec")


def read(path: str | os.PathLike[str], choice: Choice = _ALL, format: str | None = None) -> Content:
    """Read a file of vectors.

    Parameters
    ----------
    path : path
    choice : Choice
        What of it is wanted.
    format : str, optional
        One of `NAMES`; by default the content tells it.

    Raises
    ------
    DataError
        If the file cannot be read, or is no file of vectors.
    SettingError
        If there is no such format, or it cannot be read.
    """
    path = require_file(path)
    module = _module(recognise(path) if format is None else format)
    if not hasattr(module, "read"):
        raise SettingError(f"the format {format} can be written only; name another, or none to have it recognised")
    content: Content = module.read(path, choice)
    if not len(content.words) and choice.vocabulary is None:
        raise DataError(f"{source_name(path)}: no word is left after the repair; get the file again")
    return content


def write(
    path: str | os.PathLike[str], content: Content, format: str | None = None, threads: int | None = None
) -> None:
    """Write a file of vectors, all or nothing.

    Parameters
    ----------
    path : path
    content : Content
    format : str, optional
        One of `NAMES`; by default the name tells it, see `format_of`.
    threads : int, optional
        That format text; by default all.

    Raises
    ------
    DataError
        If the format cannot hold a word or value, or the file cannot be written.
    SettingError
        If there is no such format.
    """
    path, format = require_path(path), format_of(path) if format is None else format
    if path.suffix.lower() in _COMPRESSED and format not in _COMPRESSIBLE:
        raise SettingError(f"the format {format} is not compressed as {path.suffix}; name a file without it")
    _module(format).write(path, content, threads=threads)


def require_format(format: str) -> None:
    """See that there is a format of this name.

    Raises
    ------
    SettingError
        If not.
    """
    if format not in _MODULES:
        raise SettingError(f"format must be one of {', '.join(NAMES)}, got {format!r}")


def _module(format: str) -> ModuleType:
    require_format(format)
    return importlib.import_module(f"{__name__}.{_MODULES[format]}")
