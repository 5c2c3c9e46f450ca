"""Vectors of texts: means of the vectors of their words, all alike or by smooth inverse frequency (SIF)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.characters import respell
from embedtrain.corpus.encoding import TypeCounter
from embedtrain.corpus.sources import Corpus, is_encoded
from embedtrain.corpus.text_chunks import SPACE, TextChunk, read_chunks
from embedtrain.corpus.text_warnings import ChunkLocations
from embedtrain.errors import DataError, SettingError
from embedtrain.kernels.simd.lanes import aligned_zeros, padded
from embedtrain.kernels.sparse import multiply_rows
from embedtrain.machine.progress import counted, note

if TYPE_CHECKING:
    from embedtrain.corpus.sources import CorpusLike
    from embedtrain.vectors.word_vectors import WordVectors

_SIF = 1e-3  # the parameter a of weights a / (a + p)
_TEXTS = 1 << 12  # whose means are computed at once
_MOST_TYPES = 1 << 18  # that are remembered


def embed(vectors: WordVectors, texts: CorpusLike, weights: str) -> NDArray[np.float32]:
    """The (n_texts, dim) vectors of texts; see `WordVectors.embed`."""
    means = TextMeans(vectors, weights)
    rows = np.concatenate([np.zeros((0, vectors.vector_size), np.float32), *means.blocks(texts)])
    means.warn()
    return without(means.component(), rows)


def without(component: NDArray[np.float32] | None, rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The (n, dim) rows without their part in the direction of a component, if there is one."""
    return rows if component is None else rows - np.outer(rows @ component, component)


class TextMeans:
    """The means of the vectors of the words of texts, and what their first component and a warning need."""

    def __init__(self, vectors: WordVectors, weights: str) -> None:
        if weights not in ("mean", "sif"):
            raise SettingError(f"`weights` must be 'mean' or 'sif', got {weights!r}")
        if weights == "sif" and vectors.counts is None:
            raise SettingError(
                "`weights='sif'` needs the counts of words, which .npz files have; take `weights='mean'`"
            )
        self._vectors, self._weights = vectors, weights
        self._squares = np.zeros((vectors.vector_size, vectors.vector_size))  # the sum of outer products
        self._n_texts = self._n_unknown = 0

    def blocks(self, texts: CorpusLike) -> Iterator[NDArray[np.float32]]:
        """Yield the (n, dim) means of consecutive texts, zeros for those without a known word."""
        for sums, n_words in self._sums(Corpus.of(texts)):
            means = sums / np.maximum(n_words, 1).astype(np.float32)[:, None]
            self._n_texts += len(means)
            self._n_unknown += int(np.count_nonzero(n_words == 0))
            if self._weights == "sif":
                self._squares += means.T @ means
            yield means

    def _sums(self, corpus: Corpus) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64]]]:
        """Yield the (n, dim) weighted sums of consecutive texts, and their (n,) numbers of known words."""
        if is_encoded(corpus.sources[0]):
            raise DataError("texts must be paths, lines or token lists, got an encoded corpus or walks")
        rest: tuple[NDArray[np.float32] | float, int] = 0.0, 0  # of a text that continues in the next chunk
        table = _TypeVectors(self._vectors, self._weights, corpus)
        for chunk in read_chunks(corpus, documents=True):
            if table.n_types > _MOST_TYPES:
                table.warn()
                table = _TypeVectors(self._vectors, self._weights, corpus)
            starts, columns, values = table.read(chunk)
            n_known = np.concatenate([[0], np.cumsum(values > 0)])[starts]
            for first in range(0, len(starts) - 1, _TEXTS):
                block = slice(first, first + _TEXTS + 1)
                sums, n_words = table.sums(starts[block], columns, values), np.diff(n_known[block])
                sums[0] += rest[0]
                n_words[0] += rest[1]
                rest = 0.0, 0
                if first + _TEXTS >= len(starts) - 1:  # of which the last text has no end
                    rest = sums[-1].copy(), int(n_words[-1])
                    sums, n_words = sums[:-1], n_words[:-1]
                yield sums, n_words
        table.warn()

    def component(self) -> NDArray[np.float32] | None:
        """The (dim,) first singular vector of the means so far, which SIF removes; None for plain means."""
        if self._weights == "mean":
            return None
        if self._n_texts < 2:
            raise DataError(f"`weights='sif'` needs at least two texts, got {self._n_texts}")
        component: NDArray[np.float32] = np.linalg.eigh(self._squares)[1][:, -1].astype(np.float32)
        return component

    def warn(self) -> None:
        """Warn of texts without a known word."""
        if self._n_unknown:
            n = counted(self._n_texts, "text")
            note(f"{self._n_unknown:,} of {n} have no word with a vector; their rows are zeros")


class _TypeVectors:
    """The types of texts in order of appearance, with the vectors and weights of those that have one."""

    def __init__(self, vectors: WordVectors, weights: str, corpus: Corpus) -> None:
        self._vectors, self._corpus, self._counter = vectors, corpus, TypeCounter(corpus)
        self._shares = None  # (n_words,) of all words
        if weights == "sif" and vectors.counts is not None:
            self._shares = vectors.counts / max(1, vectors.counts.sum())
        self._width = padded(vectors.vector_size)
        self._table, self._weights = aligned_zeros(0), np.zeros(0, np.float32)  # (n_types,) 0 if unknown
        self._locations: list[tuple[int, str, int]] = []

    @property
    def n_types(self) -> int:
        """The number of types so far."""
        return len(self._weights)

    def read(self, chunk: TextChunk) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.float32]]:
        """The matrix of the weights of types in the texts of a chunk: starts of rows, columns and values."""
        ids, ends = self._counter.tokens_of(chunk)
        self._locations.append((chunk.file, chunk.source, len(ends)))
        self._add(self._counter.types.spellings(self.n_types))
        return np.concatenate([[0], ends, [len(ids)]]), ids, self._weights[ids]

    def _add(self, spellings: list[str]) -> None:
        """Look up new types."""
        corpus, vectors, n_before = self._corpus, self._vectors, self.n_types
        words = [respell(word.replace(SPACE, " "), corpus.lowercase, corpus.normalize) for word in spellings]
        rows = np.array([vectors.index.get(word, -1) for word in words], np.int64)
        is_known = rows >= 0
        weights = is_known.astype(np.float32)
        if self._shares is not None:
            weights[is_known] = _SIF / (_SIF + self._shares[rows[is_known]])
        self._weights = np.concatenate([self._weights, weights])
        if self.n_types * self._width > len(self._table):
            table = aligned_zeros(2 * self.n_types * self._width)
            table[: len(self._table)] = self._table
            self._table = table
        new = self._table.reshape(-1, self._width)[n_before : self.n_types, : vectors.vector_size]
        new[is_known] = vectors.vectors[rows[is_known]]
        if vectors.subwords is not None:
            unknown = np.flatnonzero(~is_known)
            new[unknown], has_ngrams = vectors.subwords.embed([words[row] for row in unknown])
            self._weights[n_before + unknown] = has_ngrams

    def sums(
        self, starts: NDArray[np.int64], columns: NDArray[np.int32], values: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """The (n, dim) products of rows of a matrix and the vectors."""
        n = len(starts) - 1
        sums = aligned_zeros(n * self._width)
        multiply_rows(starts, columns, values, self._table, sums, self._width, 0, n)
        return sums.reshape(n, self._width)[:, : self._vectors.vector_size]

    def warn(self) -> None:
        """Warn of bytes that are not UTF-8 and of control characters; raise `DataError` if they are refused."""
        types, locations = self._counter.types, ChunkLocations.of(self._locations)
        note(*locations.invalid_utf8(types, types.invalid(), self._corpus))
        note(*locations.control_characters([self._counter.state]))
