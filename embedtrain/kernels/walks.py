"""Random walks on a graph, of first order (DeepWalk) or second order (node2vec), written as ids.

Many walks take their steps in turns, so that the memory accesses of one wait while others go on. A walk depends on
(seed, epoch, node, walk number) only.

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
from embedtrain.kernels.random import complement_below, random_at, random_below
from embedtrain.kernels.simd.rows import prefetch

AT_ONCE = 32  # walks
_ROUNDS = 4  # of the Feistel network
_LOW = np.uint64(0xFFFFFFFF)
_UNIT = 2.0**-64


class Graph(NamedTuple):
    """The edges from each node; those from node i are [starts[i], starts[i + 1])."""

    starts: NDArray[np.int64]  # (n_nodes + 1,)
    neighbors: NDArray[np.int32]  # (n_edges,) ascending for each node


class Weights(NamedTuple):
    """The weights of edges; None in place of this gives all edges of a node the same."""

    shares: NDArray[np.float32]  # (n_edges,) of the weight of all edges of the node
    thresholds: NDArray[np.uint32]  # (n_edges,) the alias table of each node, see `draw_alias` ...
    aliases: NDArray[np.int32]  # (n_edges,) ... counted from the node's first edge


class Bias(NamedTuple):
    """The weights of the second step and later ones, relative to the higher of `near` and `far`, which is 1."""

    back: float  # to the node before; at most 1
    near: float  # to a neighbour of it
    far: float  # to other nodes
    excess: float  # of the weight of a step back above 1


class Walkers(NamedTuple):
    """The walks that take their steps in turns."""

    keys: NDArray[np.uint64]  # (AT_ONCE,) of the random sequence of each
    draws: NDArray[np.int64]  # (AT_ONCE,) random numbers so far
    nodes: NDArray[np.int64]  # (AT_ONCE,) current node
    previous: NDArray[np.int64]  # (AT_ONCE,) the node before; -1 at the first
    edges: NDArray[np.int64]  # (AT_ONCE,) candidate for the next step; -1 at a dead end
    places: NDArray[np.int64]  # (AT_ONCE,) where the next id is written
    ends: NDArray[np.int64]  # (AT_ONCE,) where the walk ends


def make_walkers() -> Walkers:
    """Allocate the walkers of a thread."""
    return Walkers(np.zeros(AT_ONCE, np.uint64), *(np.zeros(AT_ONCE, np.int64) for _ in range(6)))


@inlined
def permuted(index, n, half_bits, key):
    """The image of `index` under a random permutation of range(n), n <= 4 ** half_bits: a Feistel network.

    Images that are not below n are permuted again.
    """
    mask = (1 << half_bits) - 1
    while True:
        left, right = index >> half_bits, index & mask
        for number in range(_ROUNDS):
            mixed = np.int64(random_at(key, right * _ROUNDS + number) >> np.uint64(32))
            left, right = right, left ^ (mixed & mask)
        index = left << half_bits | right
        if index < n:
            return index


@inlined
def find_edge(graph, node, other):
    """The edge from `node` to `other`, -1 if there is none."""
    low, high = graph.starts[node], graph.starts[node + 1]
    end = high
    while low < high:
        middle = (low + high) >> 1
        if graph.neighbors[middle] < other:
            low = middle + 1
        else:
            high = middle
    return low if low < end and graph.neighbors[low] == other else -1


@inlined
def chosen_edge(graph, weights, node, edge, bits):
    """The edge drawn by weight, if `edge` was drawn uniformly by the upper half of `bits`."""
    if weights is None:
        return edge
    alias = graph.starts[node] + weights.aliases[edge]
    return edge if (bits & _LOW) < weights.thresholds[edge] else alias


@inlined
def share_of(graph, weights, node, edge):
    """The share of an edge from `node` in the weight of all."""
    if weights is None:
        return 1 / (graph.starts[node + 1] - graph.starts[node])
    return np.float64(weights.shares[edge])


@inlined
def biased_step(graph, weights, bias, node, previous, candidate, bits):
    """Accept the candidate, or a step back, or neither: the next node, -1 to draw another candidate."""
    if bias is None or previous < 0:
        return candidate
    chance = np.float64(bits) * _UNIT  # uniform in [0, 1)
    if bias.excess > 0:  # the weight of a step back above 1 is a part of its own, as it would reject all others
        edge = find_edge(graph, node, previous)
        if edge >= 0:
            chance *= 1 + bias.excess * share_of(graph, weights, node, edge)
            if chance >= 1:
                return previous
    if candidate == previous:
        return candidate if chance < bias.back else -1
    if chance < bias.near and chance < bias.far:  # whichever it is
        return candidate
    is_near = find_edge(graph, previous, candidate) >= 0
    return candidate if chance < (bias.near if is_near else bias.far) else -1


@inlined
def begin_walks(graph, walkers, first, n, length, key, half_bits, place, ids):
    """Begin the walks [first, first + n) of an epoch; their ids are written from `place` on."""
    n_nodes = graph.starts.size - 1
    for i in range(n):
        number = (first + i) // n_nodes
        node = permuted((first + i) % n_nodes, n_nodes, half_bits, random_at(~key, number))
        walkers.keys[i] = random_at(key, number * n_nodes + node)
        walkers.draws[i] = 0
        walkers.nodes[i] = node
        walkers.previous[i] = -1
        walkers.places[i] = place + 1
        ids[place] = node
        place += length
        walkers.ends[i] = place
        prefetch(graph.starts, node)


@inlined
def draw_candidates(graph, weights, walkers, n):
    """Draw an edge for each walk, and fetch what decides about it."""
    for i in range(n):
        node = walkers.nodes[i]
        begin, end = graph.starts[node], graph.starts[node + 1]
        edge = begin + random_below(random_at(walkers.keys[i], walkers.draws[i]), end - begin)
        walkers.edges[i] = edge if begin < end else -1
        prefetch(graph.neighbors, edge)
        if weights is not None:
            prefetch(weights.thresholds, edge)
            prefetch(weights.aliases, edge)


@inlined
def finish_walk(walkers, i, last):
    """Replace the finished walk i by the last one."""
    walkers.keys[i] = walkers.keys[last]
    walkers.draws[i] = walkers.draws[last]
    walkers.nodes[i] = walkers.nodes[last]
    walkers.previous[i] = walkers.previous[last]
    walkers.edges[i] = walkers.edges[last]
    walkers.places[i] = walkers.places[last]
    walkers.ends[i] = walkers.ends[last]


@kernel
def draw_walks(graph, weights, bias, first, last, length, key, half_bits, padding, walkers, ids):
    """Draw the walks [first, last) of an epoch into `ids`, each `length` ids, those after a dead end `padding`.

    Walk w is number w // n_nodes from its node; the order of the nodes is random for each number. `key` is that of
    (seed, epoch). A `bias` of None gives walks of first order.
    """
    for block in range(first, last, AT_ONCE):
        n = minimum(AT_ONCE, last - block)
        begin_walks(graph, walkers, block, n, length, key, half_bits, (block - first) * length, ids)
        while n > 0:
            draw_candidates(graph, weights, walkers, n)
            for i in range(n - 1, -1, -1):  # the walk that replaces a finished one has taken its step
                node, edge = walkers.nodes[i], walkers.edges[i]
                if edge < 0:
                    for place in range(walkers.places[i], walkers.ends[i]):
                        ids[place] = padding
                    n -= 1
                    finish_walk(walkers, i, n)
                    continue
                draw = walkers.draws[i]
                edge = chosen_edge(graph, weights, node, edge, random_at(walkers.keys[i], draw))
                candidate = np.int64(graph.neighbors[edge])
                bits = random_at(walkers.keys[i], draw + 1)
                following = biased_step(graph, weights, bias, node, walkers.previous[i], candidate, bits)
                walkers.draws[i] = draw + 2
                if following < 0:
                    continue
                prefetch(graph.starts, following)
                place = walkers.places[i]
                ids[place] = following
                walkers.previous[i], walkers.nodes[i], walkers.places[i] = node, following, place + 1
                if place + 1 == walkers.ends[i]:
                    n -= 1
                    finish_walk(walkers, i, n)


@kernel
def build_aliases(starts, shares, order, thresholds, aliases):
    """Build the alias table of each node's edges; shares (n_edges,) of mean 1 for each node are overwritten."""
    for node in range(starts.size - 1):
        complement_below(shares, order, thresholds, aliases, starts[node], starts[node + 1])
