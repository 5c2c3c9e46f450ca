"""What stands at words: rows, vectors, counts, means and cosines, by the names of gensim's ``KeyedVectors``."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from functools import cached_property
from numbers import Integral
from reprlib import repr as shortened
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.vectors.neighbors import lengths

#: A word or its row.
Key: TypeAlias = "str | int"


class UnknownWord(DataError, KeyError):
    """A word that has no vector."""

    __str__ = DataError.__str__  # KeyError would show the message in quotes


def is_key(asked: object) -> bool:
    """Whether this is meant for a word or a row, not for a vector."""
    return isinstance(asked, (str, bytes, Integral))


def listed(name: str, words: Any) -> list[Any]:
    """The words that `name` is given, whatever they come in.

    Raises
    ------
    DataError
        If it is given one word, or no words at all.
    """
    if isinstance(words, (str, bytes)) or not isinstance(words, Iterable):
        got = f"the {type(words).__name__} {shortened(words)}"
        raise DataError(f"{name} takes a list of words, got {got}; write [{shortened(words)}]")
    return list(words)


def as_weight(value: Any) -> float:
    """A weight as a number.

    Raises
    ------
    DataError
        If it is none.
    """
    try:
        weight = float(value)
    except (TypeError, ValueError):
        weight = math.nan
    if not math.isfinite(weight):
        raise DataError(f"a weight must be a finite number, got {shortened(value)}")
    return weight


class Keyed:
    """A table of words, of which only the rows asked for are read. A key is a word, or the number of its row."""

    words: Sequence[str]
    vectors: NDArray[np.float32]
    counts: NDArray[np.int64] | None

    @cached_property
    def index(self) -> dict[str, int]:
        """The row of each word."""
        index = {word: row for row, word in enumerate(self.words)}
        if len(index) < len(self):
            twice = next(word for row, word in enumerate(self.words) if index[word] != row)
            raise DataError(f"{twice!r} stands twice among the words; name every word once")
        return index

    @cached_property
    def norms(self) -> NDArray[np.float32]:
        """Lengths of the vectors, 1 for those of length 0."""
        norms = lengths(self.vectors)
        finite = np.isfinite(norms)
        if not finite.all():  # those mapped from a file are first seen here
            raise self._not_finite(int(np.argmin(finite)))
        return norms

    @property
    def index_to_key(self) -> Sequence[str]:
        """The words, by gensim's name."""
        return self.words

    @property
    def key_to_index(self) -> dict[str, int]:
        """The row of each word, by gensim's name."""
        return self.index

    @property
    def vector_size(self) -> int:
        """How many dimensions there are."""
        return int(self.vectors.shape[1])

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self.index

    def __getitem__(self, key: Key | Iterable[Key]) -> NDArray[np.float32]:
        """The vector of a key, or the (n, dim) vectors of several."""
        if isinstance(key, Iterable) and not isinstance(key, (str, bytes)):
            return self.vectors[np.array([self.get_index(one) for one in key], np.int64)]
        return self.get_vector(key)  # type: ignore[arg-type]

    def get_index(self, key: Key, default: int | None = None) -> int:
        """The row of a key.

        Parameters
        ----------
        key : str or int
        default : int, optional
            What is given for an unknown one.

        Raises
        ------
        UnknownWord
            If there is no such word or row, and no default; also a `KeyError`. So do all methods that take keys.
        """
        row = self.index.get(key) if isinstance(key, str) else key if isinstance(key, Integral) else None
        if row is not None and 0 <= row < len(self):
            return int(row)
        if default is None:
            raise UnknownWord(self._unknown(key))
        return default

    def has_index_for(self, key: Key) -> bool:
        """Whether there is such a word or row; ``in`` is for words only."""
        return self.get_index(key, -1) >= 0

    def get_vector(self, key: Key, norm: bool = False) -> NDArray[np.float32]:
        """The (dim,) vector of a key, scaled to length 1 if `norm`.

        Parameters
        ----------
        key : str or int
        norm : bool

        Raises
        ------
        UnknownWord
            If it has none; also a `KeyError`.
        """
        row = self.get_index(key)
        return self._unit(row).astype(np.float32) if norm else self.vectors[row]

    def get_vecattr(self, key: Key, attr: str) -> int:
        """What else is known of a key: its "count" in the corpus.

        Parameters
        ----------
        key : str or int
        attr : {"count"}

        Raises
        ------
        UnknownWord
            If there is no such key; also a `KeyError`.
        SettingError
            If `attr` is something else.
        DataError
            If counts are not known.
        """
        if attr != "count":
            raise SettingError(f"attr must be 'count', got {attr!r}; nothing else is known of words")
        row = self.get_index(key)
        if self.counts is None:
            raise DataError("the counts of words are not known; .npz files and folders of .npy hold them")
        return int(self.counts[row])

    def get_mean_vector(
        self,
        keys: Iterable[Key | NDArray[Any]],
        weights: Iterable[float] | None = None,
        pre_normalize: bool = True,
        post_normalize: bool = False,
        ignore_missing: bool = True,
    ) -> NDArray[np.float32]:
        """The (dim,) weighted mean of the vectors of keys, zeros if none is known.

        Parameters
        ----------
        keys : iterable of str, int or (dim,) array
        weights : iterable of float, optional
            One for each key; by default all are 1. Their absolute values are what the sum is divided by.
        pre_normalize, post_normalize : bool
            Whether the vectors of words, and the mean, are scaled to length 1.
        ignore_missing : bool
            Whether unknown words are left out.

        Raises
        ------
        UnknownWord
            If there is an unknown word, and they are not left out; also a `KeyError`.
        DataError
            If there are no keys, not as many weights, or a vector has other dimensions.
        """
        asked = listed("get_mean_vector", keys)
        weighed = [1.0] * len(asked) if weights is None else [as_weight(weight) for weight in weights]
        if not asked or len(weighed) != len(asked):
            raise DataError(f"a mean needs words, and a weight for each, got {len(asked)} and {len(weighed)}")
        terms = [
            (key, weight)
            for key, weight in zip(asked, weighed, strict=True)
            if not (ignore_missing and is_key(key) and not self.has_index_for(key))
        ]
        mean = self._mean(terms, pre_normalize)
        return (unit(mean) if post_normalize else mean).astype(np.float32)

    def similarity(self, w1: Key, w2: Key) -> float:
        """The cosine of two words.

        Raises
        ------
        UnknownWord
            If one has no vector; also a `KeyError`.
        """
        return float(self._unit(self.get_index(w1)) @ self._unit(self.get_index(w2)))

    def distance(self, w1: Key, w2: Key) -> float:
        """1 less the `similarity` of two words."""
        return 1 - self.similarity(w1, w2)

    def n_similarity(self, ws1: Iterable[Key], ws2: Iterable[Key]) -> float:
        """The cosine of the means of two lists of words, those without a vector left out; see `get_mean_vector`."""
        first, second = (self.get_mean_vector(words, pre_normalize=False) for words in (ws1, ws2))
        return float(unit(first.astype(np.float64)) @ unit(second.astype(np.float64)))

    def _mean(self, terms: Sequence[tuple[Any, float]], norm: bool) -> NDArray[np.float64]:
        """The mean of keys and vectors with weights."""
        total = np.zeros(self.vector_size)
        for asked, weight in terms:
            total += weight * self._vector(asked, norm)
        return total / (sum(abs(weight) for _, weight in terms) or 1.0)

    def _vector(self, asked: Any, norm: bool) -> NDArray[np.float64]:
        """The vector of a key, scaled to length 1 if `norm`, or a vector as it is."""
        if is_key(asked):
            row = self.get_index(asked)
            return self._unit(row) if norm else self.vectors[row].astype(np.float64)
        try:
            vector = np.asarray(asked, np.float64)
        except (TypeError, ValueError):
            vector = np.empty(0)
        if vector.shape != (self.vector_size,) or not np.isfinite(vector).all():
            got = f"shape {asked.shape}" if isinstance(asked, np.ndarray) else shortened(asked)
            raise DataError(f"expected a word, a row or a vector of {self.vector_size} finite values, got {got}")
        return vector

    def _unit(self, row: int) -> NDArray[np.float64]:
        """The vector of a row scaled to length 1; of a mapped file only this row is read."""
        vector = self.vectors[row].astype(np.float64)
        if not np.isfinite(vector).all():
            raise self._not_finite(row)
        return unit(vector)

    def _not_finite(self, row: int) -> DataError:
        return DataError(f"the vector of {self.words[row]!r} has no finite length; leave the word out of the file")

    def _unknown(self, key: Any) -> str:
        if not isinstance(key, str):
            return f"{shortened(key)} is no word, and no row from 0 to {len(self) - 1:,}"
        cased = [word for word in (key.lower(), key.capitalize(), key.upper()) if word in self.index]
        near = list(dict.fromkeys([*cased, *get_close_matches(key, self.words[:100_000], n=3)]))[:3]
        hint = f"; near in spelling: {', '.join(near)}" if near else ""
        return f"{key!r} is not among the {len(self):,} words{hint}"


def unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """A vector scaled to length 1, but for that of length 0."""
    return vector / (float(np.linalg.norm(vector)) or 1.0)
