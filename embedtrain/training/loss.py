"""The loss: its mean per pair over an epoch, and the check that training does not diverge."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

from embedtrain.errors import TrainingError

_ENOUGH = 1000  # pairs whose mean is worth checking


class ChunkResult(NamedTuple):
    """What a worker returns for a task."""

    passed: int  # tokens of the corpus, or cells of a matrix
    kept: int  # of them, those that were trained on
    loss: float  # summed over `pairs`
    pairs: int  # whose loss was taken: all, or a fixed share
    lr: float  # learning rate reached


@dataclass
class LossMeter:
    """Sums the losses of an epoch in float64 and checks them against a limit.

    Attributes
    ----------
    limit : float
        A mean loss that only a diverging run reaches.
    initial_lr : float
        For the message.
    check_within_epoch : bool
        Whether the mean of any part of an epoch is compared with the limit, or only that of a whole epoch.
    of : str
        What has a loss: "pair" or "cell".
    """

    limit: float
    initial_lr: float
    total: float = 0.0
    pairs: int = 0
    check_within_epoch: bool = True
    of: str = "pair"
    _recent_total: float = 0.0
    _recent_pairs: int = 0

    @property
    def mean(self) -> float:
        """Mean loss a pair so far."""
        return self.total / self.pairs if self.pairs else math.nan

    def begin_epoch(self, total: float = 0.0, pairs: int = 0) -> None:
        """Start an epoch, of which `total` and `pairs` are known already."""
        self.total, self.pairs = total, pairs
        self._recent_total, self._recent_pairs = 0.0, 0

    def add(self, result: ChunkResult) -> None:
        """Add the result of a task."""
        self.total += result.loss
        self.pairs += result.pairs
        self._recent_total += result.loss
        self._recent_pairs += result.pairs

    def check(self, epoch: int, lr: float, *, final: bool = False) -> None:
        """Compare the loss since the last check, once it is of enough pairs, or that of the epoch, with the limit.

        Raises
        ------
        TrainingError
            If their loss is not finite, or above the limit.
        """
        loss, enough = self._of_stretch(final) if self.check_within_epoch else self._of_epoch(final)
        diverged = not math.isfinite(self._recent_total) or (enough and loss > self.limit)
        if diverged:
            raise TrainingError(
                f"training diverged in epoch {epoch}: the loss is {loss:.3g} a {self.of}, at learning rate {lr:.3g}; "
                f"try --lr {self.initial_lr / 4:.2g} (lr={self.initial_lr / 4:.2g} in Python)"
            )
        if enough:
            self._recent_total, self._recent_pairs = 0.0, 0

    def _of_stretch(self, final: bool) -> tuple[float, bool]:
        """The mean loss since the last check, and whether it is of enough pairs."""
        return self._recent_total / max(1, self._recent_pairs), self._recent_pairs >= (1 if final else _ENOUGH)

    def _of_epoch(self, final: bool) -> tuple[float, bool]:
        """The mean loss of the epoch, and whether it is at its end."""
        return self.mean, final and self.pairs > 0
