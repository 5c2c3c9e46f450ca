"""A table of words and vectors: look-ups and nearest neighbours, named as in gensim's KeyedVectors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from numbers import Integral
from reprlib import repr as shortened
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError, quoted
from embedtrain.formats.subwords import Subwords
from embedtrain.machine.progress import note
from embedtrain.vectors.analogies import cosmul_scores
from embedtrain.vectors.neighbors import NO_DIRECTION, cosines_to, nearest_to_rows, row_norms, rows_of, top_rows
from embedtrain.vectors.spelling import suggestion

#: A word or the number of its row.
Key: TypeAlias = "str | int"
#: A key or a vector, or several, each perhaps as (key or vector, weight).
Terms: TypeAlias = "Key | NDArray[Any] | Iterable[Key | NDArray[Any] | tuple[Key | NDArray[Any], float]] | None"
#: Words with their scores, the highest first; with ``topn=None`` the scores of all rows, an array.
Scored: TypeAlias = "list[tuple[str, float]] | Any"

_FEW = 8  # queries that are faster one by one than loading kernels


class UnknownWord(DataError, KeyError):
    """A word that has no vector, nor n-grams that give one."""


class WordTable:
    """Words and their vectors; look-ups of mapped vectors read only the rows they need."""

    words: Sequence[str]
    vectors: NDArray[np.float32]
    subwords: Subwords | None

    @cached_property
    def index(self) -> dict[str, int]:
        """The row of each word."""
        index = {word: row for row, word in enumerate(self.words)}
        if len(index) < len(self):
            repeated = next(word for row, word in enumerate(self.words) if index[word] != row)
            raise DataError(f"{quoted(repeated)} appears twice among the words; name every word once")
        return index

    @cached_property
    def norms(self) -> NDArray[np.float32]:
        """Lengths of the vectors, 1 for those of length 0."""
        norms = row_norms(self.vectors)
        finite = np.isfinite(norms)
        if not finite.all():  # mapped vectors are first read here
            raise self._not_finite(int(np.argmin(finite)))
        return norms

    @property
    def index_to_key(self) -> Sequence[str]:
        """The words; gensim's name for `words`."""
        return self.words

    @property
    def key_to_index(self) -> dict[str, int]:
        """The row of each word; gensim's name for `index`."""
        return self.index

    @property
    def vector_size(self) -> int:
        """Number of dimensions."""
        return int(self.vectors.shape[1])

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __contains__(self, word: object) -> bool:
        return word in self.index

    def __getitem__(self, key: Key | Iterable[Key]) -> NDArray[np.float32]:
        """The vector of a key, or the (n, dim) vectors of several; with subwords, also of unknown words."""
        if isinstance(key, Iterable) and not isinstance(key, (str, bytes)):
            rows, embedded = self._rows_and_embedded(key)
            return rows_of(self.vectors, rows, embedded)
        return self._vector(key)

    def can_embed(self, word: str) -> bool:
        """Whether a word has a vector: its own, or one of its n-grams in `subwords`."""
        return self._try_vector(word) is not None

    def get_vector(self, key: Key, norm: bool = False) -> NDArray[np.float32]:
        """The (dim,) vector of a word or row, scaled to length 1 if `norm`.

        Raises
        ------
        UnknownWord
            If there is no such word or row; also a `KeyError`. All methods that take words raise it.
        """
        return self._unit(key).astype(np.float32) if norm else self._vector(key)

    def similarity(self, w1: Key | NDArray[Any], w2: Key | NDArray[Any]) -> float:
        """The cosine of two words, rows or (dim,) arrays, from -1 to 1."""
        first, second = map(self._unit_or_vector, (w1, w2))
        lengths = float(np.linalg.norm(first) * np.linalg.norm(second))
        return min(1.0, max(-1.0, float(first @ second) / (lengths or 1.0)))  # rounding goes beyond

    def most_similar(
        self,
        positive: Terms = None,
        negative: Terms = None,
        topn: int | None = 10,
        *,
        restrict_vocab: int | None = None,
    ) -> Scored:
        """The words nearest to a sum of words, such as ``most_similar(["king", "woman"], ["man"])``.

        Parameters
        ----------
        positive, negative : word, row or (dim,) array, or iterable of them and of (one of them, weight)
            Vectors to add and to subtract, those of words scaled to length 1. A weight replaces 1, or -1 in
            `negative`. The given words are left out of the result.
        topn : int or None
            Number of words; None: the cosines of all words.
        restrict_vocab : int, optional
            Search only this many words, the first ones; 0: all.

        Returns
        -------
        list of (word, cosine), or (n,) float32 array with ``topn=None``
            The nearest first, ties in the order of words; the array is in the order of words.
        """
        terms = _terms(positive, negative)
        query = np.sum([weight * self._unit_or_vector(term) for term, weight in terms], axis=0)
        n = self._n_searched(restrict_vocab)
        return self._best(cosines_to(self.vectors[:n], self.norms[:n], query), topn, terms)

    def most_similar_cosmul(
        self, positive: Terms = None, negative: Terms = None, topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Scored:
        """Find words as `most_similar` does, by 3CosMul: cosines to words are multiplied and divided."""
        terms = _terms(positive, negative)
        if any(abs(weight) != 1 for _, weight in terms):
            raise DataError("most_similar_cosmul takes the weights 1 and -1 only; use most_similar for others")
        factors, divisors = ([self._unit_or_vector(term) for term, w in terms if w == sign] for sign in (1, -1))
        n = self._n_searched(restrict_vocab)
        return self._best(cosmul_scores(self.vectors[:n], self.norms[:n], factors, divisors), topn, terms)

    def similar_by_vector(
        self, vector: NDArray[Any], topn: int | None = 10, restrict_vocab: int | None = None
    ) -> Scored:
        """The words nearest to a (dim,) vector; see `most_similar`."""
        return self.most_similar([vector], topn=topn, restrict_vocab=restrict_vocab)

    def neighbors(self, words: Key | Iterable[Key], topn: int = 10, restrict_vocab: int | None = None) -> list[Any]:
        """The words nearest to each of many words, as `most_similar` of each, but faster and in bounded memory.

        Parameters
        ----------
        words : iterable of str, or str
        topn : int
            Number of neighbours of each.
        restrict_vocab : int, optional
            Search only this many words, the first ones; 0: all.

        Returns
        -------
        list of lists of (word, cosine), or list of (word, cosine) for one word
        """
        if _is_key(words) or not isinstance(words, Iterable):
            return self.neighbors([words], topn, restrict_vocab)[0]  # type: ignore[list-item]
        keys = list(words)
        rows, embedded = self._rows_and_embedded(keys)
        n = self._n_searched(restrict_vocab)
        if not isinstance(topn, Integral):
            raise SettingError(f"topn must be a whole number of words, got {topn!r}")
        if len(keys) <= _FEW:
            return [self.most_similar([key], topn=int(topn), restrict_vocab=n) for key in keys]
        found = nearest_to_rows(self.vectors, self.norms, rows, int(topn), among=n, embedded=embedded)
        near_none = np.flatnonzero((found.cosines[:, :1] == 0).any(axis=1)).tolist()
        if not all(self._vector(keys[i]).any() for i in near_none):
            raise DataError(NO_DIRECTION)
        return [
            [(self.words[row], cosine) for row, cosine in zip(*nearest, strict=True) if row >= 0]
            for nearest in zip(found.rows.tolist(), found.cosines.tolist(), strict=True)
        ]

    def recommend(self, history: Iterable[Any], topn: int = 10, *, repeats: bool = False) -> list[Any]:
        """The items nearest to the mean of a history, or of each of many histories.

        The score is the cosine; where there are context vectors, as in .npz files, its mean with the cosine to these.

        Parameters
        ----------
        history : iterable of str or int, or iterable of such iterables
            Items that someone had, each counted once, or many histories. A whole number is an id, not a row. A
            warning is issued for items without a vector, which are left out.
        topn : int
            Number of items of each.
        repeats : bool
            Whether to recommend items of the history too; repeats are normal in shops.

        Returns
        -------
        list of (item, score), or list of such lists for many histories
            The nearest first, ties in the order of rows; empty for one of many histories without known items.
        """
        from embedtrain.vectors.recommend import recommend

        return recommend(self, history, topn, repeats=repeats)

    def rank(self, key1: Key, key2: Key) -> int:
        """The position of `key2` among the neighbours of `key1`, counted from 1."""
        first, second = self._find(key1), self._row(key2)
        cosines = cosines_to(self.vectors, self.norms, self._unit(key1))
        nearer = cosines > cosines[second]
        if first is not None:
            nearer[first] = False
        return 1 + int(np.count_nonzero(nearer))

    def doesnt_match(self, words: Iterable[Key]) -> Key:
        """The word farthest from the mean of the given words; those without a vector are left out, with a warning."""
        if isinstance(words, (str, bytes)) or not isinstance(words, Iterable):
            got = f"the {type(words).__name__} {shortened(words)}"
            raise DataError(f"doesnt_match takes a list of words, got {got}; write [{shortened(words)}]")
        given = list(words)
        known = [word for word in given if self._try_vector(word) is not None]
        unknown = [word for word in given if self._try_vector(word) is None]
        if not known:
            raise DataError(f"doesnt_match needs words that have vectors, got {shortened(given)}")
        if unknown:
            note(f"doesnt_match leaves out words without a vector: {shortened(unknown)}")
        units = np.array([self._unit(word) for word in known])
        return known[int(np.argmin(units @ units.mean(axis=0)))]

    def _find(self, key: Any) -> int | None:
        """The row of a word or row number; None if it does not exist."""
        row = self.index.get(key, -1) if isinstance(key, str) else int(key) if isinstance(key, Integral) else -1
        return row if 0 <= row < len(self) else None

    def _row(self, key: Any) -> int:
        row = self._find(key)
        if row is not None:
            return row
        if not isinstance(key, str):
            name = shortened(key)
            hint = f"; write '{name}' for the word" if name in self.index else ""
            raise UnknownWord(f"{name} is neither a word nor a row from 0 to {len(self) - 1:,}{hint}")
        hint = suggestion(key, self.index)
        ngrams = "" if self.subwords is None or self.can_embed(key) else ", and none of its n-grams is known"
        raise UnknownWord(f"{quoted(key)} is not among the {len(self):,} words{ngrams}{'; ' if hint else ''}{hint}")

    def _try_vector(self, key: Any) -> NDArray[np.float32] | None:
        """The vector of a key: its row, or that of an unknown word's n-grams; None if there is neither."""
        row = self._find(key)
        if row is not None:
            return self.vectors[row]
        if self.subwords is None or not isinstance(key, str):
            return None
        vectors, is_known = self.subwords.embed([key])
        return vectors[0] if is_known[0] else None

    def _vector(self, key: Any) -> NDArray[np.float32]:
        vector = self._try_vector(key)
        return self.vectors[self._row(key)] if vector is None else vector  # `_row` raises

    def _rows_and_embedded(self, keys: Iterable[Any]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The (n,) rows of keys and the vectors of unknown words, whose rows are numbered after the table's."""
        keys = list(keys)
        found = [self._find(key) for key in keys]
        unknown = [key for key, row in zip(keys, found, strict=True) if row is None]
        embedded = np.array([self._vector(key) for key in unknown], np.float32).reshape(len(unknown), self.vector_size)
        number = iter(range(len(self), len(self) + len(unknown)))
        return np.array([next(number) if row is None else row for row in found], np.int64), embedded

    def _unit(self, key: Any) -> NDArray[np.float64]:
        """The vector of a key scaled to length 1, unless it is 0."""
        vector = self._vector(key).astype(np.float64)
        if not np.isfinite(vector).all():
            raise self._not_finite(key)
        return vector / (float(np.linalg.norm(vector)) or 1.0)

    def _not_finite(self, key: Any) -> DataError:
        word = key if isinstance(key, str) else self.words[int(key)]
        return DataError(f"the vector of {quoted(word)} has no finite length; leave the word out of the file")

    def _unit_or_vector(self, term: Any) -> NDArray[np.float64]:
        """The vector of a key scaled to length 1, or the given vector unscaled."""
        if _is_key(term):
            return self._unit(term)
        try:
            vector = np.asarray(term, np.float64)
        except (TypeError, ValueError):
            vector = np.empty(0)
        if vector.shape != (self.vector_size,) or not np.isfinite(vector).all():
            got = f"shape {term.shape}" if isinstance(term, np.ndarray) else shortened(term)
            raise DataError(f"expected a word, a row or a vector of {self.vector_size} finite values, got {got}")
        return vector

    def _n_searched(self, restrict_vocab: int | None) -> int:
        n = restrict_vocab or len(self)
        if not isinstance(n, Integral) or n < 0:
            raise SettingError(f"restrict_vocab must be a whole number of words, 0 for all, got {restrict_vocab!r}")
        return min(int(n), len(self))

    def _best(self, scores: NDArray[np.float32], topn: int | None, terms: Sequence[tuple[Any, float]]) -> Scored:
        """The words with the highest scores, without those of the query."""
        if topn is None:
            return scores
        if not isinstance(topn, Integral):
            raise SettingError(f"topn must be a whole number of words, or None for all scores, got {topn!r}")
        rows = (self._find(term) for term, _ in terms if _is_key(term))
        given = [row for row in rows if row is not None]
        return [(self.words[row], score) for row, score in top_rows(scores, int(topn), given)]


def _is_key(term: object) -> bool:
    return isinstance(term, (str, bytes, Integral))


def _terms(positive: Terms, negative: Terms) -> list[tuple[Any, float]]:
    """Keys and vectors with their weights."""
    terms = [*_weighted(positive, 1.0), *_weighted(negative, -1.0)]
    if not terms:
        raise DataError("most_similar needs at least one word")
    return terms


def _weighted(terms: Terms, weight: float) -> list[tuple[Any, float]]:
    if terms is None:
        return []
    is_one = _is_key(terms) or getattr(terms, "ndim", 0) == 1 or not isinstance(terms, Iterable)
    return [
        (term[0], _finite(term[1])) if isinstance(term, tuple) and len(term) == 2 else (term, weight)
        for term in ([terms] if is_one else terms)  # type: ignore[union-attr]
    ]


def _finite(value: Any) -> float:
    try:
        weight = float(value)
    except (TypeError, ValueError):
        weight = math.nan
    if not math.isfinite(weight):
        raise DataError(f"a weight must be a finite number, got {shortened(value)}")
    return weight
