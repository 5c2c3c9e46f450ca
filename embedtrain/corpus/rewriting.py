"""Rewriting an encoded corpus: types replaced or dropped, which touches no token, then phrases joined."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.phrases import DELIMITER, Phrases
from embedtrain.corpus.type_table import TypeTable
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.corpus.vocabulary_file import read_lines, words_of
from embedtrain.errors import DataError, quoted
from embedtrain.kernels.glove.cooccurrence import count_words
from embedtrain.kernels.text import pairs
from embedtrain.machine.array_file import temporary_file
from embedtrain.machine.npz import read_only
from embedtrain.machine.progress import note
from embedtrain.machine.ranks import ALONE, Ranks
from embedtrain.machine.threads import run_in_order
from embedtrain.machine.words import is_word

_AT_ONCE = 1 << 20  # tokens whose phrases a thread joins in one task, or a longer sentence
_Path: TypeAlias = str | os.PathLike[str]


def _note_absent(name: str, counts: NDArray[np.int64]) -> None:
    if len(counts) and not counts.any():
        note(f"no word of `{name}` occurs in the text; check case and spelling")


class Rewriting:
    """Replacements of types, each applied once; then types to drop; then phrases to join. Reads files of them."""

    def __init__(
        self, map: _Path | Mapping[str, str] | None = None, drop: _Path | Iterable[str] | None = None,
        phrases: _Path | Phrases | None = None,
    ) -> None:  # fmt: skip
        self.replacements = read_replacements(Path(map)) if isinstance(map, (str, os.PathLike)) else map or {}
        self.dropped = words_of(drop)
        self.phrases = Phrases.load(phrases) if isinstance(phrases, (str, os.PathLike)) else phrases or Phrases()

    def renumber(self, vocabulary: Vocabulary) -> tuple[NDArray[np.int32], Vocabulary]:
        """Replace and drop types; returns the new id of each, that of dropped ones is the length of the vocabulary."""
        types = TypeTable.of(vocabulary)
        numbers = np.arange(types.n, dtype=np.int32)
        old, new = types.numbers_of(self.replacements), types.numbers_of(self.replacements.values())
        gone = types.numbers_of(self.dropped)
        moved = types.counts[old]
        _note_absent("map", moved)
        types.counts[old] = 0
        np.add.at(types.counts, new, moved)
        _note_absent("drop", types.counts[gone])
        types.counts[gone] = 0
        present = old < len(numbers)
        numbers[old[present]] = new[present]
        ranks, vocabulary = types.ordered()
        return ranks[numbers], vocabulary

    def applied(self, text: EncodedCorpus, folder: _Path | None) -> EncodedCorpus:
        """Replace and drop the types of an encoded text."""
        has_effect = self.replacements or self.dropped
        return text.renumbered(*self.renumber(text.vocabulary), folder) if has_effect else text

    def joined(self, text: EncodedCorpus, threads: int, folder: _Path | None, ranks: Ranks = ALONE) -> EncodedCorpus:
        """Join the phrases of an encoded text, pass after pass."""
        for phrases in self.phrases.passes:
            text = join_phrases(text, phrases, threads, folder, ranks)
        return text


def read_replacements(path: Path) -> dict[str, str]:
    """Read lines of a type, a tab and its replacement."""
    found: dict[str, str] = {}
    for _, location, line in read_lines(path):
        word, _, new = line.partition("\t")
        if not (word and new and is_word(word + new)):
            raise DataError(f"{location}: expected a type, a tab and the word that replaces it, got {quoted(line)}")
        if found.setdefault(word, new) != new:
            raise DataError(f"{location}: {word!r} is replaced by {found[word]!r} before; remove one of the lines")
    return found


def join_phrases(
    text: EncodedCorpus, phrases: Collection[tuple[str, ...]], threads: int, folder: _Path | None = None,
    ranks: Ranks = ALONE,
) -> EncodedCorpus:  # fmt: skip
    """Join phrases in all sentences of an encoded text, or of the share of a rank; the vocabulary is of all."""
    types = TypeTable.of(text.vocabulary)
    types.numbers_of(["\n"])  # the number of dropped tokens
    dropped = len(text.vocabulary)
    kinds, slots = _table(types, phrases)
    kinds[dropped] = pairs.DROPPED
    tasks = np.unique(np.searchsorted(text.offsets, range(0, len(text.ids) + _AT_ONCE, _AT_ONCE)))
    tasks[-1] = text.n_sentences

    def join(task: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        borders = text.offsets[tasks[task] : tasks[task + 1] + 1]
        ids = text.ids[borders[0] : borders[-1]]
        joined, new = np.empty(len(ids), np.int32), np.empty(len(borders), np.int64)
        n = pairs.join_pairs(ids, borders, kinds, slots, joined, new)
        return read_only(joined[:n]), new[1:]

    types.counts[:] = 0
    with temporary_file(folder) as file, temporary_file(folder) as offsets:
        n_tokens = 0
        offsets.append(np.zeros(1, np.int64))
        for ids, borders in run_in_order([join] * threads, range(len(tasks) - 1)):
            count_words(ids, 0, len(ids), types.counts)
            file.append(ids)
            offsets.append(borders + n_tokens)
            n_tokens += len(ids)
        types.counts[dropped] = 0
        ranks.sum(types.counts)
        joined = replace(text, ids=file.mapped(np.int32), offsets=offsets.mapped(np.int64))
        return joined.renumbered(*types.ordered(), folder)


def _table(types: TypeTable, phrases: Collection[tuple[str, ...]]) -> tuple[NDArray[np.uint8], NDArray[np.uint64]]:
    """The kinds of words and the slots for `join_pairs`; the words and phrases are added to the types."""
    words = iter(types.numbers_of(word for phrase in phrases for word in phrase).tolist())
    joined = types.numbers_of(map(DELIMITER.join, phrases)).tolist()
    kinds = np.zeros(types.n, np.uint8)
    nodes: dict[tuple[int, int], int] = {}  # by the node before and a word
    ends = {}  # the phrases of nodes
    for phrase, number in zip(phrases, joined, strict=True):
        left = next(words)
        kinds[left] |= pairs.BEGINS
        for word in islice(words, len(phrase) - 1):
            kinds[word] |= pairs.CONTINUES
            left = nodes.setdefault((left, word), types.n + len(nodes))
        ends[left] = number + 1
    entries = [((left + 1) << 32 | word, ends.get(node, 0) << 32 | node) for (left, word), node in nodes.items()]
    slots = np.zeros(4 << len(nodes).bit_length(), np.uint64)
    pairs.fill_pairs(np.array(entries, np.uint64).reshape(-1), slots)
    return kinds, slots
