"""Co-occurrence counts to train on: counted in text, or given."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.counts.counting import count_windows
from embedtrain.counts.matrix import Counts, are_counts, paths_among, read_counts
from embedtrain.counts.matrix_signs import one_triangle, without_cells
from embedtrain.counts.rows import ROW_CELL_BYTES, CsrMatrix
from embedtrain.counts.tiles import TILE_CELL_BYTES
from embedtrain.errors import DataError, SettingError
from embedtrain.machine.memory import available_memory, format_bytes, mapping_of, parse_bytes, release_pages
from embedtrain.machine.progress import Progress, Shown, Stopwatch, note
from embedtrain.machine.threads import resolve_threads
from embedtrain.training.declarations import changed, declaration
from embedtrain.training.settings import CountModelSettings, CountSettings, MemorySettings, TextSettings
from embedtrain.training.text_data import TextData, TextSource, checksum

_SHARD_CELL_BYTES = 12  # of a cell in a shard
_SAMPLE_MEMORY = 1 << 30  # bytes

#: Called with the numbers of rows and columns, before they are counted.
SizeCheck: TypeAlias = Callable[[int, int], None]


@dataclass
class CountData:
    """Co-occurrence counts to train on."""

    vocabulary: Vocabulary  # with counts of 0 where they are unknown
    rows: CsrMatrix | None  # None after `take_rows`
    texts: TextData | None  # the text that was counted
    tiles_folder: Path | None  # for a file of tiles, if they do not fit into memory
    spare_bytes: int  # of memory for building the tiles
    disk: int  # the most bytes in temporary files
    context_words: Sequence[str] | None = None  # of the columns, where they are not the words

    held_out = None
    covered_share = 1.0

    @classmethod
    def of(
        cls, vocabulary: Vocabulary, rows: CsrMatrix, folder: Path, budget: int, texts: TextData | None = None,
        context_words: Sequence[str] | None = None,
    ) -> CountData:  # fmt: skip
        """Make the data; tiles go to a file in the folder if the budget does not fit counts and tiles."""
        n_cells, mapped = len(rows.columns), mapping_of(rows.columns) is not None
        if not n_cells:
            raise DataError("no two words co-occur: there is nothing to learn from")
        if context_words is None and rows.values.dtype == np.float32:  # others complete an exact part
            note(*without_cells(rows, vocabulary.words))
        spare = budget - (0 if mapped else ROW_CELL_BYTES * n_cells)
        fits = TILE_CELL_BYTES * n_cells <= spare
        disk = 0 if texts is None else texts.disk + ((ROW_CELL_BYTES + _SHARD_CELL_BYTES) * n_cells if mapped else 0)
        if fits:
            return cls(vocabulary, rows, texts, None, spare - TILE_CELL_BYTES * n_cells, disk, context_words)
        return cls(vocabulary, rows, texts, folder, spare, disk + TILE_CELL_BYTES * n_cells, context_words)

    def __post_init__(self) -> None:
        assert self.rows is not None
        self.n_items = len(self.rows.columns)
        self._checksum = checksum(*self.rows)
        release_pages(*self.rows)

    def take_rows(self) -> CsrMatrix:
        """Return the counts and drop the reference, so that the caller can free their memory."""
        rows, self.rows = self.rows, None
        assert rows is not None, "the counts were already taken"
        return rows

    @property
    def remedy(self) -> str:
        """How to make a run fit into memory."""
        return "lower `dim`, or count fewer words" if self.texts is None else self.texts.remedy

    def fingerprint(self) -> dict[str, int]:
        """Numbers that identify the counts."""
        return {"cells": self.n_items, "checksum": self._checksum}

    def summary(self) -> dict[str, int]:
        """The figures of a report."""
        return {**({} if self.texts is None else self.texts.summary()), "cells": self.n_items}


def check_memory(memory: int | str | None) -> None:
    """Check that the setting `memory` is at most the free memory."""
    if memory is not None and (given := parse_bytes(memory, "memory")) > (free := available_memory()):
        raise SettingError(f"`memory` is {format_bytes(given)}, and only {format_bytes(free)} are free")


def budget_of(settings: MemorySettings) -> int:
    """The bytes for counts and what is computed from them: the given size, or half of the memory free for this rank."""
    if settings.memory is not None:
        return parse_bytes(settings.memory, "memory")
    ranks = settings.all_ranks
    return available_memory() // 2 // list(ranks.hosts).count(ranks.hosts[ranks.rank])


def source_of(text_or_counts: Any, settings: CountModelSettings) -> CountsFromText | CountsFromMatrix:
    """Make the source of counts: a text to count, or given counts."""
    words, contexts = settings.words, getattr(settings, "context_words", None)
    if not are_counts(text_or_counts):
        if words is not None or contexts is not None:
            raise SettingError(
                f"`{'context_' * (words is None)}words` is for counts without words; text has its own, "
                "choose them with `read_vocab`"
            )
        return CountsFromText(TextSource(text_or_counts, settings), settings)
    counting = [field.name for field in fields(CountSettings) if declaration(field).group in ("model", "vocabulary")]
    text_only = {*counting, "cache"} - {"save_vocab"}
    if others := changed(settings, sorted(text_only, reverse=True)):
        raise SettingError(f"`{others[0]}` says how text is counted, and these are counts already; leave it out")
    inputs = {"the counts": text_or_counts, "the words": words, "the contexts": contexts}
    settings.check_paths({name: paths_among(given) for name, given in inputs.items()})
    counts = read_counts(text_or_counts, words, contexts)
    if counts.context_words is not None and not hasattr(settings, "context_words"):
        raise SettingError("counts with `context_words` are for `train_svd`; here rows and columns are the same words")
    if settings.save_vocab is not None and counts.counts is None:
        raise SettingError("`save_vocab` writes how often words occur, which these counts do not contain; leave it out")
    return CountsFromMatrix(counts, settings)


class CountsFromText:
    """A `DataSource` that counts the co-occurrences of a text."""

    def __init__(self, texts: TextSource, settings: CountSettings, *, exact: bool = False) -> None:
        check_memory(settings.memory)
        self._texts, self._settings, self._exact = texts, settings, exact
        self.read_options = texts.read_options

    def provenance(self) -> dict[str, Any]:
        """The settings of counting and training."""
        return self._texts.provenance()

    def read(
        self, clock: Stopwatch, shown: Shown, kept_words: Sequence[str] = (), before: SizeCheck | None = None
    ) -> CountData:
        """Encode the text and count it, after `before` the counting."""
        texts = self._texts.read(clock, shown, kept_words)
        if before is not None:
            before(len(texts.vocabulary), len(texts.vocabulary))
        with clock("prepare"), self._settings.compiling():
            self.sample()
        with clock("count"), Progress("counting", len(texts.training.ids), shown=shown) as progress:
            folder = folder_of(self._settings)
            budget = budget_of(self._settings)
            rows = self._count(texts, self._settings, folder, budget, progress)
        return CountData.of(texts.vocabulary, rows, folder, budget, texts)

    def sample(self) -> CountData:
        """Counts of two words."""
        texts, folder = self._texts.sample(), folder_of(self._settings)
        rows = self._count(texts, replace(self._settings, window=1), folder, _SAMPLE_MEMORY)
        return CountData.of(texts.vocabulary, rows, folder, _SAMPLE_MEMORY)

    def _count(
        self, texts: TextData, settings: CountSettings, folder: Path, budget: int, progress: Progress | None = None
    ) -> CsrMatrix:
        text = texts.training
        window = text.longest_sentence if settings.window == "all" else settings.window
        return count_windows(
            text, len(texts.vocabulary), window=window, weighting=settings.weighting, symmetric=settings.symmetric,
            threads=resolve_threads(self._settings.threads), budget=budget, folder=folder, progress=progress,
            exact=self._exact, ranks=texts.ranks,
        )  # fmt: skip


class CountsFromMatrix:
    """A `DataSource` of given counts."""

    read_options: Mapping[str, Any] = {}  # no text is read

    def __init__(self, counts: Counts, settings: CountSettings) -> None:
        check_memory(settings.memory)
        self._counts, self._settings = counts, settings

    def provenance(self) -> dict[str, Any]:
        """The settings of training, and those of the given counts."""
        of_counting = {field.name for field in fields(CountSettings)}
        others = {name: value for name, value in self._settings.kept("result").items() if name not in of_counting}
        return {**others, "counts": dict(self._counts.settings)}

    def read(
        self, clock: Stopwatch, shown: Shown, kept_words: Sequence[str] = (), before: SizeCheck | None = None
    ) -> CountData:
        """Return the counts as training data; their words are all that get vectors."""
        if before is not None:
            before(*self._counts.matrix.shape)
        if n_others := len(set(kept_words).difference(self._counts.words)):
            note(f"{n_others:,} words of `init` are not among those of the counts; they get no vectors")
        matrix, n_occurrences = self._counts.matrix, self._counts.counts
        if n_occurrences is None:
            n_occurrences = np.zeros(len(self._counts), np.int64)
        vocabulary = Vocabulary(self._counts.words, n_occurrences)
        rows = CsrMatrix(matrix.indptr, matrix.indices, matrix.data)
        contexts = self._counts.context_words
        if contexts is None and self._counts.settings.get("symmetric", True):
            note(*one_triangle(rows))
        folder, budget = folder_of(self._settings), budget_of(self._settings)
        data = CountData.of(vocabulary, rows, folder, budget, context_words=contexts)
        self._settings.all_ranks.require_equal("the counts", data.fingerprint())
        return data

    def sample(self) -> CountData:
        """Counts of two words."""
        vocabulary = Vocabulary(["two", "words"], np.ones(2, np.int64))
        return CountData.of(vocabulary, two_words(), folder_of(self._settings), _SAMPLE_MEMORY)


def two_words() -> CsrMatrix:
    """Counts of two words, to compile kernels."""
    return CsrMatrix.of(np.array([0, 1, 2]), np.array([1, 0]), np.ones(2))


def folder_of(settings: TextSettings) -> Path:
    """The folder of temporary files."""
    return Path(settings.temp_folder or settings.cache or tempfile.gettempdir())
