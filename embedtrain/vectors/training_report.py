"""Statistics of a training run, kept with its vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from embedtrain.machine.progress import counted

#: What has a loss, by the unit of the speed.
LOSS_OF = {"words": "pair", "cells": "cell"}


@dataclass
class TrainingReport:
    """Statistics of a training run; its `str` is a summary of a few lines.

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
        Cells of the matrix of counts; 0 without one.
    contexts : int
        Columns of the matrix; 0 if they are the words.
    kept_share : float
        Share of the covered tokens that subsampling kept.
    losses : list of float
        Mean loss per pair of each finished epoch; nan for one without pairs.
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
    contexts: int = 0
    kept_share: float = 1.0
    losses: list[float] = field(default_factory=list)
    valid_losses: list[float] = field(default_factory=list)
    speed: float = 0.0
    unit: str = "words"
    seconds: dict[str, float] = field(default_factory=dict)

    def __str__(self) -> str:
        of = LOSS_OF[self.unit]
        known = [loss for loss in self.losses if not math.isnan(loss)]
        losses = f"loss {known[0]:.4g} → {known[-1]:.4g} a {of}" if known else "no loss known"
        if self.valid_losses and not math.isnan(self.valid_losses[-1]):
            losses += f", held out {self.valid_losses[0]:.3f} → {self.valid_losses[-1]:.3f}"
        speed = f"{self.speed / 1e6:.2f} M {self.unit}/s on {counted(self.threads, 'thread')}"
        lines = []
        if self.tokens:
            lines.append(
                f"read     {counted(self.tokens, 'token')} of {counted(self.types, 'type')}; "
                f"{self.words:,} words get vectors and cover {self.covered / self.tokens:.1%}"
            )
        if self.cells:
            contexts = self.contexts or self.words
            density = self.cells / self.words / contexts
            lines.append(f"counted  {counted(self.cells, 'cell')} of {self.words:,} × {contexts:,} ({density:.2%})")
        removed = "" if self.cells else f", subsampling removed {1 - self.kept_share:.1%}"
        if "train" in self.seconds:  # not for a model without epochs
            lines.append(f"trained  {counted(len(self.losses), 'epoch')}, {speed}, {losses}{removed}")
        lines.append("time     " + ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in self.seconds.items()))
        return "\n".join(lines)
