"""Pairs of a centre and a context in NumPy arrays, for models of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.sources import CorpusLike
from embedtrain.machine.progress import Stopwatch
from embedtrain.models.distributions import keep_probability, keep_thresholds
from embedtrain.training.declarations import from_settings, setting
from embedtrain.training.settings import TextSettings

_CHUNK = 1 << 14  # tokens
_BLOCK = 1 << 8  # centres


@dataclass(frozen=True, kw_only=True)
class PairSettings(TextSettings):
    """Which pairs a text has, as for skip-gram."""

    window: int = setting(5, "Words before and after a word that are its contexts.", at_least=1, at_most=1000)
    window_mode: Literal["dynamic", "fixed"] = setting("dynamic", "Draw windows from 1 to `window`, or use `window`.")
    sample: float = setting(1e-3, "Subsample words more frequent than this; 0 keeps all.", at_least=0, at_most=1)
    batch: int = setting(8192, "Pairs in a batch; the last of an epoch has fewer.", at_least=1)
    seed: int = setting(1, "Seed of all random numbers.", group="run", at_least=0)

    def keep_probability(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Probability that subsampling keeps a token of each word, of words with these (n_words,) counts."""
        return keep_probability(counts, self.sample)


class SkipgramPairs:
    """The pairs of an encoded corpus; `words` and `counts` are those of the ids."""

    def __init__(self, corpus: CorpusLike, settings: PairSettings) -> None:
        from embedtrain.training.text_data import TextSource  # imports Numba, which --help does not need

        self._settings, data = settings, TextSource(corpus, settings).read(Stopwatch(), settings.shown)
        self._text, self.words, self.counts = data.training, list(data.vocabulary.words), data.vocabulary.counts

    def batches(self, epoch: int = 0) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
        """Yield the ids of centres and of contexts, in the order of the text; each epoch draws others."""
        waiting, n = np.empty((2, 0), np.int32), self._settings.batch
        for pairs in self._chunks(epoch):
            waiting = np.concatenate([waiting, pairs], axis=1)
            whole = waiting.shape[1] // n * n
            for begin in range(0, whole, n):
                yield waiting[0, begin : begin + n], waiting[1, begin : begin + n]
            waiting = waiting[:, whole:]
        if waiting.size:
            yield waiting[0], waiting[1]

    def _chunks(self, epoch: int) -> Iterator[NDArray[np.int32]]:
        """Yield the (2, n) pairs of consecutive chunks of the text."""
        from embedtrain.kernels.random import key_from
        from embedtrain.kernels.word2vec.window_pairs import window_pairs
        from embedtrain.kernels.word2vec.windows import Kept, Text, Windows

        text, settings = self._text, self._settings
        window = min(settings.window, text.longest_sentence)
        thresholds = keep_thresholds(settings.keep_probability(self.counts), len(text.vocabulary) + 1)
        words, begins, ends = (np.zeros(_CHUNK + 2 * window + 1, np.int32) for _ in range(3))
        windows = Windows(*(np.zeros(_BLOCK, np.int32) for _ in range(2)))
        pairs = np.empty((2, 2 * window * _CHUNK), np.int32)
        key, *_ = np.random.SeedSequence(settings.seed, spawn_key=(epoch,)).generate_state(2, np.uint64)
        read, most = text.reader(_CHUNK), settings.window if settings.window_mode == "dynamic" else 0
        for begin in range(0, len(text.ids), _CHUNK):
            end = min(begin + _CHUNK, len(text.ids))
            ids, offsets, first = read(epoch, begin, end)
            state = key_from(key, -1 - begin)
            n = window_pairs(
                Text(ids, offsets), begin - first, end - first, thresholds, key_from(key, first), state, window, most,
                Kept(words, words, begins, ends), windows, *pairs,
            )  # fmt: skip
            yield pairs[:, :n].copy()


@from_settings(PairSettings)
def skipgram_pairs(corpus: CorpusLike, settings: PairSettings) -> SkipgramPairs:
    """Encode a corpus, for batches of the pairs that skip-gram trains on.

    Parameters
    ----------
    corpus : path, Corpus, iterable of str, or iterable of lists of str
        As for `train_skipgram`.
    **settings

    Returns
    -------
    SkipgramPairs
        With `words`, `counts`, and `batches(epoch)`, which yields the ids of centres and of contexts.

    Examples
    --------
    >>> from embedtrain import skipgram_pairs
    >>> pairs = skipgram_pairs(["a b c"], window=1, sample=0, min_count=1)
    >>> for centres, contexts in pairs.batches():
    ...     print([(pairs.words[i], pairs.words[j]) for i, j in zip(centres, contexts)])
    [('a', 'b'), ('b', 'a'), ('b', 'c'), ('c', 'b')]
    """
    return SkipgramPairs(corpus, settings)
