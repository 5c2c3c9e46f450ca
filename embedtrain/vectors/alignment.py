"""Alignment: rotate vectors of one model onto those of another, so that they can be compared."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError, quoted
from embedtrain.machine.progress import note
from embedtrain.vectors.evaluation_files import read_lines
from embedtrain.vectors.shared_words import shared_words, units_of_words
from embedtrain.vectors.word_vectors import WordVectors


class Alignment(NamedTuple):
    """Vectors rotated onto others."""

    vectors: WordVectors
    rotation: NDArray[np.float32]  # (dim, dim); `vectors` are those before times this matrix
    before: float  # mean cosine of the pairs before the rotation ...
    after: float  # ... and after it
    moved: list[tuple[str, float]]  # all pairs and their cosines after it, the lowest first: those that moved most


def align(
    vectors: WordVectors,
    target: WordVectors,
    *,
    dictionary: str | os.PathLike[str] | Iterable[tuple[str, str]] | None = None,
    restrict_vocab: int | None = None,
) -> Alignment:
    """Rotate `vectors` onto `target`: by the orthogonal matrix that brings known pairs of words nearest.

    Schönemann, "A generalized solution of the orthogonal Procrustes problem" (1966), on vectors scaled to length 1, as
    for two languages in Xing et al., "Normalized word embedding and orthogonal transform for bilingual word
    translation" (2015). For two times see Hamilton, Leskovec, Jurafsky, "Diachronic word embeddings reveal statistical
    laws of semantic change" (2016). Context vectors and subwords are rotated too; factors are left out with a warning.

    Parameters
    ----------
    vectors, target : WordVectors
        With the same number of dimensions.
    dictionary : path or iterable of (str, str), optional
        Words of `vectors` with those of `target`; a file has a tab or space between them. By default the shared words.
        Pairs without vectors are left out with a warning.
    restrict_vocab : int, optional
        Use only pairs of the first so many words of `vectors`; 0: all.
    """
    if not (isinstance(vectors, WordVectors) and isinstance(target, WordVectors)):
        raise SettingError("give `vectors` and `target` as WordVectors; WordVectors.load reads files")
    dim, other_dim, n_searched = vectors.vector_size, target.vector_size, vectors._n_searched(restrict_vocab)
    if dim != other_dim:
        raise SettingError(f"vectors of {dim} and {other_dim} dimensions cannot be aligned; train both with one `dim`")
    if dictionary is None:
        dictionary = [(word, word) for word in shared_words([vectors, target])]
    given = list(_read_pairs(Path(dictionary)) if isinstance(dictionary, (str, os.PathLike)) else dictionary)
    known = [pair for pair in given if pair[0] in vectors.index and pair[1] in target.index]
    pairs = [pair for pair in known if vectors.index[pair[0]] < n_searched]
    X = units_of_words(vectors, [word for word, _ in pairs]).astype(np.float64)
    Y = units_of_words(target, [word for _, word in pairs]).astype(np.float64)
    if not pairs:
        rule = "each needs a word of the vectors, then one of the target"
        raise DataError(f"none of the {len(given):,} pairs has vectors; {rule}")
    if len(known) < len(given):
        note(f"{len(given) - len(known):,} of {len(given):,} pairs have no vectors, and are left out")
    if len(pairs) < dim:
        note(f"{len(pairs):,} pairs do not determine a rotation in {dim} dimensions; give more")
    U, _, V = np.linalg.svd(X.T @ Y)
    before, after = np.einsum("ij,ij->i", X, Y), np.einsum("ij,ij->i", X @ U @ V, Y)
    moved = [(" ".join(dict.fromkeys(pairs[i])), float(after[i])) for i in np.argsort(after, kind="stable").tolist()]
    rotation = (U @ V).astype(np.float32)
    return Alignment(_rotated(vectors, rotation), rotation, float(before.mean()), float(after.mean()), moved)


def _rotated(vectors: WordVectors, rotation: NDArray[np.float32]) -> WordVectors:
    """Rotate all tables, so that the products of words and contexts stay the same."""
    names, subwords = ["vectors", "word_vectors", "context_vectors"], vectors.subwords
    if vectors.factors is not None:  # contexts may be other words, or documents
        note("the factors for `fold_in` are not rotated; the aligned vectors have neither these nor context vectors")
        vectors = replace(vectors, context_vectors=None, factors=None)
    tables = {name: table @ rotation for name in names if (table := getattr(vectors, name)) is not None}
    if subwords is not None:
        tables["subwords"] = replace(subwords, rows=subwords.rows @ rotation)
    return replace(vectors, **tables, settings={**vectors.settings, "aligned": True})


def _read_pairs(path: Path) -> Iterator[tuple[str, str]]:
    for location, line in read_lines(path, "utf-8"):
        fields = line.split("\t" if "\t" in line else None)
        if len(fields) != 2:
            raise DataError(f"{location}: expected two words with a tab or space between them, got {quoted(line)}")
        yield fields[0].strip(), fields[1].strip()
