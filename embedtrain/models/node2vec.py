"""Node2vec: skip-gram on random walks on a graph."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

from embedtrain.models.skipgram import SkipGram
from embedtrain.training.declarations import setting
from embedtrain.training.random_walks import RandomWalks, WalkSettings

if TYPE_CHECKING:
    from embedtrain.training.run import Run


@dataclass(frozen=True, kw_only=True)
class Node2vec(SkipGram, WalkSettings):
    """Train vectors of the nodes of a graph by skip-gram on random walks (node2vec; DeepWalk with p = q = 1).

    Walks are drawn while training, anew in each epoch. Every node gets a vector. In Python: train_skipgram, or another
    model, on RandomWalks.
    """

    command: ClassVar = "node2vec"

    dim: int | None = setting(
        None, "Dimensions of the vectors; by default those of `init`, else 128.",
        at_least=1, remedy="128 is usual", kept="result", aliases=("size", "dims", "dimensions", "vector-size"),
    )  # fmt: skip
    window: int = setting(
        10, "Nodes before and after a node in a walk that are its contexts.",
        at_least=1, kept="result", aliases=("ws", "window-size", "context"),
    )  # fmt: skip
    epochs: int = setting(
        1, "Times that all walks are drawn and trained on.", at_least=1, kept="result", aliases=("iter", "epoch")
    )
    # without an option: they are of lines, choose among the words of a text, or hold out a part of it
    partners: int = setting(10, "", option=None)
    min_count: int = setting(1, "", at_least=1, at_most=1, option=None)
    max_vocab: int | None = setting(None, "", option=None)
    read_vocab: None = setting(None, "", option=None)
    cache: None = setting(None, "", option=None)
    valid: None = setting(None, "", option=None)
    valid_share: float = setting(0.0, "", at_most=0, option=None)
    patience: None = setting(None, "", option=None)

    @property
    def n_dims(self) -> int:
        """Dimensions of the vectors."""
        return self.dim or 128

    def run(self, data: Any) -> Run:
        """Make the `Run` that trains on walks on a graph."""
        return super().run(
            RandomWalks(data, **{field.name: getattr(self, field.name) for field in fields(WalkSettings)})
        )
