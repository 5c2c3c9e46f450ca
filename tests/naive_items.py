"""Plain forms of recommendations and of the evaluation on sessions."""

import numpy as np


def mean_of(items, history):
    """The mean of the distinct known items, scaled to length 1."""
    known = [items[item].astype(float) for item in dict.fromkeys(history) if item in items]
    return np.mean([vector / np.linalg.norm(vector) for vector in known], axis=0)


def score(items, item, mean):
    """The mean of the cosines to the vector of an item and to its context vector, if there is one."""
    rows = [items.vectors[items.index[item]]]
    if items.context_vectors is not None:
        rows.append(items.context_vectors[items.index[item]])
    return float(np.mean([row @ mean / np.linalg.norm(row) / np.linalg.norm(mean) for row in rows]))


def recommended(items, history, topn, *, repeats):
    """The items nearest to the mean of a history, with scores."""
    mean = mean_of(items, history)
    found = [(item, score(items, item, mean)) for item in items if repeats or item not in history]
    return sorted(found, key=lambda pair: -pair[1])[:topn]


def scores(items, train, method, query):
    """The score of each item for the items of a query, by the name of a method."""
    if method == "popularity":
        return {item: -row for row, item in enumerate(items)}
    if method == "vectors":
        mean = mean_of(items, query)
        return {item: score(items, item, mean) for item in items}
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
