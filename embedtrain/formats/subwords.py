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
LONGEST = 100  # characters of an n-gram
_WORDS = 4096  # of a block


@dataclass(frozen=True, eq=False)
class Subwords:
    """Vectors of the character n-grams of words, in buckets of a hash, as fastText has them.

    The vector of a word of the vocabulary is the mean of its own row and those of its n-grams, that of another word the
    mean of its n-grams' rows. Buckets without a row count as rows of zeros.
    """

    min_length: int  # characters of an n-gram, among which the borders < and > of a word are counted
    max_length: int
    n_buckets: int  # 0 if each n-gram has its own row, found by a hash of 63 bits
    rows: NDArray[np.float32]  # (n_rows, dim) row i belongs to bucket buckets[i]
    buckets: NDArray[Any] | None = None  # (n_rows,) buckets or hashes that have a row, ascending; None: all buckets

    def __post_init__(self) -> None:
        ranges = ("min_length", 1, self.max_length), ("max_length", 1, LONGEST), ("n_buckets", 0, _MOST_BUCKETS)
        for name, least, most in ranges:
            value = getattr(self, name)
            if not isinstance(value, Integral) or not least <= int(value) <= most:
                limit = "max_length" if name == "min_length" else f"{most:,}"
                raise SettingError(f"{name} of subwords must be a whole number from {least} to {limit}, got {value!r}")
        rows, buckets = np.ascontiguousarray(self.rows).view(), self.buckets
        rows.flags.writeable = False
        object.__setattr__(self, "rows", rows)
        n_rows = self.n_buckets if buckets is None else len(buckets)
        if rows.ndim != 2 or len(rows) != n_rows or rows.dtype != np.float32:
            raise DataError(f"subwords need {n_rows:,} rows of float32, got shape {rows.shape} of {rows.dtype}")
        if buckets is not None and not _is_ascending(buckets, self._n_keys):
            raise DataError(f"the buckets of subwords must be ascending, from 0 to {self._n_keys - 1:,}")

    def __str__(self) -> str:
        buckets = f" in {self.n_buckets:,} buckets" if self.n_buckets else ""
        return f"n-grams of {self.lengths} characters{buckets}, {len(self.rows):,} with a row"

    @property
    def lengths(self) -> str:
        """The lengths of n-grams, as 3-6."""
        return f"{self.min_length}-{self.max_length}"

    @property
    def _n_keys(self) -> int:
        return self.n_buckets or 1 << 63

    def _sums_of(self, words: Sequence[bytes]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The (n, dim) sums of the rows of the n-grams of words in UTF-8, and the (n, 1) numbers of n-grams."""
        starts, found = ngram_buckets(words, self.min_length, self.max_length, self.n_buckets)
        return self._row_sums(starts, found), np.diff(starts).astype(np.float32)[:, None]

    def _row_sums(self, starts: NDArray[np.int64], found: NDArray[np.int64]) -> NDArray[np.float32]:
        """The (n, dim) sums of the rows of buckets `found`, those of item i from ``starts[i]`` on."""
        is_known, found = self.find(found)
        starts = np.concatenate([[0], np.cumsum(is_known)])[starts]
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

    def find(self, buckets: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Whether each of (n,) buckets has a row, and the rows of those that have one."""
        if self.buckets is None:
            return np.ones(len(buckets), bool), buckets
        places = np.searchsorted(self.buckets, buckets)
        is_known = np.take(self.buckets, places, mode="clip") == buckets if len(self.buckets) else buckets < 0
        return is_known, places[is_known]

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
