"""Finding phrases: pairs of words counted in an encoded corpus, perhaps with connectors between them, and scored."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.type_table import TypeTable
from embedtrain.kernels.text import pairs
from embedtrain.machine.progress import Progress
from embedtrain.machine.threads import in_order, run_tasks

_PARTS_OF_A_THREAD = 4  # the tables of smaller parts fit the cache, but each reads all tokens
_PART_TOKENS = 1 << 24  # at most in the mean, which bounds the memory of a table
_SLOTS = 1 << 19  # of a table, at first
_STRETCH = 1 << 14  # tokens
_WORD = (1 << 32) - 1


class _Pairs(NamedTuple):
    """The pairs that begin with some of the words."""

    n_distinct: int
    keys: NDArray[np.uint64]  # (n,) of those that are frequent enough
    counts: NDArray[np.int64]  # (n,)
    nodes: NDArray[np.uint64]  # keys of a word and the connectors after it, see kernels/text/pairs.py


def score_phrases(
    text: EncodedCorpus, connectors: Collection[str], *, scoring: str, threshold: float, min_count: int, threads: int,
    progress: Progress | None = None,
) -> dict[tuple[str, ...], tuple[float, int]]:  # fmt: skip
    """Find the pairs with a score above the threshold, the highest first, each with its score and count.

    Scores and counts are those of gensim's `Phrases`, without its limit of memory. It counts joined words, so that a
    pair is the same as a word spelt like it.

    References
    ----------
    Mikolov, Sutskever, Chen, Corrado, Dean, "Distributed representations of words and phrases and their
    compositionality" (2013), section 4; Bouma, "Normalized (pointwise) mutual information in collocation extraction"
    (2009).
    """
    vocabulary = text.vocabulary
    kinds = np.full(len(vocabulary) + 1, pairs.BEGINS)
    kinds[-1] = pairs.DROPPED
    inside = TypeTable.of(vocabulary).numbers_of(connectors)
    kinds[inside[inside < len(vocabulary)]] = pairs.CONNECTS
    parts = []
    for part in _count(text, kinds, min_count, threads):
        parts.append(part)
        if progress is not None:
            progress.update(len(text.ids) // _n_parts(text, threads))
    n_types = np.count_nonzero(kinds == pairs.BEGINS) + sum(part.n_distinct for part in parts)
    found: list[tuple[float, int, int, tuple[int, ...], int]] = []
    for part in parts:
        firsts, lasts = _firsts(part, len(kinds)), (part.keys & np.uint64(_WORD)).astype(np.int64)
        a, b, both = (n.astype(float) for n in (vocabulary.counts[firsts], vocabulary.counts[lasts], part.counts))
        if scoring == "default":
            scores = (both - min_count) / (a * b) * n_types
        else:
            total = float(vocabulary.n_tokens)
            with np.errstate(divide="ignore", invalid="ignore"):
                scores = np.log(both / total / ((a / total) * (b / total))) / -np.log(both / total)
        chosen = np.flatnonzero(scores > threshold)
        connectors_of = [_inside(key, part.nodes, len(kinds)) for key in part.keys[chosen].tolist()]
        columns = [column[chosen].tolist() for column in (-scores, firsts, lasts)]
        found += zip(*columns, connectors_of, part.counts[chosen].tolist(), strict=True)
    found.sort()
    words = vocabulary.words[: vocabulary.n_frequent(min_count)]
    return {
        (words[a], *(words[id] for id in inside), words[b]) if inside else (words[a], words[b]): (-score, count)
        for score, a, b, inside, count in found
    }


def _n_parts(text: EncodedCorpus, threads: int) -> int:
    """How many parts are counted: a power of two."""
    least = max(_PARTS_OF_A_THREAD * threads if threads > 1 else 1, len(text.ids) // _PART_TOKENS, 1)
    return 1 << (least - 1).bit_length()


def _count(text: EncodedCorpus, kinds: NDArray[np.uint8], least: int, threads: int) -> Iterator[_Pairs]:
    """Count the pairs of all parts."""
    n_parts = _n_parts(text, threads)

    def count(part: int) -> tuple[int, _Pairs]:
        slots, state = np.zeros(_SLOTS, np.uint64), np.zeros(pairs.STATE, np.int64)
        lefts = np.empty(_STRETCH + 1, np.int64)
        while not pairs.count_pairs(text.ids, text.offsets, kinds, part, n_parts, slots, state, lefts):
            larger = np.zeros(2 * len(slots), np.uint64)
            pairs.fill_pairs(slots, larger)
            slots = larger
        nodes = np.empty(state[pairs.N_NODES], np.uint64)
        keys, counts = np.empty(state[pairs.N_USED], np.uint64), np.empty(state[pairs.N_USED], np.int64)
        n_distinct, n = pairs.take_pairs(slots, kinds, least, nodes, keys, counts)
        return part, _Pairs(n_distinct, keys[:n].copy(), counts[:n].copy(), nodes)

    return in_order(run_tasks([count] * threads, range(n_parts)))


def _firsts(part: _Pairs, n: int) -> NDArray[np.int64]:
    """The first word of each pair; numbers from n on are nodes."""
    lefts = (part.keys >> np.uint64(32)).astype(np.int64) - 1
    while len(within := np.flatnonzero(lefts >= n)):
        lefts[within] = (part.nodes[lefts[within] - n] >> np.uint64(32)).astype(np.int64) - 1
    return lefts


def _inside(key: int, nodes: NDArray[np.uint64], n: int) -> tuple[int, ...]:
    """The ids of the connectors between the words of a pair."""
    ids: tuple[int, ...] = ()
    while (left := (key >> 32) - 1) >= n:
        key = int(nodes[left - n])
        ids = key & _WORD, *ids
    return ids
