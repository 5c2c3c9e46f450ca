"""Text files of vectors as they should not be: what is taken as it is meant, refused, or repaired."""

import gzip
import random
import tracemalloc
from contextlib import contextmanager

import numpy as np
import pytest

from embedtrain.errors import DataError
from embedtrain.formats import glove_text, text_blocks, word2vec_text
from embedtrain.formats.content import Choice

ROWS = {"a": [1, 2, 3], "b": [4, 5, 6.5]}


def read(tmp_path, data, module=word2vec_text, **choice):
    path = tmp_path / "x.vec"
    path.write_bytes(data)
    return module.read(path, Choice(**choice))


def repair(tmp_path, data, module=word2vec_text, **choice):
    """The words and values of a repaired file, and what was reported."""
    changes = []
    got = read(tmp_path, data, module, report=changes.append, **choice)
    assert all(change.startswith(str(tmp_path / "x.vec")) and "\n" not in change for change in changes)
    return dict(zip(got.words, got.vectors.tolist(), strict=True)), [change.split("x.vec, ")[1] for change in changes]


@contextmanager
def memory_below(n_bytes):
    """See that the block takes less, also where it is never written to."""
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
    "blank last line": b"2 3\na 1 2 3\nb 4 5 6.5\n\n",
    "blank last lines": b"2 3\r\na 1 2 3\r\nb 4 5 6.5\r\n\r\n \n",
    "blanks in last lines": b"2 3\na 1 2 3\nb 4 5 6.5\n  \n \r\n" + b" " * 30,
    "compressed": gzip.compress(b"2 3\na 1 2 3\nb 4 5 6.5\n"),
}


@pytest.mark.parametrize("data", TOLERATED.values(), ids=TOLERATED)
def test_what_cannot_be_mistaken_is_taken(tmp_path, data):
    for module in (word2vec_text, glove_text):
        got = read(tmp_path, data, module)
        assert dict(zip(got.words, got.vectors.tolist(), strict=True)) == ROWS
    assert repair(tmp_path, data) == (ROWS, [])


def test_a_missing_header_is_the_other_format(tmp_path):
    for data in (b"a 1 2 3\nb 4 5 6.5\n", b"\xef\xbb\xbfa 1 2 3\r\nb 4 5 6.5\r\n"):
        got = read(tmp_path, data, glove_text)
        assert dict(zip(got.words, got.vectors.tolist(), strict=True)) == ROWS
    with pytest.raises(DataError, match=r"line 1: .*this is not word2vec text format, without that line it is GloVe's"):
        read(tmp_path, b"a 1 2 3\nb 4 5 6.5\n")


@pytest.mark.parametrize("values", [1, 2])
def test_few_dimensions_are_enough(tmp_path, values):
    got = read(tmp_path, b"1 %d\na%s\n" % (values, b" 1" * values))
    assert got.vectors.tolist() == [[1] * values]


@pytest.mark.parametrize("space", ["\u00a0", "\u2028", "\u3000", "\x85"])
def test_other_whitespace_in_a_word_loses_nothing(tmp_path, space):
    data = f"2 3\na 1 2 3\nnew{space}york 4 5 6.5\n".encode()
    assert read(tmp_path, data).words == ["a", f"new{space}york"]
    rows, (change,) = repair(tmp_path, data)
    assert rows == {"a": [1, 2, 3], "new_york": [4, 5, 6.5]}
    assert change.startswith("line 3: the word ")
    assert change.endswith("has whitespace; the repair makes it 'new_york'")


# --- What is refused, and repaired ------------------------------------------------------------------------------------

A = {"a": [1, 2, 3]}
REFUSED = {
    "space in a word": (
        b"2 3\na 1 2 3\nnew york 4 5 6.5\n",
        "line 3: the word 'new york' has a space; {} makes it 'new_york'",
        A | {"new_york": [4, 5, 6.5]},
    ),
    "carriage return in a word": (
        b"2 3\na 1 2 3\nnew\ryork 4 5 6.5\n",
        "line 3: the word 'new\\ryork' has a control character; {} makes it 'new_york'",
        A | {"new_york": [4, 5, 6.5]},
    ),
    "NUL in a word": (
        b"2 3\na 1 2 3\nb\0 4 5 6.5\n",
        "line 3: the word 'b\\x00' has a control character; {} makes it 'b_'",
        A | {"b_": [4, 5, 6.5]},
    ),
    "tabs": (
        b"2 3\na 1 2 3\nb\t4\t5\t6.5\n",
        "line 3: 'b\\t4\\t5\\t6.5' has a tab; {} reads tabs as spaces",
        ROWS,
    ),
    "duplicate": (
        b"3 3\na 1 2 3\nb 4 5 6.5\na 7 8 9\n",
        "line 4: the word 'a' stands twice, first in line 2; {} keeps the first",
        ROWS,
    ),
    "header with too many words": (
        b"3 3\na 1 2 3\nb 4 5 6.5\n",
        "line 1: the first line promises 3 words, 2 follow; {} takes what is there, if the file was not cut short",
        ROWS,
    ),
    "header with too few words": (
        b"1 3\na 1 2 3\nb 4 5 6.5\n",
        "line 1: the first line promises 1 words, 2 follow; {} takes what is there, if the file was not cut short",
        ROWS,
    ),
    "header with another dimension": (
        b"2 4\na 1 2 3\nb 4 5 6.5\n",
        "line 1: the first line promises 4 values a word, 3 follow; {} takes what is there",
        ROWS,
    ),
    "nan": (
        b"2 3\na 1 2 3\nb 4 nan 6.5\n",
        "line 3: the vector of 'b' has a value that is not a finite float32; {} drops the line",
        A,
    ),
    "infinity": (
        b"2 3\na 1 2 3\nb 4 -inf 6.5\n",
        "line 3: the vector of 'b' has a value that is not a finite float32; {} drops the line",
        A,
    ),
    "beyond float32": (
        b"2 3\na 1 2 3\nb 4 1e39 6.5\n",
        "line 3: the vector of 'b' has a value that is not a finite float32; {} drops the line",
        A,
    ),
    "invalid UTF-8": (
        b"2 3\na 1 2 3\nb\xff 4 5 6.5\n",
        "line 3: b'b\\xff 4 5 6.5' is not UTF-8; {} puts U+FFFD where it is not",
        A | {"b\ufffd": [4, 5, 6.5]},
    ),
    "empty word": (
        b"2 3\na 1 2 3\n 4 5 6.5\n",
        "line 3: the word is empty; {} drops the line",
        A,
    ),
    "short row": (
        b"2 3\na 1 2 3\nb 4 5\n",
        "line 3: 'b' has 2 values instead of 3; {} drops the line",
        A,
    ),
    "long row": (
        b"2 3\na 1 2 3\nb 4 5 6.5 7\n",
        "line 3: 'b' has 4 values instead of 3; {} drops the line",
        A,
    ),
    "no number": (
        b"2 3\na 1 2 3\nb 4 five 6.5\n",
        "line 3: 'five' among the values of 'b' is no number; {} drops the line",
        A,
    ),
    "underscore in a number": (
        b"2 3\na 1 2 3\nb 4 5_0 6.5\n",
        "line 3: '5_0' among the values of 'b' is no number; {} drops the line",
        A,
    ),
    "blank line inside": (
        b"2 3\na 1 2 3\n\n\nb 4 5 6.5\n",
        "line 3: the line is blank; {} leaves it and those like it out",
        ROWS,
    ),
}


@pytest.mark.parametrize(("data", "message", "repaired"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("threads", [1, 2])
def test_where_guessing_would_lose_data_the_line_and_the_remedy_are_named(tmp_path, data, message, repaired, threads):
    with pytest.raises(DataError) as caught:
        read(tmp_path, data, threads=threads)
    assert str(caught.value) == f"{tmp_path / 'x.vec'}, " + message.format("`embedtrain convert --repair`")
    rows, changes = repair(tmp_path, data, threads=threads)
    assert rows == repaired
    assert changes == [message.format("the repair").replace(", first in line 2", "")]


def test_an_empty_file_with_a_header_is_refused(tmp_path):
    for choice in ({}, {"report": print}):
        with pytest.raises(DataError, match="line 1: the numbers of words and dimensions must be positive, got 0 and"):
            read(tmp_path, b"0 3\n", **choice)


def test_several_defects_of_a_line_are_all_repaired(tmp_path):
    rows, changes = repair(tmp_path, b"2 3\na 1 2 3\nnew\xff\tyork 4 5 6.5 \r\n")
    assert rows == A | {"new\ufffd_york": [4, 5, 6.5]}
    assert [change.split(";")[1] for change in changes] == [
        " the repair puts U+FFFD where it is not",
        " the repair reads tabs as spaces",
        " the repair makes it 'new\ufffd_york'",
    ]


def test_what_is_repaired_stays_in_order_and_is_chosen_afterwards(tmp_path):
    data = b"6 1\na 1\nb c 2\nd 3\nd 4\nshort\ne f 5\n"
    rows, changes = repair(tmp_path, data)
    assert rows == {"a": [1], "b_c": [2], "d": [3], "e_f": [5]}
    assert list(rows) == ["a", "b_c", "d", "e_f"]
    assert [change.split(":")[0] for change in changes] == [f"line {number}" for number in (3, 6, 7, 5)]
    assert repair(tmp_path, data, vocabulary={"b_c", "e_f"})[0] == {"b_c": [2], "e_f": [5]}
    assert repair(tmp_path, data, limit=2)[0] == {"a": [1], "b_c": [2]}


def test_rows_that_kernels_leave_to_python_are_read(tmp_path):
    tie = "1.00000017881393432617187499999999999999999999"  # below the middle of two float32, by less than a float64
    got = read(tmp_path, f"3 2\na 1 2\nb {tie} 1\nc 3 4\n".encode())
    assert got.words == ["a", "b", "c"]
    assert got.vectors[1, 0] == np.float32(float(tie))


@pytest.mark.parametrize("claim", [b"1000000000 300", b"1000000000 3", b"2 1000000000", b"999999999999999999 3"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "compressed"])
def test_a_header_that_lies_takes_no_memory(tmp_path, claim, pack):
    data = pack(claim + b"\na 1 2 3\nb 4 5 6.5\n")
    with memory_below(50_000_000), pytest.raises(DataError, match="the first line promises"):
        read(tmp_path, data, threads=1)
    with memory_below(50_000_000):
        assert repair(tmp_path, data, threads=1)[0] == ROWS


@pytest.mark.parametrize("claim", [b"1 2147483648\n", b"1 999999999999999\n", b"9 2000000000\n\n \n", b"2 3"])
def test_a_header_alone_is_refused(tmp_path, claim):
    for choice in ({}, {"report": print}):
        with memory_below(50_000_000), pytest.raises(DataError, match="line 1: expected a word and its values"):
            read(tmp_path, claim, **choice)


def test_a_line_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(text_blocks, "_LONGEST_LINE", 1 << 23)
    for data in (b"a" * (1 << 24), b"1 2\n" + b"1 " * (1 << 23), gzip.compress(b"\0" * (1 << 24))):
        with pytest.raises(DataError, match="a line is longer than 8 MiB; this is no text of vectors"):
            read(tmp_path, data, glove_text)


# --- Anything at all --------------------------------------------------------------------------------------------------

PARTS = [
    *(b" ", b"  ", b"\n", b"\r\n", b"\r", b"\t", b"\0", b"\xff", b"\xef\xbb\xbf", "\u00a0".encode(), "é".encode()),
    *(b"nan", b"-inf", b"1e400", b"1e-400", b"1e", b"e5", b"-", b".", b"_", b"0x1", b"9" * 40, b"1000000000 1", b"1 1"),
    *(b"2 3\n", b"a 1 2 3\n", b"a", b"1", b"2", b"\n\n\n", b"0 0\n", b"\x80\x02", b"PK\x03\x04", b"\x1f\x8b", b"#"),
]
SEEDS = [*TOLERATED.values(), *(data for data, _, _ in REFUSED.values()), b"a 1 2 3\nb 4 5 6.5\n"]


def mutated(generator):
    """A file with a few parts replaced, put in, left out or doubled."""
    data = generator.choice(SEEDS)
    for _ in range(generator.randint(1, 5)):
        begin = generator.randint(0, len(data))
        end = min(len(data), begin + generator.choice([0, 0, 1, 2, 8]))
        part = generator.choice([*PARTS, data[begin : begin + 10], bytes([generator.randrange(256)])])
        data = data[:begin] + part + data[end:]
    return data


def plainly_read(data, has_header, limit):
    """The words and values of a file that is as it should be up to the limit, in plain Python."""
    data = gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
    lines = [line.rstrip(b" \r") for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n")]
    first, *rows = [[field for field in line.split(b" ") if field] for line in lines if line]
    are_whole = len(first) == 2 and all(field.isdigit() for field in first)
    if not has_header and not (are_whole and rows and len(rows[0]) - 1 == int(first[1])):
        rows.insert(0, first)
    values = np.array([list(map(float, row[1:])) for row in rows[:limit]]).astype(np.float32)
    return [row[0].decode() for row in rows[:limit]], values


def test_any_bytes_are_read_or_refused_in_one_line(tmp_path, monkeypatch, exhaustive):
    n = 20_000 if exhaustive else 300
    n_read = 0
    for seed in range(n):
        generator = random.Random(seed)
        data = mutated(generator)
        module = generator.choice([word2vec_text, glove_text])
        report, limit = generator.choice([None, lambda change: None]), generator.choice([None, None, 1])
        try:
            monkeypatch.setattr(text_blocks, "_BLOCK", generator.choice([40, 1 << 22]))
            with memory_below(100_000_000):
                got = read(tmp_path, data, module, report=report, threads=generator.choice([1, 1, 1, 2]), limit=limit)
        except DataError as error:
            message = str(error).replace(str(tmp_path), "")
            assert message.isprintable(), (seed, message)
            assert len(message) < 300, (seed, message)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {data!r}") from error
        else:
            n_read += 1
            assert got.vectors.shape[0] == len(got.words) == len(set(got.words)), seed
            assert np.isfinite(got.vectors).all(), seed
            if report is None:
                words, vectors = plainly_read(data, module is word2vec_text, limit)
                assert got.words == words, seed
                assert got.vectors.tobytes() == vectors.tobytes(), seed
    assert 0.2 * n < n_read < 0.9 * n, "both happen"
