"""Random walks on a graph as an encoded corpus: drawn where they are read, anew in each epoch, and kept nowhere."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NoReturn, cast

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus, Reader
from embedtrain.corpus.graphs import read_graph
from embedtrain.corpus.type_table import TypeTable
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import SettingError
from embedtrain.kernels import walks as kernels
from embedtrain.machine.npz import read_only
from embedtrain.machine.progress import Progress
from embedtrain.machine.threads import run_all

_AT_ONCE = 1 << 20  # ids
_TAG = 0x77616C6B  # separates the random numbers of walks from those of training


def walk_corpus(
    graph: Any, names: Sequence[str] | None, *, directed: bool, weighted: bool, threads: int,
    folder: str | os.PathLike[str] | None, progress: Progress | None, **walks: Any,
) -> WalkCorpus:  # fmt: skip
    """Read a graph, and number its nodes by how often walks visit them; `walks` are the settings of `WalkIds.of`."""
    words, matrix, notes = read_graph(graph, names, directed, weighted, threads, folder, progress)
    counts = _visits(WalkIds.of(matrix, weighted, **walks), threads)
    table = TypeTable.of(Vocabulary(words, counts))
    order = table.order()  # by count
    matrix = matrix[order][:, order]
    matrix.sort_indices()
    ids = WalkIds.of(matrix, weighted, **walks)
    offsets = np.arange(0, len(ids) + 1, ids.length)
    return WalkCorpus(cast(Any, ids), offsets, Vocabulary(table.packed(order), table.counts[order]), notes)


@dataclass(frozen=True, eq=False)
class WalkIds:
    """The ids of all walks of an epoch, like an array that is computed where it is read; slices are of epoch 0.

    Each walk takes `length` ids, those after a dead end are `padding`, which is not the id of a word.
    """

    graph: kernels.Graph
    sums: NDArray[np.float64] | None  # of the weights of all edges before each; None: all weights are equal
    bias: kernels.Bias | None  # None: walks of first order
    walks: int  # from each node
    length: int
    seed: int
    padding: int
    first: int  # walk ...
    last: int  # ... and one past the last

    @classmethod
    def of(cls, matrix: Any, weighted: bool, *, p: float, q: float, walks: int, length: int, seed: int) -> WalkIds:
        """Draw walks on the graph of a matrix in canonical CSR form."""
        graph = kernels.Graph(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32))
        sums = bias = None
        if weighted:  # relative to the sum of the node, so that they are exact
            totals = np.repeat(matrix.sum(axis=1), np.diff(graph.starts))
            sums = np.append(0, np.cumsum(matrix.data / totals))
        if not p == q == 1:
            largest = max(1, 1 / p, 1 / q)
            bias = kernels.Bias(1 / p / largest, 1 / largest, 1 / q / largest)
        n_nodes = len(graph.starts) - 1
        return cls(graph, sums, bias, walks, length, seed, n_nodes, 0, n_nodes * walks)

    @property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return len(self.graph.starts) - 1

    def __len__(self) -> int:
        return (self.last - self.first) * self.length

    def __getitem__(self, part: slice) -> NDArray[np.int32]:
        begin, end, _ = part.indices(len(self))
        ids, _, first = self.reader(max(0, end - begin))(0, begin, end)
        return ids[begin - first : end - first]

    def reader(self, largest: int, threads: int = 1) -> Reader:
        """Make a function that draws the walks of a chunk of at most `largest` ids, into the same memory each time."""
        length, n_most, before = self.length, largest // self.length + 2, self.first  # walks
        ids, offsets = np.empty(n_most * length, np.int32), read_only(np.arange(0, n_most * length + 1, length))

        def read(epoch: int, begin: int, end: int) -> tuple[NDArray[np.int32], NDArray[np.int64], int]:
            first, last = before + begin // length, before - (-end // length)
            key = _epoch_key(self.seed, epoch)
            borders = np.linspace(first, last, threads + 1).astype(np.int64).tolist()

            def draw(part: int) -> None:
                own = ids[(borders[part] - first) * length :]
                kernels.draw_walks(
                    self.graph, self.sums, self.bias, borders[part], borders[part + 1], length, key, self.padding, own
                )

            run_all([draw] * threads, threads)
            n = last - first
            return read_only(ids[: n * length]), offsets[: n + 1], (first - before) * length

        return read


@dataclass(frozen=True)
class WalkCorpus(EncodedCorpus):
    """Walks as an encoded corpus, whose `ids` are `WalkIds`."""

    def reader(self, largest: int, threads: int = 1) -> Reader:
        """Make a function that draws the walks of a chunk."""
        return cast(WalkIds, self.ids).reader(largest, threads)

    def share(self, number: int, n: int) -> WalkCorpus:
        """Take part `number` of `n` of the walks."""
        ids = cast(WalkIds, self.ids)
        first, last = (ids.last * part // n for part in (number, number + 1))
        ids = replace(ids, first=first, last=last)
        return replace(self, ids=cast(Any, ids), offsets=np.arange(0, len(ids) + 1, ids.length))

    def with_vocabulary(self, vocabulary: Vocabulary, folder: Any = None, name: str = "") -> EncodedCorpus:
        """Return the corpus with more words after its own."""
        if vocabulary.words[: len(self.vocabulary)] != self.vocabulary.words[:]:
            raise SettingError("`read_vocab` chooses words of a text; all nodes of a graph get vectors, leave it out")
        ids = replace(cast(WalkIds, self.ids), padding=len(vocabulary))
        return replace(self, ids=cast(Any, ids), vocabulary=vocabulary)

    def split(self, share: float, seed: int, folder: Any = None, ranks: Any = None) -> NoReturn:
        """Raise an error."""
        raise SettingError("`valid_share` holds out text, and walks are drawn anew in each epoch; leave it out")


def _visits(ids: WalkIds, threads: int) -> NDArray[np.int64]:
    """Estimate the visits of each node in an epoch from one walk from every node."""
    n_walks, counts = max(1, _AT_ONCE // ids.length), np.zeros(ids.n_nodes + 1, np.int64)
    read = ids.reader(n_walks * ids.length, threads)
    for first in range(0, ids.n_nodes, n_walks):
        part, _, _ = read(0, first * ids.length, min(first + n_walks, ids.n_nodes) * ids.length)
        counts += np.bincount(part, minlength=ids.n_nodes + 1)
    return counts[:-1] * ids.walks


@lru_cache  # every chunk of an epoch needs it
def _epoch_key(seed: int, epoch: int) -> np.uint64:
    return np.random.SeedSequence(seed, spawn_key=(_TAG, epoch)).generate_state(1, np.uint64)[0]
