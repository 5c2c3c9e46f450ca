"""The settings of models that factorise a matrix of counts: SVD and LSA."""

from __future__ import annotations

from dataclasses import dataclass

from embedtrain.training.declarations import setting
from embedtrain.training.settings import MemorySettings, VectorSettings


@dataclass(frozen=True, kw_only=True)
class FactorSettings(MemorySettings, VectorSettings):
    """The dimensions, and how much the first of them weigh."""

    dim: int = setting(
        100, "Dimensions of the vectors, the largest singular values first: the first columns are the vectors of "
        "fewer dimensions.",
        at_least=1, remedy="100 is usual", kept="result", aliases=("size", "dims", "vector-size"),
    )  # fmt: skip
    singular_exponent: float = setting(
        0.25, "Multiply each dimension by its singular value to this power: 0 weighs all alike, 1 as in the matrix.",
        at_least=0, at_most=1, kept="result", aliases=("eig",),
    )  # fmt: skip
