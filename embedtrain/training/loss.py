"""The loss: a mean per pair over an epoch, and the alarm when training diverges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from embedtrain.errors import TrainingError

_ENOUGH = 1000  # pairs whose mean is worth a judgement


class ChunkResult(NamedTuple):
    """What a worker reports of a chunk."""

    passed: int  # tokens of the corpus, or cells of a matrix
    kept: int  # of them, those that were trained on
    loss: float  # summed over `pairs`
    pairs: int  # whose loss was taken: all, or a fixed share
    lr: float  # learning rate reached


@dataclass
class LossMeter:
    """Sums the losses of an epoch in float64 and watches them.

    Attributes
    ----------
    limit : float
        A mean loss that only a diverging run reaches.
    initial_lr : float
        For the remedy.
    even : bool
        Whether any stretch of an epoch can be judged like the whole; else the limit is for the whole only.
    of : str
        What has a loss.
    """

    limit: float
    initial_lr: float
    total: float = 0.0
    pairs: int = 0
    even: bool = True
    of: str = "pair"
    _recent_total: float = 0.0
    _recent_pairs: int = 0

    @property
    def mean(self) -> float:
        """Mean loss a pair so far."""
        return self.total / self.pairs if self.pairs else math.nan

    def begin_epoch(self, total: float = 0.0, pairs: int = 0) -> None:
        """Forget the last epoch; of the next, so much is known already."""
        self.total, self.pairs = total, pairs
        self._recent_total, self._recent_pairs = 0.0, 0

    def add(self, result: ChunkResult) -> None:
        """Take in a chunk."""
        self.total += result.loss
        self.pairs += result.pairs
        self._recent_total += result.loss
        self._recent_pairs += result.pairs

    def check(self, epoch: int, lr: float, *, final: bool = False) -> None:
        """Judge the chunks since the last judgement, once they are enough; or, if they are not even, the epoch.

        Raises
        ------
        TrainingError
            If their loss is not finite, or above the limit.
        """
        loss, enough = self._of_stretch(final) if self.even else self._of_epoch(final)
        diverged = not math.isfinite(self._recent_total) or (enough and loss > self.limit)
        if diverged:
            raise TrainingError(
                f"training diverged in epoch {epoch}: the loss is {loss:.3g} a {self.of}, at learning rate {lr:.3g}; "
                f"try --lr {self.initial_lr / 4:.2g} (lr={self.initial_lr / 4:.2g} in Python)"
            )
        if enough:
            self._recent_total, self._recent_pairs = 0.0, 0

    def _of_stretch(self, final: bool) -> tuple[float, bool]:
        """The mean loss since the last judgement, and whether that is enough for one."""
        return self._recent_total / max(1, self._recent_pairs), self._recent_pairs >= (1 if final else _ENOUGH)

    def _of_epoch(self, final: bool) -> tuple[float, bool]:
        """The mean loss of the epoch, and whether it is at its end."""
        return self.mean, final and self.pairs > 0
