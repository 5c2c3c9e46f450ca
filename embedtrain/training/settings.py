"""Settings that every model has, and how all are checked."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import SettingError


class _Checked:
    """What checks settings, each under its name."""

    def take_whole(self, least: int, name: str, remedy: str) -> None:
        """See that a setting is a whole number, and make it one of Python's."""
        value = getattr(self, name)
        if not isinstance(value, Integral) or not least <= int(value) < 2**31:
            raise SettingError(f"{name} must be a whole number of at least {least}, got {value!r}; {remedy}")
        object.__setattr__(self, name, int(value))  # NumPy's numbers would overflow, and compile kernels anew

    def take_real(self, least: float, most: float, name: str, remedy: str, *, above: bool = False) -> None:
        """See that a setting is a number in a range, whose lower end may be excluded."""
        value = getattr(self, name)
        if not isinstance(value, Real) or not least <= float(value) <= most:
            raise SettingError(f"{name} must be between {least} and {most}, got {value}; {remedy}")
        if above and value == least:
            raise SettingError(f"{name} must be above {least}, got {value}; {remedy}")
        object.__setattr__(self, name, float(value))

    def take_flag(self, name: str) -> None:
        """See that a setting is yes or no."""
        value = getattr(self, name)
        if not isinstance(value, (bool, np.bool_)):
            raise SettingError(f"{name} must be True or False, got {value!r}")
        object.__setattr__(self, name, bool(value))

    def take_name(self, names: tuple[str, ...], name: str) -> None:
        """See that a setting is one of several words."""
        value = getattr(self, name)
        if value not in names:
            listed = ", ".join(map(repr, names[:-1])) + f" or {names[-1]!r}"
            raise SettingError(f"{name} must be {listed}, got {value!r}")


@dataclass(frozen=True, kw_only=True)
class TextSettings(_Checked):
    """How words and their contexts are taken from text; see `train_skipgram`.

    A class that adds settings checks them after these, with `take_whole`, `take_real` and `take_name`.
    """

    usual: ClassVar[dict[str, str]] = {"window": "10 is usual"}  # said of what cannot be, where models differ

    window: int
    min_count: int
    max_vocab: int | None

    def __post_init__(self) -> None:
        self.take_whole(1, "window", self.usual["window"])
        self.take_whole(1, "min_count", "1 keeps every word")
        if self.max_vocab is not None:
            self.take_whole(2, "max_vocab", "leave it out to keep all words")


@dataclass(frozen=True, kw_only=True)
class CountSettings(TextSettings):
    """How co-occurrences are counted; see `cooccurrence`."""

    weighting: str
    symmetric: bool

    def __post_init__(self) -> None:
        super().__post_init__()
        self.take_name(("distance", "uniform"), "weighting")
        self.take_flag("symmetric")


@dataclass(frozen=True, kw_only=True)
class ModelSettings(TextSettings):
    """The settings that every model has; see `train_skipgram`."""

    dim: int
    epochs: int
    lr: float
    seed: int

    def __post_init__(self) -> None:
        super().__post_init__()
        self.take_whole(1, "dim", "100 is usual")
        self.take_whole(1, "epochs", self.usual["epochs"])
        self.take_real(0, 1000, "lr", self.usual["lr"], above=True)
        self.take_whole(0, "seed", "any other number gives another run")

    def kept_share(self, counts: NDArray[np.int64]) -> float:
        """Share of the tokens that subsampling keeps, of words that occur so often."""
        return 1.0
