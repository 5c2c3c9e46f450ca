import gzip
import re
from typing import NamedTuple

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from naive_text import sentences_of, tokens_of, vocabulary_of

from embedtrain.corpus import sources
from embedtrain.corpus.encoding import encode
from embedtrain.errors import DataError, SettingError

SEPARATORS = [" ", "\n", "\r", "\r\n", "\t", "\0", "\x1c", "\x7f", "\x80", "\x9f", *"\x85\xa0\u1680\u2000\u2009\u2028"]
SEPARATORS += [*"\u2029\u202f\u205f\u3000"]
NO_SEPARATORS = [*"aabbcé\u200b\u2060\ufeff\u180e\u1681\u3001\u2030\u200c\ufffd😀", "\u00a1", "\u20ac"]
INVALID = [
    b"\xff",
    b"\xfe",
    b"\x80",
    b"\xc2",
    b"\xe2",
    b"\xe2\x80",
    b"\xe1\x9a",
    b"\xf0\x9f",
    b"\xc0\xa0",
    b"\xed\xa0\x80",
]
BITS = [bit.encode() for bit in SEPARATORS + NO_SEPARATORS] + INVALID

CONTENTS = st.lists(st.sampled_from(BITS) | st.binary(max_size=4), max_size=80).map(b"".join)
TEXTS = st.text(
    st.sampled_from([c for c in "".join(SEPARATORS + NO_SEPARATORS)]) | st.characters(exclude_categories=["Cs"])
)
TOKENS = st.text(st.sampled_from("ab") | st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp", "Zs"]), min_size=1)

PIECE_SIZES = [7, 64, 1 << 21]
THREADS = [1, 2, 3]


class Numbers(NamedTuple):
    """A corpus as numbers, in types that compare."""

    words: list[str]
    counts: list[int]
    ids: list[int]
    offsets: list[int]


def encoded(corpus, *, threads=1, piece=1 << 21, **options):
    """What `encode` gives, and its notes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "_PIECE", piece)
        with encode(corpus, threads=threads, **options) as got:
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


def refused(part, error=DataError):
    """An error whose message is one line with `part` in it."""
    return pytest.raises(error, match=rf"\A[^\n]*{part}[^\n]*\Z")


def agrees(corpus, sentences, **options):
    """Whether encoding gives the sentences, or refuses what has none."""
    if sentences:
        return numbers(corpus, **options) == naive(sentences)
    with pytest.raises(DataError, match=r"holds no words|is empty"):
        numbers(corpus, **options)
    return True


@pytest.fixture
def write(tmp_path):
    """Writes a file and gives its path."""

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
    assume(not content.startswith((b"\x1f\x8b", *sources._NO_TEXT)))
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
    if all(sentences_of(token) == [[token]] for token in sentence):
        assert numbers([sentence]) == naive([sentence])
    else:
        with refused("sentence 1: the token .* is empty or holds whitespace or a control character"):
            numbers([sentence])


@pytest.mark.parametrize("threads", THREADS)
def test_many_short_pieces_are_put_together_in_order(write, threads):
    sentences = [[f"w{n * n % 97}" for n in range(start, start + 1 + start % 11)] for start in range(500)]
    content = "\n".join(map(" ".join, sentences)).encode()
    assert numbers(write(content), threads=threads, piece=64) == naive(sentences)


def test_a_sentence_goes_on_over_the_borders_of_pieces(write):
    content = b"one two three four five six seven eight nine ten\neleven"
    assert numbers(write(content), piece=7, threads=2).offsets == [0, 10, 11]


@pytest.mark.parametrize(
    "as_corpus", [list, iter, lambda lines: (line for line in lines)], ids=["list", "iter", "generator"]
)
@pytest.mark.parametrize("threads", THREADS)
def test_iterables_are_read_once(as_corpus, threads):
    lines = ["b a", "", "a c\n", "c a"]
    assert numbers(as_corpus(lines), threads=threads) == naive([["b", "a"], ["a", "c"], ["c", "a"]])


def test_gzip_equals_plain(write):
    content = "der Bär und\ndie Bärin \n\nund".encode()
    plain, zipped = write(content, "a"), write(gzip.compress(content), "b")
    assert numbers(zipped, threads=2, piece=7) == numbers(plain) == naive(tokens_of(content))


# --- Order ------------------------------------------------------------------------------------------------------------


def test_words_are_ordered_by_count_then_bytes():
    words = numbers([["z", "é", "😀", "\uffee", "Z", "a", "a", "é"]]).words
    assert words == ["a", "é", "Z", "z", "\uffee", "😀"]  # as UTF-16, the last two would change places


def test_the_order_of_the_text_leaves_no_trace_in_the_vocabulary():
    assert numbers(["a b", "c b"])[:2] == numbers(["b c", "b a"])[:2] == (["b", "a", "c"], [2, 1, 1])


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


def test_a_long_sentence_is_not_cut():
    assert numbers([["a", "b"] * 100_000], threads=2, piece=64).offsets == [0, 200_000]


# --- Whitespace, line ends, control characters ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "space", " \t\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
)
def test_tokens_end_at_unicode_whitespace_without_a_note(write, space):
    got, said = encoded(write(f"{space}a{space}b{space}{space}a{space}".encode()))
    assert got == naive([["a", "b", "a"]])
    assert said == ()


@pytest.mark.parametrize("character", "\u200b\u200c\u2060\ufeff\u180e\u2010\u00a1\u1681\u3001")
def test_what_is_no_whitespace_stays_in_the_token(write, character):
    word = f"a{character}b"
    assert numbers(write(f"{word} {word}\n".encode())) == naive([[word, word]])


@pytest.mark.parametrize(
    ("content", "sentences"),
    [
        (b"a b\nc", [["a", "b"], ["c"]]),
        (b"a b\nc\n", [["a", "b"], ["c"]]),
        (b"\n\n a b \n \n\t\nc\n\n", [["a", "b"], ["c"]]),
        (b"a b\r\nc\r\n", [["a", "b"], ["c"]]),
        (b"a\rb\nc\r", [["a", "b"], ["c"]]),
        (b"\xef\xbb\xbfa b\nc", [["a", "b"], ["c"]]),
        (b"a\0b\nc\0\0", [["a", "b"], ["c"]]),
        ("a\u2028b\nc".encode(), [["a", "b"], ["c"]]),
    ],
    ids=["no end", "LF", "blank lines", "CRLF", "lone CR", "BOM", "NUL", "U+2028"],
)
@pytest.mark.parametrize("piece", PIECE_SIZES)
def test_a_line_feed_alone_ends_a_sentence(write, content, sentences, piece):
    assert numbers(write(content), piece=piece, threads=2) == naive(sentences)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("piece", PIECE_SIZES)
def test_control_characters_are_noted_with_file_and_line(write, threads, piece):
    path = write(b"a b\n\n" + b"fine words\n" * 20 + b"one\x00two \x7f\n" + "more\u0081\n".encode() * 3)
    (note,) = notes(path, threads=threads, piece=piece)
    assert re.fullmatch(r"control characters, .* read as spaces: 5, the first in .*text\.txt, line 23", note)


@pytest.mark.parametrize("before", [9, 1500, 3000, 6000])
def test_of_what_many_workers_find_the_first_is_noted(write, before):
    path = write(b"fine words\n" * before + b"caf\xe9 nul\0\n" * 3000)
    invalid, controls = notes(path, threads=3, piece=64)
    assert invalid.startswith("not UTF-8, read with U+FFFD for what is wrong: 3,000 tokens")
    assert controls.startswith("control characters, such as NUL, read as spaces: 3,000,")
    assert all(note.endswith(f"text.txt, line {before + 1}") for note in (invalid, controls))


@pytest.mark.parametrize("end", ["", "\n"], ids=["without line ends", "with line ends"])
def test_control_characters_in_lines_are_noted_with_the_line(end):
    (note,) = notes([f"first{end}", f"second{end}", f"thi\0rd{end}"])
    assert note.endswith("the corpus, line 3")


def test_plain_text_gets_no_note(write):
    assert notes(write("plain\ttext, «völlig» in\r\norder\n".encode())) == ()


# --- What is not UTF-8 ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", THREADS)
@pytest.mark.parametrize("piece", PIECE_SIZES)
def test_spellings_that_become_the_same_word_are_merged(write, threads, piece):
    content = b"caf\xe9 a caf\xff b\nb caf\xef\xbf\xbd a b b a"
    got = numbers(write(content), threads=threads, piece=piece)
    assert got == naive(tokens_of(content))
    assert (got.words, got.counts) == (["b", "a", "caf\ufffd"], [4, 3, 3])


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("piece", PIECE_SIZES)
def test_invalid_utf8_is_noted_with_file_and_line(write, threads, piece):
    path = write(b"fine\n" * 30 + b"a caf\xe9 b\nc\xff \xef\xbf\xbd caf\xe9\n")
    (note,) = notes(path, threads=threads, piece=piece)
    assert re.fullmatch(r"not UTF-8, .*U\+FFFD.*: 3 tokens, first b'caf\\xe9' in .*text\.txt, line 31", note)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("piece", PIECE_SIZES)
def test_invalid_utf8_is_refused_with_file_and_line(write, threads, piece):
    path = write(b"fine\n" * 30 + b"a caf\xe9 b\nc\xff\n")
    with refused(r"text\.txt, line 31: b'caf\\xe9' is not UTF-8; convert the text"):
        numbers(path, threads=threads, piece=piece, invalid_utf8="refuse")


def test_valid_utf8_is_not_refused(write):
    content = "café 日本語 😀 \ufffd \ufeff\n".encode()
    assert encoded(write(content), invalid_utf8="refuse") == (naive(tokens_of(content)), ())


def test_a_long_invalid_token_makes_no_long_message(write):
    path = write(b"\xff" * 100_000 + b" a")
    with pytest.raises(DataError, match="not UTF-8") as caught:
        numbers(path, invalid_utf8="refuse")
    assert len(str(caught.value)) < 500 + len(str(path))


@pytest.mark.parametrize("value", ["ignore", "", None])
def test_other_answers_to_invalid_utf8_are_refused(write, value):
    with refused(f"invalid_utf8 must be 'replace' or 'refuse', got {value!r}", SettingError):
        numbers(write(b"a b"), invalid_utf8=value)


# --- What is refused, and what is left behind -------------------------------------------------------------------------


EMPTY = ["nothing", "no tokens", "twice no tokens", "an empty line", "blank lines", "an exhausted generator"]


def exhausted():
    lines = iter(["a b"])
    list(lines)
    return lines


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("corpus", [[], [[]], [[], []], [""], ["\n", " \t"], exhausted()], ids=EMPTY)
def test_an_iterable_without_words_is_refused(corpus, threads):
    with refused("the corpus holds no words; if it is a generator, was it used up before"):
        numbers(corpus, threads=threads)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
@pytest.mark.parametrize("threads", [1, 3])
def test_an_empty_file_is_refused(write, pack, threads):
    with refused(r"text\.txt holds no words: it is empty or blank"):
        numbers(write(pack(b"")), threads=threads)


@pytest.mark.parametrize(
    "content",
    [b"\n\n\n", b" \n\t\n", b" \n \n ", b"   ", b"\n", b"\0\0"],
    ids=["line feeds", "spaces", "no line feed at the end", "one line", "one line feed", "NUL"],
)
def test_a_file_without_words_is_refused(write, content):
    with refused(r"text\.txt holds no words: it is empty or blank"):
        numbers(write(content))


def interrupted():
    yield "a b"
    raise KeyboardInterrupt


def failing():
    yield "a b"
    raise FileNotFoundError("the lines of the caller")


@pytest.mark.parametrize("threads", [1, 3])
def test_an_oserror_of_a_generator_is_not_put_down_to_temporary_files(threads):
    with pytest.raises((OSError, DataError), match="the lines of the caller") as caught:
        numbers(failing(), threads=threads)
    assert "temporary" not in str(caught.value)


def test_temporary_files_lie_in_the_folder_named_and_are_gone_afterwards(write, tmp_path):
    path = write(b"a b\n" * 100)
    with encode(path, threads=3, folder=tmp_path) as corpus:
        assert len(list(tmp_path.iterdir())) == 2
        assert len(corpus.ids) == 200
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize(
    ("corpus", "error"),
    [
        ("missing.txt", DataError),
        ([], DataError),
        (["a", ["b"]], DataError),
        ([["a"], ["b c"]], DataError),
        (["a", "\ud800"], DataError),
        (interrupted, KeyboardInterrupt),
        (failing, (OSError, DataError)),
    ],
    ids=["missing file", "empty", "mixed", "bad token", "surrogate", "interrupted", "failing"],
)
def test_temporary_files_are_gone_after_an_error(tmp_path, corpus, error, threads):
    with pytest.raises(error):
        numbers(corpus() if callable(corpus) else corpus, threads=threads, folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_temporary_files_are_gone_after_an_error_in_the_block(write, tmp_path):
    path = write(b"a b\n")

    def work():
        with encode(path, threads=2, folder=tmp_path):
            raise RuntimeError("in the block")

    with pytest.raises(RuntimeError, match="in the block"):
        work()
    assert list(tmp_path.iterdir()) == [path]


def test_a_missing_folder_for_temporary_files_is_refused(write, tmp_path):
    with refused("cannot write temporary files in .*missing"):
        numbers(write(b"a b"), folder=tmp_path / "missing")


def test_the_numbers_cannot_be_written_to(write):
    with encode(write(b"a b"), threads=1) as corpus:
        assert not corpus.ids.flags.writeable
        assert not corpus.offsets.flags.writeable
