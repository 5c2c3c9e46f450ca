"""The interfaces of a run: a source of data, the data, and a model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.formats.subwords import Subwords
from embedtrain.machine.progress import Shown, Stopwatch
from embedtrain.training.chunk_schedule import Schedule
from embedtrain.training.loss import ChunkResult
from embedtrain.training.text_data import TextData


class TrainingData(Protocol):
    """Data that a model trains on: text or counts."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The words that get vectors."""

    @property
    def held_out(self) -> EncodedCorpus | None:
        """Held-out text for a loss after every epoch."""

    @property
    def covered_share(self) -> float:
        """Share of the training tokens that are in the vocabulary."""

    @property
    def texts(self) -> TextData | None:
        """The text, also if it was counted; None for given counts."""

    @property
    def n_items(self) -> int:
        """Tokens or cells in an epoch."""

    @property
    def disk(self) -> int:
        """The most bytes in temporary files."""

    @property
    def remedy(self) -> str:
        """How to make a run fit into memory."""

    def fingerprint(self) -> dict[str, int]:
        """Numbers that identify the data."""

    def summary(self) -> dict[str, int]:
        """Figures for a report, by name."""


class DataSource(Protocol):
    """Reads the data of a run."""

    @property
    def read_options(self) -> Mapping[str, Any]:
        """Options of reading text, by command-line names."""

    def provenance(self) -> dict[str, Any]:
        """Settings to store with the vectors, which a resumed run must share."""

    def read(self, clock: Stopwatch, shown: Shown, kept_words: Sequence[str] = ()) -> Any:
        """Read the data; `kept_words` get vectors even if they are rare or do not occur."""

    def sample(self) -> Any:
        """Data of two words, to compile all kernels of a run."""


class Model(Protocol):
    """The tables of a run and the functions that train them."""

    item_name: str  # unit of an epoch: "words" or "cells"
    loss_limit: float  # a mean loss that only a diverging run reaches
    check_within_epoch: bool  # False: only the mean loss of a whole epoch is compared with the limit
    exchanges: type[Any]  # how several ranks train it: `Exchanges` or `TileExchanges`

    def __init__(self, data: Any, settings: Any, frozen: NDArray[np.uint8], n_threads: int) -> None: ...

    @classmethod
    def memory(cls, data: Any, settings: Any) -> dict[str, int]:
        """Bytes by purpose."""

    @property
    def schedule(self) -> Schedule[Any]:
        """The tasks of an epoch and their order."""

    @property
    def scratch_bytes(self) -> int:
        """Bytes of each thread in addition to the tables."""

    @property
    def state(self) -> dict[str, NDArray[np.float32]]:
        """Views of the arrays that training changes, by their name in a checkpoint; `word_vectors` is first."""

    def vectors(self) -> Mapping[str, Any]:
        """The tables by their names in `WordVectors`."""

    def start_from(self, rows: Sequence[int], subwords: Subwords | None) -> None:
        """Called when the `rows` of "word_vectors" are initial vectors, which had `subwords`."""

    def worker(self, thread: int, text: EncodedCorpus | None = None) -> Callable[[Any], ChunkResult]:
        """Make the function that processes tasks in a thread, or evaluates all blocks of another `text`.

        At a learning rate of 0, no table changes.
        """
