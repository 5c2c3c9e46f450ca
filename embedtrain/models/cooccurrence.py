"""Co-occurrence counts of a text as a sparse matrix."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from embedtrain._version import __version__
from embedtrain.corpus.sources import CorpusLike
from embedtrain.machine.memory import mapping_of, require_memory
from embedtrain.machine.progress import Progress, Stopwatch
from embedtrain.machine.threads import resolve_threads
from embedtrain.training.declarations import from_settings, setting
from embedtrain.training.settings import CountSettings, PathLike

if TYPE_CHECKING:
    from scipy import sparse

    from embedtrain.counts.matrix import Counts


@dataclass(frozen=True, kw_only=True)
class Cooccurrence(CountSettings):
    """Count how often words occur near each other, as a sparse matrix."""

    over_ranks: ClassVar = True

    exact: bool = setting(
        False, "Keep counts as float64, half as large again, so that those of parts of a text, counted with one "
        "`read_vocab`, can be merged without a rounding error.",
        group="output",
    )  # fmt: skip

    def mapped_counts(self, corpus: CorpusLike) -> Counts:
        """Count a corpus; the result is mapped from temporary files if memory is too small."""
        from embedtrain.corpus.vocabulary_file import write_vocabulary
        from embedtrain.counts.matrix import counts_of_rows
        from embedtrain.training.count_data import CountsFromText  # imports Numba, which --help does not need
        from embedtrain.training.text_data import TextSource

        source = CountsFromText(TextSource(corpus, self), self, exact=self.exact)
        data = source.read(Stopwatch(), self.shown)
        if self.save_vocab is not None and self.all_ranks.rank == 0:
            write_vocabulary(self.save_vocab, data.vocabulary)
        vocabulary, provenance = data.vocabulary, {**self.kept("result"), "version": __version__}
        return counts_of_rows(data.take_rows(), vocabulary.words, vocabulary.counts, provenance)

    def counts(self, corpus: CorpusLike) -> Counts:
        """Count a corpus; the result is in memory."""
        return _in_memory(self.mapped_counts(corpus))

    def merged(self, files: Sequence[PathLike]) -> Counts:
        """Add the counts in files; the result is mapped from temporary files if memory is too small."""
        from embedtrain.counts.merging import merge_files, merge_matrices
        from embedtrain.counts.rows import CsrMatrix
        from embedtrain.training.count_data import budget_of, check_memory, folder_of

        check_memory(self.memory)
        place: dict[str, Any] = {"budget": budget_of(self), "folder": folder_of(self)}
        with self.compiling():
            one = CsrMatrix(np.array([0, 1]), np.zeros(1, np.int32), np.ones(1))
            merge_matrices([one], 1, 1, threads=1, **place)
        with Progress("merging", None, shown=self.shown, unit="cells") as progress:
            merged = merge_files(files, threads=resolve_threads(self.threads), progress=progress, **place)
        return replace(merged, settings={**merged.settings, "version": __version__})


def _in_memory(counts: Counts) -> Counts:
    """Return counts whose matrix is in memory."""
    matrix = counts.matrix
    if mapping_of(matrix.data) is None:
        return counts
    remedy = "raise `min_count`, or count into a file with: embedtrain cooccur"
    require_memory(matrix.data.nbytes + matrix.indices.nbytes, "the counts", remedy)
    return replace(counts, matrix=matrix.copy())


@from_settings(Cooccurrence)
def cooccurrence_counts(corpus: CorpusLike, settings: Cooccurrence) -> Counts:
    """Count how often words occur near each other.

    The result is the same for any number of threads and any `memory`.

    Parameters
    ----------
    corpus : path, Corpus, iterable of str, or iterable of lists of str
        As for `train_skipgram`. Windows end at sentence borders; words outside the vocabulary are removed first.
        Weights are exact up to distance 16, and to 1e-4 of their value up to 144.
    **settings

    Returns
    -------
    Counts
        The matrix, its words and their counts. Its memory is not part of `memory`.

    Raises
    ------
    SettingError, DataError
        If a setting is out of range, a file cannot be read, or the result does not fit into memory.
    """
    return settings.counts(corpus)


@from_settings(Cooccurrence)
def cooccurrence(corpus: CorpusLike, settings: Cooccurrence) -> sparse.csr_array:
    """Return the matrix of `cooccurrence_counts` without its words, which are in the order of their counts.

    Parameters
    ----------
    corpus, settings
        As for `cooccurrence_counts`.

    Returns
    -------
    (n_words, n_words) csr_array of float32
        The cell (i, j) is the count, perhaps weighted by distance, of word j near word i.

    Raises
    ------
    SettingError, DataError
        As `cooccurrence_counts`.
    """
    return settings.counts(corpus).matrix


def merge_counts(
    files: Iterable[str | os.PathLike[str]], *, threads: int | None = None, memory: int | str | None = None
) -> Counts:
    """Add the counts of the parts of a text; the result is that of counting the whole text, to the bit.

    Parameters
    ----------
    files : iterable of paths
        Counts of the parts, which `cooccurrence_counts` made with ``exact=True``, with one `read_vocab` and the same
        window, weighting, symmetry, `min_count` and `max_vocab`. A file that is given twice is added twice, with a
        warning.
    threads : int, optional
        Number of threads; by default, and with 0, all.
    memory : int or str, optional
        As for `cooccurrence_counts`. Temporary files take 12 bytes for each cell of all files.

    Returns
    -------
    Counts
        As of `cooccurrence_counts`.

    Raises
    ------
    SettingError, DataError
        If files differ in their words or settings, are not exact, cannot be read, or the result does not fit into
        memory.

    Examples
    --------
    >>> from embedtrain import cooccurrence_counts, merge_counts
    >>> for name, lines in {"a.npz": ["the king"], "b.npz": ["the queen"]}.items():
    ...     cooccurrence_counts(lines, read_vocab="all.vocab", exact=True).save(name)  # doctest: +SKIP
    >>> merge_counts(["a.npz", "b.npz"])  # doctest: +SKIP
    <Counts: 3 words, 4 cells>
    """
    return _in_memory(Cooccurrence(threads=threads, memory=memory).merged(list(files)))
