"""LSA: counts of words in documents, their weights, and vectors of both."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.encoding import encode
from embedtrain.corpus.sources import Corpus
from embedtrain.corpus.vocabulary_file import write_vocabulary
from embedtrain.counts.memory_plan import row_ranges
from embedtrain.counts.rows import CsrMatrix, RowCells
from embedtrain.counts.weighting import MatrixBuilder, row_sums
from embedtrain.errors import DataError, OutputError, SettingError
from embedtrain.machine.memory import release_pages
from embedtrain.machine.progress import Progress, Shown, note
from embedtrain.machine.words import is_word
from embedtrain.models.factorization import Factorization, inverses
from embedtrain.models.lsa import Lsa
from embedtrain.training.text_data import TextData, TextSource
from embedtrain.vectors.folding import entropy_weights, inverse_frequencies, weighted_terms
from embedtrain.vectors.word_vectors import WordVectors

_TASK_TOKENS = 1 << 18

Weights = NDArray[np.float64]


class DocumentSource(TextSource):
    """A source of documents: lines, or files; also empty ones are kept."""

    def __init__(self, corpus: Any, settings: Lsa) -> None:
        super().__init__(corpus, settings)
        self._lsa = settings
        if settings.per_file and self.corpus.in_memory:
            raise SettingError("`per_file` is for files, and the documents are in memory; leave it out")

    def _encode(self, corpus: Corpus, shown: Shown) -> EncodedCorpus:
        threads, folder = Factorization(self._lsa).threads, self._lsa.temp_folder
        documents: Any = "files" if self._lsa.per_file else "lines"
        with Progress("reading", None, shown=shown) as progress:
            text = encode(corpus, threads=threads, folder=folder, progress=progress, documents=documents)
        note(*text.notes)
        return text

    def names(self, n_documents: int) -> list[str]:
        """Name the documents by their files, where these are words, or number them from 1 on."""
        files = list(map(str, self.corpus.files())) if self._lsa.per_file else [""] * n_documents
        return [file if is_word(file) else str(number) for number, file in enumerate(files, 1)]


def factorize_documents(settings: Lsa, data: Any) -> WordVectors:
    """Factorise the counts of words in documents; see `train_lsa`."""
    source, run = DocumentSource(data, settings), Factorization(settings)
    texts = source.read(run.clock, settings.shown)
    with run.clock("prepare"), settings.compiling():
        run.compile(source.sample().vocabulary.words)
    if settings.save_vocab is not None:
        write_vocabulary(settings.save_vocab, texts.vocabulary)
    names = source.names(texts.whole.n_sentences)
    with run.clock("count"):
        by_document = count_documents(texts, run.builder())
        n_words, n_documents = len(texts.vocabulary), len(names)
        counts = run.builder(by_document).transposed(by_document, n_words)
    if n_empty := int(np.count_nonzero(np.diff(by_document.starts) == 0)):
        note(f"{n_empty:,} of the {n_documents:,} documents have none of the {n_words:,} words: vectors of 0")
    with run.clock("weigh"):
        weights = _weights(settings.weighting, counts, by_document)
        builder = run.builder(counts)
        del by_document
        matrix = builder.weighted(
            counts, lambda i, j, x: weighted_terms(settings.weighting, x, weights[0][i], weights[1][j])
        )
        del counts
        if not len(matrix.columns):
            raise DataError("all words are spread evenly over the documents: there is nothing to learn from")
        transposed = run.builder(matrix).transposed(matrix, n_documents)
    summary = {**texts.summary(), "cells": len(matrix.columns)}
    vectors = run.vectors(matrix, transposed, weights, texts.vocabulary, names, source.provenance(), summary)
    if settings.documents is not None:
        try:
            vectors.documents.save(settings.documents)
        except DataError as error:
            raise OutputError(error.args[0], vectors) from error
    return vectors


def count_documents(texts: TextData, builder: MatrixBuilder) -> CsrMatrix:
    """Count the words of the vocabulary in each document, a row each."""
    text, n_words = texts.whole, len(texts.vocabulary)
    lengths, ranks = np.diff(text.offsets), _ranks(texts)

    def count(begin: int, end: int) -> tuple[RowCells, NDArray[np.int64]]:
        ids = ranks[text.ids[text.offsets[begin] : text.offsets[end]]]
        rows = np.repeat(np.arange(end - begin), lengths[begin:end])
        keys, counts = np.unique((rows * n_words + ids)[ids >= 0], return_counts=True)
        release_pages(text.ids)
        cells = RowCells((keys % n_words).astype(np.int32), counts.astype(np.float32))
        return cells, np.bincount(keys // n_words, minlength=end - begin)

    return builder.build(row_ranges(lengths, lengths, _TASK_TOKENS), count)


def _ranks(texts: TextData) -> NDArray[np.int64]:
    """The row of each type in the vocabulary, -1 without one."""
    types, words = texts.whole.vocabulary, texts.vocabulary.words[:]
    if texts.training is texts.whole:
        return np.where(np.arange(len(types)) < len(words), np.arange(len(types)), -1)
    rows = {word: row for row, word in enumerate(words)}
    return np.array([rows.get(word, -1) for word in types.words[:]])


def _weights(weighting: str, counts: CsrMatrix, by_document: CsrMatrix) -> tuple[Weights, Weights]:
    """The weights of words and documents."""
    n_words, n_documents = len(counts.starts) - 1, len(by_document.starts) - 1
    if weighting == "log-entropy":
        sums = row_sums(counts)
        x_log_x = row_sums(counts, lambda _, x: x * np.log(x, dtype=np.float64))
        plogp = x_log_x * inverses(sums) - np.log(np.maximum(1, sums))
        return entropy_weights(plogp, n_documents), np.ones(n_documents)
    if weighting == "tf-idf":
        words = inverse_frequencies(np.diff(counts.starts), n_documents)
        squares = row_sums(by_document, lambda word, x: np.square(x * words[word]))
        return words, inverses(np.sqrt(squares))
    return np.ones(n_words), np.ones(n_documents)
