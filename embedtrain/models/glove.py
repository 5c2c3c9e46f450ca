"""GloVe: vectors whose products are the logarithms of how often words stand beside each other.

For words i and j with the co-occurrence count X_ij the model fits w_i . c_j + b_i + b~_j to log X_ij by weighted
least squares. The counts lie in tiles of some rows by some columns; tiles that share neither are trained on at the
same time, so that no two threads ever touch the same vector, and the result does not depend on how many there are.

References
----------
Pennington, Socher, Manning, "GloVe: Global Vectors for Word Representation" (2014).
Duchi, Hazan, Singer, "Adaptive subgradient methods for online learning and stochastic optimization" (2011).
"""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.sources import CorpusLike
from embedtrain.counts.given import are_counts, paths_among, read_counts
from embedtrain.counts.matrix import Counts
from embedtrain.counts.tiles import TILE_CELL_BYTES
from embedtrain.counts.tiling import build_tiles
from embedtrain.errors import SettingError
from embedtrain.kernels.glove import train_tile as kernels
from embedtrain.kernels.simd.alignment import padded
from embedtrain.training.count_data import Budget, Counted, CountedTextSource, GivenCounts
from embedtrain.training.loss import ChunkResult
from embedtrain.training.options import RunOptions
from embedtrain.training.plan import plan_run
from embedtrain.training.protocols import Source
from embedtrain.training.reports import Epoch, Plan
from embedtrain.training.run import Run
from embedtrain.training.settings import CountSettings, ModelSettings
from embedtrain.training.tables import Table, table_bytes
from embedtrain.training.text_data import TextCut, TextSource
from embedtrain.training.tile_schedule import Rounds, Tile
from embedtrain.vectors.word_vectors import WordVectors

PathLike: TypeAlias = "str | os.PathLike[str]"

_BIASES = 2  # elements of a row beside the vector: its bias, and a one for the bias of the other row
_SAMPLES, _JUDGED = 64, 1 << 12  # stretches of cells whose cost at the start tells what a diverging run must reach
_OF_COUNTING = ("window", "weighting", "symmetric", "min_count", "max_vocab", "read_vocab", "cache")


@dataclass(frozen=True, kw_only=True)
class GloveSettings(ModelSettings, CountSettings):
    """The settings of a run; see `train_glove`."""

    usual: ClassVar = {"window": "10 is usual", "epochs": "25 is usual", "lr": "0.05 is usual"}

    x_max: float
    alpha: float
    vectors: str

    def __post_init__(self) -> None:
        super().__post_init__()
        self.take_real(0, 1e30, "x_max", "10 and 100 are usual", above=True)
        self.take_real(0, 10, "alpha", "0.75 is usual; the learning rate is lr")
        self.take_name(("sum", "word", "context"), "vectors")


def train_glove(
    corpus_or_counts: CorpusLike | Counts | Any,
    words: Sequence[str] | PathLike | None = None,
    *,
    dim: int = 100,
    window: int = 10,
    weighting: str = "distance",
    symmetric: bool = True,
    x_max: float = 10.0,
    alpha: float = 0.75,
    vectors: str = "sum",
    min_count: int = 5,
    max_vocab: int | None = None,
    read_vocab: PathLike | None = None,
    save_vocab: PathLike | None = None,
    epochs: int = 25,
    lr: float = 0.05,
    seed: int = 1,
    threads: int | None = None,
    memory: int | str | None = None,
    init: PathLike | WordVectors | None = None,
    freeze: bool = False,
    checkpoint: PathLike | None = None,
    checkpoint_every: float = 10.0,
    resume: PathLike | None = None,
    cache: PathLike | None = None,
    temp_folder: PathLike | None = None,
    progress: bool | None = None,
    callback: Callable[[Epoch], object] | None = None,
) -> WordVectors:
    """Train word vectors on co-occurrence counts (GloVe).

    The result is the same for any number of threads.

    Parameters
    ----------
    corpus_or_counts : path, Corpus, lines, token lists, Counts, or sparse matrix
        Text, as `train_skipgram` takes it, whose co-occurrences are counted; or counts: what `cooccurrence_counts`
        returned or ``embedtrain cooccur`` saved, Stanford's `cooccurrence.bin`, or any square sparse matrix of scipy
        with positive cells, of whatever items, symmetric or not.
    words : sequence of str, or path
        Of counts that do not have them: what the rows stand for, or the file of them, a line each.
    dim : int
        Dimensions of the vectors.
    window, weighting, symmetric : int, {"distance", "uniform"}, bool
        How text is counted; see `cooccurrence`. Without meaning for counts.
    x_max : float
        Counts below it weigh less, as (count / x_max) ** alpha; those above weigh 1.
    alpha : float
        That exponent.
    vectors : {"sum", "word", "context"}
        What the result's `vectors` are: the sum of both tables, or one of them. Both come along.
    min_count, max_vocab, read_vocab, save_vocab
        The words that get a vector, as for `train_skipgram`. Counts are taken with all their words.
    epochs : int
        Passes over the counts.
    lr : float
        Initial step of AdaGrad.
    seed : int
        Of all that is random.
    threads : int, optional
        None or 0 uses all available.
    memory : int or str, optional
        Bytes, or a size such as "500M", that the counts and the cells made of them may take; what is more is kept in
        temporary files. By default half of what is free. Vectors and words come on top.
    init : path or WordVectors, optional
        Vectors from which the words that they share with the corpus start.
    freeze : bool
        Whether these words' own vectors stay as they are; needs `vectors` to be "word".
    checkpoint, checkpoint_every, resume, cache, temp_folder, progress, callback
        As for `train_skipgram`. A resumed run counts its text again.

    Returns
    -------
    WordVectors
        With counts, context vectors, settings and a report; its loss is the mean cost of a cell, 1/2 f(x) e^2.

    Raises
    ------
    SettingError, DataError, OutputError, TrainingError, Interrupted
        As `train_skipgram`.
    """
    return _run(locals()).train()  # the arguments


def plan_glove(
    corpus_or_counts: CorpusLike | Counts | Any, words: Sequence[str] | PathLike | None = None, **arguments: Any
) -> Plan:
    """Read and count the corpus and say what `train_glove` would do with the same arguments.

    Raises
    ------
    SettingError, DataError
        As `train_glove` before training, but not for want of memory.
    """
    call = inspect.signature(train_glove).bind(corpus_or_counts, words, **arguments)
    call.apply_defaults()
    return plan_run(_run(call.arguments))


def _run(arguments: Mapping[str, Any]) -> Run:
    """The run that the arguments of `train_glove` ask for."""
    settings = GloveSettings(**{field.name: arguments[field.name] for field in fields(GloveSettings)})
    options = RunOptions.of(arguments)
    if options.freeze and settings.vectors != "word":
        raise SettingError(f"freeze keeps the words' own vectors, and vectors is {settings.vectors!r}; make it 'word'")
    return Run("glove", _source(arguments, settings, options), settings, options, _GloveModel)


def _source(arguments: Mapping[str, Any], settings: GloveSettings, options: RunOptions) -> Source:
    """Text or counts, whatever was given."""
    given, words, budget = arguments["corpus_or_counts"], arguments["words"], Budget(arguments["memory"])
    if not are_counts(given):
        if words is not None:
            raise SettingError("words belong to counts that have none; text brings its own, choose with read_vocab")
        texts = TextSource(given, TextCut(settings.min_count, settings.max_vocab), options)
        return CountedTextSource(texts, settings, options, budget)

    defaults = inspect.signature(train_glove).parameters
    changed = [name for name in _OF_COUNTING if arguments[name] != defaults[name].default]
    if changed:
        raise SettingError(f"{changed[0]} says how text is counted, and these are counts already; leave it out")
    options.require_apart({"the counts": paths_among(given), "the words": paths_among(words)})
    counts = read_counts(given, words)
    if options.save_vocab is not None and counts.counts is None:
        raise SettingError("save_vocab writes how often words occur, which is not known of these counts; leave it out")
    return GivenCounts(counts, options, budget)


class _GloveModel:
    """Both tables with their biases and the sums of AdaGrad, and the tiles that they are trained on.

    Rows of `words` are (w, b, 1), of `contexts` (c, 1, b~), so that their product is w . c + b + b~. What never moves
    has an infinite sum: the ones, and the vectors of frozen words.
    """

    unit = "cells"
    even = False  # a tile of frequent words costs more than others

    def __init__(self, material: Counted, settings: GloveSettings, frozen: NDArray[np.uint8], n_threads: int) -> None:
        n_words, dim = len(material.vocabulary), settings.dim
        self._settings, self._width = settings, padded(dim + _BIASES)
        self.words = Table.uniform(n_words, dim + _BIASES, settings.seed)
        self.contexts = Table.uniform(n_words, dim + _BIASES, [settings.seed, 1])
        self.word_sums, self.context_sums = (Table.zeros(n_words, dim + _BIASES) for _ in range(2))
        for table, sums, one in ((self.words, self.word_sums, dim + 1), (self.contexts, self.context_sums, dim)):
            table.rows[:, one] = 1
            sums.flat[:] = 1
            sums.rows[:, one] = np.inf
        if frozen.size:
            self.word_sums.rows[frozen > 0, :dim] = np.inf

        rows = material.take_rows()
        self.loss_limit = 2 * _cost_of_nothing(rows.values, settings)
        self._tiles = build_tiles(
            *rows, x_max=settings.x_max, alpha=settings.alpha, threads=n_threads, memory=material.room,
            folder=material.tiles_folder,
        )  # fmt: skip
        self.schedule = Rounds(self._tiles.sizes, settings.lr, settings.seed)

    @classmethod
    def memory(cls, material: Counted, settings: GloveSettings) -> dict[str, int]:
        """Four tables, the cells, and the sum of two tables."""
        n_words, dim = len(material.vocabulary), settings.dim
        needed = {f"four tables of {n_words:,} × {dim}": 4 * table_bytes(n_words, dim + _BIASES)}
        if material.tiles_folder is None:
            needed[f"{material.units:,} cells"] = TILE_CELL_BYTES * material.units
        if settings.vectors == "sum":
            needed["the sum of two tables"] = 4 * n_words * dim
        return needed

    @property
    def scratch_bytes(self) -> int:
        """The largest tile, if tiles are read from a file."""
        return TILE_CELL_BYTES * self._tiles.largest_tile if isinstance(self._tiles.cells, Path) else 0

    @property
    def state(self) -> dict[str, NDArray[np.float32]]:
        """Vectors, biases and sums."""
        words, contexts, dim = self.words.rows, self.contexts.rows, self._settings.dim
        return {
            "word_vectors": words[:, :dim],
            "context_vectors": contexts[:, :dim],
            "word_biases": words[:, dim],
            "context_biases": contexts[:, dim + 1],
            "word_sums": self.word_sums.rows,
            "context_sums": self.context_sums.rows,
        }

    def vectors(self) -> dict[str, NDArray[np.float32]]:
        """What was asked for, and both tables."""
        words, contexts = self.state["word_vectors"], self.state["context_vectors"]
        if self._settings.vectors == "word":
            return {"vectors": words, "context_vectors": contexts}
        asked = contexts if self._settings.vectors == "context" else words + contexts
        return {"vectors": asked, "word_vectors": words, "context_vectors": contexts}

    def worker(self, thread: int, text: EncodedCorpus | None = None) -> Callable[[Tile], ChunkResult]:
        """A function that trains on a tile."""
        read = self._tiles.reader()
        W, W_sums, C, C_sums = (table.flat for table in (self.words, self.word_sums, self.contexts, self.context_sums))

        def train(tile: Tile) -> ChunkResult:
            number = self._tiles.number(tile.row_block, tile.column_block)
            cells, begin, end = read(number)
            cost = kernels.train_tile(
                W, W_sums, C, C_sums, cells, begin, end, *self._tiles.corner(number),
                self._width, np.float32(tile.last_lr),
            )  # fmt: skip
            return ChunkResult(end - begin, end - begin, cost, end - begin, tile.last_lr)

        return train


def _cost_of_nothing(values: NDArray[np.float32], settings: GloveSettings) -> float:
    """The mean cost, of a sample of cells, if every product were off by the whole logarithm and by 1 more."""
    begins = np.linspace(0, max(0, len(values) - _JUDGED), _SAMPLES).astype(int).tolist()
    some = np.concatenate([values[begin : begin + _JUDGED] for begin in begins]).astype(np.float64)
    some = some[some > 0]
    if not some.size:  # so many zeros that the sample has nothing else
        return math.inf
    weights = np.minimum(1, (some / settings.x_max) ** settings.alpha)
    return float((0.5 * weights * (np.log(some) ** 2 + 1)).mean())
