"""Distributions computed from counts: keep probabilities, the noise distribution, and Huffman paths.

Mikolov, Sutskever, Chen, Corrado, Dean, "Distributed representations of words and phrases and their compositionality"
(2013), sections 2.2 and 2.3.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


def keep_probability(counts: NDArray[np.int64], sample: float) -> NDArray[np.float64]:
    """Compute the (n_words,) probability that a token of each word is kept.

    min(1, (sqrt(f / sample) + 1) * sample / f) for a word of frequency f, as in word2vec.c; the paper's 1 -
    sqrt(sample / f) discards a little less often. A `sample` of 0 keeps everything.
    """
    if sample == 0:
        return np.ones(len(counts))
    frequency = np.maximum(counts, 1) / counts.sum()  # 0 for words that have vectors, but are not in the text
    return np.minimum(1, (np.sqrt(frequency / sample) + 1) * sample / frequency)


def noise_distribution(counts: NDArray[np.int64], exponent: float) -> NDArray[np.float64]:
    """Compute the (n_words,) probability of each word as a negative sample: counts ** exponent, normalised."""
    logarithms = exponent * np.log(counts)
    weights = np.exp(logarithms - logarithms.max())
    return weights / weights.sum()


def keep_thresholds(probability: NDArray[np.float64], n_types: int) -> NDArray[np.uint32]:
    """Convert keep probabilities to (n_types,) 31-bit thresholds for `is_kept`; 0 for ids outside the vocabulary."""
    thresholds = np.zeros(n_types, np.uint32)
    thresholds[: len(probability)] = np.rint(probability * 2**31)
    return thresholds


def alias_table(probability: NDArray[np.float64]) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Make the (n_words,) thresholds and aliases for `kernels.random.draw_alias`."""
    from embedtrain.kernels.random import build_alias

    n = len(probability)
    thresholds, aliases = np.empty(n, np.uint32), np.empty(n, np.int32)
    build_alias(probability * n, np.empty(n, np.int64), thresholds, aliases)
    return thresholds, aliases


class Paths(NamedTuple):
    """The path of each word from the root of the Huffman tree: word i has [starts[i], starts[i + 1])."""

    starts: NDArray[np.int64]  # (n_words + 1,)
    nodes: NDArray[np.int32]  # inner nodes, the root first
    sides: NDArray[np.int8]  # 1 where the path continues to the lighter child, else -1


def huffman_paths(counts: NDArray[np.int64]) -> Paths:
    """Compute the paths of least mean length for (n_words,) descending counts, the same on every machine.

    Huffman, "A method for the construction of minimum-redundancy codes" (1952); Morin, Bengio, "Hierarchical
    probabilistic neural network language model" (2005), for the softmax.
    """
    from embedtrain.kernels.word2vec import huffman

    n_words = len(counts)
    parents, sides = np.zeros(2 * n_words - 1, np.int32), np.zeros(2 * n_words - 1, np.int8)
    huffman.join_lightest(counts, np.zeros(n_words - 1, np.int64), parents, sides)
    lengths = np.zeros(2 * n_words - 1, np.int32)
    huffman.measure_paths(parents, lengths)
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths[:n_words], dtype=np.int64)])
    paths = Paths(starts, np.zeros(starts[-1], np.int32), np.zeros(starts[-1], np.int8))
    huffman.trace_paths(parents, sides, *paths)
    return paths
