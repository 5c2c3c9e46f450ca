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
    steps: NDArray[np.int64]  # (AT_ONCE,) nodes so far
    edges: NDArray[np.int64]  # (AT_ONCE,) candidates for the next step


def make_walkers() -> Walkers:
    """Allocate the walkers of a thread."""
    return Walkers(np.zeros(AT_ONCE, np.uint64), *(np.zeros(AT_ONCE, np.int64) for _ in range(3)))


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
def share_of(graph, weights, node, edge):
    """The share of an edge from `node` in the weight of all."""
    if weights is None:
        return 1 / (graph.starts[node + 1] - graph.starts[node])
    return np.float64(weights.shares[edge])


@inlined
def candidate_of(graph, weights, node, edge, bits):
    """The neighbour drawn by weight, if `edge` was drawn uniformly by the upper half of `bits`."""
    if weights is not None and (bits & _LOW) >= weights.thresholds[edge]:
        edge = graph.starts[node] + weights.aliases[edge]
    return np.int64(graph.neighbors[edge])


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
def draw_edges(graph, weights, walkers, n, length, padding, begin, ids):
    """Draw a candidate for each walk that goes on, and fetch what decides about it; returns how many go on."""
    n_left = 0
    for i in range(n):
        step, place = walkers.steps[i], begin + i * length
        if step == length:
            continue
        node = np.int64(ids[place + step - 1])
        first, end = graph.starts[node], graph.starts[node + 1]
        if first == end:  # a dead end
            for at in range(place + step, place + length):
                ids[at] = padding
            walkers.steps[i] = length
            continue
        edge = first + random_below(random_at(walkers.keys[i], walkers.draws[i]), end - first)
        walkers.edges[i] = edge
        prefetch(graph.neighbors, edge)
        if weights is not None:
            prefetch(weights.thresholds, edge)
            prefetch(weights.aliases, edge)
        n_left += 1
    return n_left


@inlined
def take_step(graph, weights, bias, walkers, i, place, ids):
    """Take the drawn edge of walk i, to be written at `place`, or reject it."""
    key, draw, node = walkers.keys[i], walkers.draws[i], np.int64(ids[place - 1])
    candidate = candidate_of(graph, weights, node, walkers.edges[i], random_at(key, draw))
    previous = np.int64(ids[place - 2]) if walkers.steps[i] > 1 else -1
    following = biased_step(graph, weights, bias, node, previous, candidate, random_at(key, draw + 1))
    walkers.draws[i] = draw + 2
    if following >= 0:
        ids[place] = following
        walkers.steps[i] += 1
        prefetch(graph.starts, following)


@kernel
def draw_walks(graph, weights, bias, first, last, length, key, half_bits, padding, walkers, ids):
    """Draw the walks [first, last) of an epoch into `ids`, each `length` ids, those after a dead end `padding`.

    Walk w is number w // n_nodes from its node; the order of the nodes is random for each number. `key` is that of
    (seed, epoch). A `bias` of None gives walks of first order.
    """
    n_nodes = graph.starts.size - 1
    for block in range(first, last, AT_ONCE):
        n, begin = minimum(AT_ONCE, last - block), (block - first) * length
        for i in range(n):
            number = (block + i) // n_nodes
            node = permuted((block + i) % n_nodes, n_nodes, half_bits, random_at(~key, number))
            walkers.keys[i], walkers.draws[i], walkers.steps[i] = random_at(key, number * n_nodes + node), 0, 1
            ids[begin + i * length] = node
            prefetch(graph.starts, node)
        while draw_edges(graph, weights, walkers, n, length, padding, begin, ids) > 0:
            for i in range(n):
                if walkers.steps[i] < length:
                    take_step(graph, weights, bias, walkers, i, begin + i * length + walkers.steps[i], ids)


@kernel
def build_aliases(starts, shares, order, thresholds, aliases):
    """Build the alias table of each node's edges; shares (n_edges,) of mean 1 for each node are overwritten."""
    for node in range(starts.size - 1):
        complement_below(shares, order, thresholds, aliases, starts[node], starts[node + 1])
