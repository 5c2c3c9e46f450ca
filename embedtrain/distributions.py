"""From counts to probabilities: which tokens subsampling keeps, and which words are drawn as noise."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def keep_probability(counts: NDArray[np.int64], sample: float) -> NDArray[np.float64]:
    """Probability that an occurrence of each word is kept.

    min(1, (sqrt(f / sample) + 1) * sample / f) for a word of frequency f, as word2vec.c has it; the paper's 1 -
    sqrt(sample / f) discards a little less often. A `sample` of 0 keeps everything.

    References
    ----------
    Mikolov, Sutskever, Chen, Corrado, Dean, "Distributed representations of words and phrases and their
    compositionality" (2013), section 2.3.
    """
    if sample == 0:
        return np.ones(len(counts))
    frequency = counts / counts.sum()
    return np.minimum(1, (np.sqrt(frequency / sample) + 1) * sample / frequency)


def noise_distribution(counts: NDArray[np.int64], exponent: float) -> NDArray[np.float64]:
    """Probability of each word as a negative sample: counts ** exponent, scaled to sum 1.

    References
    ----------
    The same paper, section 2.2.
    """
    logarithms = exponent * np.log(counts)
    weights = np.exp(logarithms - logarithms.max())
    return weights / weights.sum()


def keep_thresholds(probability: NDArray[np.float64], n_types: int) -> NDArray[np.uint32]:
    """Keep probabilities as 31-bit thresholds for `kernels.sampling.is_kept`; 0 for ids beyond the vocabulary."""
    thresholds = np.zeros(n_types, np.uint32)
    thresholds[: len(probability)] = np.rint(probability * 2**31)
    return thresholds


def alias_table(probability: NDArray[np.float64]) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Thresholds and aliases for `kernels.sampling.draw_alias`."""
    from embedtrain.kernels.sampling import build_alias

    n = len(probability)
    thresholds, aliases = np.empty(n, np.uint32), np.empty(n, np.int32)
    build_alias(probability * n, np.empty(n, np.int64), thresholds, aliases)
    return thresholds, aliases
