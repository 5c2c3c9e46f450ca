"""Subwords: vectors of character n-grams, whose mean with a word's own row is the vector of the word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.machine.ngrams import ngram_buckets

_MOST_BUCKETS = (1 << 31) - 1  # an int32 in fastText's files
_LONGEST = 100  # characters of an n-gram
_WORDS = 4096  # of a block


@dataclass(frozen=True, eq=False)
class Subwords:
    """Vectors of the character n-grams of words, in buckets of a hash, as fastText has them.

    The vector of a word of the vocabulary is the mean of its own row and those of its n-grams, that of another word the
    mean of its n-grams' rows. Buckets without a row count as rows of zeros.

    Attributes
    ----------
    min_length, max_length : int
        Characters of an n-gram; the borders ``<`` and ``>`` of a word count.
    n_buckets : int
        Number of buckets.
    rows : (n_rows, dim) float32 array
        Row i belongs to bucket ``buckets[i]``.
    buckets : (n_rows,) int array or None
        Buckets that have a row, ascending; None: all.

    Raises
    ------
    SettingError
        If a length or the number of buckets is not valid.
    DataError
        If the arrays do not fit.
    """

    min_length: int
    max_length: int
    n_buckets: int
    rows: NDArray[np.float32]
    buckets: NDArray[Any] | None = None

    def __post_init__(self) -> None:
        for name, most in (("min_length", self.max_length), ("max_length", _LONGEST), ("n_buckets", _MOST_BUCKETS)):
            value = getattr(self, name)
            if not isinstance(value, Integral) or not 1 <= int(value) <= most:
                limit = "max_length" if name == "min_length" else f"{most:,}"
                raise SettingError(f"{name} of subwords must be a whole number from 1 to {limit}, got {value!r}")
        rows, buckets = np.ascontiguousarray(self.rows).view(), self.buckets
        rows.flags.writeable = False
        object.__setattr__(self, "rows", rows)
        n_rows = self.n_buckets if buckets is None else len(buckets)
        if rows.ndim != 2 or len(rows) != n_rows or rows.dtype != np.float32:
            raise DataError(f"subwords need {n_rows:,} rows of float32, got shape {rows.shape} of {rows.dtype}")
        if buckets is not None and not _is_ascending(buckets, self.n_buckets):
            raise DataError(f"the buckets of subwords must be ascending, from 0 to {self.n_buckets - 1:,}")

    def __str__(self) -> str:
        lengths = f"{self.min_length}-{self.max_length}"
        return f"n-grams of {lengths} characters in {self.n_buckets:,} buckets, {len(self.rows):,} with a row"

    def _sums_of(self, words: Sequence[bytes]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The (n, dim) sums of the rows of the n-grams of words in UTF-8, and the (n, 1) numbers of n-grams."""
        starts, found = ngram_buckets(words, self.min_length, self.max_length, self.n_buckets)
        return self._row_sums(starts, found), np.diff(starts).astype(np.float32)[:, None]

    def _row_sums(self, starts: NDArray[np.int64], found: NDArray[np.int64]) -> NDArray[np.float32]:
        """The (n, dim) sums of the rows of buckets `found`, those of item i from ``starts[i]`` on."""
        if self.buckets is not None:
            places = np.searchsorted(self.buckets, found)
            is_known = np.take(self.buckets, places, mode="clip") == found if len(self.buckets) else found < 0
            starts, found = np.concatenate([[0], np.cumsum(is_known)])[starts], places[is_known]
        n_known = np.diff(starts)
        order = np.argsort(-n_known, kind="stable")  # words with a k-th n-gram are then the first ones
        starts, n_left = starts[:-1][order], n_known[order]
        row_bytes = self.rows.itemsize * self.rows.shape[1]
        rows = self.rows.view(f"V{row_bytes}")[:, 0]  # whole rows are copied, also mapped ones, which are not aligned
        sums = np.zeros((len(order), self.rows.shape[1]), np.float32)
        for k in range(int(n_known.max(initial=0))):
            n_words = int(np.count_nonzero(n_left > k))
            sums[:n_words] += rows[found[starts[:n_words] + k]].view(np.float32).reshape(n_words, -1)
        result = np.empty_like(sums)
        result[order] = sums
        return result

    @np.errstate(over="ignore", invalid="ignore")  # callers check what is not finite
    def embed(self, words: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The (n, dim) means of the n-grams of words, and whether any n-gram of a word has a row that is not zero."""
        vectors = np.zeros((len(words), self.rows.shape[1]), np.float32)
        encoded = [word.encode(errors="surrogatepass") for word in words]
        for block in word_blocks(len(words)):
            sums, n_ngrams = self._sums_of(encoded[block])
            np.divide(sums, n_ngrams, out=vectors[block], where=n_ngrams > 0)
        return vectors, np.array([bool(word) for word in words], bool) & vectors.any(axis=1)

    @np.errstate(over="ignore", invalid="ignore")
    def compose(self, words: Sequence[bytes], own: NDArray[np.float32]) -> NDArray[np.float32]:
        """The (n, dim) vectors of a block of words in UTF-8 with these own rows."""
        sums, n_ngrams = self._sums_of(words)
        vectors: NDArray[np.float32] = (own + sums) / (1 + n_ngrams)
        return vectors

    @np.errstate(over="ignore", invalid="ignore")
    def own_rows(self, words: Sequence[bytes], vectors: NDArray[Any]) -> NDArray[np.float32]:
        """The (n, dim) own rows of a block of words in UTF-8 with these vectors; undoes `compose`."""
        sums, n_ngrams = self._sums_of(words)
        own: NDArray[np.float32] = vectors.astype(np.float32) * (1 + n_ngrams) - sums
        return own

    def all_rows(self, first: int, end: int) -> NDArray[np.float32]:
        """The rows of the buckets from `first` to before `end`, zeros where a bucket has none."""
        if self.buckets is None:
            return self.rows[first:end]
        rows = np.zeros((end - first, self.rows.shape[1]), np.float32)
        begin, stop = np.searchsorted(self.buckets, (first, end))
        rows[self.buckets[begin:stop] - first] = self.rows[begin:stop]
        return rows


def word_blocks(n: int) -> Iterator[slice]:
    """Yield the slices of n words that are processed together."""
    for begin in range(0, n, _WORDS):
        yield slice(begin, min(begin + _WORDS, n))


def _is_ascending(buckets: NDArray[Any], n_buckets: int) -> bool:
    if buckets.ndim != 1 or buckets.dtype.kind != "i":
        return False
    return not len(buckets) or bool(buckets[0] >= 0 and buckets[-1] < n_buckets and (buckets[1:] > buckets[:-1]).all())
