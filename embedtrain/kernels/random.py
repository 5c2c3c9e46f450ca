"""Random numbers as functions of a 64-bit state, and sampling with them."""

import numpy as np

from embedtrain.kernels.compilation import inlined, kernel
from embedtrain.kernels.sentences import sentence_at
from embedtrain.kernels.text.byte_masks import ONE, trailing_zeros

_STRIDE = np.uint64(0x9E3779B97F4A7C15)
_SHIFT30, _SHIFT27, _SHIFT31 = np.uint64(30), np.uint64(27), np.uint64(31)
_FACTOR1, _FACTOR2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_HALF, _KEEP_SHIFT = np.uint64(32), np.uint64(33)
_LOW = np.uint64(0xFFFFFFFF)
_MIXINGS = 6  # of a permutation; after 4, some pairs of a sequence of 16 are near each other a tenth too often


@inlined
def mix(x):
    """Mix 64 bits, one to one (the finaliser of SplitMix64; Steele, Lea, Flood 2014)."""
    x = (x ^ (x >> _SHIFT30)) * _FACTOR1
    x = (x ^ (x >> _SHIFT27)) * _FACTOR2
    return x ^ (x >> _SHIFT31)


@inlined
def random_at(key, index):
    """Number `index` of the random sequence `key`: 64 bits."""
    return mix(key + np.uint64(index) * _STRIDE)


def key_from(key: np.uint64, index: int) -> np.uint64:
    """The key of the random sequence that begins at number `index` of the sequence `key`."""
    return np.uint64((int(key) + index * int(_STRIDE)) & (2**64 - 1))


@inlined
def random_below(bits, n):
    """The upper half of 64 random bits, scaled to an integer in [0, n), n < 2^32."""
    return np.int64(((bits >> _HALF) * np.uint64(n)) >> _HALF)


@inlined
def is_kept(key, position, threshold):
    """Whether subsampling keeps the token at `position`, with probability threshold / 2^31."""
    return (random_at(key, position) >> _KEEP_SHIFT) < np.uint64(threshold)


@inlined
def permuted(key, index, n):
    """Element `index` of a random permutation of [0, n): bits are mixed one to one until the result is below n.

    Positions of a sequence are thus shuffled without memory, the same in every part of it.
    """
    mask = np.uint64(n - 1)
    for shift in (1, 2, 4, 8, 16, 32):
        mask |= mask >> np.uint64(shift)
    half = np.uint64(trailing_zeros(mask + ONE) + 1) >> ONE
    x = np.uint64(index)
    while True:
        for step in range(_MIXINGS):
            bits = random_at(key, step)
            x = (x * (bits | ONE) + (bits >> _HALF)) & mask
            x ^= x >> half
        if x < np.uint64(n):
            return np.int64(x)


@inlined
def draw_alias(bits, thresholds, aliases):
    """Draw from a discrete distribution in constant time (alias method; Walker 1977, Vose 1991)."""
    index = random_below(bits, thresholds.size)
    alias = np.int64(aliases[index])  # always read: a branch could not be predicted
    return index if (bits & _LOW) < thresholds[index] else alias


@kernel
def build_alias(shares, order, thresholds, aliases):
    """Fill the tables of `draw_alias` for the probabilities shares / n.

    Outcome i stays i with probability thresholds[i] / 2^32, else it becomes aliases[i]: an outcome below the mean is
    complemented by one above it. `shares` (n,) is overwritten, `order` (n,) is scratch.
    """
    n = shares.size  # `order` has outcomes below the mean from the left, the others from the right
    below_mean, above_mean = 0, n
    for i in range(n):
        aliases[i] = i
        if shares[i] < 1:
            order[below_mean] = i
            below_mean += 1
        else:
            above_mean -= 1
            order[above_mean] = i
    while below_mean > 0 and above_mean < n:
        below_mean -= 1
        low, high = order[below_mean], order[above_mean]
        share = shares[low] * 4294967296.0
        thresholds[low] = np.uint32(share if share < 4294967295.0 else 4294967295.0)
        aliases[low] = high
        shares[high] -= 1 - shares[low]
        if shares[high] < 1:
            above_mean += 1
            order[below_mean] = high
            below_mean += 1
    for left in range(below_mean):
        thresholds[order[left]] = np.uint32(4294967295)
    for left in range(above_mean, n):
        thresholds[order[left]] = np.uint32(4294967295)


@kernel
def hold_out(offsets, begin, unit, key, threshold, out):
    """Mark in `out` the held-out tokens from `begin` on: sentences, or runs of `unit` tokens in long ones.

    Each is held out with probability threshold / 2^31; `offsets` (n_sentences + 1,) is where sentences begin.
    """
    sentence = sentence_at(offsets, begin)
    for i in range(out.size):
        position = begin + i
        while position >= offsets[sentence + 1]:
            sentence += 1
        start = offsets[sentence]
        out[i] = is_kept(key, start + (position - start) // unit * unit, threshold)
