"""Encoding: one pass over the text, on all cores, gives the ids of all its tokens on disk and the vocabulary.

Every worker numbers the types of its pieces in order of appearance. When all is read, the workers' types are
merged, ordered by count, and a pass over the ids replaces one numbering by the other. Which worker met which
piece leaves no trace.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.pieces import Piece, read_pieces
from embedtrain.corpus.sources import Corpus, CorpusLike
from embedtrain.corpus.text_warnings import Places
from embedtrain.corpus.type_table import TypeTable
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import DataError
from embedtrain.kernels.text import tokenize as tokens
from embedtrain.machine.compression import is_compressed
from embedtrain.machine.files import temporary_folder, writing
from embedtrain.machine.progress import Progress
from embedtrain.machine.reading import reading
from embedtrain.machine.threads import in_order, run_tasks

_PIECES_AT_ONCE = 64  # renumbered by one thread before it asks for more


@contextmanager
def encode(
    corpus: CorpusLike,
    *,
    threads: int,
    folder: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> Iterator[EncodedCorpus]:
    """Encode a corpus into temporary files in `folder`, which last as long as the block.

    Parameters
    ----------
    corpus : Corpus, or what one can be made of
        Read once.
    threads : int
        Workers that tokenise; plain text is read by whichever is free. Of compressed files, one thread decompresses,
        and another at least tokenises.
    folder : path, optional
        Where the temporary files are put; by default the system's place for them.
    progress : Progress, optional
        Is told of tokens as they are read.

    Raises
    ------
    DataError
        If the corpus cannot be read, holds no word, or holds what its `invalid_utf8` refuses.
    """
    with temporary_folder(folder) as temporary:
        yield encode_into(temporary, Corpus.of(corpus), threads, progress)


def encode_into(folder: Path, corpus: Corpus, threads: int, progress: Progress | None = None) -> EncodedCorpus:
    """Encode a corpus into files in `folder`, which are left there."""
    with ExitStack() as stack:
        workers = [_Encoder(stack, folder, number) for number in range(_n_workers(corpus, threads))]
        pieces, vocabulary, notes = _read(corpus, workers, progress)
        for worker in workers:
            worker.flush()
        _write_ids(pieces, folder, workers)
        _write_offsets(pieces, folder)
    for worker in workers:
        worker.remove_files()
    return EncodedCorpus.in_folder(folder, vocabulary, notes)


def count_words(
    corpus: CorpusLike, *, threads: int, progress: Progress | None = None
) -> tuple[Vocabulary, tuple[str, ...]]:
    """The vocabulary of a corpus and notes on its text, without encoding it.

    Raises
    ------
    DataError
        As `encode`.
    """
    corpus = Corpus.of(corpus)
    _, vocabulary, notes = _read(corpus, [_Counter() for _ in range(_n_workers(corpus, threads))], progress)
    return vocabulary, notes


def _n_workers(corpus: Corpus, threads: int) -> int:
    if corpus.in_memory:
        return 1  # an iterable may belong to its thread, and is slower than a tokeniser
    first = corpus.files()[0]
    with reading(first):
        return max(1, threads - is_compressed(first))  # a thread decompresses


class _Encoded(NamedTuple):
    """What became of a piece: so much lies next in the files of its worker."""

    file: int
    source: str
    worker: _Counter
    n_tokens: int
    n_breaks: int
    n_lines: int


def _read(
    corpus: Corpus, workers: Sequence[_Counter], progress: Progress | None
) -> tuple[list[_Encoded], Vocabulary, tuple[str, ...]]:
    """Let the workers read all text; what became of each piece, the vocabulary, and what is to be noted."""
    pieces = []
    for piece in in_order(run_tasks(workers, read_pieces(corpus))):
        pieces.append(piece)
        if progress is not None:
            progress.update(piece.n_tokens)
    if not any(piece.n_tokens for piece in pieces):
        raise DataError(_no_words(corpus))
    types, numbers = _merge(workers)
    where = Places.of((piece.file, piece.source, piece.n_lines) for piece in pieces)
    invalid = types.invalid()
    notes = [*where.invalid(types, invalid, corpus.invalid_utf8), *where.controls([worker.state for worker in workers])]
    if invalid or corpus.lowercase:
        types, respelled = types.respelled(str.casefold if corpus.lowercase else str)
        numbers = [respelled[of_worker] for of_worker in numbers]
    types.close()
    order = types.order()
    ranks = np.empty(types.n, np.int32)
    ranks[order] = np.arange(types.n, dtype=np.int32)
    for worker, of_worker in zip(workers, numbers, strict=True):
        worker.ranks = ranks[of_worker]
    return pieces, Vocabulary(types.packed(order), types.counts[order]), tuple(notes)


def _merge(workers: Sequence[_Counter]) -> tuple[TypeTable, list[NDArray[np.int32]]]:
    """The types of all workers, and the numbers there of each worker's types; the workers keep none."""
    types = workers[0].types
    numbers = [np.arange(types.n, dtype=np.int32)]
    for worker in workers[1:]:
        worker.types.close()
        numbers.append(types.merge(worker.types))
        del worker.types  # with millions of types, memory is short
    del workers[0].types
    return types, numbers


class _Counter:
    """A worker: tokenises pieces with types of its own."""

    def __init__(self) -> None:
        self.types = TypeTable()
        self.state = np.zeros(tokens.STATE, np.int64)
        self.ranks = np.empty(0, np.int32)  # the id of each of its types in the order of the whole corpus
        self._ids, self._breaks = np.empty(0, np.int32), np.empty(0, np.int64)  # of a piece

    def __call__(self, piece: Piece) -> tuple[int, _Encoded]:
        room = piece.n // 2 + 2
        if len(self._ids) < room:  # most pieces are equally long, and new memory is slow
            self._ids, self._breaks = np.empty(room, np.int32), np.empty(room, np.int64)
        ids, breaks, state = self._ids, self._breaks, self.state
        state[[tokens.POSITION, tokens.N_TOKENS, tokens.N_BREAKS, tokens.N_LINES]] = 0
        state[tokens.N_TYPES] = self.types.n
        while True:
            lacking = tokens.tokenise(piece.text, piece.n, piece.number, self.types.arrays, state, ids, breaks)
            self.types.n = int(state[tokens.N_TYPES])
            if not lacking:
                break
            self.types.make_room(lacking)
        n_tokens, n_breaks = int(state[tokens.N_TOKENS]), int(state[tokens.N_BREAKS])
        self.keep(ids[:n_tokens], breaks[:n_breaks])
        return piece.number, _Encoded(piece.file, piece.source, self, n_tokens, n_breaks, int(state[tokens.N_LINES]))

    def keep(self, ids: NDArray[np.int32], breaks: NDArray[np.int64]) -> None:
        """What to do with the tokens of a piece; nothing, if types and counts are all that is wanted."""


class _Encoder(_Counter):
    """A worker that writes what it found into files of its own."""

    def __init__(self, stack: ExitStack, folder: Path, number: int) -> None:
        super().__init__()
        self.folder, self.ids, self.breaks = folder, folder / f"ids-{number}", folder / f"breaks-{number}"
        stack.enter_context(writing(folder))  # closing writes too
        with writing(folder):
            self._ids_file, self._breaks_file = (
                stack.enter_context(open(path, "w+b")) for path in (self.ids, self.breaks)
            )

    def keep(self, ids: NDArray[np.int32], breaks: NDArray[np.int64]) -> None:
        """Write them."""
        with writing(self.folder):
            self._ids_file.write(ids.data)
            self._breaks_file.write(breaks.data)

    def flush(self) -> None:
        """Write what is not yet written, and go back to the first breaks to read them."""
        with writing(self.folder):
            self._ids_file.flush()
            self._breaks_file.seek(0)

    def read_breaks(self, piece: _Encoded) -> NDArray[np.int64]:
        """The breaks of its next piece."""
        return np.frombuffer(self._breaks_file.read(8 * piece.n_breaks), np.int64)

    def remove_files(self) -> None:
        """Give back the disk space, once all is read and the files are closed."""
        for path in (self.ids, self.breaks):
            path.unlink()


class _Stretch(NamedTuple):
    """Pieces that lie one after the other in the files of a worker, and where each of them belongs."""

    worker: _Encoder
    begin: int  # position of the first in the worker's ids
    lengths: list[int]
    places: list[int]  # positions in the ids of the corpus

    def renumber(self, ids: Path) -> None:
        """Copy the ids to their places, in the order of the whole corpus."""
        with writing(ids.parent), open(self.worker.ids, "rb") as own, open(ids, "r+b") as all_ids:
            own.seek(4 * self.begin)
            for length, place in zip(self.lengths, self.places, strict=True):
                part = np.frombuffer(bytearray(own.read(4 * length)), np.int32)
                tokens.renumber(part, self.worker.ranks)
                all_ids.seek(4 * place)
                all_ids.write(part.data)


def _stretches(pieces: Sequence[_Encoded], worker: _Encoder) -> Iterator[_Stretch]:
    """The pieces of a worker, so many at once."""
    places = accumulate((piece.n_tokens for piece in pieces), initial=0)
    own = [(piece.n_tokens, place) for piece, place in zip(pieces, places, strict=False) if piece.worker is worker]
    begin = 0
    for at in range(0, len(own), _PIECES_AT_ONCE):
        lengths, wanted = zip(*own[at : at + _PIECES_AT_ONCE], strict=True)
        yield _Stretch(worker, begin, list(lengths), list(wanted))
        begin += sum(lengths)


def _write_ids(pieces: Sequence[_Encoded], folder: Path, workers: Sequence[_Encoder]) -> None:
    """Bring together the ids that the workers wrote."""
    ids = folder / "ids"
    with writing(folder), open(ids, "wb") as file:
        file.truncate(4 * sum(piece.n_tokens for piece in pieces))
    stretches = [stretch for worker in workers for stretch in _stretches(pieces, worker)]

    def renumber(stretch: _Stretch) -> None:
        stretch.renumber(ids)

    for _ in run_tasks([renumber] * len(workers), stretches):
        pass


def _write_offsets(pieces: Sequence[_Encoded], folder: Path) -> None:
    """Bring together the sentences' borders, each once, from 0 to the end."""
    with writing(folder), open(folder / "offsets", "wb") as offsets:
        n_tokens, last = 0, -1
        for piece in pieces:
            breaks = cast(_Encoder, piece.worker).read_breaks(piece)
            borders = np.concatenate([[0], breaks + n_tokens]) if last < 0 else breaks + n_tokens
            borders = borders[np.diff(borders, prepend=last) > 0]
            offsets.write(borders.data)
            n_tokens += piece.n_tokens
            last = int(borders[-1]) if borders.size else last
        if last < n_tokens:
            offsets.write(np.array([n_tokens], np.int64).data)


def _no_words(corpus: Corpus) -> str:
    if corpus.in_memory:
        return "the corpus holds no words; if it is a generator, was it used up before?"
    return f"{corpus.name} holds no words: it is empty or blank"
