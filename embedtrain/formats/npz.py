"""A file of arrays, as `numpy.savez` writes them: the bytes of words, their starts, vectors, counts and more.

Nothing is pickled: any NumPy reads it with ``allow_pickle=False``. ``words`` and ``starts`` give word i as
``bytes(words[starts[i]:starts[i + 1]]).decode()``.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, one_line
from embedtrain.formats.arrays import describe, select, settings_of
from embedtrain.formats.factors import Factors
from embedtrain.formats.format import Format, Head, ReadOptions, VectorTable
from embedtrain.formats.subwords import Subwords
from embedtrain.formats.table import checked
from embedtrain.machine.files import atomic_file, reading, source_name
from embedtrain.machine.npz import array_names, map_arrays, no_damage, write_arrays
from embedtrain.machine.words import PackedWords

_NEEDED = {"words", "starts", "vectors", "about"}
_FACTORS = ("singular_values", "word_weights", "context_weights")
_CONTEXT_WORDS = ("context_words", "context_starts")  # of contexts that are not the words
_OPTIONAL = {"counts", "context_vectors", "ngrams", "ngram_rows", "ngram_buckets", *_FACTORS, *_CONTEXT_WORDS}


def _detect(head: Head) -> bool:
    return any(".npy" in member for member in zip_members(head) or ())


def zip_members(head: Head) -> list[str] | None:
    """Return the names of the files in a zip archive; None for other files."""
    if not head.data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return None
    try:
        with zipfile.ZipFile(head.path) as archive:
            return archive.namelist()
    except Exception:  # damaged in any way, or compressed
        length = int.from_bytes(head.data[26:28], "little")
        return [head.data[30 : 30 + length].decode(errors="replace")]


def _read(path: Path, options: ReadOptions) -> VectorTable:
    name = source_name(path)
    with reading(path), no_damage(f"cannot read {name}: it is damaged or not an .npz file; create it again"):
        try:
            names = set(array_names(path))
            arrays = map_arrays(path, _NEEDED | _OPTIONAL if names >= _NEEDED else ())
        except MemoryError:
            raise DataError(f"cannot read {name}: an array of it does not fit into memory") from None
        if not arrays:
            if {"data", "shape", "format"} <= names:
                raise DataError(f"{name} holds counts, not vectors; train on it: embedtrain glove {name}")
            if {"about", "frozen"} <= names:
                raise DataError(f"{name} is a checkpoint, not vectors; continue its run with `resume={name}`")
            found = one_line(", ".join(sorted(names))[:100]) or "nothing"
            raise DataError(f"{name}: expected arrays words, starts, vectors and about, got {found}; create it again")
        words = PackedWords.checked(name, arrays["words"], arrays["starts"])[:]
    table = VectorTable(
        words, arrays["vectors"], arrays.get("counts"), settings_of(name, arrays["about"].tobytes()),
        arrays.get("context_vectors"), _subwords(name, arrays), _factors(name, arrays),
    )  # fmt: skip
    return select(name, table, options)


def _subwords(name: str, arrays: Mapping[str, NDArray[Any]]) -> Subwords | None:
    """Return the n-grams in a file; ``ngrams`` are their lengths and the number of buckets."""
    if "ngrams" not in arrays:
        return None
    try:
        min_length, max_length, n_buckets = arrays["ngrams"].tolist()
        return Subwords(min_length, max_length, n_buckets, arrays["ngram_rows"], arrays.get("ngram_buckets"))
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{name}: its subwords do not fit ({one_line(error)[:100]}); create it again") from None


def _factors(name: str, arrays: Mapping[str, NDArray[Any]]) -> Factors | None:
    """Return the factors in a file."""
    if "singular_values" not in arrays:
        return None
    values, *weights = (np.array(arrays.get(part, ()), np.float64) for part in _FACTORS)
    text, starts = (arrays.get(part) for part in _CONTEXT_WORDS)
    words = None if text is None or starts is None else PackedWords.checked(name, text, starts)[:]
    n_words, dim = arrays["vectors"].shape[0], arrays["vectors"].shape[-1]
    lengths = dim, n_words, n_words if words is None else len(words)
    if [part.shape for part in (values, *weights)] != [(n,) for n in lengths] or not (values > 0).all():
        raise DataError(f"{name}: its singular values or weights do not fit its vectors; create it again")
    return Factors(values, weights[0], weights[1], words)


def _write(path: Path, table: VectorTable, *, threads: int | None = None) -> None:
    table = checked(table, spaces=True)
    packed = PackedWords.of(table.words)
    arrays: dict[str, NDArray[Any]] = {"words": packed.text, "starts": packed.starts, "vectors": table.vectors}
    if table.counts is not None:
        arrays["counts"] = table.counts
    if table.context_vectors is not None:
        arrays["context_vectors"] = table.context_vectors
    if (subwords := table.subwords) is not None:
        arrays["ngrams"] = np.array([subwords.min_length, subwords.max_length, subwords.n_buckets], np.int64)
        arrays["ngram_rows"] = subwords.rows
        if subwords.buckets is not None:
            arrays["ngram_buckets"] = subwords.buckets
    if (factors := table.factors) is not None:
        arrays |= {part: getattr(factors, part) for part in _FACTORS}
        if factors.context_words is not None:
            contexts = PackedWords.of(factors.context_words)
            arrays |= dict(zip(_CONTEXT_WORDS, (contexts.text, contexts.starts), strict=True))
    arrays["about"] = np.frombuffer(describe(table.settings).encode(), np.uint8)
    with atomic_file(path) as file:
        write_arrays(file, arrays)


FORMAT = Format(
    "npz", "a NumPy file of arrays, with counts, settings and subwords", (".npz",), _write, _read, _detect,
    holds_subwords=True,
    holds_spaces=True,
)  # fmt: skip
