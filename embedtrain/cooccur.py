"""Co-occurrence counts of a text: how often words stand beside each other, as a sparse matrix."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, fields
from typing import Any, TypeAlias

from scipy import sparse

from embedtrain._version import __version__
from embedtrain.corpus.sources import CorpusLike
from embedtrain.corpus.vocabulary_file import write_vocabulary
from embedtrain.counts.matrix import Counts, as_counts
from embedtrain.machine.memory import require_memory
from embedtrain.machine.progress import Stopwatch
from embedtrain.machine.threads import resolve_threads
from embedtrain.runs.counted import Budget, CountedTextSource, is_mapped
from embedtrain.runs.options import RunOptions
from embedtrain.runs.settings import CountSettings
from embedtrain.runs.texts import TextCut, TextSource

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
        Whether a pair counts 1 / distance, as in GloVe, or 1.
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
    with counting(locals()) as counts:
        if not is_mapped(counts.matrix.data):
            return counts
        data, indices, indptr = counts.matrix.data, counts.matrix.indices, counts.matrix.indptr
        remedy = "raise min-count, or count into a file with: embedtrain cooccur"
        require_memory(data.nbytes + indices.nbytes, "the counts", remedy)
        matrix = sparse.csr_array((data.copy(), indices.copy(), indptr), shape=counts.matrix.shape)
        return Counts(matrix, counts.words, counts.counts, counts.settings)


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
def counting(arguments: Mapping[str, Any]) -> Iterator[Counts]:
    """The counts that the arguments of `cooccurrence_counts` ask for, in temporary files if memory is too small."""
    settings = CountSettings(**{field.name: arguments[field.name] for field in fields(CountSettings)})
    options = RunOptions(
        **{field.name: arguments[field.name] for field in fields(RunOptions) if field.name in arguments}
    )
    options.require_sense()
    resolve_threads(options.threads)
    texts = TextSource(arguments["corpus"], TextCut(settings.min_count, settings.max_vocab), options)
    source = CountedTextSource(texts, settings, options, Budget(arguments["memory"]))
    shown = sys.stderr.isatty() if options.progress is None else options.progress
    with ExitStack() as stack:
        counted = source.read(stack, Stopwatch(), shown)
        if options.save_vocab is not None:
            write_vocabulary(options.save_vocab, counted.vocabulary)
        starts, columns, values = counted.take_rows()
        vocabulary = counted.vocabulary
        matrix = sparse.csr_array((values, columns, starts), shape=(len(vocabulary), len(vocabulary)))
        yield as_counts(matrix, vocabulary.words, vocabulary.counts, {**asdict(settings), "version": __version__})
