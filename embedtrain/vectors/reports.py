"""What training tells of itself: after each epoch, and at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embedtrain.vectors.word_vectors import WordVectors


@dataclass(frozen=True)
class Epoch:
    """What a callback is told after each epoch.

    Attributes
    ----------
    number, epochs : int
        This epoch, from 1, of so many.
    loss : float
        Mean loss a pair.
    lr : float
        The learning rate reached.
    words_per_second : float
        Tokens of the corpus passed in a second of this epoch.
    vectors : WordVectors
        A view of the tables as they are now; copy what is to be kept.
    """

    number: int
    epochs: int
    loss: float
    lr: float
    words_per_second: float
    vectors: WordVectors


@dataclass
class TrainingReport:
    """The account that training gives of itself.

    Attributes
    ----------
    tokens, types : int
        Found in the corpus.
    words : int
        Types that got a vector.
    covered : int
        Tokens that are among these words.
    kept_share : float
        Share of the covered tokens that subsampling kept.
    threads : int
    losses : list of float
        Mean loss a pair, for each epoch that was finished.
    words_per_second : float
        Corpus tokens passed in a second of training.
    seconds : dict of str to float
        Time by stage: "read", "prepare", "train".
    """

    tokens: int
    types: int
    words: int
    covered: int
    threads: int
    kept_share: float = 0.0
    losses: list[float] = field(default_factory=list)
    words_per_second: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)
