"""The settings that skip-gram and CBOW share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.sources import CorpusLike
from embedtrain.models.distributions import keep_probability
from embedtrain.training.options import RunOptions
from embedtrain.training.plan import plan_run
from embedtrain.training.reports import Plan
from embedtrain.training.run import Run
from embedtrain.training.settings import ModelSettings
from embedtrain.training.text_data import TextCut, TextSource


@dataclass(frozen=True, kw_only=True)
class Word2vecSettings(ModelSettings):
    """The settings of a run; see `train_skipgram`."""

    model: ClassVar[str]
    usual: ClassVar = {"window": "5 is usual", "epochs": "5 is usual"}

    window_mode: str
    negative: int
    hs: bool
    noise_exponent: float
    sample: float
    valid_share: float

    def __post_init__(self) -> None:
        super().__post_init__()
        self.take_name(("dynamic", "fixed"), "window_mode")
        self.take_flag("hs")
        if self.hs:
            self.take_whole(0, "negative", "5 is usual, 0 leaves hierarchical softmax alone")
        else:
            self.take_whole(1, "negative", "5 is usual; without negative samples use hierarchical softmax, hs")
        self.take_real(-100, 100, "noise_exponent", "0.75 is usual")
        self.take_real(0, 1, "sample", "1e-3 to 1e-5 are usual, 0 is off")
        self.take_real(0, 0.5, "valid_share", "0.01 is usual, 0 holds nothing out")

    @property
    def corrected(self) -> bool:
        """Whether contexts of CBOW take their share of a step, not all of it."""
        return False

    def kept_share(self, counts: NDArray[np.int64]) -> float:
        """Share of the tokens that subsampling keeps, of words that occur so often."""
        return float((keep_probability(counts, self.sample) * counts).sum() / counts.sum())


def word2vec_run(settings_type: type[Word2vecSettings], arguments: Mapping[str, Any]) -> Run:
    """The run that the arguments of `train_skipgram` or `train_cbow` ask for."""
    settings = settings_type(**{field.name: arguments[field.name] for field in fields(settings_type)})
    options = RunOptions.of(arguments, settings.valid_share)
    from embedtrain.models.word2vec_model import Word2vecModel

    cut = TextCut(settings.min_count, settings.max_vocab, settings.valid_share, settings.seed)
    return Run(settings.model, TextSource(arguments["corpus"], cut, options), settings, options, Word2vecModel)


def plan_word2vec(
    train: Callable[..., Any], settings_type: type[Word2vecSettings], corpus: CorpusLike, arguments: Mapping[str, Any]
) -> Plan:
    """What `train` would do with these arguments."""
    call = inspect.signature(train).bind(corpus, **arguments)
    call.apply_defaults()
    return plan_run(word2vec_run(settings_type, call.arguments))
