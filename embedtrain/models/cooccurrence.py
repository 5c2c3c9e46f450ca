"""Co-occurrence counts of a text: how often words stand beside each other, as a sparse matrix."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, fields, replace
from typing import Any, TypeAlias

from scipy import sparse

from embedtrain._version import __version__
from embedtrain.corpus.sources import CorpusLike
from embedtrain.corpus.vocabulary_file import write_vocabulary
from embedtrain.counts.matrix import Counts, counts_of_rows
from embedtrain.machine.memory import mapping_of, require_memory
from embedtrain.machine.progress import Stopwatch
from embedtrain.training.compiling import compiling
from embedtrain.training.count_data import Budget, CountedTextSource
from embedtrain.training.options import RunOptions
from embedtrain.training.settings import CountSettings
from embedtrain.training.text_data import TextCut, TextSource

PathLike: TypeAlias = "str | os.PathLike[str]"


def cooccurrence_counts(
    corpus: CorpusLike,
    *,
    window: int = 10,
    weighting: str = "distance",
    symmetric: bool = True,
    min_count: int = 5,
    max_vocab: int | None = None,
    read_vocab: PathLike | None = None,
    save_vocab: PathLike | None = None,
    threads: int | None = None,
    memory: int | str | None = None,
    cache: PathLike | None = None,
    temp_folder: PathLike | None = None,
    progress: bool | None = None,
) -> Counts:
    """Count how often words stand beside each other.

    The bytes are the same for any number of threads and any budget of memory.

    Parameters
    ----------
    corpus : path, Corpus, iterable of str, or iterable of lists of str
        As `train_skipgram` takes it. Contexts never cross the end of a sentence; words that are left out do not
        count as a distance.
    window : int
        Words before and after a word that stand beside it.
    weighting : {"distance", "uniform"}
        Whether a pair counts 1 / distance, as in GloVe, or 1. Distances are exact up to 16, and to a ten-thousandth
        of their weight up to 144.
    symmetric : bool
        Whether words after a word count too, so that the matrix is symmetric; if not, row i has what stands before
        word i.
    min_count, max_vocab, read_vocab, save_vocab, threads, cache, temp_folder, progress
        As for `train_skipgram`.
    memory : int or str, optional
        Bytes, or a size such as "500M", that counting may take; what is more is kept in temporary files meanwhile. By
        default half of what is free. The result itself comes on top.

    Returns
    -------
    Counts
        The matrix, its words and their counts.

    Raises
    ------
    SettingError, DataError
        If a setting is out of range, a file cannot be read, or the result does not fit into memory.
    """
    with counts_of_text(locals()) as counts:
        matrix = counts.matrix
        if mapping_of(matrix.data) is None:
            return counts
        remedy = "raise min-count, or count into a file with: embedtrain cooccur"
        require_memory(matrix.data.nbytes + matrix.indices.nbytes, "the counts", remedy)
        return replace(counts, matrix=matrix.copy())


def cooccurrence(corpus: CorpusLike, **arguments: Any) -> sparse.csr_array:
    """The matrix of `cooccurrence_counts`, without its words; they are in the order of their counts.

    Parameters
    ----------
    corpus, **arguments
        See `cooccurrence_counts`.

    Returns
    -------
    (n_words, n_words) csr_array of float32
        The cell (i, j) says how often, weighted by closeness, word j stands beside word i.
    """
    return cooccurrence_counts(corpus, **arguments).matrix


@contextmanager
def counts_of_text(arguments: Mapping[str, Any]) -> Iterator[Counts]:
    """What the arguments of `cooccurrence_counts` ask for, in temporary files while memory is too small."""
    settings = CountSettings(**{field.name: arguments[field.name] for field in fields(CountSettings)})
    options = RunOptions.of(arguments)
    texts = TextSource(arguments["corpus"], TextCut(settings.min_count, settings.max_vocab), options)
    source = CountedTextSource(texts, settings, options, Budget(arguments["memory"]))
    with ExitStack() as stack:
        with compiling(options), source.sample():
            pass
        counted = source.read(stack, Stopwatch(), options.shown)
        if options.save_vocab is not None:
            write_vocabulary(options.save_vocab, counted.vocabulary)
        vocabulary, made_with = counted.vocabulary, {**asdict(settings), "version": __version__}
        yield counts_of_rows(counted.take_rows(), vocabulary.words, vocabulary.counts, made_with)
