"""The settings that models share. A field added here reaches the signature, command line and documentation of all."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.phrases import Phrases
from embedtrain.errors import SettingError
from embedtrain.formats.subwords import Subwords
from embedtrain.machine.files import check_distinct_paths, require_writable
from embedtrain.machine.interrupts import deferred_interrupts
from embedtrain.machine.progress import Shown, note, say, shown
from embedtrain.machine.ranks import ALONE, Ranks, as_ranks
from embedtrain.machine.threads import MOST_THREADS
from embedtrain.training.declarations import Settings, setting
from embedtrain.training.initial_vectors import KeyedVectors, as_word_vectors
from embedtrain.training.reports import Epoch, Plan
from embedtrain.vectors.word_vectors import WordVectors

PathLike: TypeAlias = str | os.PathLike[str]


@dataclass(frozen=True, kw_only=True)
class VocabularySettings(Settings):
    """Choice of the words of a text."""

    min_count: int = setting(
        5, "Skip words that occur less often.",
        group="vocabulary", at_least=1, remedy="1 keeps every word", kept="result", aliases=("mincount", "minCount"),
    )  # fmt: skip
    max_vocab: int | None = setting(
        None, "Keep only this many words, the most frequent.",
        group="vocabulary", at_least=2, remedy="leave it out to keep all words", kept="result",
        aliases=("max-final-vocab",),
    )  # fmt: skip
    map: PathLike | Mapping[str, str] | None = setting(
        None, "Replace types, as by their lemmas: lines of a type, a tab and its replacement.", group="vocabulary",
        kept="result",
    )  # fmt: skip
    drop: PathLike | Collection[str] | None = setting(
        None, "Leave out these words, as stop words: a file with one a line.", group="vocabulary", kept="result"
    )
    phrases: PathLike | Phrases | None = setting(
        None, "Join these phrases, of a file of embedtrain phrases, after `map` and `drop`.", group="vocabulary",
        kept="result",
    )  # fmt: skip
    cache: PathLike | None = setting(
        None, "Keep the encoded corpus in this folder; the next run on the same files does not read them.",
        group="input", metavar="FOLDER",
    )  # fmt: skip
    threads: int | None = setting(
        None, "Number of threads; by default, and with 0, all.",
        group="run", at_least=0, at_most=MOST_THREADS, remedy="0 uses all", kept="resume",
        aliases=("workers", "thread"),
    )  # fmt: skip
    progress: bool | Literal["auto", "bar", "lines", "none"] | None = setting(
        None, "Bar, lines or none; auto fits the terminal. In Python True is auto, False reports nothing at all, and "
        "None is auto on a terminal or in a notebook, elsewhere False.",
        group="run",
    )  # fmt: skip

    def kept(self, purpose: Literal["result", "resume"]) -> dict[str, Any]:
        """The settings that are kept for a purpose; of words and phrases given as objects, only their number."""
        kept = super().kept(purpose)
        for name in {"map", "drop", "phrases"} & kept.keys():
            if (value := kept[name]) is not None:
                is_path = isinstance(value, (str, os.PathLike))
                kept[name] = os.fspath(value) if is_path else f"{len(value):,} in memory"
        return kept

    @property
    def shown(self) -> Shown:
        """What is reported."""
        return shown(self.progress)

    @contextmanager
    def compiling(self) -> Iterator[None]:
        """Report if kernels are compiled in the block, and raise interrupts between its steps only."""
        from embedtrain.kernels.compilation import UNCACHED, on_compilation  # Numba, which --help does not need
        from embedtrain.kernels.kernel_cache import UNSAVED

        where = "in each process, as no cache can be written; set NUMBA_CACHE_DIR to a folder" if UNCACHED else "once"
        text = f"compiling kernels, some seconds, {where}"
        with deferred_interrupts() as interrupted:

            def stop() -> None:
                if interrupted():
                    raise KeyboardInterrupt

            with on_compilation(lambda: say(text, shown=self.shown), before_step=stop):
                yield
        if UNSAVED:
            note(f"compiled kernels cannot be saved in {UNSAVED[0]}; free it, or set NUMBA_CACHE_DIR to a folder")
            UNSAVED.clear()


@dataclass(frozen=True, kw_only=True)
class TextSettings(VocabularySettings):
    """How text is read and encoded."""

    over_ranks: ClassVar[bool] = False  # whether several ranks can share the work

    read_vocab: PathLike | None = setting(
        None, 'Take words and counts from a file of lines "word count".', group="vocabulary", kept="resume"
    )
    save_vocab: PathLike | None = setting(None, "Write words and counts to this file.", group="vocabulary")
    ranks: Ranks | None = setting(
        None, "Train together with other processes, of which each reads its share of the text: a communicator of "
        "mpi4py, such as MPI.COMM_WORLD.",
        group="run", option=None,
    )  # fmt: skip
    temp_folder: PathLike | None = setting(
        None, "Folder of temporary files: 4 bytes a token while training, twice that while text is encoded.",
        group="run", option=None,
    )  # fmt: skip

    def __post_init__(self) -> None:
        object.__setattr__(self, "ranks", as_ranks(self.ranks))
        super().__post_init__()
        if self.all_ranks.size > 1 and not self.over_ranks:
            raise SettingError("`ranks` cannot share the work of this model; start one process")

    @property
    def shown(self) -> Shown:
        """What is reported: nothing by other ranks than the first."""
        return "" if self.all_ranks.rank else super().shown

    @property
    def all_ranks(self) -> Ranks:
        """The ranks that train together."""
        return self.ranks or ALONE

    def keep_probability(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Probability that subsampling keeps a token of each word, of words with these (n_words,) counts."""
        return np.ones(len(counts))

    def kept_share(self, counts: NDArray[np.int64]) -> float:
        """Share of the tokens that subsampling keeps, of words with these (n_words,) counts, 0 if unknown."""
        return float((self.keep_probability(counts) * counts).sum() / counts.sum()) if counts.any() else 1.0

    def check_paths(self, inputs: Mapping[str, Sequence[PathLike]]) -> None:
        """Check that the output files can be written and replace no input; keys of `inputs` are for messages."""
        files = {**inputs, **self._paths("read_vocab", "map", "drop", "phrases", "connectors", "init")}
        outputs = self._paths("checkpoint", "save_vocab", "documents")
        check_distinct_paths(files, {name: paths[0] for name, paths in outputs.items()})
        for paths in outputs.values() if self.all_ranks.rank == 0 else ():  # the others write nothing
            require_writable(paths[0])

    def _paths(self, *names: str) -> dict[str, list[PathLike]]:
        """The settings of these names that are paths."""
        values = {name: getattr(self, name, None) for name in names}
        return {name: [path] for name, path in values.items() if isinstance(path, (str, os.PathLike))}


@dataclass(frozen=True, kw_only=True)
class MemorySettings(TextSettings):
    """Where counts are."""

    memory: int | str | None = setting(
        None, "Memory for counts, in bytes or as 500M or 4G; the rest is in temporary files. By default half of the "
        "free memory.",
        group="run", metavar="SIZE",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class CountSettings(MemorySettings):
    """How co-occurrences are counted."""

    window: int | Literal["all"] = setting(
        10, "Words before and after a word that count as its contexts; with all, its whole line, without weights.",
        at_least=1, kept="result", metavar="INTEGER|all", aliases=("ws", "window-size", "context"),
    )  # fmt: skip
    weighting: Literal["distance", "uniform"] = setting(
        "distance", "Count a pair as 1 / distance, as GloVe does, or as 1.", kept="result"
    )
    symmetric: bool = setting(
        True, "Count words on both sides, or only those before a word.",
        kept="result", option="--symmetric/--left-only",
    )  # fmt: skip

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window == "all":  # the order of a line does not matter
            object.__setattr__(self, "weighting", "uniform")


@dataclass(frozen=True, kw_only=True)
class CountModelSettings(CountSettings):
    """How a model gets its co-occurrence counts: counted in text, or given."""

    words: PathLike | Iterable[str] | None = setting(
        None, "Words of the rows, for counts without words; a file has one word per line.",
        group="input", option="--vocab", metavar="FILE",
    )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class VectorSettings(TextSettings):
    """Settings of every model."""

    model: ClassVar[str]  # its name on the command line and in files

    dim: int | None = setting(
        None, "Dimensions of the vectors; by default those of `init`, else 100.",
        at_least=1, remedy="100 is usual", kept="result", aliases=("size", "dims", "vector-size"),
    )  # fmt: skip
    seed: int = setting(
        1, "Seed of all random numbers.", group="run", at_least=0, remedy="any other number gives another run",
        kept="result",
    )  # fmt: skip

    @property
    def n_dims(self) -> int:
        """Dimensions of the vectors."""
        return self.dim or 100


@dataclass(frozen=True, kw_only=True)
class TrainingSettings(VectorSettings):
    """How a model is trained by gradient descent, in epochs."""

    epochs: int = setting(5, "Passes over the corpus.", at_least=1, kept="result", aliases=("iter", "epoch"))
    lr: float = setting(
        0.025, "Initial learning rate; it falls linearly.",
        above=0, at_most=1000, kept="result", aliases=("eta", "learning-rate"),
    )  # fmt: skip
    init: PathLike | WordVectors | KeyedVectors | None = setting(
        None, "Start from these vectors.", group="input", metavar="VECTORS"
    )
    init_words: Literal["union", "shared"] = setting(
        "union", "Give vectors to the words of the text and to all of `init`, or to those of the text alone.",
        group="input",
    )  # fmt: skip
    freeze: bool | Literal["words", "contexts"] | None = setting(
        None, "Keep the vectors of `init` as they are, and train the others; with contexts, keep all context vectors.",
        group="input", metavar="[words|contexts]",
    )  # fmt: skip
    checkpoint: PathLike | None = setting(
        None, "Write the state of the run to this file, regularly and when it is interrupted.", group="run"
    )
    checkpoint_every: float = setting(
        10.0, "Minutes between checkpoints.", group="run", at_least=0, kept="resume", metavar="MINUTES"
    )
    resume: PathLike | None = setting(
        None, "Continue from a checkpoint, on the same text with the same settings, perhaps for more `epochs`.",
        group="run",
    )  # fmt: skip
    callback: Callable[[Epoch], object] | None = setting(
        None, "Called with an `Epoch` after every epoch; training stops when it returns a true value.",
        group="run", option=None,
    )  # fmt: skip

    def __post_init__(self) -> None:
        object.__setattr__(self, "init", as_word_vectors(self.init))
        super().__post_init__()
        if self.freeze is True:
            object.__setattr__(self, "freeze", "words")
        if self.init is not None and self.init_words == "union" and self.read_vocab and self.resume is None:
            raise SettingError("`read_vocab` says which words get vectors; with it, set `init_words='shared'`")
        if self.freeze and self.init is None and self.resume is None:
            raise SettingError("`freeze` keeps the vectors of `init` as they are; name their file with `init`")

    def with_initial(self, subwords: Subwords | None) -> TrainingSettings:
        """Check the n-grams of `init`, and take their settings; a note is issued if they are left out."""
        if subwords is not None:
            note(f"the subwords of `init`, {subwords}, are left out: words start from their whole vectors")
        return self

    def run(self, data: Any) -> Any:
        """Make the `Run` that trains on data."""
        raise NotImplementedError

    def train(self, data: Any) -> WordVectors:
        """Train on data; see `train_skipgram`."""
        vectors: WordVectors = self.run(data).train()
        return vectors

    def plan(self, data: Any) -> Plan:
        """Read data, and return the expected work, memory and time of `train`."""
        plan: Plan = self.run(data).plan()
        return plan

    def stops_early(self, valid_losses: Sequence[float]) -> bool:
        """Whether to stop training after these held-out losses."""
        return False
