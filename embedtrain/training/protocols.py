"""The parts that a run is put together from: where its material comes from, and the model that trains on it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.machine.progress import Stopwatch
from embedtrain.training.chunk_schedule import Schedule
from embedtrain.training.loss import ChunkResult
from embedtrain.training.text_data import Texts


class Material(Protocol):
    """What a model trains on: text, or counts of it."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The words that get vectors."""

    @property
    def held_out(self) -> EncodedCorpus | None:
        """Text that the loss is taken on after every epoch."""

    @property
    def covered_share(self) -> float:
        """Of the tokens to train on, those of words that get vectors."""

    @property
    def texts(self) -> Texts | None:
        """The texts that it is or was made of."""

    @property
    def units(self) -> int:
        """Tokens or cells of an epoch."""

    @property
    def disk(self) -> int:
        """Bytes of temporary files at most."""

    @property
    def remedy(self) -> str:
        """What to do if it does not fit into memory."""

    def identity(self) -> dict[str, int]:
        """What tells it from other material."""

    def facts(self) -> dict[str, int]:
        """What a report says of it."""


class Source(Protocol):
    """Where the material of a run comes from."""

    @property
    def how(self) -> dict[str, Any]:
        """How it is read, in the words of the command line."""

    def made_with(self, settings: Any) -> dict[str, Any]:
        """What is to stay with the result, and the same in a run that is resumed, of settings of a model."""

    def read(self, stack: ExitStack, clock: Stopwatch, shown: bool) -> Any:
        """The material, for as long as the stack lasts."""

    def sample(self) -> AbstractContextManager[Any]:
        """Material of two words, on which all that a run needs can be compiled."""


class Model(Protocol):
    """The tables of a run and what works on them; made of material, settings, frozen words and a number of threads."""

    unit: str  # what it passes: "words" or "cells"
    loss_limit: float  # a mean loss that only a diverging run reaches ...
    even: bool  # ... in any stretch of an epoch, or only over the whole

    def __init__(self, material: Any, settings: Any, frozen: NDArray[np.uint8], n_threads: int) -> None: ...

    @classmethod
    def memory(cls, material: Any, settings: Any) -> dict[str, int]:
        """Bytes by purpose."""

    @property
    def schedule(self) -> Schedule[Any]:
        """The tasks of an epoch and their order."""

    @property
    def scratch_bytes(self) -> int:
        """Memory of each thread beside the tables."""

    @property
    def state(self) -> dict[str, NDArray[np.float32]]:
        """All that training changes, by its name in a checkpoint: views, `word_vectors` first; tables end so."""

    def vectors(self) -> dict[str, NDArray[np.float32]]:
        """The tables by what `WordVectors` calls them."""

    def worker(self, thread: int, text: EncodedCorpus | None = None) -> Callable[[Any], ChunkResult]:
        """A function that does a task, for thread 0, 1, …; on another `text` it takes the losses of all blocks.

        At a learning rate of 0 no table changes.
        """
