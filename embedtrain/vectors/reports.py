"""What training tells of itself: beforehand, after each epoch, and at the end."""

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
    valid_loss : float or None
        The same on held-out text, if there is any.
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
    valid_loss: float | None
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
    valid_losses : list of float
        The same on held-out text, if there is any.
    words_per_second : float
        Corpus tokens passed in a second of training.
    seconds : dict of str to float
        Time by stage: "read", "prepare", "train", and "valid" and "checkpoint" where there were such.
    """

    tokens: int
    types: int
    words: int
    covered: int
    threads: int
    kept_share: float = 0.0
    losses: list[float] = field(default_factory=list)
    valid_losses: list[float] = field(default_factory=list)
    words_per_second: float = 0.0
    seconds: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """What a run would do and take.

    Attributes
    ----------
    tokens, types, sentences : int
        Found in the corpus.
    words, covered : int
        Types that would get a vector, and tokens that are among them.
    coverage : list of (min_count, words, tokens)
        The same for several min-counts.
    removed_share : float
        Share of the covered tokens that subsampling removes.
    memory : dict of str to int
        Bytes by purpose.
    free_memory : int
        Bytes that can be taken.
    disk : int
        Bytes of temporary files at most.
    words_per_second : float
        Measured on the corpus, or nan where the tables do not fit into memory.
    seconds : dict of str to float
        Expected time by stage.
    """

    tokens: int
    types: int
    sentences: int
    words: int
    covered: int
    coverage: list[tuple[int, int, int]]
    removed_share: float
    memory: dict[str, int]
    free_memory: int
    disk: int
    words_per_second: float
    seconds: dict[str, float]
