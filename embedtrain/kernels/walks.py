"""Random walks on a graph, of first order (DeepWalk) or second order (node2vec), written as ids.

Many walks take each step together, so that the memory accesses of one wait while others go on. A walk depends on
(seed, epoch, its number) only.

References
----------
Perozzi, Al-Rfou, Skiena, "DeepWalk: Online Learning of Social Representations" (2014).
Grover, Leskovec, "node2vec: Scalable Feature Learning for Networks" (2016).
Yang, Zhang, Chen, Chen, "KnightKing: A Fast Distributed Graph Random Walk Engine" (2019), for rejection sampling.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import inlined, kernel
from embedtrain.kernels.integers import minimum
from embedtrain.kernels.random import permuted, random_at, random_below
from embedtrain.kernels.simd.rows import prefetch

_AT_ONCE = 32  # walks
_UNIT = 2.0**-64


class Graph(NamedTuple):
    """The edges from each node; those from node i are [starts[i], starts[i + 1])."""

    starts: NDArray[np.int64]  # (n_nodes + 1,)
    neighbors: NDArray[np.int32]  # (n_edges,) ascending for each node


class Bias(NamedTuple):
    """The weights of the second step and later ones, relative to the largest, which is 1."""

    back: float  # to the node before
    near: float  # to a neighbour of it
    far: float  # to other nodes


@inlined
def lower_bound(array, low, high, value):
    """The first index in [low, high) whose element is at least `value`, else `high`; elements are ascending."""
    while low < high:
        middle = (low + high) >> 1
        if array[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def draw_edge(graph, sums, node, bits):
    """Draw an edge of a node that has some, by weight."""
    first, end = graph.starts[node], graph.starts[node + 1]
    if sums is None:
        return first + random_below(bits, end - first)
    before, after = sums[first], sums[end]
    return lower_bound(sums, first + 1, end, before + np.float64(bits) * _UNIT * (after - before)) - 1


@inlined
def is_accepted(graph, bias, previous, candidate, bits):
    """Whether a walk that came from `previous` takes a step to the candidate; -1 is before the first step."""
    if bias is None or previous < 0:
        return True
    chance = np.float64(bits) * _UNIT  # uniform in [0, 1]
    if candidate == previous:
        return chance < bias.back
    if chance < bias.near and chance < bias.far:  # whichever it is
        return True
    first, end = graph.starts[previous], graph.starts[previous + 1]
    edge = lower_bound(graph.neighbors, first, end, candidate)
    return chance < (bias.near if edge < end and graph.neighbors[edge] == candidate else bias.far)


@inlined
def next_node(graph, sums, bias, node, previous, edge, key):
    """Follow `edge`, which was drawn, or others until one is accepted."""
    draw = 0
    while not is_accepted(graph, bias, previous, np.int64(graph.neighbors[edge]), random_at(key, draw + 1)):
        draw += 2
        edge = draw_edge(graph, sums, node, random_at(key, draw))
    return graph.neighbors[edge]


@kernel
def draw_walks(graph, sums, bias, first, last, length, key, padding, ids):
    """Draw the walks [first, last) of an epoch into `ids`, each `length` ids, those after a dead end `padding`.

    n_nodes walks in turn begin at all nodes, in random order. `key` is that of (seed, epoch). `sums`
    (n_edges + 1,) are of the weights of the edges before each, None if all are equal. A `bias` of None gives walks of
    first order. `padding` is at least n_nodes.
    """
    n_nodes = graph.starts.size - 1
    for block in range(first, last, _AT_ONCE):
        n, begin = minimum(_AT_ONCE, last - block), (block - first) * length
        for i in range(n):
            walk = block + i
            node = permuted(random_at(~key, walk // n_nodes), walk % n_nodes, n_nodes)
            ids[begin + i * length] = node
            prefetch(graph.starts, node)
        for step in range(1, length):
            for i in range(n):
                at = begin + i * length + step
                node = np.int64(ids[at - 1])
                ids[at] = -1  # for a dead end, else the number of the drawn edge, until its neighbour is read
                if node < n_nodes and graph.starts[node] < graph.starts[node + 1]:
                    edge = draw_edge(graph, sums, node, random_at(random_at(random_at(key, block + i), step), 0))
                    ids[at] = edge - graph.starts[node]
                    prefetch(graph.neighbors, edge)
            for i in range(n):
                at = begin + i * length + step
                if ids[at] < 0:
                    ids[at] = padding
                    continue
                node, previous = np.int64(ids[at - 1]), np.int64(ids[at - 2]) if step > 1 else -1
                edge = graph.starts[node] + ids[at]
                of_step = random_at(random_at(key, block + i), step)
                ids[at] = next_node(graph, sums, bias, node, previous, edge, of_step)
                prefetch(graph.starts, np.int64(ids[at]))
