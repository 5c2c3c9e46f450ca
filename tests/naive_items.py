"""Plain forms of recommendations and of the evaluation on sessions."""

import numpy as np


def mean_of(items, history):
    """The mean of the distinct known items, scaled to length 1."""
    known = [items[item].astype(float) for item in dict.fromkeys(history) if item in items]
    return np.mean([vector / np.linalg.norm(vector) for vector in known], axis=0)


def recommended(items, history, topn, *, repeats):
    """The items nearest to the mean of a history, with cosines."""
    mean = mean_of(items, history)
    cosines = [
        (item, float(items[item] @ mean / np.linalg.norm(items[item]) / np.linalg.norm(mean)))
        for item in items
        if repeats or item not in history
    ]
    return sorted(cosines, key=lambda pair: -pair[1])[:topn]


def scores(items, train, method, query):
    """The score of each item for the items of a query, by the name of a method."""
    if method == "popularity":
        return {item: -row for row, item in enumerate(items)}
    if method == "vectors":
        mean = mean_of(items, query)
        return {item: items[item] @ mean / np.linalg.norm(items[item]) for item in items}
    having = {item: {number for number, session in enumerate(train) if item in session} for item in items}

    def shared(one, other):
        if one == other:
            return 0
        size = np.sqrt(len(having[one]) * len(having[other])) if method == "co-occurrence, cosine" else 1
        return len(having[one] & having[other]) / (size or 1)

    return {item: sum(shared(one, item) for one in {*query} if one in items) for item in items}


def figures(items, test, train, method, given, k):
    """HR@k, NDCG@k and MRR over the sessions whose last two items are known."""
    ranks = []
    for *history, before, target in (session for session in test if len(session) > 1):
        if before not in items or target not in items:
            continue
        score = scores(items, train, method, [before] if given == "item before" else [*history, before])
        candidates = sorted((item for item in items if item != before), key=lambda item: -score[item])
        ranks.append(candidates.index(target) + 1 if target in candidates else np.inf)
    ranks = np.array(ranks)
    return np.mean(ranks <= k), np.mean(np.where(ranks <= k, 1 / np.log2(1 + ranks), 0)), np.mean(1 / ranks)
