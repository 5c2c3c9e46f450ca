"""Character n-grams of words and their buckets, as fastText defines them.

The n-grams of ``<word>`` have `min_length` to `max_length` characters: bytes of UTF-8 up to the next one that begins a
character. A border alone is not an n-gram, and ``</s>`` has none. The bucket is FNV-1a over sign-extended bytes, modulo
the number of buckets. Without buckets it is the upper 63 bits of FNV-1a of 64 bits, in which n-grams hardly collide:
among a million of them with a probability of 1 in 10 million.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

END_OF_SENTENCE = b"</s>"
_NARROW = np.uint32(2166136261), np.uint32(16777619)  # offset and prime of FNV-1a
_WIDE = np.uint64(14695981039346656037), np.uint64(1099511628211)


def ngram_buckets(
    words: Sequence[bytes], min_length: int, max_length: int, n_buckets: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The (n_words + 1,) starts of words among all their n-grams, and the (n_ngrams,) buckets or, with 0, hashes.

    Memory grows with the bytes of all words, about 100 for each: pass a few thousand words at once.
    """
    bordered = [b"" if word == END_OF_SENTENCE else b"<%b>" % word for word in words]
    text = np.frombuffer(b"".join(bordered), np.uint8)
    byte_starts = np.concatenate([[0], np.cumsum([len(word) for word in bordered], dtype=np.int64)])
    begins = (text & 0xC0) != 0x80  # a character begins here; borders do, so that no character spans two words
    position = np.flatnonzero(begins)  # (n_chars,)
    n_bytes = np.diff(position, append=len(text))
    char_starts = np.concatenate([[0], np.cumsum(begins)])[byte_starts]  # (n_words + 1,) in characters
    n_chars = np.diff(char_starts)
    n_left = np.repeat(char_starts[1:], n_chars) - np.arange(len(position))  # from a character to the end of its word
    longest = min(max_length, int(n_chars.max(initial=0)))
    found = np.full((len(position), max(0, longest - min_length + 1)), -1, np.int64)  # by first character and length
    offset, prime = _NARROW if n_buckets else _WIDE
    hashes = np.full(len(position), offset)
    signed = text.view(np.int8).astype(hashes.dtype)
    for length in range(1, longest + 1):
        first = np.flatnonzero(n_left >= length)
        hashes[first] = _hashed(hashes[first], prime, signed, position, n_bytes, first + (length - 1))
        if length >= min_length:
            buckets = hashes[first] % hashes.dtype.type(n_buckets) if n_buckets else hashes[first] >> np.uint64(1)
            found[first, length - min_length] = buckets
    if min_length == 1 and found.size:
        borders = char_starts[:-1][n_chars > 0]
        found[np.concatenate([borders, borders + n_chars[n_chars > 0] - 1]), 0] = -1
    is_ngram = found >= 0
    ends = np.concatenate([[0], np.cumsum(is_ngram.sum(axis=1))])
    return ends[char_starts], found[is_ngram]


def _hashed(
    hashes: NDArray[Any],
    prime: Any,
    signed: NDArray[Any],
    position: NDArray[np.int64],
    n_bytes: NDArray[np.int64],
    chars: NDArray[np.int64],
) -> NDArray[Any]:
    """Continue (n,) hashes with the bytes of one character each."""
    hashes = (hashes ^ signed[position[chars]]) * prime
    n_bytes = n_bytes[chars]
    for byte in range(1, int(n_bytes.max(initial=0))):
        more = np.flatnonzero(n_bytes > byte)
        hashes[more] = (hashes[more] ^ signed[position[chars[more]] + byte]) * prime
    return hashes
