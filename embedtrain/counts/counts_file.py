"""Files of counts: this package's own, which is an .npz of SciPy's with more arrays in it, SciPy's, and GloVe's."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embedtrain._version import __version__
from embedtrain.counts.matrix import Counts, as_counts
from embedtrain.counts.words_file import read_words
from embedtrain.errors import DataError, SettingError
from embedtrain.machine.files import atomic_file
from embedtrain.machine.npz import map_arrays, no_damage, write_arrays
from embedtrain.machine.reading import reading, source_name
from embedtrain.machine.words import PackedWords

_VERSION = 1
_KINDS = "counts are an .npz of embedtrain or of scipy.sparse.save_npz, or the cooccurrence.bin of GloVe"
_NAMES = {"format", "shape", "data"}  # of arrays that every .npz of SciPy has
_SUFFIXES = (".npz", ".bin")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # how an .npz begins, and one without arrays
_START = 1 << 12  # bytes by which text is told from records


def save_counts(path: str | os.PathLike[str], counts: Counts) -> None:
    """Write counts and their words, all or nothing, without a copy of them in memory.

    The file is what `scipy.sparse.save_npz` writes without compression, under the name as it is, and in it beside the
    matrix: `words` (uint8, the UTF-8 bytes of all words), `word_starts` (int64, where each begins, and the end of the
    last), `counts` (int64, if known) and `about` (uint8, JSON: the settings, versions and names of the other arrays).

    Raises
    ------
    DataError
        If the file cannot be written, or a word not in UTF-8.
    """
    matrix, words = counts.matrix, _packed(counts.words)
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
    if counts.counts is not None:
        arrays["counts"] = counts.counts
    about = {"format": _VERSION, "embedtrain": __version__, "settings": dict(counts.settings), "arrays": list(arrays)}
    arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    with atomic_file(path) as file:
        write_arrays(file, arrays)


def _packed(words: Sequence[str]) -> PackedWords:
    if isinstance(words, PackedWords):
        return words
    try:
        spelled = [word.encode() for word in words]
    except UnicodeEncodeError as error:
        raise DataError(f"the word {error.object!r} holds half of a surrogate pair, which UTF-8 cannot") from None
    starts = np.fromiter(accumulate(map(len, spelled), initial=0), np.int64, len(spelled) + 1)
    return PackedWords(np.frombuffer(b"".join(spelled), np.uint8), starts)


def load_counts(path: str | os.PathLike[str], vocabulary_path: str | os.PathLike[str] | None = None) -> Counts:
    """Read a file of counts, of any kind that there is; its name says nothing.

    Parameters
    ----------
    path : path
        What `save_counts`, `scipy.sparse.save_npz`, or GloVe's `cooccur` or `shuffle` wrote. The counts in a file of
        `save_counts` are mapped, and take no memory.
    vocabulary_path : path, optional
        Of files without words: their words, see `read_words`.

    Raises
    ------
    SettingError
        If `vocabulary_path` is given for a file that has its own words, or missing for one that has none.
    DataError
        If a file cannot be read, is damaged, of another version or of no known kind, or holds what no counts can be.
    """
    path = Path(path)
    with reading(path), open(path, "rb") as file:
        start = file.read(_START)
    if not start:
        raise DataError(f"{source_name(path)} holds no counts: it is empty")
    if start.startswith(_ZIP):
        return _load_npz(path, vocabulary_path)
    if b"\0" not in start:  # of a record, the high bytes of its numbers are 0
        raise DataError(
            f"{source_name(path)} holds no counts: it looks like text, which must have another name; {_KINDS}"
        )
    words, counts = _read_words(path, vocabulary_path)
    from embedtrain.counts.glove_bin import read_cooccurrence_bin  # needs kernels, other files do not

    return _checked(path, read_cooccurrence_bin(path, len(words)), words, counts)


def is_counts_file(path: str | os.PathLike[str]) -> bool:
    """Whether a path leads to a file of counts, as its name, `*.npz` or `*.bin`, or its table of contents tells."""
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


def _load_npz(path: Path, vocabulary_path: str | os.PathLike[str] | None) -> Counts:
    name = source_name(path)
    with reading(path), no_damage(f"cannot read {name}: it is damaged or holds no counts"):
        arrays = map_arrays(path)
        if not arrays.keys() >= _NAMES:
            raise DataError(f"{name} holds no counts, but other arrays: {', '.join(arrays)[:100]}; {_KINDS}")
        is_own = "about" in arrays
        if is_own and vocabulary_path is not None:
            raise SettingError(f"{name} has its own words; leave out the file of words {vocabulary_path}")
        settings = _settings_in(arrays, name) if is_own else {}
        words, counts = _words_in(arrays) if is_own else _read_words(path, vocabulary_path)
        matrix = _matrix_in(arrays)
    return _checked(path, matrix, words, counts, settings)


def _settings_in(arrays: Mapping[str, NDArray[Any]], name: str) -> dict[str, Any]:
    about = json.loads(arrays["about"].tobytes())
    if about["format"] != _VERSION:
        raise DataError(
            f"cannot read {name}: it has the format {about['format']} of embedtrain {about['embedtrain']}, "
            f"this is {__version__} and reads the format {_VERSION}"
        )
    if lost := set(about["arrays"]) - arrays.keys():
        raise ValueError(f"it lacks {', '.join(sorted(lost))}")
    return dict(about["settings"])


def _words_in(arrays: Mapping[str, NDArray[Any]]) -> tuple[list[str], NDArray[np.int64] | None]:
    text, starts = arrays["words"], arrays["word_starts"]
    if text.dtype != np.uint8 or starts.dtype != np.int64 or (np.diff(starts, prepend=0, append=len(text)) < 0).any():
        raise ValueError("the words lie outside their text")
    return PackedWords(text, starts)[:], arrays.get("counts")


def _matrix_in(arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The sparse array that SciPy's `load_npz` would make of the same file; what is mapped stays so."""
    kind = arrays["format"].item()
    kind = kind.decode() if isinstance(kind, bytes) else kind
    if kind in ("csr", "csc", "bsr"):
        places: Any = arrays["indices"], arrays["indptr"]
    elif kind == "dia":
        places = (arrays["offsets"],)
    elif kind == "coo":
        places = (tuple(arrays["coords"]) if "coords" in arrays else (arrays["row"], arrays["col"]),)
    else:
        raise ValueError(f"the sparse format is {kind!r}")
    return getattr(sparse, f"{kind}_array")((arrays["data"], *places), shape=tuple(arrays["shape"].tolist()))


def _read_words(
    path: Path, vocabulary_path: str | os.PathLike[str] | None
) -> tuple[list[str], NDArray[np.int64] | None]:
    if vocabulary_path is None:
        raise SettingError(
            f"{source_name(path)} has no words; name the file of its words, a line each in the order of its rows, "
            "with --vocab / vocabulary="
        )
    return read_words(vocabulary_path)


def _checked(
    path: Path,
    matrix: Any,
    words: Sequence[str],
    counts: NDArray[np.int64] | None,
    settings: Mapping[str, Any] | None = None,
) -> Counts:
    try:
        return as_counts(matrix, words, counts, settings)
    except DataError as error:
        raise DataError(f"{source_name(path)}: {error}") from error
