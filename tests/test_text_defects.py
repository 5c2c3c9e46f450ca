"""Text files of vectors that are damaged or unusual: what is read, refused, and left out."""

import gzip
import tracemalloc
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedtrain import formats
from embedtrain.errors import DataError
from embedtrain.formats import text_parsing
from embedtrain.formats.format import ReadOptions
from embedtrain.kernels.text.byte_masks import PADDING

ROWS = {"a": [1, 2, 3], "b": [4, 5, 6.5]}


def read(tmp_path, data, format="word2vec", **options):
    path = tmp_path / "x.vec"
    path.write_bytes(data)
    return formats.read(path, ReadOptions(**options), format)


def rows_of(table):
    return dict(zip(table.words, table.vectors.tolist(), strict=True))


def skip(tmp_path, data, **options):
    """The rows that are left of a damaged file, and what was reported."""
    reports = []
    got = read(tmp_path, data, on_error=reports.append, **options)
    assert all(report.startswith(str(tmp_path / "x.vec")) and "\n" not in report for report in reports)
    return rows_of(got), [report.split("x.vec, ")[1] for report in reports]


@pytest.fixture(params=["Python", "kernels"])
def parser(request, monkeypatch):
    """Parse small files in Python, as they are, or in blocks of at least two lines by kernels."""
    if request.param == "kernels":
        monkeypatch.setattr(text_parsing, "_BLOCK", 8)


@contextmanager
def memory_below(n_bytes):
    """Check that the block takes less, also where it is never written to."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < n_bytes
    finally:
        tracemalloc.stop()


# --- What every reader should take ------------------------------------------------------------------------------------

TOLERATED = {
    "normal": b"2 3\na 1 2 3\nb 4 5 6.5\n",
    "no line feed at the end": b"2 3\na 1 2 3\nb 4 5 6.5",
    "spaces at the ends of lines": b"2 3 \na 1 2 3 \nb 4 5 6.5  \n",
    "runs of spaces": b"2  3\na  1 2   3\nb 4 5 6.5\n",
    "CRLF": b"2 3\r\na 1 2 3\r\nb 4 5 6.5\r\n",
    "byte order mark": b"\xef\xbb\xbf2 3\na 1 2 3\nb 4 5 6.5\n",
    "other spellings": b"2 3\na 1.000 2e0 3.0E+0\nb 4. +5 .65e1\n",
    "blank last line": b"2 3\na 1 2 3\nb 4 5 6.5\n\n",
    "blank last lines": b"2 3\r\na 1 2 3\r\nb 4 5 6.5\r\n\r\n \n",
    "blanks in last lines": b"2 3\na 1 2 3\nb 4 5 6.5\n  \n \r\n" + b" " * 30,
    "compressed": gzip.compress(b"2 3\na 1 2 3\nb 4 5 6.5\n"),
}


@pytest.mark.parametrize("data", TOLERATED.values(), ids=TOLERATED)
def test_what_cannot_be_mistaken_is_read(tmp_path, data, parser):
    for format in ("word2vec", "glove"):
        assert rows_of(read(tmp_path, data, format)) == ROWS
    assert skip(tmp_path, data) == (ROWS, [])


def test_a_missing_header_is_the_other_format(tmp_path):
    for data in (b"a 1 2 3\nb 4 5 6.5\n", b"\xef\xbb\xbfa 1 2 3\r\nb 4 5 6.5\r\n"):
        assert rows_of(read(tmp_path, data, "glove")) == ROWS
    with pytest.raises(DataError, match=r"line 1: .*this is not word2vec text format, without that line it is GloVe's"):
        read(tmp_path, b"a 1 2 3\nb 4 5 6.5\n")


@pytest.mark.parametrize("values", [1, 2])
def test_few_dimensions_are_enough(tmp_path, values):
    got = read(tmp_path, b"1 %d\na%s\n" % (values, b" 1" * values))
    assert got.vectors.tolist() == [[1] * values]


@pytest.mark.parametrize("space", ["\u00a0", "\u2028", "\u3000", "\x85"])
def test_other_whitespace_in_a_word_is_read_unless_it_is_to_be_written(tmp_path, space):
    data = f"2 3\na 1 2 3\nnew{space}york 4 5 6.5\n".encode()
    assert read(tmp_path, data).words == ["a", f"new{space}york"]
    rows, (report,) = skip(tmp_path, data, must_be_writable=True)
    assert rows == {"a": [1, 2, 3]}
    assert report.startswith("line 3: the word 'new")
    assert report.endswith("york' has whitespace or a control character, which no file should hold")


# --- What is refused, or left out -------------------------------------------------------------------------------------

A = {"a": [1, 2, 3]}
BAD = {
    "space and number in a word": (
        b"2 3\na 1 2 3\nnew 5 york 4 5 6.5\n",
        "line 3: the word 'new 5 york' has a space",
        A,
    ),
    "control character after a space": (
        b"2 3\na 1 2 3\nb c\0 4 5 6.5\n",
        "line 3: the word 'b c\\x00' has a tab or another control character",
        A,
    ),
    "carriage return in a word": (
        b"2 3\na 1 2 3\nnew\ryork 4 5 6.5\n",
        "line 3: the word 'new\\ryork' has a tab or another control character",
        A,
    ),
    "NUL in a word": (
        b"2 3\na 1 2 3\nb\0 4 5 6.5\n",
        "line 3: the word 'b\\x00' has a tab or another control character",
        A,
    ),
    "tabs": (
        b"2 3\na 1 2 3\nb\t4\t5\t6.5\n",
        "line 3: the word 'b\\t4\\t5\\t6.5' has a tab or another control character",
        A,
    ),
    "duplicate": (
        b"3 3\na 1 2 3\nb 4 5 6.5\na 7 8 9\n",
        "line 4: the word 'a' appears twice, first in line 2",
        ROWS,
    ),
    "header with too many words": (
        b"3 3\na 1 2 3\nb 4 5 6.5\n",
        "line 1: the first line promises 3 words, 2 follow",
        ROWS,
    ),
    "header with too few words": (
        b"1 3\na 1 2 3\nb 4 5 6.5\n",
        "line 1: the first line promises 1 words, 2 follow",
        ROWS,
    ),
    "header with another dimension": (
        b"2 4\na 1 2 3\nb 4 5 6.5\n",
        "line 1: the first line promises 4 values a word, 3 follow",
        ROWS,
    ),
    "nan": (b"2 3\na 1 2 3\nb 4 nan 6.5\n", "line 3: the vector of 'b' has a value that is not a finite float32", A),
    "infinity": (
        b"2 3\na 1 2 3\nb 4 -inf 6.5\n",
        "line 3: the vector of 'b' has a value that is not a finite float32",
        A,
    ),
    "beyond float32": (
        b"2 3\na 1 2 3\nb 4 1e39 6.5\n",
        "line 3: the vector of 'b' has a value that is not a finite float32",
        A,
    ),
    "invalid UTF-8 in a value": (
        b"2 3\na 1 2 3\nb 4\xff 5 6.5\n",
        "line 3: '4\ufffd' among the values of 'b' is not a number",
        A,
    ),
    "empty word": (b"2 3\na 1 2 3\n 4 5 6.5\n", "line 3: the word is empty", A),
    "short row": (b"2 3\na 1 2 3\nb 4 5\n", "line 3: 'b' has 2 values instead of 3", A),
    "long row": (b"2 3\na 1 2 3\nb 4 5 6.5 7\n", "line 3: 'b' has 4 values instead of 3", A),
    "no number": (b"2 3\na 1 2 3\nb 4 five 6.5\n", "line 3: 'five' among the values of 'b' is not a number", A),
    "underscore": (b"2 3\na 1 2 3\nb 4 5_0 6.5\n", "line 3: '5_0' among the values of 'b' is not a number", A),
    "blank line inside": (b"2 3\na 1 2 3\n\nb 4 5 6.5\n", "line 3: the line is blank", ROWS),
}


@pytest.mark.parametrize(("data", "message", "left"), BAD.values(), ids=BAD)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_bad_row_is_refused_by_its_line_or_left_out(tmp_path, data, message, left, threads, parser):
    with pytest.raises(DataError) as caught:
        read(tmp_path, data, threads=threads)
    assert (
        str(caught.value)
        == f"{tmp_path / 'x.vec'}, {message}; `embedtrain convert --errors skip` or load(errors='skip') skips it"
    )
    assert skip(tmp_path, data, threads=threads) == (left, [message])


def test_all_bad_rows_are_reported_in_order(tmp_path, parser):
    data = b"7 1\na 1\n\nb 1 c 2\nd 3\nd 4\nshort\n\ne 5\n\n"
    rows, reports = skip(tmp_path, data)
    assert rows == {"a": [1], "d": [3], "e": [5]}
    assert sorted(report.split(":")[0] for report in reports) == [f"line {n}" for n in (1, 3, 4, 6, 7, 8)]
    assert skip(tmp_path, data, vocabulary={"d"})[0] == {"d": [3]}


def test_a_limit_counts_rows_and_nothing_is_read_beyond(tmp_path, parser):
    data = b"9 1\na 1\nb\n\nc 3\nd 4\nd 5\nd\n"
    assert skip(tmp_path, data, limit=3) == (
        {"a": [1], "c": [3]},
        ["line 3: 'b' has 0 values instead of 1", "line 4: the line is blank"],
    )
    assert rows_of(read(tmp_path, data.replace(b"b\n\n", b""), limit=3)) == {"a": [1], "c": [3], "d": [4]}


def test_values_of_words_that_are_not_wanted_are_not_looked_at(tmp_path, parser):
    data = b"4 2\na 1 2\nb one 2\nnew york 1 2\nc 1\n"
    assert rows_of(read(tmp_path, data, vocabulary={"a"})) == {"a": [1, 2]}
    with pytest.raises(DataError, match="line 3: 'one' among the values of 'b'"):
        read(tmp_path, data, vocabulary={"a", "b"})


def test_an_empty_file_with_a_header_is_refused(tmp_path):
    for options in ({}, {"on_error": print}):
        with pytest.raises(DataError, match="line 1: the numbers of words and dimensions must be positive, got 0 and"):
            read(tmp_path, b"0 3\n", **options)


@pytest.mark.parametrize("claim", [b"1000000000 300", b"1000000000 3", b"2 1000000000", b"999999999999999999 3"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "compressed"])
def test_a_header_that_lies_takes_no_memory(tmp_path, claim, pack):
    data = pack(claim + b"\na 1 2 3\nb 4 5 6.5\n")
    with memory_below(50_000_000), pytest.raises(DataError, match="the first line promises"):
        read(tmp_path, data, threads=1)
    with memory_below(50_000_000):
        assert skip(tmp_path, data, threads=1)[0] == ROWS


@pytest.mark.parametrize("claim", [b"1 2147483648\n", b"1 999999999999999\n", b"9 2000000000\n\n \n", b"2 3"])
def test_a_header_alone_is_refused(tmp_path, claim):
    for options in ({}, {"on_error": print}):
        with memory_below(50_000_000), pytest.raises(DataError, match="line 1: expected a word and its values"):
            read(tmp_path, claim, **options)


def test_a_line_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(text_parsing, "_LONGEST_LINE", 1 << 23)
    for data in (b"a" * (1 << 24), b"1 2\n" + b"1 " * (1 << 23), gzip.compress(b"\0" * (1 << 24))):
        with pytest.raises(DataError, match="a line is longer than 8 MiB; this is not text of vectors"):
            read(tmp_path, data, "glove")


# --- Python and kernels -----------------------------------------------------------------------------------------------

NUMBERS = (
    st.floats(allow_nan=False).map(repr)
    | st.floats(width=32).map("{:.9g}".format)
    | st.from_regex(r"[+-]?[0-9]{0,45}\.?[0-9]{0,45}(e[+-]?[0-9]{1,3})?", fullmatch=True)
    | st.sampled_from(["1.00000017881393432617187499999999999999999999", "3.4028235677973366e38", "1e-46", "1_0", "１"])
)
LINES = st.lists(
    st.tuples(
        st.sampled_from(["a", "é", "b c", "", "\t", "\u00a0", "d\0", "\ud8ff", "a \ud8ff", "b 1 c"]),
        st.lists(NUMBERS, max_size=4),
    )
    | st.just(("\r", [])),
    min_size=1,
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(LINES, st.sampled_from([None, {"a", "b"}]))
def test_python_and_kernels_agree(rows, wanted):
    data = "".join(" ".join([word, *values]) + "\n" for word, values in rows).encode(errors="surrogatepass")
    block = text_parsing.LineBlock(bytearray(data + bytes(PADDING)), 0, len(data), True)
    plain = text_parsing.parse_lines(len(rows), enumerate(block.lines()), 2, wanted)
    fast = text_parsing.parse_block(block, 2, wanted)
    assert plain.values.tobytes() == fast.values.tobytes()
    assert plain._replace(values=None) == fast._replace(values=None)


def test_blocks_end_with_what_kernels_may_look_at():
    assert text_parsing._PADDING >= PADDING
