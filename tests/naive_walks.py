"""The plain forms of random walks on graphs: the distributions of the papers, and the walks in Python."""

from __future__ import annotations

from bisect import bisect_left

from naive import draw_alias, random_at, random_below
from numpy.typing import NDArray

_64 = (1 << 64) - 1


def step_distribution(weights: NDArray, previous: int | None, node: int, p: float, q: float) -> NDArray:
    """The probability of each next node, of `weights` (n_nodes, n_nodes): Grover, Leskovec (2016), section 3.2."""
    masses = weights[node].astype(float)
    if previous is not None:
        for other in range(len(masses)):
            if other == previous:
                masses[other] /= p
            elif not weights[previous, other]:
                masses[other] /= q
    return masses / masses.sum()


def permuted(index: int, n: int, half_bits: int, key: int) -> int:
    """A Feistel network on 2 * half_bits bits, until the image is below n."""
    mask = (1 << half_bits) - 1
    while True:
        left, right = index >> half_bits, index & mask
        for number in range(4):
            left, right = right, left ^ ((random_at(key, right * 4 + number) >> 32) & mask)
        index = left << half_bits | right
        if index < n:
            return index


def walk(graph, weights, bias, index: int, length: int, key: int, half_bits: int) -> list[int]:
    """Walk `index` of an epoch, of the arrays and the bias that the kernel takes."""
    n_nodes = len(graph.starts) - 1
    number, position = divmod(index, n_nodes)
    node = permuted(position, n_nodes, half_bits, random_at(~key & _64, number))
    own, draw = random_at(key, number * n_nodes + node), 0
    nodes, previous = [node], None
    lists = [graph.neighbors[a:b].tolist() for a, b in zip(graph.starts, graph.starts[1:], strict=False)]
    while len(nodes) < length and lists[node]:
        begin, end = graph.starts[node], graph.starts[node + 1]
        bits, chance = random_at(own, draw), random_at(own, draw + 1) * 2.0**-64
        draw += 2
        if weights is None:
            candidate = lists[node][random_below(bits, len(lists[node]))]
        else:
            candidate = lists[node][draw_alias(bits, weights.thresholds[begin:end], weights.aliases[begin:end])]
        back = False
        if bias is not None and previous is not None:
            if bias.excess and previous in lists[node]:
                edge = bisect_left(lists[node], previous)
                share = 1 / (end - begin) if weights is None else float(weights.shares[begin + edge])
                chance *= 1 + bias.excess * share
                back = chance >= 1
            is_near = candidate in lists[previous]
            weight = bias.back if candidate == previous else bias.near if is_near else bias.far
            if not back and chance >= weight:
                continue
        candidate = previous if back else candidate
        previous, node = node, candidate
        nodes.append(node)
    return nodes
