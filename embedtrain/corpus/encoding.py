"""Encoding: one pass over the text, on all cores, gives the ids of all its tokens on disk and the vocabulary.

Every worker numbers the types of its pieces in order of appearance. When all is read, the workers' types are
merged, ordered by count, and a pass over the ids replaces one numbering by the other. Which worker met which
piece leaves no trace.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.sources import CorpusLike, Piece, read_pieces, source_name
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import DataError, SettingError
from embedtrain.kernels import tokens
from embedtrain.machine.files import temporary_folder, writing
from embedtrain.machine.threads import in_order, run_tasks

_PADDING = b"\n\n"  # the tokeniser looks two bytes ahead


@dataclass(frozen=True)
class EncodedCorpus:
    """A corpus as numbers, mapped from disk.

    Attributes
    ----------
    ids : (n_tokens,) int32 array, read-only
        The id of every token, all types included: after a cut, ids from `len(vocabulary)` on are to be skipped.
    offsets : (n_sentences + 1,) int64 array, read-only
        Where each sentence starts, and the end of the last.
    vocabulary : Vocabulary
        All types.
    notes : tuple of str
        What was found in the text and a person should know.
    """

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]
    vocabulary: Vocabulary
    notes: tuple[str, ...] = ()

    @property
    def longest_sentence(self) -> int:
        """Tokens of the longest sentence."""
        part = 1 << 20  # a bounded piece at a time
        lengths = (np.diff(self.offsets[at : at + part + 1]).max() for at in range(0, len(self.offsets) - 1, part))
        return int(max(lengths))


class _Encoded(NamedTuple):
    """What became of a piece: so much lies next in the files of a worker."""

    worker: _Encoder
    n_tokens: int
    n_breaks: int
    n_lines: int


@contextmanager
def encode(
    corpus: CorpusLike, *, threads: int, invalid_utf8: str = "replace", folder: str | os.PathLike[str] | None = None
) -> Iterator[EncodedCorpus]:
    """Encode a corpus into temporary files in `folder`, which last as long as the block.

    Parameters
    ----------
    corpus : path, iterable of lines or iterable of token lists
        Read once.
    threads : int
        Workers that tokenise; the text is read by whichever is free.
    invalid_utf8 : {"replace", "refuse"}
        What becomes of bytes that are not UTF-8: U+FFFD, as Python's ``errors="replace"`` has it, or an error.
    folder : path, optional
        Where the temporary files are put; by default the system's place for them.

    Raises
    ------
    DataError
        If the corpus cannot be read, holds no word, or holds what `invalid_utf8` refuses.
    """
    if invalid_utf8 not in ("replace", "refuse"):
        raise SettingError(f"invalid_utf8 must be 'replace' or 'refuse', got {invalid_utf8!r}")
    if not isinstance(corpus, (str, os.PathLike)):
        threads = 1  # an iterable may belong to the thread it was made in, and is slower than a tokeniser anyway
    with temporary_folder(folder) as temporary:
        yield EncodedCorpus(*_encode(corpus, threads, invalid_utf8 == "refuse", temporary))


def _encode(
    corpus: CorpusLike, threads: int, refuse: bool, folder: Path
) -> tuple[NDArray[np.int32], NDArray[np.int64], Vocabulary, tuple[str, ...]]:
    with ExitStack() as stack:
        workers = [_Encoder(folder, number, stack) for number in range(threads)]
        pieces = list(in_order(run_tasks(workers, read_pieces(corpus))))
        lines = np.cumsum([0, *(piece.n_lines for piece in pieces)])
        if not any(piece.n_tokens for piece in pieces):
            raise DataError(_no_words(corpus))

        merged = _Types()
        numbers = [merged.merge(worker.types) for worker in workers]
        vocabulary, ranks, invalid = _order(merged)
        where = _Places(source_name(corpus), lines)
        notes = [*where.invalid(merged, invalid, refuse), *where.controls([worker.state for worker in workers])]
        for worker, merged_numbers in zip(workers, numbers, strict=True):
            worker.ranks = ranks[merged_numbers]
        with writing(folder), open(folder / "ids", "wb") as ids, open(folder / "offsets", "wb") as offsets:
            _write_in_order(pieces, ids, offsets)
    for worker in workers:
        worker.remove_files()
    return _map(folder / "ids", np.int32), _map(folder / "offsets", np.int64), vocabulary, tuple(notes)


def _map(path: Path, dtype: type[np.generic]) -> NDArray[Any]:
    """The numbers in a file, as a read-only array that takes no memory of its own."""
    if os.name == "nt":  # a mapped file could not be removed at the end
        numbers = np.fromfile(path, dtype)
        numbers.setflags(write=False)
        return numbers
    return np.memmap(path, dtype, mode="r").view(np.ndarray)


class _Types:
    """The growing table of types behind the kernels."""

    def __init__(self, capacity: int = 1 << 14, n_bytes: int = 1 << 17) -> None:
        self.n = 0
        self.table = self._empty(capacity, n_bytes)

    @staticmethod
    def _empty(capacity: int, n_bytes: int) -> tokens.Types:
        return tokens.Types(
            slots=np.zeros(2 * capacity, np.uint64),
            hashes=np.empty(capacity, np.uint64),
            starts=np.zeros(capacity + 1, np.int64),
            text=np.empty(n_bytes, np.uint8),
            counts=np.empty(capacity, np.int64),
            first_seen=np.empty(capacity, np.int64),
        )

    def make_room(self, length: int) -> None:
        """Room for twice as much, at least for one more type of `length` bytes."""
        old, n = self.table, self.n
        self.table = self._empty(2 * old.counts.size, 2 * old.text.size + length)
        tokens.merge_types(self.table, 0, old, n, 0, np.empty(n, np.int32))

    def merge(self, other: _Types) -> NDArray[np.int32]:
        """Take in the types of `other` with their counts; returns their numbers here."""
        numbers = np.empty(other.n, np.int32)
        done = 0
        while True:
            self.n, done = tokens.merge_types(self.table, self.n, other.table, other.n, done, numbers)
            if done == other.n:
                return numbers
            self.make_room(int(other.table.starts[done + 1] - other.table.starts[done]))

    def words(self) -> list[bytes]:
        text, starts = self.table.text.tobytes(), self.table.starts[: self.n + 1].tolist()
        return [text[start:end] for start, end in pairwise(starts)]


class _Encoder:
    """A worker: tokenises pieces with types of its own, into files of its own."""

    def __init__(self, folder: Path, number: int, stack: ExitStack) -> None:
        self.types = _Types()
        self.state = np.zeros(tokens.STATE, np.int64)
        self.ranks = np.empty(0, np.int32)  # ids in the order of the whole corpus
        self._folder, self._paths = folder, [folder / f"ids-{number}", folder / f"breaks-{number}"]
        with writing(folder):
            self._ids, self._breaks = (stack.enter_context(open(path, "w+b")) for path in self._paths)

    def __call__(self, piece: Piece) -> tuple[int, _Encoded]:
        text = np.frombuffer(piece.text + _PADDING, np.uint8)
        n = len(piece.text)
        ids, breaks = np.empty(n // 2 + 1, np.int32), np.empty(n // 2 + 2, np.int64)
        state = self.state
        state[[tokens.POSITION, tokens.N_TOKENS, tokens.N_BREAKS, tokens.N_LINES]] = 0
        state[tokens.N_TYPES] = self.types.n
        while True:
            lacking = tokens.tokenise(text, n, piece.number, self.types.table, state, ids, breaks)
            self.types.n = int(state[tokens.N_TYPES])
            if not lacking:
                break
            self.types.make_room(lacking)
        n_tokens, n_breaks = int(state[tokens.N_TOKENS]), int(state[tokens.N_BREAKS])
        with writing(self._folder):
            self._ids.write(ids[:n_tokens].data)
            self._breaks.write(breaks[:n_breaks].data)
        return piece.number, _Encoded(self, n_tokens, n_breaks, int(state[tokens.N_LINES]))

    def rewind(self) -> None:
        """Go back to the first piece, to read all again."""
        self._ids.seek(0)
        self._breaks.seek(0)

    def remove_files(self) -> None:
        """Give back the disk space, once all is read and the files are closed."""
        for path in self._paths:
            path.unlink()

    def read(self, piece: _Encoded) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """The ids and breaks of the next piece, in the order of the whole corpus."""
        ids = np.frombuffer(self._ids.read(4 * piece.n_tokens), np.int32)
        breaks = np.frombuffer(self._breaks.read(8 * piece.n_breaks), np.int64)
        return self.ranks[ids], breaks


def _write_in_order(pieces: Sequence[_Encoded], ids: BinaryIO, offsets: BinaryIO) -> None:
    """Bring together what the workers wrote: all ids, and the sentences' borders, each once, from 0 to the end."""
    for worker in {piece.worker for piece in pieces}:
        worker.rewind()
    n_tokens, last = 0, -1
    for piece in pieces:
        new_ids, breaks = piece.worker.read(piece)
        ids.write(new_ids.data)
        borders = np.concatenate([[0], breaks + n_tokens]) if last < 0 else breaks + n_tokens
        borders = borders[np.diff(borders, prepend=last) > 0]
        offsets.write(borders.data)
        n_tokens += piece.n_tokens
        last = int(borders[-1]) if borders.size else last
    if last < n_tokens:
        offsets.write(np.array([n_tokens], np.int64).data)


def _order(types: _Types) -> tuple[Vocabulary, NDArray[np.int32], list[int]]:
    """The vocabulary, the id of each type, and the types that are not UTF-8.

    Replacing what is not UTF-8 can make two types the same word; their counts are then added.
    """
    spellings = types.words()
    invalid: list[int] = []
    try:
        words = b"\n".join(spellings).decode().split("\n")
    except UnicodeDecodeError:
        words = [spelling.decode(errors="replace") for spelling in spellings]
        invalid = [number for number, spelling in enumerate(spellings) if spelling != words[number].encode()]
        spellings = [word.encode() for word in words]
    counts = types.table.counts[: types.n]
    numbers = np.arange(types.n)
    if invalid:
        first = {spelling: number for number, spelling in reversed(list(enumerate(spellings)))}
        numbers = np.array([first[spelling] for spelling in spellings])
        counts = np.bincount(numbers, weights=counts, minlength=types.n).astype(np.int64)

    by_bytes = np.array(sorted(set(numbers.tolist()), key=spellings.__getitem__))
    order = by_bytes[np.argsort(-counts[by_bytes], kind="stable")]
    ranks = np.empty(types.n, np.int32)
    ranks[order] = np.arange(order.size, dtype=np.int32)
    return Vocabulary([words[number] for number in order], counts[order]), ranks[numbers], invalid


@dataclass(frozen=True)
class _Places:
    """Turns what kernels noted of places into words."""

    source: str
    lines: NDArray[np.int64]  # line feeds before each piece

    def _place(self, seen: int) -> str:
        return f"{self.source}, line {self.lines[seen >> 32] + (seen & 0xFFFFFFFF) + 1}"

    def invalid(self, types: _Types, invalid: list[int], refuse: bool) -> Iterator[str]:
        """A note on types that are not UTF-8, or the error if they are refused."""
        if not invalid:
            return
        first = min(invalid, key=lambda number: types.table.first_seen[number])
        place = self._place(int(types.table.first_seen[first]))
        spelling = types.words()[first]
        if refuse:
            raise DataError(
                f"{place}: {spelling[:40]!r} is not UTF-8; convert the text, or replace such bytes by U+FFFD"
            )
        n_tokens = int(types.table.counts[invalid].sum())
        yield f"not UTF-8, read with U+FFFD for what is wrong: {n_tokens:,} tokens, first {spelling[:40]!r} in {place}"

    def controls(self, states: list[NDArray[np.int64]]) -> Iterator[str]:
        """A note on control characters."""
        found = [state for state in states if state[tokens.N_CONTROLS]]
        if found:
            n_controls = sum(int(state[tokens.N_CONTROLS]) for state in found)
            first = min(int(state[tokens.FIRST_CONTROL]) for state in found)
            yield f"control characters, such as NUL, read as spaces: {n_controls:,}, the first in {self._place(first)}"


def _no_words(corpus: CorpusLike) -> str:
    if isinstance(corpus, (str, os.PathLike)):
        return f"{corpus} holds no words: it is empty or blank"
    return "the corpus holds no words; if it is a generator, was it used up before?"
