"""The cache: encoded corpora in a folder, so that a later run on the same text need not read it.

An entry is a file of arrays with a hidden name, so that it is never read as part of a corpus: a hash of the sources and
options. It holds `ids`, `offsets`, `words` (bytes), `starts`, `counts`, and `about`. An entry is valid if its sources
have the paths, sizes and times of `about`.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.encoding import encode
from embedtrain.corpus.rewriting import Rewriting
from embedtrain.corpus.sources import Corpus
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import DataError, EmbedtrainError
from embedtrain.machine.files import atomic_file, remove_leftovers, writing
from embedtrain.machine.npz import map_arrays, no_damage, pack_about, unpack_about, write_arrays
from embedtrain.machine.progress import Progress, note
from embedtrain.machine.ranks import ALONE, Ranks
from embedtrain.machine.words import PackedWords

_VERSION = 3  # of the entries, and of the tokeniser
_NAME = re.compile(r"\.[0-9a-f]{32}\.encoded\.npz")
_DAMAGE = EmbedtrainError, OSError, MemoryError  # of reading a damaged entry
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
            sources = tuple(about["identity"]["sources"]) if about else (_UNKNOWN,)
            n_tokens, n_types = about.get("n_tokens", 0), about.get("n_types", 0)
            entries.append(Entry(path, sources, n_tokens, n_types, path.stat().st_size))
    return entries


def clear_cache(cache: str | os.PathLike[str]) -> None:
    """Remove all entries of a cache and keep other files."""
    with writing(cache):
        remove_leftovers(cache)
        for entry in _entries(Path(cache)):
            entry.unlink(missing_ok=True)  # another run may remove it too


def _entries(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise DataError(f"there is no cache {folder}: no such folder")
    named = (path for path in folder.iterdir() if _NAME.fullmatch(path.name))
    return sorted(path for path in named if path.is_file() and not path.is_symlink())


def _name(identity: Mapping[str, Any]) -> str:
    """The name of an entry, which depends on sources and options, not on the contents of the files."""
    options = {key: value for key, value in identity.items() if key != "files"}
    return f".{hashlib.sha256(json.dumps(options, sort_keys=True).encode()).hexdigest()[:32]}.encoded.npz"


def _about(entry: Path) -> dict[str, Any]:
    """Read the description of an entry; empty if it is missing, damaged or of another version."""
    with suppress(*_DAMAGE), no_damage(""):
        return unpack_about(map_arrays(entry, {"about"})["about"], _VERSION, "")
    return {}


def _write(entry: Path, encoded: EncodedCorpus, identity: Mapping[str, Any]) -> None:
    words = PackedWords.of(encoded.vocabulary.words)
    facts = {"identity": identity, "n_tokens": len(encoded.ids), "n_types": len(words), "notes": encoded.notes}
    arrays: dict[str, NDArray[Any]] = {
        "about": pack_about(_VERSION, facts),
        "ids": encoded.ids,
        "offsets": encoded.offsets,
        "words": words.text,
        "starts": words.starts,
        "counts": encoded.vocabulary.counts,
    }
    with atomic_file(entry) as file:
        write_arrays(file, arrays)


def _read(entry: Path, identity: Mapping[str, Any]) -> EncodedCorpus | None:
    """Map an entry; None if it is missing, of another text or version, or damaged."""
    about = _about(entry)
    if about.get("identity") != json.loads(json.dumps(identity)):
        return None
    with suppress(*_DAMAGE), no_damage(""):
        arrays = map_arrays(entry)  # verifies their checksums
        vocabulary = Vocabulary(PackedWords(arrays["words"], arrays["starts"]), arrays["counts"])
        return EncodedCorpus(arrays["ids"], arrays["offsets"], vocabulary, tuple(about["notes"]))
    return None
