"""What training reports beforehand and after each epoch."""

from __future__ import annotations

from dataclasses import dataclass

from embedtrain.vectors.word_vectors import WordVectors


@dataclass(frozen=True)
class Epoch:
    """The figures of an epoch, which a callback gets.

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
    speed : float
        Tokens of the corpus, or cells of the matrix, passed in a second of this epoch.
    unit : str
        Which of them: "words" or "cells".
    vectors : WordVectors
        A view of the tables as they are now; copy what is to be kept.
    """

    number: int
    epochs: int
    loss: float
    valid_loss: float | None
    lr: float
    speed: float
    unit: str
    vectors: WordVectors


@dataclass(frozen=True)
class Plan:
    """What training would do and take.

    Attributes
    ----------
    tokens, types, sentences : int
        Found in the corpus, if there is one.
    words, covered : int
        Types that would get a vector, and tokens that are among them.
    coverage : list of (min_count, words, tokens)
        The same for several min-counts.
    cells : int
        Of the matrix, for a model that has one.
    removed_share : float
        Share of the covered tokens that subsampling removes.
    memory : dict of str to int
        Bytes by purpose.
    free_memory : int
        Bytes that can be taken.
    disk : int
        Bytes of temporary files at most.
    speed : float
        Tokens, or cells, a second: measured, or nan where the tables do not fit into memory.
    unit : str
        "words" or "cells".
    seconds : dict of str to float
        Expected time by stage.
    """

    tokens: int
    types: int
    sentences: int
    words: int
    covered: int
    coverage: list[tuple[int, int, int]]
    cells: int
    removed_share: float
    memory: dict[str, int]
    free_memory: int
    disk: int
    speed: float
    unit: str
    seconds: dict[str, float]
