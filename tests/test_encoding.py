"""Encoding a corpus, compared with plain Python."""

import bz2
import gzip
import json
import lzma
import os
import random
import re
import runpy
import tracemalloc
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from naive_text import sentences_of, tokens_of, vocabulary_of, words_of
from text_files import is_plain_text, refused, zstd

from embedtrain.corpus import text_chunks
from embedtrain.corpus.encoding import count_words, encode
from embedtrain.corpus.sources import Corpus
from embedtrain.errors import DataError, EmbedtrainError, SettingError

ROOT = Path(__file__).parent.parent
SEPARATORS = [" ", "\n", "\r", "\r\n", "\t", "\0", "\x1c", "\x7f", "\x80", "\x9f", *"\x85\xa0\u1680\u2000\u2009\u2028"]
SEPARATORS += [*"\u2029\u202f\u205f\u3000"]
NO_SEPARATORS = [*"aabbcé\u200b\u2060\ufeff\u180e\u1681\u3001\u2030\u200c\ufffd😀", "\u00a1", "\u20ac"]
INVALID = b"\xff \xfe \x80 \xc2 \xe2 \xe2\x80 \xe1\x9a \xf0\x9f \xc0\xa0 \xed\xa0\x80".split()
BITS = [bit.encode() for bit in SEPARATORS + NO_SEPARATORS] + INVALID

CONTENTS = st.lists(st.sampled_from(BITS) | st.binary(max_size=4), max_size=80).map(b"".join)
TEXTS = st.text(st.sampled_from("".join(SEPARATORS + NO_SEPARATORS)) | st.characters(exclude_categories=["Cs"]))
TOKENS = st.text(st.sampled_from("ab") | st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=1)

POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
PIECE_SIZES = [7, 64, 1 << 21]
THREADS = [1, 2, 3]


class Numbers(NamedTuple):
    """A corpus as numbers, in types that compare."""

    words: list[str]
    counts: list[int]
    ids: list[int]
    offsets: list[int]


def encoded(corpus, *, threads=1, piece=1 << 21, folder=None, **options):
    """What `encode` gives, and its notes; however much of the text is not UTF-8."""
    options.setdefault("force", True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_chunks, "_CHUNK", piece)
        got = encode(Corpus(corpus, **options), threads=threads, folder=folder)
        assert (got.ids.dtype, got.offsets.dtype) == ("int32", "int64")
        assert got.vocabulary.counts.dtype == "int64"
        words, counts = got.vocabulary.words, got.vocabulary.counts.tolist()
        return Numbers(list(words), counts, got.ids.tolist(), got.offsets.tolist()), got.notes


def numbers(corpus, **options):
    return encoded(corpus, **options)[0]


def notes(corpus, **options):
    return encoded(corpus, **options)[1]


def naive(sentences):
    """The same by plain Python."""
    counts = vocabulary_of(sentences)
    index = {word: number for number, word in enumerate(counts)}
    offsets = [0]
    for tokens in sentences:
        offsets.append(offsets[-1] + len(tokens))
    return Numbers(list(counts), list(counts.values()), [index[t] for tokens in sentences for t in tokens], offsets)


def agrees(corpus, sentences, **options):
    """Whether encoding gives the sentences, or refuses what has none."""
    if sentences:
        return numbers(corpus, **options) == naive(sentences)
    with pytest.raises(DataError, match=r"holds no words|is empty"):
        numbers(corpus, **options)
    return True


@pytest.fixture
def write(tmp_path):
    """Write a file and return its path."""

    def write_file(content, name="text.txt"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return write_file


# --- The same as by hand ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", PIECE_SIZES)
@pytest.mark.parametrize("threads", THREADS)
@settings(derandomize=True, deadline=None, max_examples=60)
@given(content=CONTENTS)
def test_any_file_is_encoded_as_by_hand(tmp_path_factory, threads, piece, content):
    assume(is_plain_text(content))
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_bytes(content)
    assert agrees(path, tokens_of(content), threads=threads, piece=piece)


@pytest.mark.parametrize("piece", PIECE_SIZES)
@pytest.mark.parametrize("threads", THREADS)
@settings(derandomize=True, deadline=None, max_examples=30)
@given(lines=st.lists(TEXTS, max_size=12))
def test_any_lines_are_encoded_as_by_hand(threads, piece, lines):
    assert agrees(lines, sentences_of("\n".join(lines)), threads=threads, piece=piece)


@pytest.mark.parametrize("piece", PIECE_SIZES)
@pytest.mark.parametrize("threads", THREADS)
@settings(derandomize=True, deadline=None, max_examples=30)
@given(sentences=st.lists(st.lists(TOKENS, max_size=8), max_size=12))
def test_any_token_lists_are_encoded_as_by_hand(threads, piece, sentences):
    assert agrees(sentences, [tokens for tokens in sentences if tokens], threads=threads, piece=piece)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(sentence=st.lists(st.text(st.sampled_from("ab \n\0\u2003"), max_size=3), min_size=1, max_size=4))
def test_tokens_are_taken_as_they_are_or_refused(sentence):
    tokens = [token for token in sentence if token.strip()]  # blank ones are left out
    if not tokens:
        with refused("the corpus holds no words"):
            numbers([sentence])
    elif all(sentences_of(token) == [[token]] for token in (token.replace(" ", "_") for token in tokens)):
        assert numbers([sentence]) == naive([tokens])
    else:
        with refused("sentence 1: the token .* is empty or holds whitespace or a control character"):
            numbers([sentence])


@pytest.mark.parametrize("threads", THREADS)
def test_many_short_chunks_are_put_together_in_order(write, threads):
    sentences = [[f"w{n * n % 97}" for n in range(start, start + 1 + start % 11)] for start in range(500)]
    content = "\n".join(map(" ".join, sentences)).encode()
    assert numbers(write(content), threads=threads, piece=64) == naive(sentences)


@pytest.mark.parametrize(
    "as_corpus", [list, iter, lambda lines: (line for line in lines)], ids=["list", "iter", "generator"]
)
@pytest.mark.parametrize("threads", THREADS)
def test_iterables_are_read_once(as_corpus, threads):
    lines = ["b a", "", "a c\n", "c a"]
    assert numbers(as_corpus(lines), threads=threads) == naive([["b", "a"], ["a", "c"], ["c", "a"]])


# --- Order ------------------------------------------------------------------------------------------------------------


def test_words_are_ordered_by_count_then_bytes():
    words = numbers([["z", "é", "😀", "\uffee", "Z", "a", "a", "é"]]).words
    assert words == ["a", "é", "Z", "z", "\uffee", "😀"]  # as UTF-16, the last two would change places


# --- Large tables -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", THREADS)
def test_tables_grow_with_the_number_of_types(write, threads):
    tokens = [f"type-{n * 7919 % 40_009}" for n in range(50_000)]
    content = " ".join(tokens).encode()
    assert numbers(write(content), threads=threads, piece=1 << 14) == naive([tokens])


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("piece", [1 << 12, 1 << 21])
def test_tables_grow_with_the_length_of_types(write, threads, piece):
    long, other = "x" * 300_000, "x" * 299_999 + "y"
    sentences = [["a", long, "b"], [other, long], [long[:-1], "a"]]
    content = "\n".join(map(" ".join, sentences)).encode()
    assert numbers(write(content), threads=threads, piece=piece) == naive(sentences)


# --- Whitespace, line ends, control characters ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "space", " \t\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
def test_tokens_end_at_unicode_whitespace_without_a_note(write, space):
    got, noted = encoded(write(f"{space}a{space}b{space}{space}a{space}".encode()))
    assert got == naive([["a", "b", "a"]])
    assert noted == ()


TWO_SENTENCES = (
    b"a b\nc|a b\nc\n|\n\n a b \n \n\t\nc\n\n|a b\r\nc\r\n|a\rb\nc\r|\xef\xbb\xbfa b\nc|a\0b\nc\0\0|a\xe2\x80\xa8b\nc"
)


@pytest.mark.parametrize("content", TWO_SENTENCES.split(b"|"), ids=repr)
@pytest.mark.parametrize("piece", PIECE_SIZES)
def test_only_a_line_feed_ends_a_sentence(write, content, piece):
    got = numbers(write(content), piece=piece, threads=2)
    assert got == (["a", "b", "c"], [1, 1, 1], [0, 1, 2], [0, 2, 3])


@pytest.mark.parametrize("before", [9, 1500, 3000, 6000])
def test_the_first_of_what_many_workers_find_is_noted(write, before):
    path = write(b"fine words\n" * before + b"caf\xe9 nul\0\n" * 3000)
    invalid, controls = notes(path, threads=3, piece=64)
    assert invalid.startswith("not UTF-8, read with U+FFFD for the invalid bytes: 3,000 tokens")
    assert controls.startswith("control characters, such as NUL, read as spaces: 3,000,")
    assert all(note.endswith(f"text.txt, line {before + 1}") for note in (invalid, controls))


@pytest.mark.parametrize("end", ["", "\n"], ids=["without line ends", "with line ends"])
def test_control_characters_in_lines_are_noted_with_the_line(end):
    (note,) = notes([f"first{end}", f"second{end}", f"thi\0rd{end}"])
    assert note.endswith("the corpus, line 3")


# --- What is not UTF-8 ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("piece", PIECE_SIZES)
def test_spellings_that_become_the_same_word_are_merged(write, threads, piece):
    content = b"caf\xe9 a caf\xff b\nb caf\xef\xbf\xbd a b b a"
    got = numbers(write(content), threads=threads, piece=piece)
    assert got == naive(tokens_of(content))
    assert (got.words, got.counts) == (["b", "a", "caf\ufffd"], [4, 3, 3])


def test_valid_utf8_is_not_refused(write):
    content = "café 日本語 😀 \ufffd \ufeff\n".encode()
    assert encoded(write(content), invalid_utf8="refuse") == (naive(tokens_of(content)), ())


@pytest.mark.parametrize("piece", [1 << 10, 1 << 21])
def test_a_token_without_end_is_refused_while_it_is_read(tmp_path, monkeypatch, piece):
    monkeypatch.setattr(text_chunks, "_LONGEST", 1 << 16)
    monkeypatch.setattr(text_chunks, "_CHUNK", piece)
    with gzip.open(tmp_path / "x.gz", "wb") as file:
        file.write(b"a b\nc ")
        for _ in range(32):
            file.write(b"d" * (1 << 20))
    tracemalloc.start()
    with refused(r"x\.gz: no space and no line end in more than 65\.5 kB, from byte 6 on; words are divided by spaces"):
        list(text_chunks.read_chunks(Corpus(tmp_path / "x.gz")))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 << 20
    (tmp_path / "x").write_bytes(b"a " + b"d" * (1 << 16) + b" e\n")
    assert [len(word) for word in numbers(tmp_path / "x", piece=piece).words] == [1, 1 << 16, 1]


def test_a_long_invalid_token_makes_no_long_message(write):
    path = write(b"\xff" * 100_000 + b" a")
    with pytest.raises(DataError, match="not UTF-8") as caught:
        numbers(path, invalid_utf8="refuse")
    assert len(str(caught.value)) < 500 + len(str(path))


# --- Several files ----------------------------------------------------------------------------------------------------


def of_folder(tmp_path, contents, **options):
    """A folder of these files, encoded, and its notes."""
    folder = tmp_path / "texts"
    folder.mkdir()
    for number, content in enumerate(contents):
        (folder / f"{number:02}.txt").write_bytes(content)
    return encoded(folder, **options)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("piece", PIECE_SIZES)
def test_no_word_and_no_sentence_goes_over_the_end_of_a_file(tmp_path, threads, piece):
    contents = [b"a b", b"\xef\xbb\xbfc d\ne", b"", b" \n", "café".encode()[:-1], b"\xa9 f", b"\xef\xbb\xbf", b"g\n"]
    got, _ = of_folder(tmp_path, contents, threads=threads, piece=piece)
    assert got == naive([tokens for content in contents for tokens in tokens_of(content)])
    assert got.offsets == [0, 2, 4, 5, 6, 8, 9]


@settings(derandomize=True, deadline=None, max_examples=60)
@given(contents=st.lists(CONTENTS, min_size=1, max_size=5), threads=st.sampled_from(THREADS))
def test_any_files_are_encoded_as_by_hand(tmp_path_factory, contents, threads):
    assume(all(map(is_plain_text, contents)))
    folder = tmp_path_factory.mktemp("texts")
    for number, content in enumerate(contents):
        (folder / str(number)).write_bytes(content)
    assert agrees(folder, [tokens for content in contents for tokens in tokens_of(content)], threads=threads, piece=64)


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("piece", PIECE_SIZES)
@pytest.mark.parametrize("file", [0, 3, 11])
def test_notes_name_the_file_and_the_line_in_it(tmp_path, threads, piece, file):
    contents = [b"\xef\xbb\xbffine words\n\n" * n + b"no line's end" for n in range(12)]
    contents[file] = (
        b"fine\n\n words\n" * 2 + b"a nul\0 here \x7f\n" + b"caf\xe9 \xef\xbf\xbd\n" * 3 + b"more\xc2\x81\n"
    )
    contents.append(b"\xff \x01\n")
    noted = of_folder(tmp_path, contents, threads=threads, piece=piece)[1]
    assert [re.sub(r" \(.*\)", "", re.sub(r"in .*texts.(.*)", r"in \1", note)) for note in noted] == [
        f"not UTF-8, read with U+FFFD for the invalid bytes: 4 tokens, first b'caf\\xe9' in {file:02}.txt, line 8",
        f"control characters, such as NUL, read as spaces: 4, the first in {file:02}.txt, line 7",
    ]


def test_the_first_invalid_utf8_of_several_files_is_refused(tmp_path):
    contents = [b"fine words\n" * 100, b"fine\nthen \xff\n", b"\xfe\xfd\n" * 100]
    with refused(r"01\.txt, line 2: b'\\xff' is not UTF-8; convert the text"):
        of_folder(tmp_path, contents, threads=3, piece=7, invalid_utf8="refuse")


@pytest.mark.parametrize("threads", [1, 3])
def test_a_file_that_cannot_be_read_stops_all(tmp_path, threads):
    contents = [b"fine words\n" * 1000, gzip.compress(b"some words")[:-1], b"fine words\n" * 1000]
    with refused(r"cannot read .*01\.txt: the gzip data are damaged or cut short"):
        of_folder(tmp_path, contents, threads=threads, piece=64)


# --- Lower case -------------------------------------------------------------------------------------------------------


def lower(text):
    return text.replace("İ", "i").lower()


def lowered(sentences):
    return [[lower(token) for token in tokens] for tokens in sentences]


@pytest.mark.parametrize("threads", THREADS)
def test_words_that_differ_in_case_are_one_and_their_counts_are_added(write, threads):
    content = "The the THE cat Cat\nDAS Straße STRAßE STRASSE ΣΊΣΥΦΟΣ Σίσυφος İstanbul istanbul ǅ ǆ ﬁ FI".encode()
    got = numbers(write(content), threads=threads, piece=7, lowercase=True)
    assert got == naive(lowered(tokens_of(content)))
    counts = dict(zip(got.words, got.counts, strict=True))
    wanted = {"the": 3, "cat": 2, "das": 1, "straße": 2, "strasse": 1, "σίσυφος": 2, "istanbul": 2, "ǆ": 2, "ﬁ": 1}
    assert counts == {**wanted, "fi": 1}
    assert got.offsets == [0, 5, 17]


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    text=st.text(st.sampled_from("aAßẞſsSİIıiΣσςﬀǅé\u0345 \n") | st.characters(exclude_categories=["Cs"]), max_size=40),
    threads=st.sampled_from(THREADS),
    piece=st.sampled_from(PIECE_SIZES),
)
def test_lower_case_of_words_equals_that_of_the_text(text, threads, piece):
    assert lowered(sentences_of(text)) == sentences_of(lower(text))
    assert agrees(text.split("\n"), sentences_of(lower(text)), threads=threads, piece=piece, lowercase=True)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(content=CONTENTS)
def test_lower_case_of_invalid_utf8_is_made_as_it_is_read(tmp_path_factory, content):
    assume(is_plain_text(content))
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_bytes(content)
    assert agrees(path, lowered(tokens_of(content)), threads=2, piece=7, lowercase=True)


def test_lower_case_makes_no_separators_and_removes_none():
    characters = "".join(map(chr, [*range(0xD800), *range(0xE000, 0x110000)]))
    for c in characters:
        if (low := lower(c)) != c:
            assert sentences_of(c) == [[c]]
            assert sentences_of(low) == [[low]]


def test_every_character_is_lowered(write):
    words = [chr(n) * 2 for n in [*range(0xD800), *range(0xE000, 0x30000)] if sentences_of(chr(n))]
    got = numbers(write("\n".join(words).encode()), threads=2, piece=1 << 16, lowercase=True)
    assert got == naive(lowered([word] for word in words))


def test_notes_in_lower_case_quote_the_text_as_it_was(write):
    path = write(b"Fine\nCAF\xe9 Nul\0\ncaf\xff\n")
    got, noted = encoded(path, lowercase=True)
    assert dict(zip(got.words, got.counts, strict=True)) == {"caf\ufffd": 2, "fine": 1, "nul": 1}
    assert [note.replace(str(path), "FILE") for note in noted] == [
        "not UTF-8, read with U+FFFD for the invalid bytes: 2 tokens (50.00%), first b'CAF\\xe9' in FILE, line 2",
        "control characters, such as NUL, read as spaces: 1, the first in FILE, line 2",
    ]


# --- Composition ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("lowercase", [False, True])
def test_words_that_differ_in_composition_are_one_and_their_counts_are_added(write, threads, lowercase):
    content = "cafe\u0301 café CAFE\u0301 \u1112\u1161\u11ab 한\nI\u0307stanbul İstanbul H\u0331 ẖ".encode()
    options = {"lowercase": lowercase, "normalize": "nfc"}
    got = numbers(write(content), threads=threads, piece=7, **options)
    counts = {"café": 3, "한": 2, "istanbul": 2, "ẖ": 2}
    if not lowercase:
        counts = {"café": 2, "CAFÉ": 1, "한": 2, "İstanbul": 2, "H\u0331": 1, "ẖ": 1}
    assert dict(zip(got.words, got.counts, strict=True)) == counts
    assert got.offsets == [0, 5, 9]
    assert len(numbers(write(content), lowercase=lowercase).words) > len(got.words), "the default keeps them apart"


# --- Words by Unicode -------------------------------------------------------------------------------------------------


def words_of_lines(text):
    return [words for line in text.split("\n") if (words := words_of(line))]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('"King, king." (KING)!', "King king KING"),
        ("don't don’t 'quoted' rock'n'roll dogs' ’twas", "don't don't quoted rock'n'roll dogs twas"),
        ("mother-in-law well‐known - --no yes-- a--b", "mother-in-law well-known no yes a b"),
        ("new_york _emphasis_ __init__ col·lega", "new_york emphasis init col·lega"),
        ("3.14 1,000 m² x2 ½ e.g. C++ a/b", "3 14 1 000 m² x2 ½ e g C a b"),
        ("co\u00adoperate \ufeffword zero\u200bwidth \u200dx\u200d", "cooperate word zero width x"),
        ("می\u200cخواهم، مُرَحَّب", "می\u200cخواهم مُرَحَّب"),
        ("cafe\u0301 \u0301 ❤\ufe0f 👩\u200d👩 naïve", "cafe\u0301 naïve"),
        ("我爱北京, 2008年abc", "我 爱 北 京 2008 年 abc"),
        ("コーヒーをか\u3099", "コ ー ヒ ー を か\u3099"),
        ("나는 사과를 먹는다.", "나는 사과를 먹는다"),
        ("ที่ ๑๒", "ที ่ ๑๒".replace("ที ่", "ที่")),
        ("漢-字 漢'a", "漢 字 漢 a"),
    ],
)  # fmt: skip
def test_words_are_letters_marks_and_digits(line, words):
    assert words_of(line) == words.split()
    assert numbers([line], tokenize="words") == naive([words.split()])


@pytest.mark.parametrize("piece", PIECE_SIZES)
@pytest.mark.parametrize("threads", [1, 3])
@settings(derandomize=True, deadline=None, max_examples=60)
@given(content=st.lists(st.sampled_from([*BITS, *map(str.encode, "'-_’.,漢ア\u0301")]), max_size=80).map(b"".join))
def test_words_of_any_file_are_those_found_by_hand(tmp_path_factory, threads, piece, content):
    assume(is_plain_text(content))
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_bytes(content)
    text = content.removeprefix("\ufeff".encode()).decode(errors="surrogateescape")
    words = [
        [word.encode(errors="surrogateescape").decode(errors="replace") for word in line]
        for line in words_of_lines(text)
    ]
    assert agrees(path, words, threads=threads, piece=piece, tokenize="words")


def test_dressed_text_gives_its_tokens_back():
    words = (ROOT / "corpora" / "toy.txt").read_text().split()[:20_000]
    dressed = runpy.run_path(str(ROOT / "bench" / "dressed_text.py"))["dressed"]
    got = numbers("".join(dressed(words)).split("\n"), tokenize="words", lowercase=True)
    assert [got.words[number] for number in got.ids] == words


def test_control_characters_and_lines_are_counted_among_words(write):
    path = write(b"One, \0two!\n\n(three)\n")
    got, noted = encoded(path, tokenize="words")
    assert got == naive([["One", "two"], ["three"]])
    assert noted == (f"control characters, such as NUL, read as spaces: 1, the first in {path}, line 1",)


def test_lists_of_tokens_are_taken_as_they_are(write):
    tokens = [["New York", "don't!"], ["..."]]
    tokens = [[token.replace(" ", "_") for token in sentence] for sentence in tokens]
    assert numbers(tokens, tokenize="words") == naive(tokens)
    path = write("".join(json.dumps({"text": sentence}) + "\n" for sentence in tokens).encode(), "text.jsonl")
    assert numbers(path, tokenize="words") == numbers(path) == naive(tokens)
    lines = write(json.dumps({"text": "(One) two!\nThree."}).encode(), "lines.jsonl")
    assert numbers(lines, tokenize="words") == naive([["One", "two"], ["Three"]])


# --- Encodings --------------------------------------------------------------------------------------------------------

LANGUAGES = {
    "cp1252": "Les élèves français étudiaient à l'école près de l'hôtel où naît le goût âcre du café",
    "cp1251": "Москва является столицей Российской Федерации, город расположен на реке Москве",
    "koi8-r": "Москва является столицей Российской Федерации, город расположен на реке Москве",
    "gb18030": "我来到北京清华大学 中华人民共和国成立于一九四九年，首都是北京。 长城是世界闻名的古迹",
    "shift_jis": "吾輩は猫である。名前はまだ無い。 どこで生れたかとんと見当がつかぬ。 コンピュータを使う",
    "euc_kr": "나는 사과를 먹는다 대한민국의 수도는 서울이다 한국어 문장을 컴퓨터로 처리하는 방법",
}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("encoding", [*LANGUAGES, "utf-16", "UTF-16-BE", "utf_32", "utf8", "utf-8-sig", "gbk"])
def test_text_in_any_encoding_is_that_in_utf8(write, monkeypatch, encoding, threads):
    monkeypatch.setattr("embedtrain.corpus.text_encoding._BLOCK", 7)
    text = LANGUAGES.get(encoding, LANGUAGES["gb18030"]) + "\r\na b"
    wanted = naive(sentences_of(text))
    content = text.encode(encoding)
    for path in (write(content), write(gzip.compress(content), "text.gz")):
        got = encoded(path, threads=threads, piece=64, encoding=encoding, force=False)
        assert got == (wanted, ())
    json_lines = "".join(json.dumps({"text": line}, ensure_ascii=False) + "\n" for line in text.split("\r\n"))
    assert encoded(write(json_lines.encode(encoding), "a.jsonl"), encoding=encoding, force=False) == (wanted, ())


@pytest.mark.parametrize("encoding", LANGUAGES)
def test_text_that_is_mostly_not_utf8_is_refused_with_the_likely_encoding(write, encoding):
    path = write(LANGUAGES[encoding].encode(encoding))
    share, guess = (
        r"\d+\.\d% of the tokens are not UTF-8",
        f"encoding, it may be {encoding}, or read it as it is with force",
    )
    with refused(rf"{share}, the first .* in .*text\.txt, line 1; give the encoding of the text with {guess}"):
        numbers(path, force=False)
    assert "\ufffd" in "".join(numbers(path, force=True).words)


def test_the_share_of_tokens_that_are_not_utf8_decides(write):
    (note,) = encoded(write(b"a " * 99 + b"\xff"), force=False)[1]
    assert "1 tokens (1.00%), first" in note
    with refused(r"1\.0% of the tokens .* with encoding, for example gb18030, big5, cp1252 or utf-16, or"):
        numbers(write(b"a " * 98 + b"\x81"), force=False)


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16", "ascii"])
def test_what_an_encoding_does_not_have_is_replaced_or_refused(write, encoding):
    path = write(("abc " * 200).encode(encoding) + b"\xff")
    got, (note,) = encoded(path, encoding=encoding, force=False)
    assert got.words == ["abc", "\ufffd"]
    assert note.startswith(f"not {encoding}, read with U+FFFD for the invalid bytes: 1 tokens (0.50%), first ")
    with refused(f"line 1: .* is not {encoding}; convert the text"):
        numbers(path, encoding=encoding, invalid_utf8="refuse")
    with refused(f"50.0% of the tokens are not {encoding}, .* encoding of the text with encoding, for example"):
        numbers(write("a ".encode(encoding) + b"\xff"), encoding=encoding, force=False)


def test_utf16_without_a_mark_is_refused_where_the_mark_decides(write):
    with refused("text.txt in the encoding utf-16: UTF-16 stream does not start with BOM"):
        numbers(write("a b".encode("utf-16-le")), encoding="utf-16")


@pytest.mark.parametrize("encoding", ["gb", "hex", "", "utf\0", 8, None])
def test_an_unknown_encoding_is_refused(encoding):
    with refused("encoding must be a text encoding of Python", SettingError):
        Corpus("a.txt", encoding=encoding)


# --- Words alone ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("options", [{}, {"lowercase": True}], ids=["", "lowercase"])
def test_counting_words_equals_encoding(write, threads, options):
    path = write("Der der BÄR\nbär Bär\0 der\n".encode() * 50 + b"caf\xe9 caf\xff\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_chunks, "_CHUNK", 64)
        vocabulary, noted = count_words(Corpus(path, **options), threads=threads)
    got, wanted = encoded(path, threads=threads, **options)
    assert (list(vocabulary.words), vocabulary.counts.tolist()) == (got.words, got.counts)
    assert (noted, len(noted)) == (wanted, 2)


def test_counting_words_reads_and_refuses_what_encoding_does(write):
    assert list(count_words(write(b"b a b"), threads=1)[0].words) == ["b", "a"]
    assert list(count_words([["a"], ["b", "b"]], threads=3)[0].words) == ["b", "a"]
    with refused("the corpus holds no words"):
        count_words([], threads=2)
    with refused(r"'a\\tb' is empty or holds whitespace"):
        count_words([["a\tb"]], threads=2)
    with refused(r"text\.txt, line 1: b'\\xff' is not UTF-8"):
        count_words(Corpus(write(b"\xff"), invalid_utf8="refuse"), threads=2)


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    "corpus", [[], [[]], [[], []], [""], ["\n", " \t"], iter([])], ids=lambda corpus: str(corpus)[:13]
)
def test_an_iterable_without_words_is_refused(corpus, threads):
    with refused("the corpus holds no words; if it is a generator, was it used up before"):
        numbers(corpus, threads=threads)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    "content", [b"", gzip.compress(b"", mtime=0), b" \n\t\n", b" \n \n ", b"   ", b"\n", b"\0\0"], ids=repr
)
def test_files_without_words_are_refused(tmp_path, content, threads):
    with refused(r"texts holds no words: it is empty or blank"):
        of_folder(tmp_path, [content, b"", b"\n"], threads=threads)


def failing():
    yield "a b"
    raise FileNotFoundError("the lines of the caller")


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_of_a_generator_is_raised_as_it_is(threads):
    with pytest.raises(FileNotFoundError, match=r"^the lines of the caller$"):
        numbers(failing(), threads=threads)


def test_a_missing_folder_for_temporary_files_is_refused(write, tmp_path):
    with refused("cannot write temporary files in .*missing"):
        numbers(write(b"a b"), folder=tmp_path / "missing")


# --- Files of any bytes -----------------------------------------------------------------------------------------------


def seeds(rng):
    """Files of every kind that is read, and of kinds that are not."""
    words = "der Bär und die Bärin, 日本語 한국어 😀 a b c\u2003d\xa0e\u3000f \0 \x1b İß".split(" ")
    text = "\n".join(" ".join(rng.choices(words, k=rng.randrange(12))) for _ in range(rng.randrange(1, 30)))
    records = "\n".join(json.dumps({"text": line, "n": 1}, ensure_ascii=False) for line in text.split("\n"))
    plain = [text.encode(), ("\ufeff" + text).encode(), records.encode()]
    data = rng.choice(plain)
    packed = [pack(data) for pack in (gzip.compress, bz2.compress, lzma.compress, zstd)]
    encodings = ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "shift_jis")
    others = [text.encode(encoding, errors="replace") for encoding in encodings]
    binary = [
        b"\x89PNG\r\n\x1a\n" + rng.randbytes(100),
        b"\x7fELF" + bytes(60),
        b"PK\x03\x04" + rng.randbytes(60),
        b"%PDF-1.7\n",
        b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + packed[3],
        rng.randbytes(300),
    ]
    return [*plain, rng.choice(plain), *packed, packed[0] + packed[0], rng.choice(others), rng.choice(binary)]


def mutated(rng, data):
    """Change, remove, insert or repeat some bytes, or cut off the end."""
    data = bytearray(data)
    for _ in range(rng.choice([0, 0, 0, 1, 1, 2, 5, 20])):
        place = rng.randrange(len(data) + 1)
        match rng.randrange(6):
            case 0 if place < len(data):
                data[place] ^= 1 << rng.randrange(8)
            case 1 if place < len(data):
                data[place] = rng.randrange(256)
            case 2:
                del data[place : place + rng.choice([1, 1, 2, 10, 100])]
            case 3:
                data[place:place] = rng.choice([b"\0", b"\n", b"\xff", b'"', b"{", b"\xed\xa0\x80", rng.randbytes(4)])
            case 4:
                data[place:place] = data[place : place + rng.choice([1, 8, 50])]
            case 5 if rng.random() < 0.3:
                del data[place:]
    return bytes(data)


def fuzz(path, n, first=0):
    """Encode n files of any content: each is read, or refused in one line. Returns how many were read."""
    n_read = 0
    for seed in range(first, first + n):
        rng = random.Random(seed)
        file = path / rng.choice(["text.txt", "text.txt", "text.gz", "text.zst", "text.jsonl", "text.jsonl.gz"])
        file.write_bytes(mutated(rng, rng.choice(seeds(rng))))
        corpus = Corpus(
            file,
            field=rng.choice([None, None, None, None, "text", "n"]),
            lowercase=rng.random() < 0.5,
            invalid_utf8=rng.choice(["replace", "replace", "replace", "refuse"]),
            tokenize=rng.choice(["spaces", "words"]),
            encoding=rng.choice(["utf-8", "utf-8", "utf-8", "gb18030", "utf-16", "cp1252"]),
            force=True,
        )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(text_chunks, "_CHUNK", rng.choice(PIECE_SIZES))
            try:
                got = encode(corpus, threads=2)
                offsets, ids = got.offsets.tolist(), got.ids.tolist()
                assert (offsets[0], offsets[-1], sorted(set(offsets))) == (0, len(ids), offsets), seed
                assert [ids.count(word) for word in range(len(got.vocabulary))] == got.vocabulary.counts.tolist(), seed
                assert all(sentences_of(word) == [[word]] for word in got.vocabulary.words), seed
                n_read += 1
            except EmbedtrainError as error:
                message = str(error).replace(str(file), "")
                if not message.isprintable() or len(message) > 400:  # a failure, not what is looked for
                    raise AssertionError(f"seed {seed}: {message!r}") from error
            except Exception as error:
                raise AssertionError(f"seed {seed}") from error
        file.unlink()
    return n_read


def test_any_bytes_are_read_or_refused_in_one_line(tmp_path, exhaustive):
    n = 10_000 if exhaustive else 150
    assert 0.2 * n < fuzz(tmp_path, n) < 0.8 * n, "both happen"


@POSIX
def test_a_thousand_threads_need_few_open_files(tmp_path):
    import resource

    (tmp_path / "text").write_text("some words\n" * 100)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))  # as on macOS
    try:
        encoded = encode(Corpus(tmp_path / "text"), threads=1024, folder=tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert len(encoded.ids) == 200


def test_no_encoding_is_guessed_of_what_a_tokenizer_gives(write):
    corpus = Corpus(write("今天天气很好\n".encode("gb18030")), tokenize=str.split)
    with refused("encoding, for example gb18030, big5, cp1252 or utf-16, or read it"):
        encode(corpus, threads=1)
