"""Rewriting an encoded corpus: types replaced or dropped, which touches no token, then phrases joined."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus, frozen
from embedtrain.corpus.phrases import DELIMITER, Phrases
from embedtrain.corpus.type_table import TypeTable
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.corpus.vocabulary_file import read_lines, read_words
from embedtrain.errors import DataError, quoted
from embedtrain.kernels.glove.cooccurrence import count_words
from embedtrain.kernels.text import pairs
from embedtrain.machine.array_file import temporary_file
from embedtrain.machine.threads import in_order, run_tasks
from embedtrain.machine.words import is_word

_AT_ONCE = 1 << 20  # tokens whose phrases a thread joins in one task, or a longer sentence
_Path: TypeAlias = str | os.PathLike[str]
_Sentences: TypeAlias = tuple[NDArray[np.int32], NDArray[np.int64]]  # ids and borders


@dataclass(frozen=True)
class Rewriting:
    """Replacements of types, each applied once; then types to drop; then phrases to join."""

    replacements: Mapping[str, str] = field(default_factory=dict)
    dropped: Collection[str] = ()
    phrases: Phrases | None = None

    @classmethod
    def of(
        cls,
        map: _Path | Mapping[str, str] | None,
        drop: _Path | Collection[str] | None,
        phrases: _Path | Phrases | None,
    ) -> Rewriting:
        """Make it of settings, reading their files."""
        return cls(
            map if isinstance(map, Mapping) else {} if map is None else read_replacements(Path(map)),
            read_words(Path(drop))[0] if isinstance(drop, (str, os.PathLike)) else list(drop or ()),
            phrases if isinstance(phrases, Phrases | None) else Phrases.load(phrases),
        )

    @property
    def changes_types(self) -> bool:
        """Whether types are replaced or dropped."""
        return bool(self.replacements or self.dropped)

    def renumber(self, types: TypeTable, name: str) -> tuple[NDArray[np.int32], Vocabulary, list[str]]:
        """The id of each type, `len(vocabulary)` for dropped ones, the vocabulary, and notes on the text `name`."""
        numbers, notes = np.arange(types.n, dtype=np.int32), []
        if self.changes_types:
            old, new = types.numbers_of(self.replacements), types.numbers_of(self.replacements.values())
            gone = types.numbers_of(self.dropped)
            if n_absent := np.count_nonzero(gone >= len(numbers)):
                notes.append(f"{n_absent:,} of the {len(gone):,} words of `drop` do not occur in {name}")
            moved = types.counts[old]
            types.counts[old] = 0
            np.add.at(types.counts, new, moved)
            types.counts[gone] = 0
            present = old < len(numbers)
            numbers[old[present]] = new[present]
        ranks, vocabulary = types.ordered()
        return ranks[numbers], vocabulary, notes

    def applied(self, text: EncodedCorpus, name: str, folder: _Path | None) -> EncodedCorpus:
        """Replace and drop the types of an encoded text."""
        if not self.changes_types:
            return text
        ranks, vocabulary, notes = self.renumber(TypeTable.of(text.vocabulary), name)
        return replace(text.renumbered(ranks, vocabulary, folder), notes=(*text.notes, *notes))

    def joined(self, text: EncodedCorpus, threads: int, folder: _Path | None) -> EncodedCorpus:
        """Join the phrases of an encoded text."""
        return text if self.phrases is None else join_phrases(text, self.phrases, threads, folder)


#: The rewriting that changes nothing.
UNCHANGED = Rewriting()


def read_replacements(path: Path) -> dict[str, str]:
    """Read lines of a type, a tab and its replacement."""
    found: dict[str, str] = {}
    for location, line in read_lines(path):
        word, _, new = line.partition("\t")
        if not (word and new and is_word(word + new)):
            raise DataError(f"{location}: expected a type, a tab and the word that replaces it, got {quoted(line)}")
        if found.setdefault(word, new) != new:
            raise DataError(f"{location}: {word!r} is replaced by {found[word]!r} before; remove one of the lines")
    return found


def join_phrases(text: EncodedCorpus, phrases: Phrases, threads: int, folder: _Path | None = None) -> EncodedCorpus:
    """Join the phrases of all sentences, pass after pass, in ids that are renumbered at the end."""
    types = TypeTable.of(text.vocabulary)
    types.numbers_of(["\n"])  # the number of dropped tokens
    dropped = len(text.vocabulary)
    tables = _tables(types, phrases, dropped)
    tasks = np.unique(np.searchsorted(text.offsets, range(0, len(text.ids) + _AT_ONCE, _AT_ONCE)))
    tasks[-1] = text.n_sentences

    def worker(counts: NDArray[np.int64]) -> Callable[[int], tuple[int, _Sentences]]:
        def join(task: int) -> tuple[int, _Sentences]:
            borders = text.offsets[tasks[task] : tasks[task + 1] + 1]
            ids = text.ids[borders[0] : borders[-1]]
            for kinds, slots in tables:
                joined, new = np.empty(len(ids), np.int32), np.empty(len(borders), np.int64)
                n = pairs.join_pairs(ids, borders, kinds, slots, joined, new)
                ids, borders = frozen(joined[:n]), frozen(new)
            count_words(ids, 0, len(ids), counts)
            return task, (ids, borders)

        return join

    counts = np.zeros((threads, types.n), np.int64)
    with temporary_file(folder) as file, temporary_file(folder) as offsets:
        n_tokens = 0
        offsets.append(np.zeros(1, np.int64))
        for ids, borders in in_order(run_tasks([worker(own) for own in counts], range(len(tasks) - 1))):
            file.append(ids)
            offsets.append(borders[1:] + n_tokens)
            n_tokens += len(ids)
        types.counts[:] = counts.sum(axis=0)
        types.counts[dropped] = 0
        ranks, vocabulary = types.ordered()
        joined = replace(text, ids=file.mapped(np.int32), offsets=offsets.mapped(np.int64))
        return joined.renumbered(ranks, vocabulary, folder)


def _tables(types: TypeTable, phrases: Phrases, dropped: int) -> list[tuple[NDArray[np.uint8], NDArray[np.uint64]]]:
    """The kinds of words and the slots of pairs of each pass, for `join_pairs`; phrases are added to the types."""
    numbered = []
    for found in phrases.passes:
        words = types.numbers_of([word for words in found for word in words]).tolist()
        numbered.append((found, words, types.numbers_of(map(DELIMITER.join, found)).tolist()))
    tables = []
    for found, words, joined in numbered:
        kinds, at = np.zeros(types.n, np.uint8), 0
        values: dict[tuple[int, int], int] = {}
        kinds[dropped] = pairs.DROPPED
        for phrase, number in zip(found, joined, strict=True):
            left, *inside, last = words[at : at + len(phrase)]
            at += len(phrase)
            kinds[left] |= pairs.BEGINS
            kinds[last] |= pairs.ENDS
            kinds[inside] = pairs.CONNECTS
            for word in inside:
                left = values.setdefault((left, word), types.n + len(values))
            values[left, last] = number
        entries = np.array([((left + 1) << 32 | right, value) for (left, right), value in values.items()], np.uint64)
        slots = np.zeros(4 << len(values).bit_length(), np.uint64)
        pairs.fill_pairs(entries.reshape(-1), slots)
        tables.append((kinds, slots))
    return tables
