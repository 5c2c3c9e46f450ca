"""The loss: its mean per pair over an epoch, and the checks that training does not diverge and learns something."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from embedtrain.errors import TrainingError
from embedtrain.training.settings import TrainingSettings

_ENOUGH = 1000  # pairs whose mean loss is checked


class ChunkResult(NamedTuple):
    """The result of a task."""

    passed: int  # tokens of the corpus, or cells of a matrix
    kept: int  # of these, those that were trained on
    loss: float  # sum over `pairs`
    pairs: int  # all pairs, or a fixed share
    lr: float  # learning rate at the end


@dataclass
class LossMeter:
    """Sums the losses of an epoch in float64 and checks them against a limit."""

    limit: float  # a mean loss that only a diverging run reaches
    remedy: str  # ends the message
    total: float = 0.0
    pairs: int = 0
    check_within_epoch: bool = True  # whether parts of an epoch are checked, or only whole epochs
    of: str = "pair"  # what has a loss: "pair" or "cell"
    _recent_total: float = 0.0
    _recent_pairs: int = 0

    @property
    def mean(self) -> float:
        """Mean loss per pair so far."""
        return self.total / self.pairs if self.pairs else math.nan

    def begin_epoch(self, total: float = 0.0, pairs: int = 0) -> None:
        """Start an epoch, or resume it with `total` and `pairs` so far."""
        self.total, self.pairs = total, pairs
        self._recent_total, self._recent_pairs = 0.0, 0

    def add(self, result: ChunkResult) -> None:
        """Add the result of a task."""
        self.total += result.loss
        self.pairs += result.pairs
        self._recent_total += result.loss
        self._recent_pairs += result.pairs

    def check(self, epoch: int, lr: float, *, final: bool = False) -> None:
        """Raise `TrainingError` if the loss of enough pairs, or of a whole epoch, is above the limit, or not finite."""
        if self.check_within_epoch:  # the mean since the last check
            loss = self._recent_total / max(1, self._recent_pairs)
            enough = self._recent_pairs >= (1 if final else _ENOUGH)
        else:
            loss, enough = self.mean, final and self.pairs > 0
        if not math.isfinite(self._recent_total) or (enough and loss > self.limit):
            raise TrainingError(
                f"training diverged in epoch {epoch}: the loss is {loss:.3g} a {self.of}, at learning rate {lr:.3g}; "
                f"{self.remedy}"
            )
        if enough:
            self._recent_total, self._recent_pairs = 0.0, 0


def lower_lr(settings: TrainingSettings) -> str:
    """Advise the usual learning rate of the model or, if the given one is not above it, half of the given one."""
    default: Any = type(settings).__dataclass_fields__["lr"].default
    usual = replace(settings, lr=default).lr
    return f"try `lr={usual if settings.lr > usual else settings.lr / 2:.3g}`"


def check_learned(losses: Sequence[float], changed: bool, removed: float, settings: TrainingSettings) -> None:
    """Raise `TrainingError` if most epochs had no pair, or if the vectors have not `changed`.

    `removed` is the share of the tokens that subsampling removed.
    """
    empty = sum(map(math.isnan, losses))
    if 2 * empty > len(losses):  # the text has pairs, as was checked before
        sampling = f"`sample={getattr(settings, 'sample', 0)}` removes {removed:.0%} of the tokens"
        raise TrainingError(
            f"nothing was learned: {empty} of {len(losses)} epochs had no pair of words; {sampling}; "
            "for small text use `sample=0`"
        )
    if not changed and len(losses) > 1:  # the first step moves context vectors only, as they start at 0
        raise TrainingError(
            f"training did not change the vectors, with `lr={settings.lr:.3g}` and `epochs={len(losses)}`; raise them"
        )
