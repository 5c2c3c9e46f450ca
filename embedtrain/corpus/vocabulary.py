"""The vocabulary: all words of a corpus with their counts, in the one order that ids follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, SettingError
from embedtrain.machine.words import PackedWords


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Words by count, descending, ties by their UTF-8 bytes; a word's id is its place.

    Attributes
    ----------
    words : sequence of str
        All types, or the first so many after a cut.
    counts : (len(words),) int64 array
        Occurrences of each.
    """

    words: Sequence[str]
    counts: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.words)

    @property
    def n_tokens(self) -> int:
        """Occurrences of all words together."""
        return int(self.counts.sum())

    def n_frequent(self, min_count: int) -> int:
        """How many words occur at least `min_count` times; they come first."""
        return int(np.searchsorted(-self.counts, -min_count, side="right"))

    def cut(self, min_count: int, max_words: int | None = None) -> Vocabulary:
        """The words that occur at least `min_count` times, of them the first `max_words`; ids unchanged.

        Raises
        ------
        SettingError
            If `min_count` is below 1 or `max_words` below 2.
        DataError
            If fewer than two words are left, of which nothing can be learnt.
        """
        require_cut(min_count, max_words)
        n_words = self.n_frequent(min_count)
        if n_words < 2:
            raise DataError(self._too_few(n_words, min_count))
        n_words = min(n_words, max_words or n_words)
        words = self.words.first(n_words) if isinstance(self.words, PackedWords) else self.words[:n_words]
        return Vocabulary(words, self.counts[:n_words])

    def unpacked(self) -> Vocabulary:
        """The same with a list of words, which takes more memory and is faster to ask."""
        return Vocabulary(self.words[:], self.counts)

    def _too_few(self, n_words: int, min_count: int) -> str:
        found = f"the corpus has {self.n_tokens:,} tokens of {len(self):,} types"
        if self.n_frequent(1) < 2:  # in a file, counts may be 0
            return f"{found}; at least two different words are needed to learn from"
        left = "no word" if n_words == 0 else "only one word"
        second = int(self.counts[1])
        return (
            f"{left} occurs {min_count} times or more: {found}, "
            f"{self.words[0]!r} most often, {self.counts[0]:,} times; try a min-count of at most {second}"
        )


def require_cut(min_count: int, max_words: int | None) -> None:
    """See whether a vocabulary could be cut so, before a corpus is read for it.

    Raises
    ------
    SettingError
        If `min_count` is below 1 or `max_words` below 2.
    """
    if min_count < 1:
        raise SettingError(f"min_count must be at least 1, got {min_count}; 1 keeps every word")
    if max_words is not None and max_words < 2:
        raise SettingError(f"max_vocab must be at least 2 words, got {max_words}; leave it out to keep all")
