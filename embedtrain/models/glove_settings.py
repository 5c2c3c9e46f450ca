"""The settings of GloVe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from embedtrain.errors import SettingError
from embedtrain.training.declarations import setting
from embedtrain.training.settings import CountModelSettings, TrainingSettings


@dataclass(frozen=True, kw_only=True)
class GloveSettings(CountModelSettings, TrainingSettings):
    """The weights of counts, the step, and the vectors of the result."""

    over_ranks: ClassVar = True

    epochs: int = setting(25, "Passes over the counts.", at_least=1, kept="result", aliases=("iter", "epoch"))
    lr: float = setting(
        0.05, "Initial step of AdaGrad.", above=0, at_most=1000, kept="result", aliases=("eta", "learning-rate")
    )
    x_max: float = setting(
        10.0, "Counts below it weigh less: (count / `x_max`) ** `alpha`.", above=0, at_most=1e30, kept="result"
    )
    alpha: float = setting(
        0.75, "Exponent of the weights; the learning rate is `lr`.",
        at_least=0, at_most=10, remedy="0.75 is usual; the learning rate is `lr`", kept="result",
    )  # fmt: skip
    vectors: Literal["sum", "word", "context"] = setting(
        "sum", "Vectors of the result: the sum of both tables, or one of them.", kept="result"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.vectors == "context" and self.freeze) or (self.vectors == "sum" and self.freeze == "words"):
            raise SettingError(
                f"`freeze` keeps or trains the words' own vectors, not `vectors={self.vectors!r}`; set `vectors='word'`"
            )
        if self.init is not None and self.init_words == "union" and self.vectors == "context":
            raise SettingError(
                "`vectors='context'` loses words of `init` that the text lacks; set `init_words='shared'`"
            )
