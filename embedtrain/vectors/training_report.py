"""Statistics of a training run, kept with its vectors."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class TrainingReport:
    """Statistics of a training run.

    Attributes
    ----------
    words : int
        Words with a vector.
    threads : int
    tokens, types : int
        Counts in the corpus; 0 for given counts.
    covered : int
        Tokens of the words with a vector.
    cells : int
        Cells of the co-occurrence matrix; 0 without one.
    kept_share : float
        Share of the covered tokens that subsampling kept.
    losses : list of float
        Mean loss per pair of each finished epoch.
    valid_losses : list of float
        The same on held-out text; empty without it.
    speed : float
        Tokens of the corpus, or cells of the matrix, per second of training.
    unit : str
        Unit of `speed`: "words" or "cells".
    seconds : dict of str to float
        Time by stage: "read", "count", "prepare", "train", "valid", "checkpoint", as far as they apply.
    """

    words: int
    threads: int
    tokens: int = 0
    types: int = 0
    covered: int = 0
    cells: int = 0
    kept_share: float = 1.0
    losses: list[float] = field(default_factory=list)
    valid_losses: list[float] = field(default_factory=list)
    speed: float = 0.0
    unit: str = "words"
    seconds: dict[str, float] = field(default_factory=dict)
