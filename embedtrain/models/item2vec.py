"""Item2vec: skip-gram on sessions or baskets, where each item of a session is a context of all others.

Barkan, Koenigstein, "Item2vec: neural item embedding for collaborative filtering" (2016).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from embedtrain.corpus.sources import CorpusLike
from embedtrain.models.skipgram import SkipGram
from embedtrain.training.declarations import from_settings, other_default
from embedtrain.vectors.word_vectors import WordVectors


@dataclass(frozen=True, kw_only=True)
class Item2vec(SkipGram):
    """Train vectors of items on sessions or baskets (skip-gram with other defaults).

    All items of a session are contexts of each other, whatever its length and order; no item is too rare, none is
    subsampled. Only with one thread is the result the same every time.
    """

    model: ClassVar = "item2vec"

    epochs: int = other_default(SkipGram, "epochs", 50)
    lr: float = other_default(SkipGram, "lr", 0.05)
    window: int | Literal["all"] = other_default(SkipGram, "window", "all")
    sample: float = other_default(SkipGram, "sample", 0.0)
    noise_exponent: float = other_default(SkipGram, "noise_exponent", 0.5)
    min_count: int = other_default(SkipGram, "min_count", 1)


@from_settings(Item2vec)
def train_item2vec(sessions: CorpusLike, settings: Item2vec) -> WordVectors:
    """Train vectors of items on sessions or baskets (skip-gram with other defaults).

    With one thread and the same seed the result is the same every time.

    Parameters
    ----------
    sessions : path, Corpus, iterable of str, or iterable of lists of str or int
        The items of each session: lines with spaces between them, lists, or a file of JSON lists, which may have
        spaces in items.
    **settings

    Returns
    -------
    WordVectors
        With `recommend`, `neighbors` (substitutes) and `complements`.

    Raises
    ------
    SettingError, DataError, OutputError, TrainingError, Interrupted
        As `train_skipgram`.

    Examples
    --------
    >>> from embedtrain import train_item2vec
    >>> sessions = [["tea", "milk", "sugar"], ["nails", "hammer", "saw"]] * 50
    >>> items = train_item2vec(sessions, dim=20)
    >>> sorted(item for item, score in items.recommend(["tea"], topn=2))
    ['milk', 'sugar']
    """
    return settings.train(sessions)
