"""The co-occurrence counts of a run: taken from text, or given."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.counts.counting import count_windows
from embedtrain.counts.matrix import Counts
from embedtrain.counts.rows import ROW_CELL_BYTES, CsrMatrix
from embedtrain.counts.tiles import TILE_CELL_BYTES
from embedtrain.errors import DataError, SettingError
from embedtrain.machine.memory import available_memory, format_bytes, mapping_of, parse_bytes, release_pages
from embedtrain.machine.progress import Progress, Stopwatch
from embedtrain.machine.threads import resolve_threads
from embedtrain.training.options import RunOptions
from embedtrain.training.settings import CountSettings
from embedtrain.training.text_data import Texts, TextSource, checksum

_PIECE_BYTES = 12  # of a cell in the pieces that a text may be counted in
_PLENTY = 1 << 30  # bytes, for a sample


@dataclass
class Counted:
    """What a run trains on that was counted before.

    Attributes
    ----------
    vocabulary : Vocabulary
        The words that get vectors; counts of 0 where they are not known.
    rows : CsrMatrix or None
        The counts, until someone takes them.
    texts : Texts or None
        What was counted.
    tiles_folder : Path or None
        Where training is to keep the cells, if memory is not to hold them.
    room : int
        Bytes that putting them there may take.
    disk : int
        Bytes of temporary files at most.
    """

    vocabulary: Vocabulary
    rows: CsrMatrix | None
    texts: Texts | None
    tiles_folder: Path | None
    room: int
    disk: int

    held_out = None
    covered_share = 1.0

    @classmethod
    def of(
        cls, vocabulary: Vocabulary, rows: CsrMatrix, folder: Path, budget: int, texts: Texts | None = None
    ) -> Counted:
        """Counts and where training is to keep its cells: in the folder, if the budget has no room for both."""
        n_cells, mapped = len(rows.columns), mapping_of(rows.columns) is not None
        if not n_cells:
            raise DataError("no two words stand beside each other: there is nothing to learn from")
        room = budget - (0 if mapped else ROW_CELL_BYTES * n_cells)
        fits = TILE_CELL_BYTES * n_cells <= room
        disk = 0 if texts is None else texts.disk + ((ROW_CELL_BYTES + _PIECE_BYTES) * n_cells if mapped else 0)
        if fits:
            return cls(vocabulary, rows, texts, None, room - TILE_CELL_BYTES * n_cells, disk)
        return cls(vocabulary, rows, texts, folder, room, disk + TILE_CELL_BYTES * n_cells)

    def __post_init__(self) -> None:
        assert self.rows is not None
        self.units = len(self.rows.columns)
        self._checksum = checksum(*self.rows)
        release_pages(*self.rows)

    def take_rows(self) -> CsrMatrix:
        """The counts, which are not kept here: who has used them gives the memory free."""
        rows, self.rows = self.rows, None
        assert rows is not None, "the counts were taken before"
        return rows

    @property
    def remedy(self) -> str:
        """What to do if a run does not fit into memory."""
        return "lower dim, or count fewer words" if self.texts is None else self.texts.remedy

    def identity(self) -> dict[str, int]:
        """What tells these counts from others."""
        return {"cells": self.units, "checksum": self._checksum}

    def facts(self) -> dict[str, int]:
        """What a report says of them."""
        return {**({} if self.texts is None else self.texts.facts()), "cells": self.units}


class Budget:
    """The memory that counts, and the cells that training keeps, may take together.

    Parameters
    ----------
    memory : int or str, optional
        Bytes; by default half of what is free.

    Raises
    ------
    SettingError
        If it is no size, or more than is free.
    """

    def __init__(self, memory: int | str | None) -> None:
        self._asked = None if memory is None else parse_bytes(memory, "memory")
        if self._asked is not None and self._asked > (free := available_memory()):
            raise SettingError(
                f"memory is {format_bytes(self._asked)}, and {format_bytes(free)} are free; ask for less"
            )

    @property
    def bytes(self) -> int:
        """How much that is."""
        return available_memory() // 2 if self._asked is None else self._asked


class CountedTextSource:
    """Text whose co-occurrences a run counts.

    Parameters
    ----------
    texts : TextSource
    settings : CountSettings
    options : RunOptions
    budget : Budget
    """

    def __init__(self, texts: TextSource, settings: CountSettings, options: RunOptions, budget: Budget) -> None:
        self._texts, self._settings, self._options, self._budget = texts, settings, options, budget

    @property
    def how(self) -> dict[str, Any]:
        """How the corpus is read, in the words of the command line."""
        return self._texts.how

    def made_with(self, settings: Any) -> dict[str, Any]:
        """All settings."""
        return self._texts.made_with(settings)

    def read(self, stack: ExitStack, clock: Stopwatch, shown: bool) -> Counted:
        """Encode the text and count it; files last as long as the stack."""
        texts = self._texts.read(stack, clock, shown)
        with clock("count"), Progress(len(texts.training.ids), shown=shown) as progress:
            folder = _folder(self._options)
            budget = self._budget.bytes
            rows = self._count(texts.training, len(texts.vocabulary), self._settings, folder, budget, progress)
        return Counted.of(texts.vocabulary, rows, folder, budget, texts)

    @contextmanager
    def sample(self) -> Iterator[Counted]:
        """The counts of two words."""
        with self._texts.sample() as texts:
            folder = _folder(self._options)
            rows = self._count(texts.training, 2, replace(self._settings, window=1), folder, _PLENTY)
            yield Counted.of(texts.vocabulary, rows, folder, _PLENTY)

    def _count(
        self, text: EncodedCorpus, n_words: int, settings: CountSettings, folder: Path, budget: int,
        progress: Progress | None = None,
    ) -> CsrMatrix:  # fmt: skip
        return count_windows(
            text, n_words, window=settings.window, weighting=settings.weighting, symmetric=settings.symmetric,
            threads=resolve_threads(self._options.threads), budget=budget, folder=folder, progress=progress,
        )  # fmt: skip


class GivenCounts:
    """Counts that are there already.

    Parameters
    ----------
    counts : Counts
    options : RunOptions
    budget : Budget
    """

    def __init__(self, counts: Counts, options: RunOptions, budget: Budget) -> None:
        self._counts, self._options, self._budget = counts, options, budget

    @property
    def how(self) -> dict[str, Any]:
        """Nothing: no text is read."""
        return {}

    def made_with(self, settings: Any) -> dict[str, Any]:
        """The settings that are not of counting, and those that the counts were made with."""
        of_counting = {field.name for field in fields(CountSettings)}
        others = {name: value for name, value in asdict(settings).items() if name not in of_counting}
        return {**others, "counts": dict(self._counts.settings)}

    def read(self, stack: ExitStack, clock: Stopwatch, shown: bool) -> Counted:
        """The counts."""
        matrix, n_occurrences = self._counts.matrix, self._counts.counts
        if n_occurrences is None:
            n_occurrences = np.zeros(len(self._counts), np.int64)
        vocabulary = Vocabulary(self._counts.words, n_occurrences)
        rows = CsrMatrix(matrix.indptr, matrix.indices, matrix.data)
        return Counted.of(vocabulary, rows, _folder(self._options), self._budget.bytes)

    @contextmanager
    def sample(self) -> Iterator[Counted]:
        """The counts of two words."""
        rows = CsrMatrix(np.array([0, 1, 2]), np.array([1, 0], np.int32), np.ones(2, np.float32))
        yield Counted.of(Vocabulary(["two", "words"], np.ones(2, np.int64)), rows, _folder(self._options), _PLENTY)


def _folder(options: RunOptions) -> Path:
    """The folder of temporary files."""
    return Path(options.temp_folder or options.cache or tempfile.gettempdir())
