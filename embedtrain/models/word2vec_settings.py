"""The settings that skip-gram and CBOW share."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.sources import CorpusLike
from embedtrain.errors import SettingError
from embedtrain.formats.subwords import LONGEST, Subwords
from embedtrain.models.distributions import keep_probability
from embedtrain.training.declarations import changed, setting
from embedtrain.training.settings import TrainingSettings

if TYPE_CHECKING:
    from embedtrain.training.run import Run


@dataclass(frozen=True, kw_only=True)
class Word2vecSettings(TrainingSettings):
    """Windows, outputs, subsampling and held-out text of skip-gram and CBOW."""

    model: ClassVar[str]
    over_ranks: ClassVar = True

    window: int | Literal["all"] = setting(
        5, "Words before and after a word that are its contexts; with all, `partners` from anywhere in its line.",
        at_least=1, kept="result", metavar="INTEGER|all", aliases=("ws", "window-size", "context"),
    )  # fmt: skip
    partners: int = setting(
        10, "With `window='all'`: contexts drawn for each word, at most; in every epoch others.",
        at_least=1, kept="result",
    )  # fmt: skip
    negative: int = setting(
        5, "Negative samples for each pair; 0 leaves negative sampling out, with `hs`.",
        at_least=0, kept="result", aliases=("neg",),
    )  # fmt: skip
    sample: float = setting(
        1e-3, "Subsample words more frequent than about this; 0 keeps all.",
        at_least=0, at_most=1, remedy="1e-3 to 1e-5 are usual, 0 keeps all", kept="result",
    )  # fmt: skip
    hs: bool = setting(False, "Train by hierarchical softmax too; alone with `negative` 0.", kept="result")
    subwords: str | None = setting(
        None, "Also train vectors of character n-grams of these lengths, such as 3-6: unknown words get vectors.",
        remedy="'3-6' is usual", kept="result", metavar="MIN-MAX",
    )  # fmt: skip
    buckets: int = setting(
        2_000_000, "Buckets that n-grams of `subwords` are hashed to, by default as in `init`; 0 hashes none.",
        at_least=0, kept="result", aliases=("bucket",),
    )  # fmt: skip
    window_mode: Literal["dynamic", "fixed"] = setting(
        "dynamic", "Draw each window from 1 to `window`, as word2vec does, or always use `window`.", kept="result"
    )
    noise_exponent: float = setting(
        0.75, "Draw negative samples in proportion to count ** exponent.",
        at_least=-100, at_most=100, kept="result", aliases=("ns-exponent",),
    )  # fmt: skip
    valid: CorpusLike | None = setting(
        None, "Held-out text: compute the loss on it after every epoch.", group="input", kept="resume"
    )
    valid_share: float = setting(
        0.0, "Hold out this share of the corpus instead.",
        group="input", at_least=0, at_most=0.5, remedy="0.01 is usual, 0 holds nothing out", kept="result",
    )  # fmt: skip
    patience: int | None = setting(
        None, "Stop when the held-out loss has not improved for this many epochs.",
        group="input", at_least=1, remedy="2 is usual", kept="resume",
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window == "all":  # lines are shuffled, and all windows are the largest
            object.__setattr__(self, "window_mode", "fixed")
        elif changed(self, ["partners"]):
            raise SettingError("`partners` are drawn with `window='all'` only; set it, or give the `window`")
        if not (self.negative or self.hs):
            raise SettingError("`negative` must be at least 1, got 0; without negative samples use `hs`")
        if self.freeze == "contexts" and self.hs:
            raise SettingError("`freeze='contexts'` is for negative sampling; leave out `hs`")
        if self.valid is not None and self.valid_share:
            raise SettingError("`valid` and `valid_share` both give held-out text; leave one of them out")
        if self.patience is not None and self.valid is None and not self.valid_share:
            raise SettingError("`patience` needs held-out text: name it with `valid`, or take it with `valid_share`")

        if self.subwords is not None:
            self._check_subwords(self.subwords)
        elif changed(self, ["buckets"]):
            raise SettingError("`buckets` are for n-grams; set `subwords=3-6` too, or leave them out")

    def _check_subwords(self, lengths: str) -> None:
        """Check the lengths of n-grams, and what cannot be trained with them."""
        match = re.fullmatch("([0-9]+)-([0-9]+)", lengths)
        if not match or not 1 <= int(match[1]) <= int(match[2]) <= LONGEST:
            raise SettingError(
                f"`subwords` must be the least and the most characters of n-grams, from 1 to {LONGEST}, such as 3-6, "
                f"got {lengths[:40]!r}"
            )
        if self.freeze:
            raise SettingError(
                "`freeze` keeps vectors as they are, but with `subwords` words share the rows of n-grams; leave one out"
            )

    def with_initial(self, subwords: Subwords | None) -> TrainingSettings:
        """Check that the n-grams of `init` can be trained further, and take their `buckets` unless some are given."""
        if self.subwords is None or subwords is None:
            return super().with_initial(subwords)
        buckets = self.buckets if changed(self, ["buckets"]) else subwords.n_buckets
        if (subwords.lengths, subwords.n_buckets) != (self.subwords, buckets):
            raise SettingError(
                f"`init` has {subwords}; continue with `subwords={subwords.lengths}` and "
                f"`buckets={subwords.n_buckets}`, or save it as .vec first, which leaves n-grams out"
            )
        return replace(self, buckets=buckets)

    @property
    def ngram_lengths(self) -> tuple[int, int] | None:
        """The least and the most characters of n-grams."""
        if self.subwords is None:
            return None
        least, most = map(int, self.subwords.split("-"))
        return least, most

    def run(self, data: CorpusLike) -> Run:
        """Make the `Run` that trains on a corpus."""
        from embedtrain.models.word2vec_model import word2vec_run  # imports Numba, which --help does not need

        return word2vec_run(self, data)

    @property
    def reach(self) -> int:
        """The largest window to each side."""
        return (self.partners + 1) // 2 if self.window == "all" else self.window

    @property
    def corrected(self) -> bool:
        """Whether each context word gets its share of the gradient of CBOW's mean, not all of it."""
        return False

    def stops_early(self, valid_losses: Sequence[float]) -> bool:
        """Whether the held-out loss has not improved for `patience` epochs."""
        if self.patience is None or math.isnan(valid_losses[-1]):  # held-out text without pairs has no loss
            return False
        return len(valid_losses) - 1 - int(np.argmin(valid_losses)) >= self.patience

    def keep_probability(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Probability that subsampling keeps a token of each word, of words with these (n_words,) counts."""
        return keep_probability(counts, self.sample)
