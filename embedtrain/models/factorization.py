"""From counts to the vectors of a factorised matrix: weights, decomposition, report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedtrain._version import __version__
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.corpus.vocabulary_file import write_vocabulary
from embedtrain.counts.rows import ROW_CELL_BYTES, CsrMatrix
from embedtrain.counts.weighting import MatrixBuilder, column_sums, row_sums
from embedtrain.errors import DataError, SettingError
from embedtrain.formats.factors import Factors
from embedtrain.formats.text import format_lines
from embedtrain.machine.memory import format_bytes, mapping_of, require_memory
from embedtrain.machine.npz import plain, read_only
from embedtrain.machine.progress import Stopwatch, counted, note, say
from embedtrain.machine.threads import resolve_threads
from embedtrain.models.truncated_svd import decompose, memory_of
from embedtrain.training.count_data import CountData, budget_of, check_memory, folder_of, source_of
from embedtrain.vectors.folding import pointwise_information
from embedtrain.vectors.training_report import TrainingReport
from embedtrain.vectors.word_vectors import WordVectors

if TYPE_CHECKING:
    from embedtrain.models.factor_settings import FactorSettings
    from embedtrain.models.svd import Svd


class Factorization:
    """Factorises a weighted matrix of counts of words in contexts."""

    def __init__(self, settings: FactorSettings) -> None:
        self.settings, self.threads, self.clock = settings, resolve_threads(settings.threads), Stopwatch()
        check_memory(settings.memory)

    def compile(self, words: Sequence[str]) -> None:
        """Compile the kernels of decomposing and saving, by decomposing a matrix of two words."""
        small = CsrMatrix(*map(read_only, (np.array([0, 1, 2]), np.array([1, 0], np.int32), np.ones(2, np.float32))))
        decompose(small, self.builder().transposed(small, 2), 1, seed=1, threads=1)
        format_lines(words, np.ones((2, 1), np.float32))

    def builder(self, *held: CsrMatrix) -> MatrixBuilder:
        """What builds matrices, beside those held."""
        in_memory = sum(len(matrix.columns) for matrix in held if mapping_of(matrix.columns) is None)
        budget = budget_of(self.settings.memory) - ROW_CELL_BYTES * in_memory
        return MatrixBuilder(self.threads, budget, folder_of(self.settings))

    def vectors(
        self, matrix: CsrMatrix, transposed: CsrMatrix, weights: tuple[NDArray[Any], NDArray[Any]],
        vocabulary: Vocabulary, contexts: Sequence[str] | None, provenance: dict[str, Any], summary: dict[str, Any],
    ) -> WordVectors:  # fmt: skip
        """Decompose a matrix of these row and column weights, and make vectors of the result."""
        settings, sizes = self.settings, (len(matrix.starts) - 1, len(transposed.starts) - 1)
        needed = memory_of(*sizes, settings.dim)
        require_memory(needed, "vectors and the basis of the decomposition", "lower `dim`, or keep fewer words")
        say(f"memory   {format_bytes(needed)} for vectors and the basis of the decomposition", shown=settings.shown)
        with self.clock("decompose"):
            U, singular_values, V = decompose(
                matrix, transposed, settings.dim, seed=settings.seed, threads=self.threads, shown=settings.shown
            )
        if len(singular_values) < settings.dim:
            found = counted(len(singular_values), "dimension")
            of = f"the matrix of {sizes[0]:,} × {sizes[1]:,}"
            note(f"{of} has only {found} above rounding errors, not `dim={settings.dim}`")
        scale = (singular_values**settings.singular_exponent).astype(np.float32)
        words, context_vectors = U * scale, V * scale
        own: dict[str, Any] = {"vectors": words}
        if provenance.get("add_contexts"):
            own = {"vectors": words + context_vectors, "word_vectors": words}
        report = TrainingReport(
            **summary, words=sizes[0], contexts=sizes[1], threads=self.threads, seconds=dict(self.clock.seconds)
        )
        for line in str(report).splitlines():
            say(line, shown=settings.shown)
        return WordVectors(
            vocabulary.unpacked().words, counts=vocabulary.counts if vocabulary.counts.any() else None,
            context_vectors=context_vectors, factors=Factors(singular_values, *weights, contexts), report=report,
            settings={"model": settings.model, **provenance, "version": __version__}, **own,
        )  # fmt: skip


def inverses(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverses of sums; 0 of 0."""
    return np.divide(1, sums, out=np.zeros_like(sums), where=sums > 0)


def factorize_information(settings: Svd, data: Any) -> WordVectors:
    """Factorise the information of words and contexts in text or counts; see `train_svd`."""
    source, run = source_of(data, settings), Factorization(settings)
    if settings.add_contexts and settings.context_words is not None:
        raise SettingError("`add_contexts` needs the same words as rows and columns, and these have `context_words`")
    counts = source.read(run.clock, settings.shown)
    with run.clock("prepare"), settings.compiling():
        run.compile(source.sample().vocabulary.words)
    if settings.save_vocab is not None:
        write_vocabulary(settings.save_vocab, counts.vocabulary)
    with run.clock("weigh"):
        matrix, transposed, weights = _information(counts, run, settings)
    return run.vectors(
        matrix, transposed, weights, counts.vocabulary, counts.context_words, source.provenance(), counts.summary()
    )


def _information(
    counts: CountData, run: Factorization, settings: Svd
) -> tuple[CsrMatrix, CsrMatrix, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the positive information of counts, its transpose, and the weights of rows and columns."""
    n_columns, (starts, columns, values) = counts.n_contexts, counts.take_rows()
    rows = CsrMatrix(  # in one form, so that kernels are compiled once
        read_only(plain(starts, np.int64)), read_only(plain(columns, np.int32)), read_only(plain(values, np.float32))
    )
    of_rows, of_columns = row_sums(rows), column_sums(rows, n_columns) ** settings.smoothing
    weights = inverses(of_rows), of_columns.sum() / settings.shift * inverses(of_columns)
    matrix = run.builder(rows).weighted(rows, lambda i, j, x: pointwise_information(x, weights[0][i], weights[1][j]))
    del rows, starts, columns, values
    if not len(matrix.columns):
        raise DataError("no pair of words has information above 0: there is nothing to learn from; lower `shift`")
    if n_empty := int(np.count_nonzero(np.diff(matrix.starts) == 0)):
        note(f"{n_empty:,} of the {len(matrix.starts) - 1:,} words have no pair with information above 0: vectors of 0")
    return matrix, run.builder(matrix).transposed(matrix, n_columns), weights
