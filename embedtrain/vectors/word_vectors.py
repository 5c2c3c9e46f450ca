"""`WordVectors`: the result of training, whatever the model, and of reading a file of vectors."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.formats.content import Choice, Content
from embedtrain.vectors.queries import Queries
from embedtrain.vectors.queries import UnknownWord as UnknownWord
from embedtrain.vectors.training_report import TrainingReport


@dataclass(frozen=True, eq=False)
class WordVectors(Queries):
    """A vector for each word.

    Attributes
    ----------
    words : list of str
        By count in the corpus, descending.
    vectors : (n_words, dim) float32 or float16 array
        Row i belongs to ``words[i]``.
    counts : (n_words,) int64 array or None
        Occurrences in the corpus, where known.
    context_vectors : (n_words, dim) float32 array or None
        The other table of the model: the words as contexts.
    word_vectors : (n_words, dim) float32 array or None
        The model's table of the words themselves, where `vectors` is made of it and is not it.
    settings : mapping
        How the vectors were made.
    report : TrainingReport or None
        What training did, right after it.

    Raises
    ------
    DataError
        If `vectors` or `counts` has another shape.
    """

    words: Sequence[str]
    vectors: NDArray[np.float32]
    counts: NDArray[np.int64] | None = None
    context_vectors: NDArray[np.float32] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    report: TrainingReport | None = None
    word_vectors: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        for name, n_axes in (("vectors", 2), ("counts", 1)):
            rows = getattr(self, name)
            shape: tuple[int, ...] = getattr(rows, "shape", ())
            if (rows is not None or name == "vectors") and (len(shape) != n_axes or shape[0] != len(self)):
                got = f"shape {shape}" if shape else type(rows).__name__
                raise DataError(f"{name} must be a {n_axes}-d array of {len(self):,} rows, one a word, got {got}")

    def __repr__(self) -> str:
        return f"<WordVectors: {len(self):,} words, {self.vector_size} dimensions>"

    def embedding_matrix(
        self,
        word_index: Mapping[str, int] | Sequence[str],
        unknown: str | NDArray[Any] = "zeros",
        *,
        padding: int | None = None,
        seed: int = 1,
    ) -> NDArray[np.float32]:
        """The table of an embedding layer: Keras' ``Embedding``, or ``torch.nn.Embedding.from_pretrained``.

        It warns if no word has a vector; ``sum(word in vectors for word in word_index)`` says how many have.

        Parameters
        ----------
        word_index : mapping of str to int, or sequence of str
            The row of each word, or the words by row.
        unknown : {"zeros", "mean", "random"} or (dim,) array
            What words without a vector get: zeros, the mean of all vectors, random values with mean and variance of
            each dimension, or this vector.
        padding : int, optional
            A row that holds zeros whatever its word. Rows of no word hold zeros anyway.
        seed : int
            Of random values.

        Returns
        -------
        (n_rows, dim) float32 array
            As many rows as the highest number asks for.

        Raises
        ------
        DataError
            If words are not str, rows are not integers from 0 on, two words have the same, or a value is not finite.
        SettingError
            If `unknown` or `seed` is something else, or the table does not fit into memory.
        """
        from embedtrain.vectors.embedding_matrix import embedding_matrix

        return embedding_matrix(self, word_index, unknown, padding, seed)

    def to_gensim(self) -> Any:
        """The same words, vectors and counts as gensim's ``KeyedVectors``.

        Raises
        ------
        SettingError
            If gensim is not installed.
        """
        try:
            from gensim.models import KeyedVectors  # type: ignore[import-untyped, unused-ignore]
        except ImportError:
            raise SettingError("to_gensim needs the package gensim; install it with: pip install gensim") from None
        keyed = KeyedVectors(self.vector_size)
        keyed.add_vectors(list(self.words), np.asarray(self.vectors, np.float32))
        for word, count in zip(self.words, () if self.counts is None else self.counts.tolist(), strict=False):
            keyed.set_vecattr(word, "count", count)
        return keyed

    def save(self, path: str | os.PathLike[str], *, format: str | None = None, threads: int | None = None) -> None:
        """Write words and vectors, all or nothing.

        Parameters
        ----------
        path : path
        format : str, optional
            One of `formats.NAMES`; by default the one that the name stands for, word2vec text in doubt.
        threads : int, optional
            That format text; by default all.

        Raises
        ------
        DataError
            If the file cannot be written, or the format cannot hold a word or value.
        """
        from embedtrain import formats

        content = Content(self.words, self.vectors, self.counts, self.settings)
        formats.write(path, content, format, threads=threads)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        *,
        format: str | None = None,
        limit: int | None = None,
        vocabulary: Iterable[str] | None = None,
        dtype: Any = np.float32,
        mmap: bool = False,
        threads: int | None = None,
    ) -> WordVectors:
        """Read a file of vectors.

        Parameters
        ----------
        path : path
        format : str, optional
            One of `formats.NAMES`; by default it is known by the content.
        limit : int, optional
            Only the first so many words.
        vocabulary : iterable of str, optional
            Only these words.
        dtype : {float32, float16}
            Of the vectors in memory; mapped ones are as the file has them.
        mmap : bool
            Whether to leave the vectors in the file and read what is asked for, where the format can. This starts at
            once, as no value is looked at: a NaN in the file stays one.
        threads : int, optional
            That read at the same time; by default all.

        Raises
        ------
        DataError
            If it cannot be read; the message names the line.
        SettingError
            If a setting cannot be.
        """
        from embedtrain import formats

        choice = _choice(limit, vocabulary, dtype, mmap, threads)
        words, vectors, counts, settings = formats.read(path, choice, format)
        return cls(words, vectors, counts, settings={**settings, "file": os.fspath(path)})


def _choice(limit: int | None, vocabulary: Iterable[str] | None, dtype: Any, mmap: bool, threads: int | None) -> Choice:
    if limit is not None and (not isinstance(limit, Integral) or isinstance(limit, bool) or limit < 1):
        raise SettingError(f"limit must be at least 1 word, a whole number, got {limit!r}")
    if isinstance(vocabulary, str):
        raise SettingError(f"vocabulary must be a list of words, got the str {vocabulary!r}; write [{vocabulary!r}]")
    try:
        wanted = None if vocabulary is None else frozenset(vocabulary)
    except TypeError:
        raise SettingError(f"vocabulary must be a list of words, got {type(vocabulary).__name__}") from None
    try:
        kind = np.dtype(dtype)
    except TypeError:
        kind = None
    if kind not in (np.float32, np.float16):
        raise SettingError(f"dtype must be float32 or float16, got {dtype!r}")
    return Choice(limit, wanted, kind, mmap, None, threads)
