"""Files of counts: embedtrain's .npz, which is SciPy's with more arrays; SciPy's; and GloVe's.

Matrix and words are read unchecked; `matrix.as_counts` checks them. SciPy is imported only when a file is read, since
commands call `is_counts_file` for every input.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.vocabulary_file import read_words
from embedtrain.errors import DataError, SettingError, one_line
from embedtrain.machine.files import atomic_file, open_regular, reading, source_name
from embedtrain.machine.npz import array_names, map_arrays, no_damage, pack_about, unpack_about, write_arrays
from embedtrain.machine.words import PackedWords

_VERSION = 1
_KINDS = "counts are an .npz of embedtrain or of scipy.sparse.save_npz, or the cooccurrence.bin of GloVe"
_NAMES = {"format", "shape", "data"}  # arrays in every .npz of SciPy
_OF_SCIPY = {*_NAMES, "_is_array", "indices", "indptr", "offsets", "coords", "row", "col"}
_OWN = {"words", "word_starts", "counts", "about"}
_SUFFIXES = (".npz", ".bin")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # first bytes of an .npz, and of an empty one
_FASTTEXT = b"\xba\x16O/"
_START = 1 << 12  # bytes by which text is distinguished from records


class StoredCounts(NamedTuple):
    """The contents of a file of counts, unchecked."""

    matrix: Any  # a sparse array of SciPy
    words: Sequence[str]
    counts: NDArray[np.int64] | None
    settings: Mapping[str, Any]


def is_counts_file(path: str | os.PathLike[str]) -> bool:
    """Whether a path is a file of counts, by its suffix (.npz or .bin) or its arrays."""
    try:
        if not os.path.isfile(path):
            return False
        if Path(path).suffix.lower() in _SUFFIXES:
            return True
        with open(path, "rb") as file:
            if not file.read(len(_ZIP[0])).startswith(_ZIP):
                return False
            with zipfile.ZipFile(file) as archive:
                return {f"{name}.npy" for name in _NAMES} <= set(archive.namelist())
    except (OSError, ValueError, zipfile.BadZipFile):
        return False


def write_counts_file(path: str | os.PathLike[str], stored: StoredCounts) -> None:
    """Write counts whose matrix is a csr_array, without a copy in memory.

    To what `scipy.sparse.save_npz` writes without compression, add `words` (uint8, the UTF-8 bytes of all words),
    `word_starts` (int64, where each begins, and the end of the last), `counts` (int64, if known) and `about` (uint8,
    JSON: the settings, versions and names of the other arrays).
    """
    matrix, words = stored.matrix, PackedWords.of(stored.words)
    arrays: dict[str, NDArray[Any]] = {
        "format": np.array(b"csr"),
        "shape": np.array(matrix.shape, np.int64),
        "_is_array": np.array(True),
        "words": words.text[: words.starts[-1]],
        "word_starts": words.starts,
        "indptr": matrix.indptr,
        "indices": matrix.indices,
        "data": matrix.data,
    }
    if stored.counts is not None:
        arrays["counts"] = stored.counts
    arrays["about"] = pack_about(_VERSION, {"settings": dict(stored.settings), "arrays": list(arrays)})
    with atomic_file(path) as file:
        write_arrays(file, arrays)


def read_counts_file(path: Path, vocabulary: str | os.PathLike[str] | None, *, mapped: bool = True) -> StoredCounts:
    """Read a file of counts, recognised by its content; uncompressed arrays are mapped if `mapped`."""
    with reading(path), open_regular(path) as file:
        start = file.read(_START)
    if not start:
        raise DataError(f"{source_name(path)} holds no counts: it is empty")
    if start.startswith(_ZIP):
        return _read_npz(path, vocabulary, mapped)
    is_text = b"\0" not in start  # records have zeros in the high bytes of numbers
    if is_text or start.startswith(_FASTTEXT):
        kind = "looks like text, which must have another name" if is_text else "is a fastText model"
        raise DataError(f"{source_name(path)} holds no counts: it {kind}; {_KINDS}")
    words, counts = _words_beside(path, vocabulary)
    from embedtrain.counts.glove_bin import read_glove_bin

    return StoredCounts(read_glove_bin(path, len(words)), words, counts, {})


def _read_npz(path: Path, vocabulary: str | os.PathLike[str] | None, mapped: bool) -> StoredCounts:
    name = source_name(path)
    with reading(path), no_damage(f"cannot read {name}: it is damaged or holds no counts"):
        names = array_names(path)
        if not _NAMES <= set(names):
            raise DataError(f"{name} holds no counts, but other arrays: {one_line(', '.join(names)[:100])}; {_KINDS}")
        arrays = map_arrays(path, _OF_SCIPY | _OWN, mapped=mapped)
        if "about" not in arrays:
            return StoredCounts(_matrix_in(arrays), *_words_beside(path, vocabulary), {})
        if vocabulary is not None:
            raise SettingError(f"{name} has its own words; leave out the file of words {vocabulary}")
        about = unpack_about(arrays["about"], _VERSION, f"cannot read {name}")
        if lost := set(about["arrays"]) & (_OF_SCIPY | _OWN) - arrays.keys():
            raise ValueError(f"it lacks {', '.join(sorted(lost))}")
        words = PackedWords.checked(f"cannot read {name}", arrays["words"], arrays["word_starts"])[:]
        return StoredCounts(_matrix_in(arrays), words, arrays.get("counts"), dict(about["settings"]))


def _matrix_in(arrays: Mapping[str, NDArray[Any]]) -> Any:
    """Return the sparse array as `scipy.sparse.load_npz` makes it, but mapped arrays stay mapped."""
    from scipy import sparse

    kind = arrays["format"].item()
    kind = kind.decode() if isinstance(kind, bytes) else kind
    if kind in ("csr", "csc", "bsr"):
        index: Any = arrays["indices"], arrays["indptr"]
    elif kind == "dia":
        index = (arrays["offsets"],)
    elif kind == "coo":
        index = (tuple(arrays["coords"]) if "coords" in arrays else (arrays["row"], arrays["col"]),)
    else:
        raise ValueError(f"the sparse format is {kind!r}")
    return getattr(sparse, f"{kind}_array")((arrays["data"], *index), shape=tuple(arrays["shape"].tolist()))


def _words_beside(path: Path, vocabulary: str | os.PathLike[str] | None) -> tuple[list[str], NDArray[np.int64] | None]:
    if vocabulary is None:
        raise SettingError(
            f"{source_name(path)} has no words; name the file of its words, a line each in the order of its rows, "
            "with `words` (in Counts.load: vocabulary)"
        )
    words, counts = read_words(Path(vocabulary))
    return words, np.array(counts, np.int64) if counts else None
