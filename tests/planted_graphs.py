"""Graphs with planted communities and roles, as lines of edges, and how well vectors tell them apart."""

import numpy as np

N_GROUPS, SIZE = 8, 30


def communities(seed=0, inside=0.3, outside=0.01):
    """Edges of a graph of `N_GROUPS` groups of `SIZE` nodes named "group.number"."""
    random = np.random.default_rng(seed)
    names = [f"{group}.{number}" for group in range(N_GROUPS) for number in range(SIZE)]
    group = np.repeat(np.arange(N_GROUPS), SIZE)
    chance = np.where(group[:, None] == group, inside, outside)
    first, second = np.nonzero(np.triu(random.random(chance.shape) < chance, 1))
    edges = [f"{names[a]} {names[b]}" for a, b in zip(first, second, strict=True)]
    random.shuffle(edges)
    return edges


def neighbours_of_the_group(vectors):
    """Share of the nodes whose nearest node is of the same group."""
    nearest = [vectors.most_similar(name, topn=1)[0][0] for name in vectors.words]
    return np.mean([a.split(".")[0] == b.split(".")[0] for a, b in zip(vectors.words, nearest, strict=True)])


def cliques_with_bridges(n=10, size=8):
    """Edges of a ring of cliques, joined by nodes named "bridge.number"."""
    edges = []
    for clique in range(n):
        edges += [f"member.{clique}.{i} member.{clique}.{j}" for i in range(size) for j in range(i)]
        edges += [f"bridge.{clique} member.{clique}.0", f"bridge.{clique} member.{(clique + 1) % n}.1"]
    return edges


def nested_groups(n_groups=6, n_cliques=5, size=6, seed=0):
    """Edges of groups of cliques; nodes are "group.clique.number", an edge joins two cliques of a group, two groups."""
    random = np.random.default_rng(seed)

    def drawn(group, clique=None):
        clique = random.integers(n_cliques) if clique is None else clique
        return f"{group}.{clique}.{random.integers(size)}"

    edges = []
    for g in range(n_groups):
        edges += [f"{drawn(g)} {drawn(other)}" for other in range(g)]
        for c in range(n_cliques):
            edges += [f"{drawn(g, c)} {drawn(g, other)}" for other in range(c)]
            edges += [f"{g}.{c}.{i} {g}.{c}.{j}" for i in range(size) for j in range(i)]
    return edges


def mean_cosines(vectors):
    """Mean cosine of two nodes of a clique, of two cliques of a group, and of two groups."""
    units = vectors.vectors / vectors.norms[:, None]
    group, clique, _ = np.transpose([word.split(".") for word in vectors.words])
    same_group, same = group[:, None] == group, (group[:, None] == group) & (clique[:, None] == clique)
    among = same & ~np.eye(len(units), dtype=bool), same_group & ~same, ~same_group
    return [float((units @ units.T)[pairs].mean()) for pairs in among]


def two_sided_groups(n_groups=12, size=12, seed=0):
    """Edges of groups of two sides, with all edges between the sides, and one from each node to another group.

    The role of a node is its side, whose nodes have the same neighbours; nodes are "group.side.number".
    """
    random = np.random.default_rng(seed)
    edges = []
    for g in range(n_groups):
        edges += [f"{g}.0.{i} {g}.1.{j}" for i in range(size) for j in range(size)]
        for node in (f"{g}.{side}.{i}" for side in range(2) for i in range(size)):
            other = (g + random.integers(1, n_groups)) % n_groups
            edges.append(f"{node} {other}.{random.integers(2)}.{random.integers(size)}")
    return sorted(set(edges))


def neighbours_of_the_role(vectors, size=12):
    """Of the nearest `size` nodes: the share in the group of a node, and, of these, the share on its side."""
    names = [word.split(".") for word in vectors.words]
    same = [
        (names[vectors.index[other]][0] == name[0], names[vectors.index[other]][:2] == name[:2])
        for word, name in zip(vectors.words, names, strict=True)
        for other, _ in vectors.most_similar(word, topn=size - 1)
    ]
    group, side = np.mean(same, axis=0)
    return float(group), float(side / group)
