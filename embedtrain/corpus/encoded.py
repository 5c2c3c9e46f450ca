"""The encoded corpus: token ids and sentence borders, mapped from disk, and copies of parts of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import DataError
from embedtrain.kernels import random as sampling
from embedtrain.machine.array_file import temporary_file
from embedtrain.machine.npz import read_only
from embedtrain.machine.ranks import ALONE, Ranks

_AT_ONCE = 1 << 20  # tokens, or sentences
_HOLD_OUT_TOKENS = 1000  # longer sentences are held out in units of this length

#: From a position and the ids from there on: the ids to copy, and a mask of those that are kept.
_Choice: TypeAlias = "Callable[[int, NDArray[np.int32]], tuple[NDArray[np.int32], NDArray[np.bool_]]]"
_Folder: TypeAlias = "str | os.PathLike[str] | None"  # for temporary files; None: the system's
#: From an epoch and a range of tokens: ids and borders of sentences that have these tokens, and where they begin.
Reader: TypeAlias = "Callable[[int, int, int], tuple[NDArray[np.int32], NDArray[np.int64], int]]"


@dataclass(frozen=True)
class EncodedCorpus:
    """Sequences of ids, of text or of other items, in memory or mapped from disk."""

    ids: NDArray[np.int32]  # (n_tokens,) of all types; training skips those outside a cut vocabulary
    offsets: NDArray[np.int64]  # (n_sentences + 1,) where each sentence starts, and the end of the last; none is empty
    vocabulary: Vocabulary  # all types that occur; an id is the index of its word, or its length for dropped types
    notes: tuple[str, ...] = ()  # what a user should know about the text

    @property
    def n_sentences(self) -> int:
        """Number of sentences."""
        return len(self.offsets) - 1

    @property
    def longest_sentence(self) -> int:
        """Tokens in the longest sentence."""
        parts = range(0, self.n_sentences, _AT_ONCE)
        return int(max((np.diff(self.offsets[at : at + _AT_ONCE + 1]).max() for at in parts), default=0))

    def encoded(self, **_: object) -> EncodedCorpus:
        """Return self: it is encoded already."""
        return self

    def reader(self, largest: int, threads: int = 1) -> Reader:
        """Make the function by which a worker reads chunks of at most `largest` tokens; walks are drawn anew."""
        return lambda epoch, begin, end: (self.ids, self.offsets, 0)

    def with_vocabulary(self, vocabulary: Vocabulary, folder: _Folder = None, name: str = "the text") -> EncodedCorpus:
        """Copy the corpus in the ids of another vocabulary, without tokens of other words; `name` is for messages."""
        ranks = self.vocabulary.ranks_in(vocabulary)

        def choose(begin: int, ids: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
            ids = ranks[ids]
            return ids, ids >= 0

        taken = self._taken(choose, vocabulary, folder)
        if not (ranks >= 0).any():
            raise DataError(f"{name} holds none of the {len(vocabulary):,} words of the vocabulary")
        n_absent = len(vocabulary) - int(np.count_nonzero(ranks >= 0))
        if not n_absent:
            return taken
        note = f"{n_absent:,} of the {len(vocabulary):,} words of the vocabulary do not occur in {name}"
        return replace(taken, notes=(*taken.notes, note))

    def renumbered(self, ranks: NDArray[np.int32], vocabulary: Vocabulary, folder: _Folder = None) -> EncodedCorpus:
        """Copy the corpus with the id ranks[id] for each id; that of dropped types is the length of the vocabulary."""
        ranks = np.append(ranks, np.int32(len(vocabulary)))  # also of types dropped before
        with temporary_file(folder) as file:
            for _, ids, _ in self._parts():
                file.append(ranks[ids])
            return replace(self, ids=file.mapped(np.int32), vocabulary=vocabulary)

    def share(self, number: int, n: int) -> EncodedCorpus:
        """View the sentences that begin in part `number` of `n` of the tokens."""
        first, last = np.searchsorted(self.offsets, [len(self.ids) * part // n for part in (number, number + 1)])
        begin, end = self.offsets[first], self.offsets[last]
        return replace(self, ids=self.ids[begin:end], offsets=read_only(self.offsets[first : last + 1] - begin))

    def split(
        self, share: float, seed: int, folder: _Folder = None, ranks: Ranks = ALONE
    ) -> tuple[EncodedCorpus, EncodedCorpus]:
        """Copy the corpus in two parts: one for training, and about `share` of it, drawn at random, held out.

        The units are sentences, or 1,000 tokens of longer ones, which then end there. Both parts keep the vocabulary
        of the whole with its counts. Some of several ranks may get an empty part.
        """
        threshold = np.uint32(round(share * 2**31))
        held_out = np.empty(_AT_ONCE, np.uint8)

        def choose(part: int, begin: int, ids: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
            chosen = held_out[: len(ids)]
            sampling.hold_out(self.offsets, begin, _HOLD_OUT_TOKENS, np.uint64(seed), threshold, chosen)
            return ids, chosen == part

        parts = []
        for part in (0, 1):
            parts.append(self._taken(partial(choose, part), self.vocabulary, folder, cut=True))
            if not any(ranks.gather(len(parts[-1].ids))):
                raise DataError(
                    f"the corpus is too small to hold out {share:.2%} of its sentences; name other text for it"
                )
        return parts[0], parts[1]

    def _taken(self, choose: _Choice, vocabulary: Vocabulary, folder: _Folder, *, cut: bool = False) -> EncodedCorpus:
        """Copy the tokens that `choose` keeps; with `cut`, a sentence ends where some are left out."""
        n_taken, last = 0, -1
        was_taken = False
        with temporary_file(folder) as file, temporary_file(folder) as offsets:
            for begin, part, borders in self._parts():
                ids, taken = choose(begin, part)
                file.append(ids[taken])
                if cut:
                    changes = begin + np.flatnonzero(np.diff(taken, prepend=was_taken))
                    borders = np.union1d(borders, changes)
                    was_taken = bool(taken[-1])
                before = np.concatenate([[0], np.cumsum(taken)])
                new = np.unique(n_taken + before[borders - begin])
                new = new[new > last]
                offsets.append(new)
                last = int(new[-1]) if new.size else last
                n_taken += int(before[-1])
            if last < n_taken:
                offsets.append(np.array([n_taken], np.int64))
            return EncodedCorpus(file.mapped(np.int32), offsets.mapped(np.int64), vocabulary, self.notes)

    def _parts(self) -> Iterator[tuple[int, NDArray[np.int32], NDArray[np.int64]]]:
        """Yield stretches of the corpus: the position, the ids, and the borders of sentences in them."""
        for begin in range(0, len(self.ids), _AT_ONCE):
            ids = self.ids[begin : begin + _AT_ONCE]
            first, last = np.searchsorted(self.offsets, [begin, begin + len(ids)])
            yield begin, ids, self.offsets[first:last]
