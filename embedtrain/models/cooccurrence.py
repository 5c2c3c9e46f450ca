"""Co-occurrence counts of a text as a sparse matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from embedtrain._version import __version__
from embedtrain.corpus.sources import CorpusLike
from embedtrain.machine.memory import mapping_of, require_memory
from embedtrain.machine.progress import Progress, Stopwatch
from embedtrain.machine.threads import resolve_threads
from embedtrain.training.declarations import from_settings, setting
from embedtrain.training.settings import CountSettings

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
        counts = self.mapped_counts(corpus)
        matrix = counts.matrix
        if mapping_of(matrix.data) is None:
            return counts
        remedy = "raise `min_count`, or count into a file with: embedtrain cooccur"
        require_memory(matrix.data.nbytes + matrix.indices.nbytes, "the counts", remedy)
        return replace(counts, matrix=matrix.copy())

    def merged(self, files: Sequence[Path]) -> Counts:
        """Add the counts in files; the result is mapped from temporary files if memory is too small."""
        from scipy import sparse

        from embedtrain.counts.merging import merge_files, merge_matrices
        from embedtrain.training.count_data import budget_of, check_memory, folder_of

        check_memory(self.memory)
        place: dict[str, Any] = {"budget": budget_of(self), "folder": folder_of(self)}
        with Progress("merging", None, shown=self.shown, unit="cells") as progress:
            with self.compiling():
                merge_matrices([sparse.csr_array([[1.0]])], 1, 1, progress, threads=1, **place)
            return merge_files(files, progress, threads=resolve_threads(self.threads), **place)


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
    """
    return settings.counts(corpus)


@from_settings(Cooccurrence)
def cooccurrence(corpus: CorpusLike, settings: Cooccurrence) -> sparse.csr_array:
    """Return the matrix of `cooccurrence_counts` without its words, which are in the order of their counts.

    Returns
    -------
    (n_words, n_words) csr_array of float32
        The cell (i, j) is the count, perhaps weighted by distance, of word j near word i.
    """
    return settings.counts(corpus).matrix
