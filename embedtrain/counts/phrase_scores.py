"""Finding phrases: pairs of words counted in an encoded corpus, perhaps with connectors between them, and scored.

Mikolov, Sutskever, Chen, Corrado, Dean, "Distributed representations of words and phrases and their compositionality"
(2013), section 4; Bouma, "Normalized (pointwise) mutual information in collocation extraction" (2009).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.type_table import TypeTable
from embedtrain.kernels.text import pairs
from embedtrain.machine.progress import Progress
from embedtrain.machine.threads import run_in_order

_PARTS_OF_A_THREAD = 4  # the tables of smaller parts fit the cache, but each reads all tokens
_PART_TOKENS = 1 << 24  # at most in the mean, which bounds the memory of a table
_SLOTS = 1 << 19  # of a table, at first
_STRETCH = 1 << 14  # tokens
_WORD = (1 << 32) - 1

#: Of the pairs that begin with some of the words: their number, the (n, 2) keys and counts of frequent ones, and the
#: (n_nodes,) keys of a word and connectors after it.
_Pairs: TypeAlias = "tuple[int, NDArray[np.uint64], NDArray[np.uint64]]"


def score_phrases(
    text: EncodedCorpus, connectors: Collection[str], *, scoring: str, threshold: float, min_count: int, threads: int,
    progress: Progress,
) -> dict[tuple[str, ...], tuple[float, int]]:  # fmt: skip
    """Find the pairs with a score above the threshold, the highest first, each with its score and count, as gensim."""
    vocabulary = text.vocabulary
    kinds = np.full(len(vocabulary) + 1, pairs.BEGINS)
    kinds[-1] = pairs.DROPPED
    inside = TypeTable.of(vocabulary).numbers_of(connectors)
    kinds[inside[inside < len(vocabulary)]] = pairs.CONNECTS
    parts = _count(text, kinds, min_count, threads, progress)
    n_types = np.count_nonzero(kinds == pairs.BEGINS) + sum(n_pairs for n_pairs, _, _ in parts)
    total, found = float(vocabulary.n_tokens), []
    for _, frequent, nodes in parts:
        keys, counts = frequent.T
        lefts, lasts = (keys >> pairs.HALF).astype(np.int64) - 1, (keys & np.uint64(_WORD)).astype(np.int64)
        while len(within := np.flatnonzero(lefts >= len(kinds))):
            lefts[within] = (nodes[lefts[within] - len(kinds)] >> pairs.HALF).astype(np.int64) - 1
        a, b, both = (n.astype(float) for n in (vocabulary.counts[lefts], vocabulary.counts[lasts], counts))
        if scoring == "default":
            scores = (both - min_count) / (a * b) * n_types
        else:
            with np.errstate(divide="ignore", invalid="ignore"):
                scores = np.log(both / total / ((a / total) * (b / total))) / -np.log(both / total)
        chosen = np.flatnonzero(scores > threshold)
        for score, key, count in zip(-scores[chosen], keys[chosen].tolist(), counts[chosen].tolist(), strict=True):
            found.append((float(score), _ids(key, nodes, len(kinds)), count))
    found.sort()
    words = vocabulary.words[: vocabulary.n_frequent(min_count)]
    return {tuple(words[id] for id in ids): (-score, count) for score, ids, count in found}


def _count(text: EncodedCorpus, kinds: NDArray[np.uint8], least: int, threads: int, progress: Progress) -> list[_Pairs]:
    """Count all pairs, in parts whose number is a power of two."""
    n_parts = max(_PARTS_OF_A_THREAD * threads if threads > 1 else 1, len(text.ids) // _PART_TOKENS, 1)
    n_parts = 1 << (n_parts - 1).bit_length()

    def count(part: int) -> _Pairs:
        slots, state, lefts = np.zeros(_SLOTS, np.uint64), np.zeros(3, np.int64), np.empty(_STRETCH + 1, np.int64)
        while not pairs.count_pairs(text.ids, text.offsets, kinds, part, n_parts, slots, state, lefts):
            larger = np.zeros(2 * len(slots), np.uint64)
            pairs.fill_pairs(slots, larger)
            slots = larger
        entries = slots.reshape(-1, 2)[slots[1::2] >= least]
        is_node = entries[:, 1] >= pairs.NODE
        nodes = entries[is_node]
        n_pairs = int(state[pairs.N_USED] - state[pairs.N_NODES])
        return n_pairs, entries[~is_node], nodes[np.argsort(nodes[:, 1]), 0]

    parts = []
    for part in run_in_order([count] * threads, range(n_parts)):
        parts.append(part)
        progress.update(len(text.ids) // n_parts)
    return parts


def _ids(key: int, nodes: NDArray[np.uint64], n: int) -> tuple[int, ...]:
    """The ids of the words of a phrase; left numbers from n on are nodes."""
    ids = [key & _WORD]
    while (left := (key >> 32) - 1) >= n:
        key = int(nodes[left - n])
        ids.append(key & _WORD)
    return left, *reversed(ids)
