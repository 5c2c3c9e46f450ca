"""Find the communities of a graph: ``pip install ".[sklearn]"``, then ``python examples/graph_communities.py``.

The graph is Zachary's karate club: 34 members, with an edge between those who met outside the club. After a conflict
of its instructor (1) and its president (34) it split in two. Random walks on the graph are sentences, whose words are
nodes; nodes that walks visit together get similar vectors (node2vec), and k-means finds groups of these.

Zachary, "An information flow model for conflict and fission in small groups" (1977).
"""

from __future__ import annotations

from sklearn.cluster import KMeans

from embedtrain import RandomWalks, train_skipgram

#: Each member, and those with a higher number whom he met.
MET = """
1: 2 3 4 5 6 7 8 9 11 12 13 14 18 20 22 32 | 2: 3 4 8 14 18 20 22 31 | 3: 4 8 9 10 14 28 29 33 | 4: 8 13 14
5: 7 11 | 6: 7 11 17 | 7: 17 | 9: 31 33 34 | 10: 34 | 14: 34 | 15: 33 34 | 16: 33 34 | 19: 33 34 | 20: 34
21: 33 34 | 23: 33 34 | 24: 26 28 30 33 34 | 25: 26 28 32 | 26: 32 | 27: 30 34 | 28: 34 | 29: 32 34 | 30: 33 34
31: 33 34 | 32: 33 34 | 33: 34
"""
WITH_INSTRUCTOR = {1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 17, 18, 20, 22}


def edges() -> list[str]:
    """Return the edges as lines of two nodes."""
    rows = [row.split(":") for row in MET.replace("|", "\n").strip().splitlines()]
    return [f"{member.strip()} {other}" for member, others in rows for other in others.split()]


def main() -> None:
    """Embed the members, divide them into two groups, and compare these with the split."""
    walks = RandomWalks(edges(), walks=20, length=20, seed=1)
    vectors = train_skipgram(walks, dim=16, window=5, epochs=5, sample=0, threads=1, progress=False)
    for member in ("1", "34"):
        print(f"# nearest to {member}: {' '.join(name for name, _ in vectors.most_similar(member, topn=6))}")
    units = vectors.vectors / vectors.norms[:, None]
    groups = KMeans(2, n_init=10, random_state=0).fit_predict(units)
    instructor = groups[vectors.index["1"]]
    wrong = [
        name for name, group in zip(vectors.words, groups, strict=True)
        if (group == instructor) != (int(name) in WITH_INSTRUCTOR)
    ]  # fmt: skip
    print(f"{1 - len(wrong) / len(groups):.3f}  members in the group that they joined; not {' '.join(wrong) or 'one'}")


if __name__ == "__main__":
    main()
