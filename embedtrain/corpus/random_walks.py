"""Random walks on a graph as a corpus: drawn where they are read, anew in each epoch, and kept nowhere."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple, NoReturn, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from embedtrain.corpus.encoded import EncodedCorpus, Reader, frozen
from embedtrain.corpus.graphs import read_graph
from embedtrain.corpus.type_table import TypeTable
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import SettingError
from embedtrain.kernels import walks as kernels
from embedtrain.kernels.text.byte_masks import PADDING
from embedtrain.machine.progress import Progress
from embedtrain.machine.threads import run_all

_AT_ONCE = 1 << 20  # ids
_TAG = 0x77616C6B  # separates the random numbers of walks from those of training


class WalkShape(NamedTuple):
    """The parameters of walks, see `RandomWalks`."""

    walks: int  # from each node in an epoch
    length: int  # nodes in a walk
    p: float
    q: float
    seed: int
    directed: bool
    weighted: bool


def walk_corpus(
    graph: Any, names: Sequence[str] | None, shape: WalkShape, *, threads: int,
    folder: str | os.PathLike[str] | None = None, progress: Progress | None = None,
) -> WalkCorpus:  # fmt: skip
    """Read a graph, and number its nodes by how often walks visit them."""
    names, matrix, notes = read_graph(
        graph, names=names, directed=shape.directed, weighted=shape.weighted, threads=threads, folder=folder,
        progress=progress,
    )  # fmt: skip
    n = len(names)
    counts = shape.walks * _visits(DrawnIds.of(matrix, shape), threads)
    table = TypeTable()  # sorts by count
    table.add(np.append(names.text, np.zeros(PADDING, np.uint8)), names.starts, counts, np.zeros(n, np.int64))
    order = table.order()
    ranks = np.empty(n, np.int32)
    ranks[order] = np.arange(n, dtype=np.int32)
    matrix = matrix[order]
    matrix = sparse.csr_array((matrix.data, ranks[matrix.indices], matrix.indptr), matrix.shape)
    matrix.sort_indices()
    ids = DrawnIds.of(matrix, shape)
    offsets = np.arange(0, len(ids) + 1, shape.length)
    return WalkCorpus(cast(Any, ids), offsets, Vocabulary(table.packed(order), table.counts[order]), notes)


@dataclass(frozen=True, eq=False)
class DrawnIds:
    """The ids of all walks of an epoch, like an array that is computed where it is read; slices are of epoch 0.

    Each walk takes `length` ids, those after a dead end are `padding`, which is not the id of a word.
    """

    graph: kernels.Graph
    weights: kernels.Weights | None
    shape: WalkShape
    padding: int

    @classmethod
    def of(cls, matrix: Any, shape: WalkShape) -> DrawnIds:
        """Draw walks on the graph of a matrix."""
        graph = kernels.Graph(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32))
        return cls(graph, _weights(graph, matrix.data) if shape.weighted else None, shape, len(graph.starts) - 1)

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.graph.starts) - 1

    def __len__(self) -> int:
        return self.n_nodes * self.shape.walks * self.shape.length

    def __getitem__(self, part: slice) -> NDArray[np.int32]:
        begin, end, _ = part.indices(len(self))
        ids, _, first = self.reader(max(0, end - begin))(0, begin, end)
        return ids[begin - first : end - first]

    def reader(self, largest: int, threads: int = 1) -> Reader:
        """Make a function that draws the walks of a chunk of at most `largest` ids, into the same memory each time."""
        length, bias = self.shape.length, _bias(self.shape.p, self.shape.q)
        n_most = largest // length + 2  # walks
        ids, offsets = np.empty(n_most * length, np.int32), frozen(np.arange(0, n_most * length + 1, length))
        walkers = [kernels.make_walkers() for _ in range(threads)]
        half_bits = (self.n_nodes.bit_length() + 1) // 2

        def read(epoch: int, begin: int, end: int) -> tuple[NDArray[np.int32], NDArray[np.int64], int]:
            first, last = begin // length, -(-end // length)
            key = _epoch_key(self.shape.seed, epoch)
            borders = np.linspace(first, last, threads + 1).astype(np.int64).tolist()

            def draw(part: int) -> None:
                kernels.draw_walks(
                    self.graph, self.weights, bias, borders[part], borders[part + 1], length, key, half_bits,
                    self.padding, walkers[part], ids[(borders[part] - first) * length :],
                )  # fmt: skip

            run_all([draw] * threads, threads)
            n = last - first
            return frozen(ids[: n * length]), offsets[: n + 1], first * length

        return read


@dataclass(frozen=True)
class WalkCorpus(EncodedCorpus):
    """Walks as an encoded corpus, whose `ids` are `DrawnIds`."""

    def reader(self, largest: int, threads: int = 1) -> Reader:
        """Make a function that draws the walks of a chunk."""
        return cast(DrawnIds, self.ids).reader(largest, threads)

    def with_vocabulary(self, vocabulary: Vocabulary, folder: Any = None, name: str = "") -> EncodedCorpus:
        """Return the corpus with more words after its own."""
        if vocabulary.words[: len(self.vocabulary)] != self.vocabulary.words[:]:
            raise SettingError(
                "`read_vocab` chooses words of a text, and all nodes of a graph get vectors; leave it out"
            )
        ids = replace(cast(DrawnIds, self.ids), padding=len(vocabulary))
        return replace(self, ids=cast(Any, ids), vocabulary=vocabulary)

    def split(self, share: float, seed: int, folder: Any = None) -> NoReturn:
        """Raise an error."""
        raise SettingError(
            "`valid_share` holds out a part of a text, and walks are drawn anew in each epoch; leave it out"
        )


def _visits(ids: DrawnIds, threads: int) -> NDArray[np.int64]:
    """Count the visits of each node in one walk from every node."""
    n, n_ids = ids.n_nodes, ids.n_nodes * ids.shape.length
    counts = np.zeros(n + 1, np.int64)
    read = ids.reader(_AT_ONCE, threads)
    for begin in range(0, n_ids, _AT_ONCE):
        end = min(begin + _AT_ONCE, n_ids)
        part, _, first = read(0, begin, end)
        counts += np.bincount(part[begin - first : end - first], minlength=n + 1)
    return counts[:n]


def _weights(graph: kernels.Graph, weights: NDArray[np.float64]) -> kernels.Weights:
    """Make the alias tables of all nodes."""
    degrees = np.diff(graph.starts)
    sources = np.repeat(np.arange(len(degrees)), degrees)
    shares = weights / np.bincount(sources, weights, minlength=len(degrees))[sources]
    thresholds, aliases = np.empty(len(weights), np.uint32), np.empty(len(weights), np.int32)
    scaled, order = shares * degrees[sources], np.empty(len(weights), np.int64)
    kernels.build_aliases(graph.starts, scaled, order, thresholds, aliases)
    return kernels.Weights(shares.astype(np.float32), thresholds, aliases)


def _bias(p: float, q: float) -> kernels.Bias | None:
    """The weights of steps; None for walks of first order."""
    if p == q == 1:
        return None
    most = max(1.0, 1 / q)
    back = 1 / p / most
    return kernels.Bias(min(back, 1.0), 1 / most, 1 / q / most, max(back - 1, 0.0))


@lru_cache  # every chunk of an epoch needs it
def _epoch_key(seed: int, epoch: int) -> np.uint64:
    return np.random.SeedSequence(seed, spawn_key=(_TAG, epoch)).generate_state(1, np.uint64)[0]
