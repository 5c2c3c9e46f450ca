"""The tokeniser and the table of types against plain forms."""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_text import kind_of, words_of

from embedtrain.corpus.characters import character_classes
from embedtrain.corpus.type_table import TypeTable
from embedtrain.kernels.compilation import kernel
from embedtrain.kernels.text import tokenize as tokens
from embedtrain.kernels.text import type_table as kernel_types
from embedtrain.kernels.text import word_filter as classes
from embedtrain.kernels.text.byte_masks import PADDING
from embedtrain.kernels.text.word_filter import filter_words

FEW = settings(max_examples=150, derandomize=True, deadline=None)

# --- The plain form ---------------------------------------------------------------------------------------------------

SPACE = rb"[\x09-\x0d\x1c-\x20]|\xc2[\x85\xa0]|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80"
CONTROL = rb"[\x00-\x08\x0e-\x1b\x7f]|\xc2[\x80-\x84\x86-\x9f]"
SEPARATOR = re.compile(rb"(?P<line>\n)|(?P<space>" + SPACE + rb")|(?P<control>" + CONTROL + rb")|\Z")
SEPARATORS = [c for c in map(str.encode, map(chr, range(0x3001))) if re.fullmatch(SPACE + b"|" + CONTROL, c)]


def naive(pieces):
    """Types with counts and first appearances, ids and breaks of each piece, and how many controls, from where."""
    types, all_ids, all_breaks, controls = {}, [], [], []
    for piece, text in enumerate(pieces):
        ids, breaks, line, begin = [], [], 0, 0
        for separator in SEPARATOR.finditer(text):
            token = text[begin : separator.start()]
            begin = separator.end()
            if token:
                known = types.setdefault(token, [len(types), 0, piece << 32 | line])
                known[1] += 1
                ids.append(known[0])
            if separator["control"]:
                controls.append(piece << 32 | line)
            if separator["line"]:
                line += 1
                breaks.append(len(ids))
        all_ids.append(ids)
        all_breaks.append(breaks)
    return types, all_ids, all_breaks, (len(controls), controls[0] if controls else None)


def tokenised(pieces, table, padding=b"\n"):
    """The same by the kernel."""
    state, all_ids, all_breaks = np.zeros(tokens.STATE, np.int64), [], []
    for piece, text in enumerate(pieces):
        buffer = np.frombuffer(text + (padding * PADDING)[:PADDING], np.uint8)
        n_ids, n_breaks = (len(text) + 1) // 2, len(text)  # room that is needed
        ids, breaks = np.full(n_ids + 1, -7, np.int32), np.full(n_breaks + 1, -7, np.int64)
        state[[tokens.POSITION, tokens.N_TOKENS, tokens.N_LINES]] = 0
        state[tokens.N_TYPES] = table.n
        while True:
            lacking = tokens.tokenise(buffer, len(text), piece, table.arrays, state, ids, breaks)
            table.n = int(state[tokens.N_TYPES])
            if not lacking:
                break
            table.grow(lacking)
        assert state[tokens.N_LINES] == text.count(b"\n")
        assert ids[n_ids] == breaks[n_breaks] == -7
        all_ids.append(ids[: state[tokens.N_TOKENS]].tolist())
        all_breaks.append(breaks[: state[tokens.N_LINES]].tolist())
    n_controls = int(state[tokens.N_CONTROLS])
    first = int(state[tokens.FIRST_CONTROL]) if n_controls else None
    return types_of(table), all_ids, all_breaks, (n_controls, first)


def types_of(table):
    return {
        table.spelling(number): [number, int(table.counts[number]), int(table.first_seen[number])]
        for number in range(table.n)
    }


def small():
    return TypeTable(n_slots=4, n_bytes=8)


def agrees(*pieces, table=None, padding=b"\n"):
    return tokenised(pieces, table or small(), padding) == naive(pieces)


# --- What a token is --------------------------------------------------------------------------------------------------

LENGTHS = [1, 7, 8, 9, 15, 16, 17]
NEARLY = [b"\xc2", b"\xc2\xa1", b"\xe1\x9a", b"\xe1\x9a\x81", b"\xe2\x80", b"\xe2\x80\x8b", b"\xe2\x80\xa7"]
NEARLY += [b"\xe2\x80\xaa", b"\xe2\x81", b"\xe2\x82\x80", b"\xe3\x80", b"\xe3\x80\x81", b"\xe3\x81\x80", b"\x80\xff"]


def test_the_separators_are_those_of_python_and_the_control_characters():
    assert len(SEPARATORS) == 0x21 + 1 + 0x21 + 1 + 11 + 5
    for character in map(bytes.decode, SEPARATORS):
        assert character.isspace() or re.match("[\0-\x1f\x7f-\x9f]", character)


@pytest.mark.parametrize("bits", [SEPARATORS, NEARLY], ids=["separators", "what resembles them"])
def test_every_separator_at_every_place_of_a_block(bits):
    for bit in bits:
        for before in (*range(9), *range(52, 72), *range(120, 131)):
            text = b"a" * before + bit + b"bc \n" + bit + bit + b"de" + bit
            assert agrees(text), (bit, before)


@pytest.mark.parametrize("padding", [b"\n", b"x", b"\0", b"\x80", b"\xa0", b"\x80\x80", b"\xff", b" "])
def test_a_text_ends_where_it_ends_whatever_follows(padding):
    for length in [*range(41), *range(60, 70), *range(126, 131)]:
        for end in (b"", b" ", b"\n", *NEARLY):
            assert agrees(b"ab" * length + end, padding=padding), (length, end)
            assert agrees(b"ab " * (length // 3) + b"x" * (length % 3) + end, padding=padding), (length, end)


@pytest.mark.parametrize("length", LENGTHS)
def test_tokens_that_differ_in_one_byte_anywhere(length):
    words = [b"a" * length, *(b"a" * i + b"b" + b"a" * (length - 1 - i) for i in range(length))]
    words += [word[:i] for word in words for i in LENGTHS if i <= length]
    for space in (b" ", b"\n"):
        assert agrees(space.join(words * 2), table=TypeTable())
        assert agrees(space.join(words * 2))


BITS = st.sampled_from([*SEPARATORS, b" ", b"\n"] * 2 + NEARLY) | st.binary(max_size=3)
WORDS = st.sampled_from(LENGTHS).map(lambda n: b"abcdefghijklmnopqr"[:n])
TEXTS = st.lists(BITS | WORDS | st.sampled_from([b"\xe3\x81\x82", b"\xd0\xb0", b"'", b"\n"]), max_size=60).map(b"".join)


@FEW
@given(st.lists(TEXTS, min_size=1, max_size=3), st.binary(min_size=1, max_size=3))
def test_tokenise_on_texts_of_critical_bytes(pieces, padding):
    assert agrees(*pieces, padding=padding)


@FEW
@given(st.lists(st.binary(max_size=40), min_size=1, max_size=3), st.binary(min_size=1, max_size=3))
def test_tokenise_on_any_bytes(pieces, padding):
    assert agrees(*pieces, padding=padding)


@FEW
@given(st.lists(BITS, min_size=20, max_size=40).map(b"".join), st.integers(0, 130))
def test_blocks_may_begin_anywhere(text, shift):
    assert agrees(b"x" * shift + text)
    assert agrees(b" " * shift + text)


@pytest.mark.parametrize("long", [1000, 100_000])
def test_long_tokens(long):
    words = [b"x" * long, b"x" * (long - 1) + b"y", b"y" + b"x" * (long - 1), b"x" * (long - 1), b"a"]
    assert agrees(b" ".join(words), b"\n".join(words))


# --- Types, found again -----------------------------------------------------------------------------------------------


@kernel
def homes(text, starts, slots, out):
    """The slot where the search for each type begins."""
    for t in range(out.size):
        out[t] = kernel_types.first_slot(slots, kernel_types.spelling_key(text, starts[t], starts[t + 1]))


def packed(words):
    """Words as kernels want them."""
    starts = np.cumsum([0, *map(len, words)])
    return np.frombuffer(bytearray(b"".join(words) + bytes(PADDING)), np.uint8), starts


def homes_of(words, n_slots):
    text, starts = packed(words)
    out = np.empty(len(words), np.int64)
    homes(text, starts, np.zeros(2 * n_slots, np.uint64), out)
    assert not (out % 2).any()
    return out // 2


MANY = 40_009
LETTERS = [bytes(three) for three in itertools.product(range(0x61, 0x7B), repeat=3)]
CHINESE = range(0x4E00, 0x4E00 + 200)
CROWDS = {
    "type-n": [b"type-%d" % n for n in range(MANY)],
    "numbers": [b"%d" % n for n in range(MANY)],
    "padded numbers": [b"%08d" % n for n in range(MANY)],
    "pairs of bytes": [bytes([a, b]) for a in range(0x21, 256) for b in range(0x21, 256) if a != 0x7F != b],
    "a long prefix": [b"https://www.example.org/articles/%d" % n for n in range(MANY)],
    "a long suffix": [b"%d/https://www.example.org/articles/" % n for n in range(MANY)],
    "powers": [b"a" * n for n in range(1, 3000)],
    "one bit": [bytes([64 | 1 << i]) * n + bytes([64 | 1 << k]) for i in range(6) for k in range(6) for n in range(99)],
    "the middle": [b"abcdefgh%08dabcdefgh" % n for n in range(MANY)],
    "the highest bytes": [b"abcd%04d" % n for n in range(10_000)],
    "bytes in the middle": [b"ab%04dcd" % n for n in range(10_000)],
    "hexadecimal": [b"%08x" % n for n in range(MANY)],
    "times": [b"%02d:%02d:%02d" % (h, m, s) for h in range(24) for m in range(60) for s in range(60)],
    "three letters": LETTERS,
    "infixes": [b"un" + letters + b"ing" for letters in LETTERS],
    "pairs of Chinese characters": [(chr(a) + chr(b)).encode() for a, b in itertools.product(CHINESE, repeat=2)],
    "Cyrillic": [(a + b + c + "а").encode() for a, b, c in itertools.product(map(chr, range(0x430, 0x450)), repeat=3)],
}


@pytest.mark.parametrize("crowd", CROWDS)
def test_homes_are_spread_as_random_ones_would_be(crowd):
    words = sorted(set(CROWDS[crowd]))
    n_slots = 1 << (len(words) * 4 // 3).bit_length()
    found = homes_of(words, n_slots)
    chance = 1 - (1 - 1 / n_slots) ** len(words)  # for a slot to be home of any
    assert len(np.unique(found)) / n_slots > 0.95 * chance
    assert np.bincount(found).max() <= 8


@pytest.mark.parametrize("crowd", CROWDS)
def test_tables_grow_while_crowds_come_in(crowd):
    words = CROWDS[crowd][:20_000]
    assert agrees(b" ".join(words), b"\n".join(reversed(words)))


@pytest.mark.parametrize("length", [8, 9, 20])
def test_types_with_the_same_home_are_told_apart(length):
    words = [b"%0*d" % (length, n) for n in range(20_000)]
    same = [word for word, home in zip(words, homes_of(words, 64), strict=True) if home == 61][:40]
    assert len(same) == 40  # of 64 slots: they go round the end
    assert agrees(b" ".join(same * 2), table=TypeTable(n_slots=64, n_bytes=1 << 10))


@pytest.mark.parametrize("other", [b"another-long-one-x", b"the-first-lo", b"the-first-long-one-of-two"])
def test_a_key_that_two_long_types_share_does_not_make_them_one(other):
    table = TypeTable()
    assert tokenised([b"the-first-long-one"], table)[1] == [[0]]
    text, starts = packed([other])
    slots = table.arrays.slots
    key_slot = np.flatnonzero(slots[::2])[0] * 2
    key = np.empty(1, np.uint64)
    keys_of(text, starts, key)
    home = homes_of([other], slots.size // 2)[0] * 2
    slots[key_slot] = 0
    slots[home], slots[home + 1] = key[0], 0  # as if the first had the hash of the other
    assert tokenised([other + b" " + other], table)[1] == [[1, 1]]
    assert table.spelling(1) == other


@kernel
def keys_of(text, starts, out):
    for t in range(out.size):
        out[t] = kernel_types.spelling_key(text, starts[t], starts[t + 1])


def test_keys_of_long_types_are_no_words_and_differ():
    words = [b"abcdefgh" * 2, b"abcdefgh" * 2 + b"i", b"abcdefgh" + b"i", b"abcdefgh", b"a", b"\xff" * 8, b"\xff" * 9]
    text, starts = packed(words)
    keys = np.empty(len(words), np.uint64)
    keys_of(text, starts, keys)
    assert len(set(keys.tolist())) == len(words)
    assert [int(key) & 0xFF for key in keys[:3]] == [1, 1, 1]
    assert keys[3].tobytes() == b"abcdefgh"
    assert keys[4].tobytes() == b"a".ljust(8, b"\0")


def test_renumber():
    ids = np.array([0, 2, 1, 2], np.int32)
    tokens.renumber(ids, np.array([5, 7, 9], np.int32))
    assert ids.tolist() == [5, 9, 7, 9]


# --- All types --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shift", range(9))
def test_what_is_utf8_is_what_python_decodes(shift):
    lead, bytes_ = range(0x21, 256), [0x7E, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0]
    ends = [b"", *(bytes([b]) for b in bytes_), *(bytes([b, c]) for b in bytes_ for c in (0x41, 0x80, 0xBF, 0xC0))]
    ends += [bytes([b, 0x80, c]) for b in bytes_ for c in (0x41, 0x80, 0xBF, 0xC0)]
    words = [b"a" * shift + bytes([first]) + end for first in lead for end in ends]
    table = TypeTable()
    text, starts = packed(words)
    table.add(text, starts, np.ones(len(words), np.int64), np.zeros(len(words), np.int64))
    assert table.invalid() == [number for number in range(table.n) if not is_utf8(table.spelling(number))]


def is_utf8(word):
    try:
        word.decode()
    except UnicodeDecodeError:
        return False
    return True


# --- Words ------------------------------------------------------------------------------------------------------------

WORDS = [*"aZ09'-_ \n.,’‐·\u200b\u200c\u00ad\u0301éЖ漢あ\u0e01\u0e31\u0e50한\u3000\ufe0f👍\x00\x85\x80", "\U00020000"]
WORDS = [character.encode() for character in WORDS] + [b"\xff", b"\xe2\x80", b"\xc2"]


def filtered(text):
    """The words of the lines of a text by the kernel, which may write as many bytes as it says."""
    size = len(text) // 2 * 3 + 3 + PADDING
    into = np.full(size + 1, 7, np.uint8)
    n = filter_words(np.frombuffer(text + b"." * PADDING, np.uint8), len(text), character_classes(), into)
    assert n <= size - PADDING
    assert into[size] == 7
    return [re.split(rb"(?:%s|%s)+" % (SPACE, CONTROL), line) for line in into[:n].tobytes().split(b"\n")]


@FEW
@given(st.lists(st.sampled_from(WORDS) | st.sampled_from(WORDS[:8]), max_size=200).map(b"".join))
def test_words_are_those_of_the_plain_form(text):
    lines = text.decode(errors="surrogateescape").split("\n")
    wanted = [[word.encode(errors="surrogateescape") for word in words_of(line)] for line in lines]
    assert [[word for word in words if word] for words in filtered(text)] == wanted


def test_every_character_has_the_class_of_the_plain_form():
    names = {classes.LETTER: "L", classes.MARK: "M", classes.SINGLE: "S", classes.IGNORED: "I"}
    names |= dict.fromkeys((classes.JOINER, classes.APOSTROPHE, classes.HYPHEN), "J")
    got = "".join(names.get(int(kind), " ") for kind in character_classes())
    assert got == "".join(" " if 0xD800 <= code < 0xE000 else kind_of(chr(code)) for code in range(len(got)))
