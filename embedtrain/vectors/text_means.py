"""Vectors of texts: means of the vectors of their words, all alike or by smooth inverse frequency (SIF)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoding import encode
from embedtrain.errors import DataError, SettingError
from embedtrain.kernels.simd.lanes import aligned_zeros, padded
from embedtrain.kernels.sparse import multiply_rows
from embedtrain.machine.progress import Progress, counted, note
from embedtrain.machine.threads import resolve_threads, run_in_order
from embedtrain.vectors.components import principal_axes

if TYPE_CHECKING:
    from embedtrain.corpus.sources import CorpusLike
    from embedtrain.vectors.word_vectors import WordVectors

_SIF = 1e-3  # the parameter a of weights a / (a + p)
_TEXTS, _TOKENS = 1 << 12, 1 << 20  # at most, in a block


class TextMeans:
    """The means of the vectors of the words of texts, which are encoded on disk; blocks of them in order."""

    def __init__(self, vectors: WordVectors, texts: CorpusLike, weights: str, progress: Progress | None = None) -> None:
        if weights not in ("mean", "sif"):
            raise SettingError(f"`weights` must be 'mean' or 'sif', got {weights!r}")
        if weights == "sif" and vectors.counts is None:
            raise SettingError("`weights='sif'` needs counts of words, which .npz files have; or take `weights='mean'`")
        self._threads, self._is_sif, self._dim = resolve_threads(None), weights == "sif", vectors.vector_size
        encoded = encode(texts, threads=self._threads, progress=progress, documents="texts")
        note(*encoded.notes)
        self._ids, self._offsets, self.n_texts = encoded.ids, encoded.offsets, encoded.n_sentences
        self._find(vectors, encoded.vocabulary.words[:])

    def _find(self, vectors: WordVectors, words: Sequence[str]) -> None:
        """Look up the vectors and weights of the types of the texts."""
        rows = np.array([vectors.index.get(word, -1) for word in words], np.int64)
        has_row = rows >= 0
        has_vector, unknown = has_row.copy(), np.flatnonzero(~has_row)
        if vectors.subwords is not None:
            embedded, has_vector[unknown] = vectors.subwords.embed([words[i] for i in unknown.tolist()])
        self._weights = has_vector.astype(np.float32)  # (n_types,) 0 without a vector
        if self._is_sif and vectors.counts is not None:
            shares = vectors.counts[rows[has_row]] / max(1, vectors.counts.sum())
            self._weights[has_row] = _SIF / (_SIF + shares)
        self._columns = np.maximum(np.cumsum(has_vector) - 1, 0).astype(np.int32)  # (n_types,) rows of the table
        self._width = padded(self._dim)
        self._table = aligned_zeros((int(has_vector.sum()) + 1) * self._width)
        table = self._table.reshape(-1, self._width)[:, : self._dim]
        table[self._columns[has_row]] = vectors.vectors[rows[has_row]]
        if vectors.subwords is not None:
            table[self._columns[unknown[has_vector[unknown]]]] = embedded[has_vector[unknown]]

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Yield the (n, dim) means of consecutive texts, zeros for those without a word that has a vector."""
        yield from run_in_order([self._means] * self._threads, self._ranges())

    def _ranges(self) -> Iterator[tuple[int, int]]:
        """Divide the texts into blocks."""
        end = 0
        while end < self.n_texts:
            begin, most = end, int(np.searchsorted(self._offsets, self._offsets[end] + _TOKENS, "right")) - 1
            end = min(self.n_texts, begin + _TEXTS, max(begin + 1, most))
            yield begin, end

    def _means(self, block: tuple[int, int]) -> NDArray[np.float32]:
        """The means of a block of texts."""
        begin, end = block
        starts = self._offsets[begin : end + 1]
        ids = self._ids[starts[0] : starts[-1]]
        starts, weights = starts - starts[0], self._weights[ids]
        n_known = np.diff(np.concatenate([[0], np.cumsum(weights > 0)])[starts])
        sums = aligned_zeros((end - begin) * self._width)
        multiply_rows(starts, self._columns[ids], weights, self._table, sums, self._width, 0, end - begin)
        rows = sums.reshape(-1, self._width)[:, : self._dim]
        return rows / np.maximum(n_known, 1).astype(np.float32)[:, None]

    def component(self) -> NDArray[np.float32] | None:
        """The (dim,) first singular vector of the means, which SIF removes; None for plain means."""
        if not self._is_sif:
            return None
        if self.n_texts < 2:
            raise DataError(f"`weights='sif'` needs at least two texts, got {self.n_texts}")
        return principal_axes(self.blocks(), 1)[:, 0]

    def all_rows(self, component: NDArray[np.float32] | None) -> NDArray[np.float32]:
        """The (n_texts, dim) rows of all texts."""
        return np.concatenate([np.zeros((0, self._dim), np.float32), *self.rows(component)])

    def rows(self, component: NDArray[np.float32] | None) -> Iterator[NDArray[np.float32]]:
        """Yield the means without their part in the direction of a component; warn of texts that have no words."""
        n_zero = 0
        for means in self.blocks():
            n_zero += int(np.count_nonzero(~means.any(axis=1)))
            yield means if component is None else means - np.outer(means @ component, component)
        if n_zero:
            note(f"{n_zero:,} of {counted(self.n_texts, 'text')} have no word with a vector; their rows are zeros")
