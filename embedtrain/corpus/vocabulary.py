"""The vocabulary: all words of a corpus with their counts, in the one order that ids follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError


@dataclass(frozen=True)
class Vocabulary:
    """Words by count, descending, ties by their UTF-8 bytes; a word's id is its place.

    Attributes
    ----------
    words : list of str
        All types, or the first so many after a cut.
    counts : (len(words),) int64 array
        Occurrences of each.
    """

    words: list[str]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.words)

    @property
    def n_tokens(self) -> int:
        """Occurrences of all words together."""
        return int(self.counts.sum())

    def cut(self, min_count: int) -> Vocabulary:
        """The words that occur at least `min_count` times, ids unchanged.

        Raises
        ------
        SettingError
            If `min_count` is below 1.
        DataError
            If fewer than two words are left, of which nothing can be learnt.
        """
        if min_count < 1:
            raise SettingError(f"min_count must be at least 1, got {min_count}; 1 keeps every word")
        n_words = int(np.searchsorted(-self.counts, -min_count, side="right"))
        if n_words < 2:
            raise DataError(self._too_few(n_words, min_count))
        return Vocabulary(self.words[:n_words], self.counts[:n_words])

    def _too_few(self, n_words: int, min_count: int) -> str:
        found = f"the corpus has {self.n_tokens:,} tokens of {len(self):,} types"
        if len(self) < 2:
            return f"{found}; at least two different words are needed to learn from"
        left = "no word" if n_words == 0 else "only one word"
        second = int(self.counts[1])
        return (
            f"{left} occurs {min_count} times or more: {found}, "
            f"{self.words[0]!r} most often, {self.counts[0]:,} times; try a min-count of at most {second}"
        )
