"""The table of types."""

import random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from embedtrain.corpus import type_table
from embedtrain.corpus.type_table import TypeTable
from embedtrain.kernels.text.byte_masks import PADDING

FEW = settings(max_examples=150, derandomize=True, deadline=None)


def table_of(words, counts=None, table=None):
    """Words, each first seen in a line of its own, and their numbers."""
    table = table or TypeTable(n_slots=4, n_bytes=8)
    starts = np.cumsum([0, *map(len, words)])
    text = np.frombuffer(bytearray(b"".join(words) + bytes(PADDING)), np.uint8)
    counts = np.ones(len(words), np.int64) if counts is None else np.array(counts, np.int64)
    return table, table.add(text, starts, counts, np.arange(len(words))).tolist()


def spellings(table):
    return [table.spelling(number) for number in range(table.n)]


def sorted_by_python(table):
    words, counts = spellings(table), table.counts.tolist()
    return sorted(range(table.n), key=lambda number: (-counts[number], words[number]))


PREFIX = b"https://www.example.org/"
ADVERSARIES = {
    "no types": [],
    "one": [b"a"],
    "numbers": [b"%d" % n for n in range(3000)],
    "a long prefix": [PREFIX + b"%d" % n for n in range(3000)],
    "a very long prefix": [b"x" * 50_000 + word for word in (b"", b"b", b"a", b"ab", b"ba")],
    "prefixes of each other": [b"a" * n for n in range(1, 400)],
    "prefixes in words of 8": [b"abcdefgh" * n + end for n in range(1, 20) for end in (b"", b"a", b"\xff", b"!")],
    "high bytes": [bytes([a, b]) for a in range(0x21, 256) for b in (0x21, 0x7E, 0x80, 0xFF)],
    "ends of prefixes": [PREFIX[:n] + end for n in range(1, 25) for end in (b"!", b"\x80", b"\xff\xff")],
}


@pytest.mark.parametrize("name", ADVERSARIES)
@pytest.mark.parametrize("arranged", [list, reversed, sorted, lambda words: random.Random(1).sample(words, len(words))])
@pytest.mark.parametrize("count", [lambda n: 1, lambda n: n % 5, lambda n: n, lambda n: 1 << 40 | n % 2])
def test_order_is_that_of_python(name, arranged, count):
    words = list(arranged(ADVERSARIES[name]))
    table, _ = table_of(words, [count(n) for n in range(len(words))])
    order = table.order()
    assert order.dtype == np.int32
    assert order.tolist() == sorted_by_python(table)


BYTES = st.integers(0x21, 255).map(lambda byte: bytes([byte]))
WORDS = st.lists(BYTES | st.sampled_from([b"a", b"b", b"abcdefgh", PREFIX]), min_size=1, max_size=6).map(b"".join)


@FEW
@given(st.dictionaries(WORDS, st.sampled_from([1, 1, 1, 2, 3, 1 << 33]), max_size=40))
def test_order_and_packed_on_any_words(counts):
    table, _ = table_of(list(counts), list(counts.values()))
    order = table.order()
    assert order.tolist() == sorted_by_python(table)
    packed = table.packed(order)
    assert packed.starts.dtype == np.int64
    assert packed.starts[-1] == len(packed.text)
    assert packed.text.tobytes() == b"".join(table.spelling(number) for number in order.tolist())


@FEW
@given(st.lists(st.lists(WORDS, unique=True, max_size=30), max_size=5))
def test_added_types_are_found_again_while_the_table_grows(batches):
    table, known, counts, seen = TypeTable(n_slots=4, n_bytes=8), {}, {}, {}
    for batch in batches:
        _, numbers = table_of(batch, range(1, len(batch) + 1), table)
        for line, (word, number) in enumerate(zip(batch, numbers, strict=True)):
            assert known.setdefault(word, len(known)) == number
            counts[word] = counts.get(word, 0) + line + 1
            seen[word] = min(seen.get(word, line), line)
    assert spellings(table) == list(known)
    assert table.counts.tolist() == list(counts.values())
    assert table.first_seen.tolist() == list(seen.values())


def test_merge_adds_counts_and_keeps_the_first_appearance():
    ours, _ = table_of([b"a", b"b", b"c"], [1, 2, 3])
    theirs, _ = table_of([b"c", b"d" * 100, b"b"], [10, 20, 30])
    assert ours.merge(theirs).tolist() == [2, 3, 1]
    assert spellings(ours) == [b"a", b"b", b"c", b"d" * 100]
    assert ours.counts.tolist() == [1, 32, 13, 20]
    assert ours.first_seen.tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize("length", [1, 8, 100, 100_000])
def test_a_table_that_grew_has_room(length):
    table, _ = table_of([b"a", b"b", b"c"])
    for _ in range(3):
        before = spellings(table)
        table.grow(length)
        assert spellings(table) == before
        arrays = table.arrays
        assert arrays.text.size >= table.text.size + length + PADDING
        assert arrays.counts.size == arrays.first_seen.size == arrays.starts.size - 1 > table.n
        assert 8 * arrays.counts.size <= 3 * arrays.slots.size
        assert arrays.slots.size & (arrays.slots.size - 1) == 0


def test_a_type_takes_at_most_60_bytes_beyond_its_spelling_when_a_table_is_full():
    table = TypeTable()
    arrays = table.arrays
    n_bytes = sum(array.nbytes for array in arrays) - arrays.text.nbytes
    assert n_bytes <= 60 * arrays.counts.size


# --- Spellings --------------------------------------------------------------------------------------------------------


def test_an_incomplete_character_is_not_completed_by_the_next_type():
    table, _ = table_of([b"a\xc3", b"\xa9", b"\xe6\x97\xa5", b"\xe6", b"\x97\xa5"])
    assert table.invalid() == [0, 1, 3, 4]


@FEW
@given(st.lists(st.binary(min_size=1, max_size=6).map(lambda word: word.replace(b"\0", b"\x80")), unique=True))
@example(["é".encode(), b"\xed\xa0\x80", "\ud7ff".encode(), b"\xf4\x90\x80\x80", "\U0010ffff".encode(), b"\xc0\xa0"])
@example([b"a" * 7 + b"\xc3", b"x" * 9 + "é".encode(), b"a" * 8 + b"\xc3", b"\xe0\x9f\xbf", b"\xf0\x8f\xbf\xbf"])
def test_invalid_types_are_those_that_python_does_not_decode(words):
    table, _ = table_of(words)
    wrong = [number for number, word in enumerate(words) if word.decode(errors="ignore").encode() != word]
    assert table.invalid() == wrong


def test_a_closed_table_knows_all_types():
    table, _ = table_of([b"b", b"c\xff", b"a"])
    table.close()
    assert table.arrays.slots.size == 0
    assert spellings(table) == [b"b", b"c\xff", b"a"]
    assert table.order().tolist() == [2, 0, 1]
    assert table.packed(np.array([2, 0], np.int32))[:] == ["a", "b"]
    assert table.invalid() == [1]
    assert table_of([b"a"])[0].merge(table).tolist() == [1, 2, 0]


@pytest.mark.parametrize("at_once", [1, 2, 1 << 16])
def test_respelled_types_that_become_the_same_are_one(monkeypatch, at_once):
    monkeypatch.setattr(type_table, "_AT_ONCE", at_once)
    words = ["Straße", "b", "STRASSE", "B", "strasse", "c"]
    table, _ = table_of([word.encode() for word in words], [1, 2, 3, 4, 5, 6])
    respelled, numbers = table.respelled(str.casefold)
    assert spellings(respelled) == [b"strasse", b"b", b"c"]
    assert numbers.tolist() == [0, 1, 0, 1, 0, 2]
    assert respelled.counts.tolist() == [9, 6, 6]
    assert respelled.first_seen.tolist() == [0, 1, 5]


def test_respelled_types_have_replacement_characters_for_what_is_invalid():
    table, _ = table_of([b"a\xff", b"a\xfe", "a\ufffd".encode(), b"b\xc3"])
    respelled, numbers = table.respelled(str)
    assert spellings(respelled) == ["a\ufffd".encode(), "b\ufffd".encode()]
    assert numbers.tolist() == [0, 0, 0, 1]
    assert respelled.invalid() == []
