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
        """Yield the ids of centres and of contexts, in the order of the text; every epoch draws windows anew."""
        from embedtrain.kernels.random import key_from
        from embedtrain.kernels.word2vec.window_pairs import window_pairs
        from embedtrain.kernels.word2vec.windows import Kept, Text, Windows

        text, settings, n_tokens = self._text, self._settings, len(self._text.ids)
        window = min(settings.window, text.longest_sentence)
        most = settings.window if settings.window_mode == "dynamic" else 0
        thresholds = keep_thresholds(settings.keep_probability(self.counts), len(text.vocabulary) + 1)
        words, *rows = (np.zeros(_CHUNK + 2 * window + 1, np.int32) for _ in range(5))
        kept, windows = Kept(words, words, *rows[:2]), Windows(*rows[2:])
        pairs, n = np.empty((2, settings.batch + 2 * window * _CHUNK), np.int32), 0
        key, *_ = np.random.SeedSequence(settings.seed, spawn_key=(epoch,)).generate_state(2, np.uint64)
        read = text.reader(_CHUNK)
        for begin in range(0, n_tokens, _CHUNK):
            ids, offsets, first = read(epoch, begin, min(begin + _CHUNK, n_tokens))
            n += window_pairs(
                Text(ids, offsets), begin - first, min(begin + _CHUNK, n_tokens) - first, thresholds,
                key_from(key, first), key_from(key, -1 - begin), window, most, kept, windows, *pairs[:, n:],
            )  # fmt: skip
            whole = n - n % settings.batch
            done = pairs[:, :whole].copy()
            for at in range(0, whole, settings.batch):
                yield done[0, at : at + settings.batch], done[1, at : at + settings.batch]
            pairs[:, : n - whole] = pairs[:, whole:n]
            n -= whole
        if n:
            yield pairs[0, :n], pairs[1, :n]


@from_settings(PairSettings)
def skipgram_pairs(corpus: CorpusLike, settings: PairSettings) -> SkipgramPairs:
    """Encode a corpus, for batches of the pairs that skip-gram trains on.

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
