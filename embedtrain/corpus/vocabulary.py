"""The vocabulary: all words of a corpus with their counts, in the order of their ids."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError
from embedtrain.machine.words import PackedWords

_MIN_COUNTS = (1, 2, 3, 5, 10, 20, 50, 100)
_AT_ONCE = 1 << 20  # words


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Words by count, descending, ties by their UTF-8 bytes; a word's id is its index."""

    words: Sequence[str]  # all types, or after a cut the first of them
    counts: NDArray[np.int64]  # (len(words),) occurrences of each; 0 for kept words that the text does not have

    def __len__(self) -> int:
        return len(self.words)

    @property
    def n_tokens(self) -> int:
        """Occurrences of all words."""
        return int(self.counts.sum())

    @property
    def absent(self) -> NDArray[np.bool_]:
        """(len(words),) whether a word does not occur; none if no counts are known."""
        return (self.counts == 0) & self.counts.any()

    def n_frequent(self, min_count: int) -> int:
        """Count the words that occur at least `min_count` times; they come first."""
        return int(np.searchsorted(-self.counts, -min_count, side="right"))

    def cut(self, min_count: int, max_words: int | None = None, *, least: int = 2) -> Vocabulary:
        """Keep the words that occur at least `min_count` times, of them the first `max_words`; ids are unchanged.

        Raises `DataError` if fewer than `least` are left.
        """
        n_words = self.n_frequent(min_count)
        if n_words < least:
            raise DataError(self._too_few(n_words, min_count, least))
        n_words = min(n_words, max_words or n_words)
        words = self.words.first(n_words) if isinstance(self.words, PackedWords) else self.words[:n_words]
        return Vocabulary(words, self.counts[:n_words])

    def extended(self, min_count: int, max_words: int | None, others: Iterable[str]) -> Vocabulary:
        """Cut, but keep all `others`; those that do not occur come last, in their order, with a count of 0."""
        n_frequent = min(self.n_frequent(min_count), max_words or len(self))
        missing = dict.fromkeys(others)
        words: list[str] = []
        ranks = []
        for begin in range(0, len(self), _AT_ONCE):
            for rank, word in enumerate(self.words[begin : begin + _AT_ONCE], begin):
                if rank < n_frequent or word in missing:
                    words.append(word)
                    ranks.append(rank)
                    missing.pop(word, None)
        if len(ranks) < 2:
            raise DataError(self._too_few(len(ranks), min_count))
        counts = np.concatenate([self.counts[ranks], np.zeros(len(missing), np.int64)])
        return Vocabulary([*words, *missing], counts)

    def ranks_in(self, other: Vocabulary) -> NDArray[np.int32]:
        """The index of each word in another vocabulary, -1 where it is not in it, and last -1 for dropped types."""
        ranks = np.full(len(self) + 1, -1, np.int32)
        index = {word: rank for rank, word in enumerate(other.words[:])}
        for begin in range(0, len(self), _AT_ONCE):
            words = self.words[begin : begin + _AT_ONCE]
            ranks[begin : begin + len(words)] = [index.get(word, -1) for word in words]
        return ranks

    def coverage(self) -> list[tuple[int, int, int]]:
        """For several min-counts: the min-count, how many words have it, and how many tokens they cover."""
        frequent = [(least, self.n_frequent(least)) for least in _MIN_COUNTS]
        return [(least, n, int(self.counts[:n].sum())) for least, n in frequent]

    def unpacked(self) -> Vocabulary:
        """Return a copy whose words are a list, which takes more memory and is faster to read."""
        return Vocabulary(self.words[:], self.counts)

    def _too_few(self, n_words: int, min_count: int, least: int = 2) -> str:
        found = f"the corpus has {self.n_tokens:,} tokens of {len(self):,} types"
        if self.n_frequent(1) < least:  # in a file, counts may be 0
            return f"{found}; at least two different words are needed to learn from"
        left = "no word" if n_words == 0 else "only one word"
        most = self.counts[least - 1]
        return (
            f"{left} occurs {min_count} times or more: {found}, "
            f"{self.words[0]!r} most often, {self.counts[0]:,} times; try a `min_count` of at most {most}"
        )
