"""Node2vec: skip-gram on random walks on a graph."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from embedtrain.models.skipgram import SkipGram
from embedtrain.training.declarations import other_default, setting
from embedtrain.training.random_walks import RandomWalks, WalkSettings

if TYPE_CHECKING:
    from embedtrain.training.run import Run


@dataclass(frozen=True, kw_only=True)
class Node2vec(SkipGram, WalkSettings):
    """Train vectors of the nodes of a graph by skip-gram on random walks (node2vec; DeepWalk with p = q = 1).

    An epoch is all walks, drawn anew. Every node gets a vector. In Python: train_skipgram, or another model, on
    RandomWalks.
    """

    model: ClassVar = "node2vec"
    # they are of lines or spellings, choose among the words of a text, or hold out a part of it
    without: ClassVar = (
        "partners", "subwords", "buckets", "min_count", "max_vocab", "read_vocab", "map", "drop", "phrases", "cache",
        "valid", "valid_share", "patience",
    )  # fmt: skip

    dim: int | None = setting(
        None, "Dimensions of the vectors; by default those of `init`, else 128.",
        at_least=1, remedy="128 is usual", kept="result", aliases=("dimensions",),
    )  # fmt: skip
    window: int | Literal["all"] = other_default(SkipGram, "window", 10)
    epochs: int = other_default(SkipGram, "epochs", 1)
    sample: float = other_default(SkipGram, "sample", 0.0)

    @property
    def n_dims(self) -> int:
        """Dimensions of the vectors."""
        return self.dim or 128

    def run(self, data: Any) -> Run:
        """Make the `Run` that trains on walks on a graph."""
        return super().run(
            RandomWalks(data, **{field.name: getattr(self, field.name) for field in fields(WalkSettings)})
        )
