"""Statistics of a training run, kept with its vectors."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from embedtrain.machine.progress import counted

#: What has a loss, by the unit of the speed.
LOSS_OF = {"words": "pair", "cells": "cell"}


@dataclass
class TrainingReport:
    """Statistics of a training run; its `str` is a summary of a few lines."""

    words: int  # with a vector
    threads: int
    tokens: int = 0  # of the corpus, as types; 0 for given counts
    types: int = 0
    covered: int = 0  # tokens of the words with a vector
    cells: int = 0  # of the matrix of counts; 0 without one
    contexts: int = 0  # columns of the matrix; 0 if they are the words
    kept_share: float = 1.0  # of the covered tokens, by subsampling
    losses: list[float] = field(default_factory=list)  # mean per pair of each finished epoch; nan without pairs
    valid_losses: list[float] = field(default_factory=list)  # the same on held-out text; empty without it
    speed: float = 0.0  # tokens of the corpus, or cells of the matrix, per second of training
    unit: str = "words"  # of the speed: "words" or "cells"
    seconds: dict[str, float] = field(default_factory=dict)  # by stage: "read", "count", "prepare", "train", …

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
