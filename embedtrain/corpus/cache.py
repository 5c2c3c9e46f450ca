"""The cache: encoded corpora in a folder, so that a later run on the same text need not read it.

An entry is a folder with a hidden name, so that it is never read as part of a corpus: a hash of the sources and
options. It holds the arrays `ids`, `offsets`, `words` (bytes), `starts`, `counts`, and `about.json`. An entry is valid
if its sources have the paths, sizes and times of `about.json`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.encoding import encode
from embedtrain.corpus.rewriting import Rewriting
from embedtrain.corpus.sources import Corpus
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import DataError
from embedtrain.machine.files import atomic_folder, remove_leftovers, writing
from embedtrain.machine.npz import parse_json, read_only
from embedtrain.machine.progress import Progress, note
from embedtrain.machine.ranks import ALONE, Ranks
from embedtrain.machine.words import PackedWords, is_word

_VERSION = 2  # of the entries, and of the tokeniser
_NAME = re.compile(r"\.[0-9a-f]{32}\.encoded")
_DTYPES = {"ids": np.int32, "offsets": np.int64, "words": np.uint8, "starts": np.int64, "counts": np.int64}
_ABOUT = "about.json"
_AT_ONCE = 1 << 20  # numbers checked at once
_UNKNOWN = "(damaged, or of another version)"


@dataclass(frozen=True)
class Entry:
    """An encoded corpus in a cache."""

    path: Path
    sources: tuple[str, ...]
    n_tokens: int
    n_types: int
    n_bytes: int  # on disk


def encode_cached(
    corpus: Corpus, cache: str | os.PathLike[str], *, threads: int, progress: Progress | None = None
) -> EncodedCorpus:
    """Read the encoded corpus from the folder `cache`, or encode it and store it there."""
    folder = Path(cache)
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    identity = corpus.identity()
    if identity is None:
        encoded = encode(corpus, threads=threads, folder=folder, progress=progress)
        note = f"{corpus.name} is not kept in the cache: it cannot be recognised later"
        return replace(encoded, notes=(*encoded.notes, note))
    entry = folder / _name(identity)
    found = _read(entry, identity)
    if found is not None:
        return found
    encoded = encode(corpus, threads=threads, folder=folder, progress=progress)
    if corpus.identity() != identity:  # the text changed while it was read
        return encoded
    try:
        _write(entry, encoded, identity)
    except DataError:
        if _read(entry, identity) is None:  # else another run has written it
            raise
    return _read(entry, identity) or encoded  # the entry, to free the temporary files


def encode_text(
    corpus: Corpus, cache: str | os.PathLike[str] | None, rewriting: Rewriting, *, threads: int,
    folder: str | os.PathLike[str] | None = None, progress: Progress | None = None,
    documents: Literal["lines", "files"] | None = None, ranks: Ranks = ALONE,
) -> EncodedCorpus:  # fmt: skip
    """Encode a corpus, perhaps with a cache, which keeps it as it is read, and rewrite it."""
    if cache is None:
        encoded = encode(corpus, threads=threads, folder=folder, progress=progress, documents=documents, ranks=ranks)
    else:
        encoded = encode_cached(corpus, cache, threads=threads, progress=progress)
    encoded = rewriting.applied(encoded, folder or cache)
    joined = rewriting.joined(encoded, threads, folder or cache, ranks)
    if rewriting.phrases and not any(ranks.gather(len(joined.ids) < len(encoded.ids))):
        note("no phrase of `phrases` occurs in the text; check case and spelling")
    return joined


def list_cache(cache: str | os.PathLike[str]) -> list[Entry]:
    """List the entries of a cache."""
    entries = []
    for path in _entries(Path(cache)):
        about = _about(path)
        with suppress(FileNotFoundError):  # another run has just removed it
            size = sum(file.stat().st_size for file in path.iterdir())
            sources = tuple(map(str, about["identity"]["sources"])) if about else (_UNKNOWN,)
            entries.append(Entry(path, sources, about.get("n_tokens", 0), about.get("n_types", 0), size))
    return entries


def clear_cache(cache: str | os.PathLike[str]) -> None:
    """Remove all entries of a cache and keep other files."""
    with writing(cache):
        remove_leftovers(cache)
        for entry in _entries(Path(cache)):
            while entry.exists():
                with suppress(FileNotFoundError):  # another run removes it too
                    shutil.rmtree(entry)


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DataError(f"there is no cache {folder}: no such folder")
    named = (path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    return sorted(path for path in named if path.is_dir() and not path.is_symlink())


def _name(identity: Mapping[str, Any]) -> str:
    """The name of an entry, which depends on sources and options, not on the contents of the files."""
    options = {key: value for key, value in identity.items() if key != "files"}
    return f".{hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()[:32]}.encoded"


def _about(entry: Path) -> dict[str, Any]:
    """Read the description of an entry; empty if it is damaged or of another version."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        if not all((entry / name).is_file() for name in (_ABOUT, *_DTYPES)):  # a pipe would never end
            return {}
        about = dict(parse_json((entry / _ABOUT).read_bytes()))
        is_right = (
            about["version"] == [_VERSION, sys.byteorder]
            and type(about["n_tokens"]) is type(about["n_types"]) is int
            and isinstance(about["identity"]["sources"], list)
            and isinstance(about["notes"], list)
            and all(isinstance(note, str) for note in about["notes"])
        )
        return about if is_right else {}
    return {}


def _write(entry: Path, encoded: EncodedCorpus, identity: Mapping[str, Any]) -> None:
    words = encoded.vocabulary.words
    assert isinstance(words, PackedWords)
    arrays = {
        "ids": encoded.ids,
        "offsets": encoded.offsets,
        "words": words.text,
        "starts": words.starts,
        "counts": encoded.vocabulary.counts,
    }
    about = {
        "version": [_VERSION, sys.byteorder],
        "identity": identity,
        "n_tokens": len(encoded.ids),
        "n_types": len(encoded.vocabulary),
        "notes": list(encoded.notes),
    }
    with atomic_folder(entry) as folder:
        for name, array in arrays.items():
            with open(folder / name, "wb") as file:
                file.write(np.ascontiguousarray(array).data)
        (folder / _ABOUT).write_text(json.dumps(about), encoding="utf-8")


def _read(entry: Path, identity: Mapping[str, Any]) -> EncodedCorpus | None:
    """Map an entry; None if it is missing, of another text or version, or damaged."""
    about = _about(entry)
    if about.get("identity") != json.loads(json.dumps(identity)):
        return None
    with suppress(OSError, ValueError, KeyError, TypeError, IndexError):
        arrays = {name: _map_file(entry / name, dtype) for name, dtype in _DTYPES.items()}
        if _are_valid(arrays, about["n_tokens"], about["n_types"]):
            vocabulary = Vocabulary(PackedWords(arrays["words"], arrays["starts"]), arrays["counts"])
            return EncodedCorpus(arrays["ids"], arrays["offsets"], vocabulary, tuple(about["notes"]))
    return None


def _map_file(path: Path, dtype: Any) -> NDArray[Any]:
    if os.name == "nt":  # Windows locks mapped files
        return read_only(np.fromfile(path, dtype))
    return np.memmap(path, dtype, "r").view(np.ndarray)


def _are_valid(arrays: Mapping[str, NDArray[Any]], n_tokens: int, n_types: int) -> bool:
    """Whether sizes match, borders ascend to the end, ids are below `n_types` and counts descend, as kernels assume."""
    ids, offsets, words, starts, counts = (arrays[name] for name in _DTYPES)
    if (len(ids), len(starts), len(counts)) != (n_tokens, n_types + 1, n_types):
        return False
    return (
        _ascend(offsets, n_tokens)
        and _ascend(starts, len(words))
        and all(0 <= part.min() and part.max() < n_types for part in _parts(ids))
        and bool((counts[1:] <= counts[:-1]).all() and counts[-1] > 0)
        and bool(counts[0] <= n_tokens == counts.sum())
        and all(_are_words(words, part) for part in _parts(starts, overlap=1))
    )


def _ascend(borders: NDArray[np.int64], end: int) -> bool:
    """Whether borders ascend strictly from 0 to `end`."""
    parts = _parts(borders, overlap=1)
    return borders[0] == 0 and borders[-1] == end and all((part[1:] > part[:-1]).all() for part in parts)


def _are_words(text: NDArray[np.uint8], starts: NDArray[np.int64]) -> bool:
    """Whether the bytes are UTF-8 without spaces, and no word begins within a character."""
    characters = text[starts[0] : starts[-1]].tobytes().decode()  # raises a ValueError
    return is_word(characters) and bool(((text[starts[:-1]] & 0xC0) != 0x80).all())


def _parts(array: NDArray[Any], overlap: int = 0) -> list[NDArray[Any]]:
    return [array[at : at + _AT_ONCE + overlap] for at in range(0, len(array), _AT_ONCE)]
