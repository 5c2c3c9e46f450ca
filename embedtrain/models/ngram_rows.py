"""Words with subwords in an embedding table: the rows of all n-grams follow those of all words.

An n-gram of one word only has no row: it would move as the word's own row, which then has a greater part of the word,
and less of it is known of unknown words (bench/unknown_words.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import DataError
from embedtrain.formats.subwords import Subwords, word_blocks
from embedtrain.formats.table import all_finite
from embedtrain.kernels.simd.lanes import padded
from embedtrain.kernels.word2vec.subwords import WordRows, compose_words
from embedtrain.machine.ngrams import ngram_buckets
from embedtrain.machine.progress import counted
from embedtrain.machine.threads import run_all
from embedtrain.models.word2vec_settings import Word2vecSettings
from embedtrain.training.tables import EmbeddingTable, table_bytes

_DENSE = 1 << 24  # buckets that an array has an element for
_WORDS = 1 << 12  # of a task of a thread


class NgramRows(NamedTuple):
    """The rows of each word, its own and then those of its n-grams, and the bucket of each row of n-grams."""

    lengths: tuple[int, int]
    n_buckets: int  # of the hash; 0: each n-gram has its own
    starts: NDArray[np.int64]  # (n_words + 1,) where the rows of each word start
    ends: NDArray[np.int64]  # (n_words,) where the first occurrences of its rows end
    rows: NDArray[np.int64]  # (starts[-1],)
    buckets: NDArray[np.int64]  # (n_ngrams,) those that words share

    @classmethod
    def of(cls, vocabulary: Vocabulary, settings: Word2vecSettings) -> NgramRows | None:
        """Give rows to the n-grams that words share, if the settings have any, in the order of the words.

        So the rows of frequent words lie together, which trains a tenth faster.
        """
        lengths, n_words = settings.ngram_lengths, len(vocabulary)
        if lengths is None:
            return None
        encoded = [word.encode() for word in vocabulary.words[:]]
        parts = [ngram_buckets(encoded[block], *lengths, settings.buckets) for block in word_blocks(n_words)]
        n_ngrams = np.concatenate([np.diff(starts) for starts, _ in parts])
        found = np.concatenate([buckets for _, buckets in parts])
        is_dense = 0 < settings.buckets <= _DENSE
        first = np.empty(settings.buckets if is_dense else len(found), np.int64)
        keys = found if is_dense else np.unique(found, return_inverse=True)[1]
        is_shared = np.bincount(keys)[keys] > 1
        n_ngrams = np.bincount(np.repeat(np.arange(n_words), n_ngrams)[is_shared], minlength=n_words)
        found, keys = found[is_shared], keys[is_shared]
        order = np.arange(len(found))
        first[keys[::-1]] = order[::-1]  # of equal keys the last one is assigned: where they occur first
        is_first = first[keys] == order
        row = n_words + np.cumsum(is_first) - 1  # where n-grams occur first
        starts = np.concatenate([[0], np.cumsum(1 + n_ngrams)])
        rows = np.insert(row[first[keys]], starts[:-1] - np.arange(n_words), np.arange(n_words))
        ends = _move_repeated(starts, rows)
        return cls(lengths, settings.buckets, starts, ends, rows, found[is_first])

    @property
    def n_words(self) -> int:
        """The number of words."""
        return len(self.starts) - 1

    def largest_share(self, counts: NDArray[np.float64]) -> float:
        """The share of all tokens, weighted by their part of its rows, that move the word which moves most.

        `counts` are of the first words, the others do not occur.
        """
        n_rows = np.diff(self.starts)
        word = np.repeat(np.arange(self.n_words), n_rows)
        counts = np.append(counts, np.zeros(self.n_words - len(counts))) / max(counts.sum(), 1)
        is_moved = np.arange(len(word)) < self.ends[word]
        shares = np.bincount(self.rows[is_moved], counts[word[is_moved]])  # of the words with each row
        return float((np.add.reduceat(shares[self.rows], self.starts[:-1]) / n_rows).max())

    def memory(self, dim: int) -> dict[str, int]:
        """Bytes by purpose, without the rows of words."""
        n_ngrams = len(self.buckets)
        return {
            f"{counted(n_ngrams, 'row')} of n-grams": table_bytes(n_ngrams, dim) + 2 * self.rows.nbytes,
            "the vectors of the result": table_bytes(self.n_words, dim) + 4 * n_ngrams * dim,
        }

    def word_rows(self, table: EmbeddingTable) -> WordRows:
        """The rows of words as kernels take them."""
        return WordRows(table.flat, self.starts, self.ends, self.rows * padded(table.rows.shape[1]))

    def compose(self, table: EmbeddingTable, n_threads: int) -> NDArray[np.float32]:
        """The (n_words, dim) vectors of words, the means of their rows."""
        dim = table.rows.shape[1]
        composed, word_rows = EmbeddingTable.zeros(self.n_words, dim), self.word_rows(table)

        def compose(task: int) -> None:
            begin = task * _WORDS
            compose_words(composed.flat, word_rows, begin, min(begin + _WORDS, self.n_words), padded(dim))

        run_all([compose] * n_threads, -(-self.n_words // _WORDS))
        return composed.rows

    def subwords(self, table: EmbeddingTable) -> Subwords:
        """The vectors of n-grams."""
        order = np.argsort(self.buckets)
        return Subwords(*self.lengths, self.n_buckets, table.rows[self.n_words + order], self.buckets[order])

    def start_from(self, table: EmbeddingTable, rows: Sequence[int], subwords: Subwords | None, n_threads: int) -> None:
        """Give n-grams their rows in `subwords`, then words own rows whose means with them are what was there before.

        Words are those of the `rows`.
        """
        own, ngrams = np.split(table.rows, [self.n_words])
        if subwords is not None:
            is_known, found = subwords.find(self.buckets)
            ngrams[is_known] = subwords.rows[found]
            if not all_finite(ngrams):
                raise DataError("`init` has vectors of n-grams that are not finite")
        vectors = own[rows]
        own[rows] = 0
        n_rows = np.diff(self.starts)[rows, None].astype(np.float32)
        own[rows] = (vectors - self.compose(table, n_threads)[rows]) * n_rows


def _move_repeated(starts: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Move rows that a word has had before to its end, in place; returns the (n_words,) ends of the others."""
    word = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    order = np.lexsort((rows, word))
    is_same = (np.diff(rows[order]) == 0) & (np.diff(word[order]) == 0)
    is_repeated = np.zeros(len(rows), bool)
    is_repeated[order[1:][is_same]] = True
    rows[:] = rows[np.lexsort((is_repeated, word))]
    return starts[1:] - np.bincount(word[is_repeated], minlength=len(starts) - 1)
