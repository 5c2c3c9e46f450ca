import bz2
import gzip
import lzma
import os
import re
import threading

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from embedtrain.corpus import sources
from embedtrain.corpus.sources import read_pieces, source_name
from embedtrain.errors import DataError

BOM = b"\xef\xbb\xbf"
BITS = [b"a", b"bc", b" ", b"\n", b"\r", b"\t", b"\r\n", b"\x00", BOM, b"\xff", "é".encode(), "\u2003".encode()]
CONTENTS = st.lists(st.sampled_from(BITS) | st.binary(max_size=4), max_size=60).map(b"".join)
PIECE_SIZES = [7, 64, 1 << 21]


def text_of(corpus):
    """The text of all pieces, after a look at their numbers and borders."""
    pieces = list(read_pieces(corpus))
    assert [piece.number for piece in pieces] == list(range(len(pieces)))
    assert all(piece.text[-1:] in (b" ", b"\n", b"\t", b"\r") for piece in pieces)
    return b"".join(piece.text for piece in pieces)


def refused(part):
    """An error whose message is one line with `part` in it."""
    return pytest.raises(DataError, match=rf"\A[^\n]*{part}[^\n]*\Z")


@pytest.fixture(params=PIECE_SIZES)
def piece_size(request, monkeypatch):
    monkeypatch.setattr(sources, "_PIECE", request.param)
    return request.param


# --- Files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", PIECE_SIZES)
@settings(derandomize=True, deadline=None)
@given(content=CONTENTS)
def test_pieces_are_the_file_cut_between_tokens(tmp_path_factory, size, content):
    assume(not content.startswith((b"\x1f\x8b", *sources._NO_TEXT)))
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "_PIECE", size)
        assert text_of(path) == content.removeprefix(BOM) + b"\n"


def test_a_token_longer_than_many_pieces_stays_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_PIECE", 7)
    path = tmp_path / "text.txt"
    path.write_bytes(b"short " + b"x" * 1000 + b" short")
    assert [piece.text for piece in read_pieces(path)] == [b"short ", b"x" * 1000 + b" ", b"short\n"]


@pytest.mark.parametrize("as_type", [str, lambda path: path], ids=["str", "Path"])
def test_a_file_is_named_by_str_or_path(tmp_path, as_type):
    path = tmp_path / "a name with spaces"
    path.write_bytes(b"a b\n")
    assert text_of(as_type(path)) == b"a b\n\n"
    assert source_name(as_type(path)) == str(path)


def test_a_file_is_read_as_pieces_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "_PIECE", 7)
    path = tmp_path / "text.txt"
    path.write_bytes(b"a b c\n" * 100)
    pieces = read_pieces(path)
    assert next(pieces).text == b"a b c\n"
    pieces.close()


def test_gzip_equals_plain(tmp_path, piece_size):
    content = b"one two\nthree \n\n four" * 20
    (tmp_path / "plain").write_bytes(content)
    (tmp_path / "zipped").write_bytes(gzip.compress(content))
    assert text_of(tmp_path / "zipped") == text_of(tmp_path / "plain") == content + b"\n"


def test_gzip_is_known_by_content_not_by_name(tmp_path):
    (tmp_path / "zipped.txt").write_bytes(gzip.compress(b"a b"))
    (tmp_path / "plain.gz").write_bytes(b"a b")
    assert text_of(tmp_path / "zipped.txt") == text_of(tmp_path / "plain.gz") == b"a b\n"


def test_gzip_of_several_members_is_read_to_the_end(tmp_path, piece_size):
    (tmp_path / "text.gz").write_bytes(gzip.compress(b"first half-") + gzip.compress(b"way second\n"))
    assert text_of(tmp_path / "text.gz") == b"first half-way second\n\n"


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_a_byte_order_mark_is_dropped_at_the_start_only(tmp_path, piece_size, pack):
    (tmp_path / "text").write_bytes(pack(BOM + b"a " + BOM + b"b\n" + BOM + b"c"))
    assert text_of(tmp_path / "text") == b"a " + BOM + b"b\n" + BOM + b"c\n"


# --- Lines and token lists --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", PIECE_SIZES)
@settings(derandomize=True, deadline=None)
@given(lines=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), min_size=1, max_size=20))
def test_lines_are_joined_by_line_feeds(size, lines):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sources, "_PIECE", size)
        assert text_of(lines) == text_of(iter(lines)) == "".join(f"{line}\n" for line in lines).encode()


def test_token_lists_are_lines_of_tokens(piece_size):
    sentences = [["a", "bc"], [], ["d"], ["é", "\u200b", "\ufeff"]]
    assert text_of(sentences) == "a bc\n\nd\né \u200b \ufeff\n".encode()
    assert text_of(tuple(tokens) for tokens in sentences) == text_of(sentences)
    assert text_of(iter(tokens) for tokens in sentences) == text_of(sentences)


def test_an_iterable_is_called_the_corpus():
    assert source_name(["a line"]) == "the corpus"


def test_nothing_gives_no_pieces():
    assert list(read_pieces([])) == list(read_pieces(iter(()))) == []


def test_a_generators_own_error_comes_through():
    def lines():
        yield "a b"
        raise ZeroDivisionError("of the generator")

    with pytest.raises(ZeroDivisionError, match="of the generator"):
        list(read_pieces(lines()))


# --- What is refused --------------------------------------------------------------------------------------------------


def test_a_missing_file_is_refused(tmp_path):
    with refused(r"cannot read .*missing\.txt: no such file"):
        list(read_pieces(tmp_path / "missing.txt"))


@pytest.mark.parametrize("n_words", [2, 1000], ids=["short", "longer than any file name"])
def test_text_in_the_place_of_a_path_gets_a_hint(n_words):
    with refused("cannot read some words .*; a str is a path, text in memory is a list of lines"):
        list(read_pieces("some words " * (n_words // 2)))


def test_a_folder_is_refused(tmp_path):
    with refused("cannot read .*: it is a folder; name a file in it"):
        list(read_pieces(tmp_path))


@pytest.mark.parametrize("keep", [2, 5, 30, -9, -1])
def test_gzip_cut_short_is_refused(tmp_path, keep):
    (tmp_path / "text.gz").write_bytes(gzip.compress(b"some words that are zipped " * 5)[:keep])
    with refused(r"cannot read .*text\.gz: the gzip data are damaged or cut short"):
        list(read_pieces(tmp_path / "text.gz"))


@pytest.mark.parametrize("place", [2, 12, 20, -6, -2])
def test_damaged_gzip_is_refused(tmp_path, place):
    damaged = bytearray(gzip.compress(b"some words that are zipped, not very well " * 5))
    damaged[place] ^= 0xFF
    (tmp_path / "text.gz").write_bytes(damaged)
    with refused(r"cannot read .*text\.gz: the gzip data are damaged or cut short"):
        list(read_pieces(tmp_path / "text.gz"))


@pytest.mark.parametrize(
    ("corpus", "found"),
    [(b"a b c", "bytes"), (bytearray(b"a b c"), "bytearray"), (5, "int"), (1.5, "float"), (None, "NoneType")],
    ids=lambda value: type(value).__name__,
)
def test_what_is_no_text_is_refused(corpus, found):
    with refused(f"corpus must be a path, lines or token lists, got {found}"):
        list(read_pieces(corpus))


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        (["a line", ["a", "list"]], "sentence 2 is a token list where the first was a line"),
        ([["a", "list"], ["another"], "a line"], "sentence 3 is a bare string where the first was a token list"),
        ([["a"], 5], "sentence 2 must be a list of str, got int"),
        ([["a"], None], "sentence 2 must be a list of str, got NoneType"),
        ([[1, 2]], r"sentence 1 must be a list of str, got int 1; convert it with str\(\)"),
        ([["a", "b"], ["c", None]], "sentence 2 must be a list of str, got NoneType None"),
        ([["a", b"b"]], "sentence 1 must be a list of str, got bytes b'b'"),
        ([b"a line"], "sentence 1 must be a list of str, got bytes"),
        ([["a"], b"a line"], "sentence 2 must be a list of str, got bytes"),
    ],
)
def test_wrong_items_are_refused_by_number(corpus, message):
    with refused(message):
        list(read_pieces(corpus))


@pytest.mark.parametrize(
    "token",
    [
        "",
        " ",
        "two words",
        "end ",
        " start",
        "end\u2003",
        "end\n",
        "\r",
        "a\tb",
        "no\u00a0break",
        "\u3000",
        "nul\0",
        "\x7f",
        "c1\x80",
        "\x85",
    ],
)
def test_tokens_that_are_none_are_refused(token):
    with refused(
        rf"sentence 2: the token {re.escape(repr(token))} is empty or holds whitespace or a control character"
    ):
        list(read_pieces([["fine"], ["fine", token]]))


@pytest.mark.parametrize("sentence", [["two words", ""], ["", "two words"], ["a", "b c d", "", ""], ["\u2003", "a b"]])
def test_wrong_tokens_do_not_make_up_for_each_other(sentence):
    with refused("sentence 1: the token .* is empty or holds whitespace"):
        list(read_pieces([sentence]))


@pytest.mark.parametrize("corpus", [["a line", "with \ud800"], [["a", "with\udfff"]]], ids=["line", "token"])
def test_half_a_surrogate_pair_is_refused(corpus):
    with refused("half of a surrogate pair"):
        list(read_pieces(corpus))


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (lzma.compress(b"some words"), "xz data"),
        (bz2.compress(b"some words"), "bzip2 data"),
        (b"\x28\xb5\x2f\xfd some words", "zstandard data"),
        (b"PK\x03\x04 some words", "a zip archive"),
        ("some words".encode("utf-16"), "UTF-16"),
        ("some words".encode("utf-32"), "UTF-32"),
    ],
    ids=["xz", "bzip2", "zstandard", "zip", "UTF-16", "UTF-32"],
)
def test_what_is_no_plain_text_is_refused(tmp_path, content, what):
    (tmp_path / "text.txt").write_bytes(content)
    with refused(rf"cannot read .*text\.txt: it is .*{what}.* first"):
        list(read_pieces(tmp_path / "text.txt"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_pipes_are_read(tmp_path, pack):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    content = pack(b"some words\n" * 1000)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,))
    writer.start()
    try:
        assert b"".join(piece.text for piece in read_pieces(pipe)) == b"some words\n" * 1000 + b"\n"
    finally:
        writer.join()
