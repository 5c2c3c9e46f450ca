"""The types of a text while it is read: spelling, number and count of each, in growing arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.errors import DataError
from embedtrain.kernels.text import type_table as types
from embedtrain.kernels.text.byte_masks import PADDING
from embedtrain.machine.memory import available_memory, format_bytes
from embedtrain.machine.words import PackedWords, is_utf8

_AT_ONCE = 1 << 16  # types that are decoded at once
_LARGE = 1 << 26  # bytes; the free memory is not checked for smaller requests


class TypeTable:
    """Types in order of appearance; each takes 24 bytes, its spelling, and 21 to 43 bytes in slots."""

    def __init__(self, n_slots: int = 1 << 15, n_bytes: int = 1 << 17) -> None:
        self.n = 0  # number of types
        capacity = n_slots // 4 * 3
        self.arrays = types.Types(  # with capacity for more than n
            slots=np.zeros(2 * n_slots, np.uint64),
            starts=np.zeros(capacity + 1, np.int64),
            text=np.empty(n_bytes + PADDING, np.uint8),
            counts=np.empty(capacity, np.int64),
            first_seen=np.empty(capacity, np.int64),
        )

    @property
    def starts(self) -> NDArray[np.int64]:
        """(n + 1,) where the bytes of each type start in `text`."""
        return self.arrays.starts[: self.n + 1]

    @property
    def text(self) -> NDArray[np.uint8]:
        """The concatenated bytes of all types."""
        return self.arrays.text[: self.starts[-1]]

    @property
    def counts(self) -> NDArray[np.int64]:
        """(n,) occurrences."""
        return self.arrays.counts[: self.n]

    @property
    def first_seen(self) -> NDArray[np.int64]:
        """(n,) chunk << 32 | line in the chunk."""
        return self.arrays.first_seen[: self.n]

    def spelling(self, number: int) -> bytes:
        """The bytes of a type."""
        return self.text[self.starts[number] : self.starts[number + 1]].tobytes()

    def grow(self, length: int) -> None:
        """Double the arrays that are full, one by one to save memory, so that a type of `length` bytes fits."""
        slots, starts, text, counts, first_seen = self.arrays
        used = int(starts[self.n])
        needs_text, is_full = used + length > text.size - PADDING, self.n == counts.size
        self._require_memory(2 * needs_text * text.nbytes + is_full * (slots.nbytes + 4 * starts.nbytes))
        del self.arrays
        if needs_text:
            text = _longer(text, used, 2 * text.size + length)
        if is_full:
            n_slots = slots.size  # doubled, as a slot takes two numbers
            del slots
            capacity = n_slots // 4 * 3
            starts = _longer(starts, self.n + 1, capacity + 1)
            counts = _longer(counts, self.n, capacity)
            first_seen = _longer(first_seen, self.n, capacity)
            slots = np.zeros(2 * n_slots, np.uint64)
        self.arrays = types.Types(slots, starts, text, counts, first_seen)
        if is_full:
            types.fill_slots(self.arrays, self.n)

    def _require_memory(self, needed: int) -> None:
        if needed > _LARGE and needed > (free := available_memory()):
            raise DataError(
                f"the text has too many different words: after {self.n:,} of them, {format_bytes(free)} of memory are "
                f"free, and {format_bytes(needed)} are needed to go on; allow more memory, or set `threads=1`"
            )

    def columns(self) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Copies of what `add` takes."""
        text = self.arrays.text[: self.starts[-1] + PADDING]
        return text.copy(), self.starts.copy(), self.counts.copy(), self.first_seen.copy()

    def close(self) -> None:
        """Free the slots, up to two thirds of the memory; no types can be added afterwards."""
        self.arrays = self.arrays._replace(slots=np.zeros(0, np.uint64))

    def merge(self, other: TypeTable) -> NDArray[np.int32]:
        """Add the types of `other` with their counts; returns their numbers in this table."""
        return self.add(other.arrays.text, other.starts, other.counts, other.first_seen)

    def add(
        self, text: NDArray[np.uint8], starts: NDArray[np.int64], counts: NDArray[np.int64],
        first_seen: NDArray[np.int64],
    ) -> NDArray[np.int32]:  # fmt: skip
        """Add types, spelt one after the other in `text` before `PADDING`; returns their numbers in this table."""
        numbers = np.empty(len(counts), np.int32)
        done = 0
        while True:
            self.n, done = types.merge_types(self.arrays, self.n, text, starts, counts, first_seen, done, numbers)
            if done == len(counts):
                return numbers
            self.grow(int(starts[done + 1] - starts[done]))

    @classmethod
    def of(cls, vocabulary: Vocabulary) -> TypeTable:
        """Make a table of a vocabulary; the numbers of types are their ids."""
        table = cls()
        table.numbers_of(vocabulary.words)
        table.counts[:] = vocabulary.counts
        return table

    def numbers_of(self, words: Iterable[str]) -> NDArray[np.int32]:
        """The numbers of words; those that are not in the table are added with a count of 0."""
        packed = PackedWords.of(words if isinstance(words, Sequence) else list(words))
        text = np.concatenate([packed.text, np.zeros(PADDING, np.uint8)])
        n = len(packed)
        return self.add(text, packed.starts, np.zeros(n, np.int64), np.full(n, np.iinfo(np.int64).max))

    def respelled(self, change: Callable[[str], str]) -> tuple[TypeTable, NDArray[np.int32]]:
        """Make a table of changed spellings, equal ones merged; returns also the new number of each type."""
        table, numbers = TypeTable(), []
        for begin, part, borders in self._parts():
            spelled = [change(part[a:b].decode(errors="replace")).encode() for a, b in pairwise(borders.tolist())]
            end = begin + len(spelled)
            lengths = np.fromiter(map(len, spelled), np.int64, len(spelled))
            text = np.frombuffer(bytearray(b"".join([*spelled, bytes(PADDING)])), np.uint8)
            starts = np.concatenate([[0], np.cumsum(lengths)])
            numbers.append(table.add(text, starts, self.counts[begin:end], self.first_seen[begin:end]))
        return table, np.concatenate([np.empty(0, np.int32), *numbers])

    def invalid(self) -> list[int]:
        """The numbers of types that are not UTF-8."""
        found: list[int] = []
        for begin, text, starts in self._parts():
            firsts = self.text[self.starts[begin] + starts[:-1]]
            if is_utf8(text) and not ((firsts & 0xC0) == 0x80).any():  # no character is in two types
                continue
            found += [begin + i for i, (a, b) in enumerate(pairwise(starts.tolist())) if not is_utf8(text[a:b])]
        return found

    def holds(self, text: str) -> bool:
        """Whether a type holds the text."""
        return any(text.encode() in part for _, part, _ in self._parts())

    def _parts(self) -> Iterator[tuple[int, bytes, NDArray[np.int64]]]:
        """Yield the bytes of consecutive types, the number of the first, and where they start, with the end."""
        for begin in range(0, self.n, _AT_ONCE):
            starts = self.starts[begin : begin + _AT_ONCE + 1]
            yield begin, self.text[starts[0] : starts[-1]].tobytes(), starts - starts[0]

    def packed(self, order: NDArray[np.int32]) -> PackedWords:
        """The spellings in the given order; all must be UTF-8."""
        starts = np.zeros(len(order) + 1, np.int64)
        np.cumsum(np.diff(self.starts)[order], out=starts[1:])
        text = np.empty(starts[-1] + PADDING, np.uint8)
        types.pack_spellings(self.arrays, order, starts, text)
        return PackedWords(text[: starts[-1]], starts)

    def ordered(self) -> tuple[NDArray[np.int32], Vocabulary]:
        """The id of each type, and the vocabulary of those that occur; the id of others is its length."""
        self.close()
        order = self.order()
        order = order[: np.count_nonzero(self.counts)]
        ranks = np.full(self.n, len(order), np.int32)
        ranks[order] = np.arange(len(order), dtype=np.int32)
        return ranks, Vocabulary(self.packed(order), self.counts[order])

    def order(self) -> NDArray[np.int32]:
        """The numbers of all types by count, descending, ties by their bytes."""
        self._require_memory(32 * self.n + self.text.size)  # includes ranks, and sorted spellings and counts
        order = np.arange(self.n, dtype=np.int32)
        stack = np.empty((types.STACK_ROWS, 3), np.int64)
        types.sort_types(self.arrays, order, np.empty(self.n, np.uint64), stack)
        return order


def _longer(array: NDArray[Any], used: int, size: int) -> NDArray[Any]:
    """Copy the first `used` elements to a longer array."""
    longer = np.empty(size, array.dtype)
    longer[:used] = array[:used]
    return longer
