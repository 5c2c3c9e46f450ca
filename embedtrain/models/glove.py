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
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, TypeAlias

from embedtrain.corpus.sources import CorpusLike
from embedtrain.counts.matrix import Counts, are_counts, paths_among, read_counts
from embedtrain.errors import SettingError
from embedtrain.training.count_data import Budget, CountedTextSource, GivenCounts
from embedtrain.training.options import RunOptions
from embedtrain.training.plan import plan_run
from embedtrain.training.protocols import Source
from embedtrain.training.reports import Epoch, Plan
from embedtrain.training.run import Run
from embedtrain.training.settings import CountSettings, ModelSettings
from embedtrain.training.text_data import TextCut, TextSource
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
    from embedtrain.models.glove_model import GloveModel

    options = RunOptions.of(arguments)
    if options.freeze and settings.vectors != "word":
        raise SettingError(f"freeze keeps the words' own vectors, and vectors is {settings.vectors!r}; make it 'word'")
    return Run("glove", _source(arguments, settings, options), settings, options, GloveModel)


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
