"""The cache: encoded corpora that are kept in a folder, so that a later run on the same text need not read it.

An entry is a folder, hidden lest it be read as a corpus, and named after the sources and options of its own. It holds
`ids`, `offsets`, `words` (their bytes), `starts`, `counts`, and `about.json`, which says what text this is and has a
checksum of all the rest. An entry is put together elsewhere and renamed when it is complete.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus, map_file
from embedtrain.corpus.encoding import encode_into
from embedtrain.corpus.sources import Corpus
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import DataError
from embedtrain.machine.files import sweep, temporary_folder, writing
from embedtrain.machine.progress import Progress
from embedtrain.machine.threads import in_order, run_tasks
from embedtrain.machine.words import PackedWords

_VERSION = 1  # of the entries, and of what is a token
_NAME = re.compile(r"\.[0-9a-f]{32}\.encoded")
_PART = 1 << 24  # bytes that get a checksum of their own


@dataclass(frozen=True)
class Entry:
    """What a cache holds of a corpus.

    Attributes
    ----------
    path : Path
        Its folder.
    sources : tuple of str
        Where the text came from.
    n_tokens, n_types : int
    n_bytes : int
        On disk.
    """

    path: Path
    sources: tuple[str, ...]
    n_tokens: int
    n_types: int
    n_bytes: int


@contextmanager
def encode_cached(
    corpus: Corpus, cache: str | os.PathLike[str], *, threads: int, progress: Progress | None = None
) -> Iterator[EncodedCorpus]:
    """The encoded corpus from the folder `cache`, where it is put if it is not there, or not as it should be.

    Raises
    ------
    DataError
        If the corpus cannot be encoded, or the folder not be written.
    """
    folder = Path(cache)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    identity = corpus.identity()
    found = None if identity is None else _read(folder / _name(identity), identity, threads)
    if found is not None:
        yield found
        return
    with temporary_folder(folder) as temporary:
        new = temporary / "new"
        with writing(folder):
            new.mkdir()
        encoded = encode_into(new, corpus, threads, progress)
        if identity is None:
            note = f"{corpus.name} is not kept in the cache: it cannot be known again"
            encoded = replace(encoded, notes=(*encoded.notes, note))
        elif corpus.identity() == identity:  # otherwise someone wrote to it meanwhile
            _complete(new, encoded, identity, threads)
            _replace(folder / _name(identity), new, temporary)
        yield encoded  # mapped, whatever another run may do to the entry


def list_cache(cache: str | os.PathLike[str]) -> list[Entry]:
    """The entries of a cache.

    Raises
    ------
    DataError
        If there is no such folder.
    """
    entries = []
    for path in _entries(Path(cache)):
        about = _about(path)
        try:
            size = sum(file.stat().st_size for file in path.iterdir())
        except FileNotFoundError:  # another run has just removed it
            continue
        identity = about.get("identity", {})
        sources = tuple(map(str, identity.get("sources", ()))) or ("(damaged, or of another version)",)
        entries.append(Entry(path, sources, about.get("n_tokens", 0), about.get("n_types", 0), size))
    return entries


def clear_cache(cache: str | os.PathLike[str]) -> None:
    """Remove all entries of a cache, and nothing else.

    Raises
    ------
    DataError
        If there is no such folder, or an entry cannot be removed.
    """
    with writing(cache):
        sweep(cache)
        for entry in _entries(Path(cache)):
            while entry.exists():
                with suppress(FileNotFoundError):  # another run removes it too
                    shutil.rmtree(entry)


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DataError(f"there is no cache {folder}: no such folder")
    return sorted(
        path for path in folder.iterdir() if _NAME.fullmatch(path.name) and path.is_dir() and not path.is_symlink()
    )


def _name(identity: Mapping[str, Any]) -> str:
    """The name of an entry: the same for the same sources and options, whatever is in the files."""
    what = {key: value for key, value in identity.items() if key != "files"}
    return f".{hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]}.encoded"


def _read(entry: Path, identity: Mapping[str, Any], threads: int) -> EncodedCorpus | None:
    """What an entry holds; None if there is none, or it is of other text, of another version or damaged."""
    about = _about(entry)
    if about.get("version") != [_VERSION, sys.byteorder] or about.get("identity") != json.loads(json.dumps(identity)):
        return None
    with suppress(OSError, ValueError):  # ValueError: a file that does not hold whole numbers
        words = PackedWords(map_file(entry / "words", np.uint8), map_file(entry / "starts", np.int64))
        vocabulary = Vocabulary(words, map_file(entry / "counts", np.int64))
        encoded = EncodedCorpus.in_folder(entry, vocabulary, about["notes"])
        if _checksums(encoded, threads) == about["checksums"]:  # of what is mapped, whatever is in its place by now
            return encoded
    return None


def _about(entry: Path) -> dict[str, Any]:
    """What an entry says of itself, nothing if that is damaged."""
    with suppress(OSError, ValueError, RecursionError):
        about = json.loads((entry / "about.json").read_text(encoding="utf-8"))
        if isinstance(about, dict) and about.get("checksum") == _checksum_of(about):
            return about
    return {}


def _checksum_of(about: Mapping[str, Any]) -> str:
    rest = {key: value for key, value in about.items() if key != "checksum"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def _complete(folder: Path, encoded: EncodedCorpus, identity: Mapping[str, Any], threads: int) -> None:
    """Write what an entry needs beside ids and offsets."""
    arrays = _arrays(encoded)
    with writing(folder):
        for name in ("words", "starts", "counts"):
            with open(folder / name, "wb") as file:
                file.write(np.ascontiguousarray(arrays[name]).data)
        about: dict[str, Any] = {
            "version": [_VERSION, sys.byteorder],
            "identity": identity,
            "n_tokens": len(encoded.ids),
            "n_types": len(encoded.vocabulary),
            "notes": list(encoded.notes),
            "checksums": _checksums(encoded, threads),
        }
        about["checksum"] = _checksum_of(about)
        (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")


def _replace(entry: Path, new: Path, temporary: Path) -> None:
    """Put a new entry into the place of what may be there."""
    with writing(entry):
        with suppress(FileNotFoundError):  # there is none, or another run takes it away
            entry.rename(temporary / "old")
        try:
            new.rename(entry)
        except OSError:
            if not entry.exists():  # otherwise another run was faster, with the same text
                raise


def _arrays(encoded: EncodedCorpus) -> dict[str, NDArray[Any]]:
    """What the files of an entry hold."""
    words = encoded.vocabulary.words
    assert isinstance(words, PackedWords)
    return {
        "ids": encoded.ids,
        "offsets": encoded.offsets,
        "words": words.text,
        "starts": words.starts,
        "counts": encoded.vocabulary.counts,
    }


def _checksums(encoded: EncodedCorpus, threads: int) -> dict[str, list[int]]:
    """Checksums of the parts of all arrays."""
    arrays = {name: np.ascontiguousarray(array).view(np.uint8) for name, array in _arrays(encoded).items()}
    parts = [(name, at) for name, array in arrays.items() for at in range(0, len(array), _PART)]

    def checksum(task: tuple[int, tuple[str, int]]) -> tuple[int, int]:
        number, (name, at) = task
        return number, zlib.crc32(arrays[name][at : at + _PART].data)

    found: dict[str, list[int]] = {name: [] for name in arrays}
    for (name, _), value in zip(parts, in_order(run_tasks([checksum] * threads, enumerate(parts))), strict=True):
        found[name].append(value)
    return found
