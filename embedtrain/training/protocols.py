"""What a run is made of: a source of data, the data, and a model that trains on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.machine.progress import Stopwatch
from embedtrain.training.chunk_schedule import Schedule
from embedtrain.training.loss import ChunkResult
from embedtrain.training.text_data import TextData


class TrainingData(Protocol):
    """What a model trains on: text, or counts."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The words that get vectors."""

    @property
    def held_out(self) -> EncodedCorpus | None:
        """Text whose loss is computed after every epoch."""

    @property
    def covered_share(self) -> float:
        """Share of the tokens to train on that are in the vocabulary."""

    @property
    def texts(self) -> TextData | None:
        """The text, also where it was counted."""

    @property
    def n_items(self) -> int:
        """Tokens or cells in an epoch."""

    @property
    def disk(self) -> int:
        """Bytes of temporary files at most."""

    @property
    def remedy(self) -> str:
        """How to make a run fit into memory."""

    def fingerprint(self) -> dict[str, int]:
        """Numbers that differ for other data."""

    def summary(self) -> dict[str, int]:
        """The figures of a report."""


class DataSource(Protocol):
    """Reads the data of a run."""

    @property
    def read_options(self) -> Mapping[str, Any]:
        """How text is read, by the names of command-line options."""

    def provenance(self) -> dict[str, Any]:
        """The settings stored with the vectors, which a resumed run must share."""

    def read(self, clock: Stopwatch, shown: bool) -> Any:
        """The data."""

    def sample(self) -> Any:
        """Data of two words, on which all kernels of a run can be compiled."""


class Model(Protocol):
    """The tables of a run and the functions that train them."""

    item_name: str  # what an epoch passes over: "words" or "cells"
    loss_limit: float  # a mean loss that only a diverging run reaches
    check_within_epoch: bool  # False: only the mean loss of a whole epoch can be compared with the limit

    def __init__(self, data: Any, settings: Any, frozen: NDArray[np.uint8], n_threads: int) -> None: ...

    @classmethod
    def memory(cls, data: Any, settings: Any) -> dict[str, int]:
        """Bytes by purpose."""

    @property
    def schedule(self) -> Schedule[Any]:
        """The tasks of an epoch and their order."""

    @property
    def scratch_bytes(self) -> int:
        """Memory of each thread beside the tables."""

    @property
    def state(self) -> dict[str, NDArray[np.float32]]:
        """Views of all that training changes, by its name in a checkpoint: `word_vectors` first."""

    def vectors(self) -> dict[str, NDArray[np.float32]]:
        """The tables by their names in `WordVectors`."""

    def worker(self, thread: int, text: EncodedCorpus | None = None) -> Callable[[Any], ChunkResult]:
        """A function that does a task, for thread 0, 1, …; on another `text` it computes the loss of all blocks.

        At a learning rate of 0 no table changes.
        """
