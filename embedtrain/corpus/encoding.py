"""Encoding: one pass over the text, on all cores, writes the ids of all its tokens to disk and counts the types.

Every worker numbers the types of its chunks in order of appearance. At the end, the workers' types are merged and
ordered by count, and the ids are renumbered. The result does not depend on which worker read which chunk.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain
from typing import Literal, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.characters import character_classes, respell
from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.sources import Corpus, CorpusLike, is_encoded
from embedtrain.corpus.text_chunks import SPACE, TextChunk, read_chunks
from embedtrain.corpus.text_warnings import control_characters, invalid_utf8
from embedtrain.corpus.type_table import TypeTable
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import DataError
from embedtrain.kernels.text import tokenize as tokens
from embedtrain.kernels.text.byte_masks import PADDING
from embedtrain.kernels.text.word_filter import filter_words
from embedtrain.machine.array_file import ArrayFile, temporary_file
from embedtrain.machine.compression import is_compressed
from embedtrain.machine.files import reading
from embedtrain.machine.npz import read_only
from embedtrain.machine.progress import Progress
from embedtrain.machine.ranks import ALONE, Ranks
from embedtrain.machine.threads import run_all, run_in_order

_MOST_WORKERS = 64  # each has two open files, of 256 on macOS and 1024 elsewhere; more wait for the disk
_CHUNKS_AT_ONCE, _TASKS_OF_A_WORKER = 64, 4  # renumbered in a task, at most, and tasks, about


def encode(
    corpus: CorpusLike, *, threads: int, folder: str | os.PathLike[str] | None = None, progress: Progress | None = None,
    prepare: Callable[[Iterator[TextChunk]], Iterator[TextChunk]] = iter,
    documents: Literal["lines", "files", "texts"] | None = None, ranks: Ranks = ALONE,
) -> EncodedCorpus:  # fmt: skip
    """Read a corpus once and encode it into temporary files in `folder`, which last as long as the result.

    Plain text is tokenised by all threads. For compressed files, one thread decompresses and at least one tokenises.
    `prepare` may change chunks before they are tokenised.
    With `documents`, offsets are those of all lines or files, also of empty ones; as "texts", all lines may be empty.
    Each of several `ranks` encodes its share, with the vocabulary and notes of all.
    """
    corpus = Corpus.of(corpus)
    if is_encoded(corpus.sources[0]):
        encoded: EncodedCorpus = corpus.sources[0].encoded(threads=threads, folder=folder, progress=progress)
        return encoded if ranks.size == 1 else encoded.share(ranks.rank, ranks.size)
    with ExitStack() as stack:

        def new_file() -> ArrayFile:
            return stack.enter_context(temporary_file(folder))

        classes = _classes(corpus)
        workers = [_Encoder(classes, new_file(), new_file()) for _ in range(_n_workers(corpus, threads))]
        chunks, vocabulary, notes = _read(corpus, workers, threads, progress, prepare, documents, ranks)
        ids, offsets = new_file(), new_file()
        _write_ids(ids, chunks, workers)
        if documents == "files":
            offsets.append(_file_offsets(chunks, len(corpus.files())))
        else:
            _write_offsets(offsets, chunks, keep_empty=documents is not None)
        return EncodedCorpus(ids.mapped(np.int32), offsets.mapped(np.int64), vocabulary, notes)


def count_words(
    corpus: CorpusLike, *, threads: int, progress: Progress | None = None, ranks: Ranks = ALONE
) -> tuple[Vocabulary, tuple[str, ...]]:
    """Count the words of a corpus, each rank those of its share, without encoding it: the vocabulary, and notes."""
    corpus = Corpus.of(corpus)
    classes = _classes(corpus)
    workers = [_TypeCounter(classes) for _ in range(_n_workers(corpus, threads))]
    _, vocabulary, notes = _read(corpus, workers, threads, progress, ranks=ranks)
    return vocabulary, notes


def _classes(corpus: Corpus) -> NDArray[np.uint8] | None:
    """The classes of characters, if they decide what a word is."""
    return character_classes() if corpus.tokenize == "words" else None


def _n_workers(corpus: Corpus, threads: int) -> int:
    if corpus.in_memory:
        return 1  # an iterable may be bound to its thread, and is slower than a tokeniser
    if corpus.has_tokenizer:
        return 1  # which may be bound to its thread, and is slower
    first = corpus.files()[0]
    with reading(first):
        return max(1, min(threads, _MOST_WORKERS) - is_compressed(first))  # one thread decompresses


class EncodedChunk(NamedTuple):
    """The contents of a chunk; its tokens and breaks follow those of the worker's earlier chunks in its files."""

    file: int
    source: str
    worker: _TypeCounter
    n_tokens: int
    n_lines: int


def _read(
    corpus: Corpus, workers: Sequence[_TypeCounter], threads: int, progress: Progress | None,
    prepare: Callable[[Iterator[TextChunk]], Iterator[TextChunk]] = iter, documents: str | None = None,
    ranks: Ranks = ALONE,
) -> tuple[list[EncodedChunk], Vocabulary, tuple[str, ...]]:  # fmt: skip
    """Let the workers read the share of a rank; returns the contents of each chunk, the vocabulary and notes of all."""
    chunks = []
    texts = read_chunks(corpus, threads, documents=documents is not None, share=(ranks.rank, ranks.size))
    for chunk in run_in_order(workers, prepare(texts)):
        chunks.append(chunk)
        if progress is not None:
            progress.update(chunk.n_tokens)
    if documents != "texts" and not any(ranks.gather(any(chunk.n_tokens for chunk in chunks))):
        raise DataError(_no_words(corpus))
    types, numbers = _merge(workers)
    invalid = types.invalid()
    notes = [
        *invalid_utf8(types, invalid, corpus, chunks),
        *control_characters([worker.state for worker in workers], chunks),
    ]
    if spaced := types.holds(SPACE):
        notes.append("tokens with spaces are taken as they are; of the formats of vectors, .npz can hold them")
    if invalid or corpus.lowercase or corpus.normalize != "none" or spaced:
        types, respelled = types.respelled(
            lambda word: respell(word.replace(SPACE, " "), corpus.lowercase, corpus.normalize)
        )
        numbers = [respelled[of_worker] for of_worker in numbers]
    types, own = _merge_ranks(types, ranks)
    ids, vocabulary = types.ordered()
    for worker, of_worker in zip(workers, numbers, strict=True):
        worker.ranks = ids[own[of_worker]]
    return chunks, vocabulary, tuple(dict.fromkeys(chain(*ranks.gather(notes))))


def _merge_ranks(types: TypeTable, ranks: Ranks) -> tuple[TypeTable, NDArray[np.int32]]:
    """Merge the types of all ranks, as a tree; returns also the number of each type of this rank."""
    if ranks.size == 1:
        return types, np.arange(types.n, dtype=np.int32)
    text, starts, counts, first_seen = types.columns()
    step = 1
    while step < ranks.size:
        sends = ranks.rank % (2 * step) == step
        to = [types.columns() if sends and rank == ranks.rank - step else None for rank in range(ranks.size)]
        for columns in ranks.exchange(to):
            if columns is not None:
                types.add(*columns)
        step *= 2
    merged, types = ranks.broadcast(types.columns()), TypeTable()
    types.add(*merged)
    return types, types.add(text, starts, np.zeros_like(counts), first_seen)


def _merge(workers: Sequence[_TypeCounter]) -> tuple[TypeTable, list[NDArray[np.int32]]]:
    """Merge the types of all workers and free their tables; returns also the new numbers of each worker's types."""
    types = workers[0].types
    numbers = [np.arange(types.n, dtype=np.int32)]
    for worker in workers[1:]:
        worker.types.close()
        numbers.append(types.merge(worker.types))
        del worker.types  # with millions of types, memory is short
    del workers[0].types
    return types, numbers


class _TypeCounter:
    """A worker that tokenises chunks and counts their types."""

    def __init__(self, classes: NDArray[np.uint8] | None) -> None:
        self.types = TypeTable()
        self._classes, self._words = classes, np.empty(0, np.uint8)  # the words of a chunk alone
        self.state = np.zeros(tokens.STATE, np.int64)
        self.ranks = np.empty(0, np.int32)  # the final id of each of its types
        self._ids, self._breaks = np.empty(0, np.int32), np.empty(0, np.int64)  # of a chunk

    def __call__(self, chunk: TextChunk) -> EncodedChunk:
        text, n = chunk.text, chunk.n
        if self._classes is not None and not chunk.divided:
            text, n = self._filtered(chunk, self._classes)
        if len(self._breaks) < n:  # reused, as new memory is slow
            self._ids, self._breaks = np.empty(n // 2 + 1, np.int32), np.empty(n, np.int64)
        ids, breaks, state = self._ids, self._breaks, self.state
        state[[tokens.POSITION, tokens.N_TOKENS, tokens.N_LINES]] = 0
        state[tokens.N_TYPES] = self.types.n
        while True:
            missing = tokens.tokenise(text, n, chunk.number, self.types.arrays, state, ids, breaks)
            self.types.n = int(state[tokens.N_TYPES])
            if not missing:
                break
            self.types.grow(missing)
        n_tokens, n_lines = int(state[tokens.N_TOKENS]), int(state[tokens.N_LINES])
        self.keep(ids[:n_tokens], breaks[:n_lines])
        return EncodedChunk(chunk.file, chunk.source, self, n_tokens, n_lines)

    def _filtered(self, chunk: TextChunk, classes: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], int]:
        """The words of a chunk with spaces between them, and their length."""
        size = chunk.n // 2 * 3 + 3 + PADDING
        if len(self._words) < size:  # reused, as new memory is slow
            self._words = np.empty(size, np.uint8)
        n = filter_words(chunk.text, chunk.n, classes, self._words)
        return read_only(self._words), n  # like the text

    def keep(self, ids: NDArray[np.int32], breaks: NDArray[np.int64]) -> None:
        """Store the tokens of a chunk; counting does not need them."""


class _Encoder(_TypeCounter):
    """A worker that also writes ids and the ends of lines to files of its own."""

    def __init__(self, classes: NDArray[np.uint8] | None, ids: ArrayFile, breaks: ArrayFile) -> None:
        super().__init__(classes)
        self.ids, self.breaks = ids, breaks
        self._next_break = 0  # bytes

    def keep(self, ids: NDArray[np.int32], breaks: NDArray[np.int64]) -> None:
        """Append the tokens and ends of lines of a chunk to the files."""
        self.ids.append(ids)
        self.breaks.append(breaks)

    def read_breaks(self, n: int) -> NDArray[np.int64]:
        """Read the next n breaks."""
        breaks = np.empty(n, np.int64)
        self.breaks.read_into(breaks, self._next_break)
        self._next_break += breaks.nbytes
        return breaks


def _write_ids(ids: ArrayFile, chunks: Sequence[EncodedChunk], workers: Sequence[_Encoder]) -> None:
    """Collect the ids that the workers wrote, in the final numbering, and close the workers' files."""
    parts: list[tuple[_Encoder, int, int, int]] = []  # a worker, its first id, their number, their position in `ids`
    begins, position = dict.fromkeys(workers, 0), 0
    for chunk in chunks:
        worker = cast(_Encoder, chunk.worker)
        parts.append((worker, begins[worker], chunk.n_tokens, position))
        begins[worker] += chunk.n_tokens
        position += chunk.n_tokens
    n = min(_CHUNKS_AT_ONCE, len(parts) // (_TASKS_OF_A_WORKER * len(workers)) + 1)

    def renumber(task: int) -> None:
        for worker, begin, length, position in parts[task * n : (task + 1) * n]:
            part = np.empty(length, np.int32)
            worker.ids.read_into(part, 4 * begin)
            tokens.renumber(part, worker.ranks)
            ids.write_at(4 * position, part)

    run_all([renumber] * len(workers), -(-len(parts) // n))
    for worker in workers:
        worker.ids.close()


def _file_offsets(chunks: Sequence[EncodedChunk], n_files: int) -> NDArray[np.int64]:
    """The borders of files, from 0 to the number of tokens."""
    n_tokens = np.zeros(n_files + 1, np.int64)
    for chunk in chunks:
        n_tokens[chunk.file + 1] += chunk.n_tokens
    return np.cumsum(n_tokens)


def _write_offsets(offsets: ArrayFile, chunks: Sequence[EncodedChunk], *, keep_empty: bool) -> None:
    """Collect the borders of sentences, each once unless `keep_empty`, from 0 to the number of tokens."""
    n_tokens, last = 0, -1
    for chunk in chunks:
        breaks = cast(_Encoder, chunk.worker).read_breaks(chunk.n_lines)
        borders = np.concatenate([[0], breaks + n_tokens]) if last < 0 else breaks + n_tokens
        if not keep_empty:
            borders = borders[np.diff(borders, prepend=last) > 0]
        offsets.append(borders)
        n_tokens += chunk.n_tokens
        last = int(borders[-1]) if borders.size else last
    if last < n_tokens:
        offsets.append(np.array([n_tokens], np.int64))


def _no_words(corpus: Corpus) -> str:
    if corpus.in_memory:
        return "the corpus holds no words; if it is a generator, was it used up before?"
    if corpus.tokenize != "spaces":
        return f"{corpus.name} holds no words: it is empty or blank, or `tokenize` finds none in it"
    return f"{corpus.name} holds no words: it is empty or blank"
