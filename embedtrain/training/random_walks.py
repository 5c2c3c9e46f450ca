"""The source of random walks on a graph, and its settings."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from embedtrain.machine.progress import Progress
from embedtrain.training.declarations import Settings, setting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embedtrain.corpus.walk_corpus import WalkCorpus


@dataclass(frozen=True, kw_only=True)
class WalkSettings(Settings):
    """How walks are drawn."""

    walks: int = setting(10, "Walks from each node in an epoch.", at_least=1, kept="result", aliases=("num-walks",))
    length: int = setting(
        80, "Nodes in a walk.", at_least=2, at_most=10_000, kept="result", aliases=("walk-length",)
    )  # fmt: skip
    p: float = setting(
        1.0, "Steps back to the node before have the weight 1 / p.",
        at_least=0.001, at_most=1000, remedy="0.25 to 4 are usual", kept="result",
    )  # fmt: skip
    q: float = setting(
        1.0, "Steps to nodes that are not neighbours of the node before have the weight 1 / q.",
        at_least=0.001, at_most=1000, remedy="0.25 to 4 are usual", kept="result",
    )  # fmt: skip
    directed: bool = setting(False, "Edges lead from their first node to their second only.", kept="result")
    weighted: bool = setting(
        False, "Draw steps in proportion to the weights of edges, the third column; without it all are 1.",
        kept="result",
    )  # fmt: skip
    seed: int = setting(1, "Seed of the walks.", at_least=0, kept="result")


class RandomWalks:
    """Random walks on a graph, a corpus whose words are nodes (DeepWalk, node2vec).

    Every model trains on it. `walks` walks begin at every node, in random order; they are drawn while training, anew in
    each epoch, and depend on the seed only, not on the number of threads. Every node gets a vector: `min_count` and
    `max_vocab` do not apply. The counts of nodes are estimated from one walk from each.

    Parameters
    ----------
    graph : path, lines, sparse matrix or graph of networkx
        A path is an edge list: lines of two nodes and perhaps a weight, divided by tabs, else commas, else spaces;
        lines that begin with ``#`` or ``%`` are comments. Edges in memory may be tuples too. Nodes are strings. Several
        files are a `Corpus` of them. An undirected matrix may be symmetric or a triangle.
    walks, length, p, q, seed, directed, weighted
        As for ``embedtrain node2vec``, see `WalkSettings`. Graphs of networkx know whether they are directed. Other
        steps than those of `p` and `q` have the weight 1. A low p or a high q keeps walks near where they began, a low
        q lets them go far.
    names : sequence of str, optional
        The names of the nodes of a matrix; by default "0", "1", ….

    Examples
    --------
    >>> from embedtrain import RandomWalks, train_skipgram
    >>> walks = RandomWalks(["ann bob", "bob cem", "cem ann", "dora eve"], length=20)
    >>> train_skipgram(walks, dim=20, window=3, sample=0)
    <WordVectors: 5 words, 20 dimensions>
    """

    def __init__(
        self, graph: Any, walks: int = 10, length: int = 80, p: float = 1.0, q: float = 1.0, seed: int = 1, *,
        directed: bool = False, weighted: bool = False, names: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        self.graph, self.names = graph, names
        self.settings = WalkSettings(
            walks=walks, length=length, p=p, q=q, seed=seed, directed=directed, weighted=weighted
        )

    @property
    def options(self) -> dict[str, Any]:
        """The settings, by names that are not those of models."""
        known = asdict(self.settings)
        return {"walk_seed": known.pop("seed"), **known}

    def sample(self) -> RandomWalks:
        """Walks on a graph of two nodes, to compile the kernels of a run."""
        return RandomWalks(["two words 1" if self.settings.weighted else "two words"], **asdict(self.settings))

    def encoded(
        self, *, threads: int, folder: str | os.PathLike[str] | None = None, progress: Progress | None = None
    ) -> WalkCorpus:
        """Read the graph."""
        from embedtrain.corpus.walk_corpus import walk_corpus  # imports Numba and SciPy

        return walk_corpus(
            self.graph, self.names, **asdict(self.settings), threads=threads, folder=folder, progress=progress
        )
