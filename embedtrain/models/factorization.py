"""From counts to vectors by SVD and LSA: weights of the matrix, decomposition, report."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from embedtrain._version import __version__
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.corpus.vocabulary_file import write_vocabulary
from embedtrain.counts.rows import ROW_CELL_BYTES, CsrMatrix, RowCells
from embedtrain.counts.shared_matrix import transposed_over_ranks
from embedtrain.counts.truncated_svd import decompose, memory_of
from embedtrain.counts.weighting import MatrixBuilder, column_sums, row_sums
from embedtrain.errors import DataError, OutputError, SettingError
from embedtrain.formats import format_of
from embedtrain.formats.factors import Factors
from embedtrain.formats.text import format_lines
from embedtrain.machine.memory import format_bytes, release_pages, require_memory
from embedtrain.machine.progress import Shown, Stopwatch, counted, note, say
from embedtrain.machine.ranks import ALONE
from embedtrain.machine.threads import resolve_threads
from embedtrain.machine.words import is_word, require_words
from embedtrain.training.count_data import CountData, budget_of, check_memory, folder_of, source_of, two_words
from embedtrain.training.text_data import TextData, TextSource
from embedtrain.vectors.folding import Weights, word_weights
from embedtrain.vectors.training_report import TrainingReport
from embedtrain.vectors.word_vectors import WordVectors

if TYPE_CHECKING:
    from embedtrain.models.lsa import Lsa
    from embedtrain.models.svd import FactorSettings, Svd


class Factorization:
    """What SVD and LSA share: reading, building matrices, and vectors from a decomposition."""

    def __init__(self, settings: FactorSettings) -> None:
        self.settings, self.threads, self.clock = settings, resolve_threads(settings.threads), Stopwatch()
        check_memory(settings.memory)
        self.budget = budget_of(settings)
        self.builder = MatrixBuilder(self.threads, self.budget, folder_of(settings))

    def read(self, source: Any, **options: Any) -> Any:
        """Read the data, write the vocabulary, and compile the kernels by a matrix of two words."""
        data = source.read(self.clock, self.settings.shown, **options)
        with self.clock("prepare"), self.settings.compiling():
            small = two_words()
            decompose(small, self.builder.transposed(small, 2), 1, seed=1, threads=1)
            self.builder.weighted("count", small, np.ones(2), np.ones(2))
            format_lines(["two", "words"], np.ones((2, 1), np.float32))
        if self.settings.save_vocab is not None and self.settings.all_ranks.rank == 0:
            write_vocabulary(self.settings.save_vocab, data.vocabulary)
        return data

    def require_memory(self, n_rows: int, n_columns: int, shown: Shown = "") -> None:
        """State the memory of a decomposition, and check that it is free."""
        needed = memory_of(n_rows, n_columns, self.settings.dim, has_basis=self.settings.all_ranks.rank == 0)
        purpose = "vectors and the basis of the decomposition"
        cells = format_bytes(min(self.budget, 2 * ROW_CELL_BYTES * n_rows * n_columns))
        say(f"memory   {format_bytes(needed)} for {purpose}, up to {cells} for counts, the rest in files", shown=shown)
        require_memory(needed, purpose, "lower `dim`, or keep fewer words")

    def vectors(
        self, matrix: CsrMatrix, transposed: CsrMatrix, weights: tuple[Weights, Weights], vocabulary: Vocabulary,
        contexts: Sequence[str] | None, provenance: dict[str, Any], summary: dict[str, Any],
    ) -> WordVectors:  # fmt: skip
        """Decompose a matrix of these row and column weights, and make vectors of the result."""
        settings, sizes = self.settings, (len(weights[0]), len(weights[1]))
        self.require_memory(*sizes)  # again, as counts take memory
        with self.clock("decompose"):
            U, singular_values, V = decompose(
                matrix, transposed, settings.dim, seed=settings.seed, threads=self.threads, shown=settings.shown,
                ranks=settings.all_ranks,
            )  # fmt: skip
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


def factorize_information(settings: Svd, data: Any) -> WordVectors:
    """Factorise the information of words and contexts in text or counts; see `train_svd`."""
    source, run = source_of(data, settings), Factorization(settings)
    counts = run.read(source, before=partial(run.require_memory, shown=settings.shown))
    if settings.add_contexts and counts.context_words is not None:
        raise SettingError("`add_contexts` needs the same words as rows and columns, and these have `context_words`")
    with run.clock("weigh"):
        matrices = information(counts, run.builder, settings)
    return run.vectors(*matrices, counts.vocabulary, counts.context_words, source.provenance(), counts.summary())


def information(
    counts: CountData, builder: MatrixBuilder, settings: Svd
) -> tuple[CsrMatrix, CsrMatrix, tuple[Weights, Weights]]:
    """Return the positive information of counts, its transpose, and the weights of rows and columns."""
    rows = CsrMatrix.of(*counts.take_rows())
    n_columns = len(counts.context_words or counts.vocabulary)
    of_rows = row_sums(rows, lambda _, counts: counts.astype(np.float64))
    of_columns = column_sums(rows, n_columns, np.asarray) ** settings.smoothing
    weights = _factors(_inverses(of_rows)), _factors(of_columns.sum() / settings.shift * _inverses(of_columns))
    ranks, is_symmetric = settings.all_ranks, counts.texts is not None and settings.symmetric
    build = partial(builder.weighted, "information", rows, ranks=ranks)
    matrix = build(*weights)
    transposed = build(weights[1], weights[0], matrix) if is_symmetric else None
    del rows, build  # frees memory
    n_filled = sum(ranks.gather(np.count_nonzero(np.diff(matrix.starts))))
    if not n_filled:
        raise DataError("no pair of words has information above 0: there is nothing to learn from; lower `shift`")
    if n_empty := len(counts.vocabulary) - n_filled:
        of = f"{n_empty:,} of the {len(counts.vocabulary):,} words {'has' if n_empty == 1 else 'have'}"
        note(f"{of} no pair with information above 0: vectors of 0")
    return matrix, transposed or transposed_over_ranks(matrix, n_columns, builder, ranks), weights


class DocumentSource(TextSource):
    """A source of documents: lines, or files; also empty ones are kept."""

    def __init__(self, corpus: Any, settings: Lsa) -> None:
        super().__init__(corpus, settings)
        self._ranks = ALONE  # each rank reads the whole text
        self.documents = "files" if settings.per_file else "lines"
        if settings.per_file and self.corpus.in_memory:
            raise SettingError("`per_file` is for files, and the documents are in memory; leave it out")

    def names(self, n_documents: int) -> list[str]:
        """Name the documents by their files, where these are words, or number them from 1 on."""
        files = list(map(str, self.corpus.files())) if self.documents == "files" else [""] * n_documents
        return [file if is_word(file.replace(" ", "")) else str(number) for number, file in enumerate(files, 1)]


def factorize_documents(settings: Lsa, data: Any) -> WordVectors:
    """Factorise the counts of words in documents; see `train_lsa`."""
    source, run = DocumentSource(data, settings), Factorization(settings)
    texts = run.read(source)
    n_words, names = len(texts.vocabulary), source.names(texts.whole.n_sentences)
    if len(names) < 2:
        raise DataError("LSA needs several documents, and this is one; documents are lines, or with `per_file` files")
    if settings.documents is not None:
        require_words(names, spaces=format_of(settings.documents).holds_spaces)
    run.require_memory(n_words, len(names), settings.shown)
    with run.clock("count"):
        counts = count_documents(texts, run.builder)
    if n_empty := int(np.count_nonzero(np.diff(counts.starts) == 0)):
        of = f"{n_empty:,} of the {len(names):,} documents {'has' if n_empty == 1 else 'have'}"
        note(f"{of} none of the {n_words:,} words: vectors of 0")
    with run.clock("weigh"):
        of_words, of_documents = _weights(settings.weighting, counts, n_words)
        ranks = settings.all_ranks
        transposed = run.builder.weighted(settings.weighting, counts, of_documents, of_words, ranks=ranks)
        del counts  # frees memory
        if not (n_cells := sum(ranks.gather(len(transposed.columns)))):
            raise DataError("all words are spread evenly over the documents: there is nothing to learn from")
        matrix = transposed_over_ranks(transposed, n_words, run.builder, ranks)
    summary = {**texts.summary(), "cells": n_cells}
    weights = of_words, of_documents
    vectors = run.vectors(matrix, transposed, weights, texts.vocabulary, names, source.provenance(), summary)
    if settings.documents is not None and ranks.rank == 0:
        try:
            vectors.documents.save(settings.documents)
        except DataError as error:
            raise OutputError(error.args[0], vectors) from error
    return vectors


def count_documents(texts: TextData, builder: MatrixBuilder) -> CsrMatrix:
    """Count the words of the vocabulary in each document, a row each."""
    text, n_words = texts.whole, len(texts.vocabulary)
    lengths, ranks = np.diff(text.offsets), text.vocabulary.ranks_in(texts.vocabulary)

    def count(begin: int, end: int) -> tuple[RowCells, NDArray[np.int64]]:
        ids = ranks[text.ids[text.offsets[begin] : text.offsets[end]]]
        rows = np.repeat(np.arange(end - begin), lengths[begin:end])
        keys, counts = np.unique((rows * n_words + ids)[ids >= 0], return_counts=True)
        release_pages(text.ids)
        cells = RowCells((keys % n_words).astype(np.int32), counts.astype(np.float32))
        return cells, np.bincount(keys // n_words, minlength=end - begin)

    return builder.build(lengths, count)


def _weights(weighting: str, counts: CsrMatrix, n_words: int) -> tuple[Weights, Weights]:
    """The weights of words and documents, from the counts of words, a document a row."""
    n_documents = len(counts.starts) - 1
    sums, x_log_x, n_with = (
        column_sums(counts, n_words, of) for of in (np.asarray, lambda x: x * np.log(x, dtype=np.float64), np.ones_like)
    )
    of_words = word_weights(weighting, sums, x_log_x, n_with, n_documents)
    if weighting != "tf-idf":
        return of_words, np.ones(n_documents)
    return of_words, _inverses(np.sqrt(row_sums(counts, lambda word, x: np.square(x * of_words[word]))))


def _inverses(sums: Weights) -> Weights:
    """The inverses of sums; 0 of 0."""
    return np.divide(1, sums, out=np.zeros_like(sums), where=sums > 0)


def _factors(weights: Weights) -> Weights:
    """Round to 24 bits, as counts: the product of two is exact, and that of three the same in any order."""
    mantissas, exponents = np.frexp(weights)
    return np.ldexp(np.rint(np.ldexp(mantissas, 24)), exponents - 24)
