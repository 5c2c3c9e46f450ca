"""The plain forms of random walks on graphs: the distributions of the papers, and the walks in Python."""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

from naive import permuted, random_at, random_below
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


def walk(graph, sums, bias, index: int, length: int, key: int) -> list[int]:
    """Walk `index` of an epoch, of the arrays and the bias that the kernel takes."""
    n_nodes = len(graph.starts) - 1
    number, position = divmod(index, n_nodes)
    node = permuted(random_at(~key & _64, number), position, n_nodes)
    own = random_at(key, index)
    nodes, previous = [node], None
    lists = [graph.neighbors[a:b].tolist() for a, b in pairwise(graph.starts)]
    while len(nodes) < length and lists[node]:
        of_step, draw = random_at(own, len(nodes)), 0
        while True:
            bits, chance = random_at(of_step, draw), random_at(of_step, draw + 1) * 2.0**-64
            draw += 2
            if sums is None:
                candidate = lists[node][random_below(bits, len(lists[node]))]
            else:
                own_sums = sums[graph.starts[node] : graph.starts[node + 1] + 1].tolist()
                value = own_sums[0] + bits * 2.0**-64 * (own_sums[-1] - own_sums[0])
                candidate = lists[node][bisect_left(own_sums, value, 1, len(own_sums) - 1) - 1]
            if bias is None or previous is None:
                break
            is_near = candidate in lists[previous]
            if chance < (bias.back if candidate == previous else bias.near if is_near else bias.far):
                break
        previous, node = node, candidate
        nodes.append(node)
    return nodes
