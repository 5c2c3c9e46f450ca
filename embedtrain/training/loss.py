"""The loss: a mean per pair over an epoch, and the alarm when training diverges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from embedtrain.errors import TrainingError

_ENOUGH = 1000  # pairs whose mean is worth a judgement


class ChunkResult(NamedTuple):
    """What a worker reports of a chunk."""

    tokens: int  # positions of the corpus
    kept: int  # of them, those that were trained on
    loss: float  # summed over `pairs`
    pairs: int  # whose loss was taken: all, or a fixed share
    lr: float  # learning rate reached


@dataclass
class LossMeter:
    """Sums losses in float64 and watches them; one an epoch.

    Attributes
    ----------
    limit : float
        A mean loss that only a diverging run reaches.
    initial_lr : float
        For the remedy.
    """

    limit: float
    initial_lr: float
    total: float = 0.0
    pairs: int = 0
    _recent_total: float = 0.0
    _recent_pairs: int = 0

    @property
    def mean(self) -> float:
        """Mean loss a pair so far."""
        return self.total / self.pairs if self.pairs else math.nan

    def add(self, result: ChunkResult) -> None:
        """Take in a chunk."""
        self.total += result.loss
        self.pairs += result.pairs
        self._recent_total += result.loss
        self._recent_pairs += result.pairs

    def check(self, epoch: int, lr: float, *, final: bool = False) -> None:
        """Judge the chunks since the last judgement, once they are enough.

        Raises
        ------
        TrainingError
            If their loss is not finite, or above the limit.
        """
        finite = math.isfinite(self._recent_total)
        if finite and self._recent_pairs < (1 if final else _ENOUGH):
            return
        recent = self._recent_total / max(1, self._recent_pairs)
        if not finite or recent > self.limit:
            raise TrainingError(
                f"training diverged in epoch {epoch}: the loss is {recent:.3g} a pair, at learning rate {lr:.3g}; "
                f"try --lr {self.initial_lr / 4:.2g} (lr={self.initial_lr / 4:.2g} in Python)"
            )
        self._recent_total, self._recent_pairs = 0.0, 0
