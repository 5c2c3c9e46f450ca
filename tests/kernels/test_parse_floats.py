"""Parsed lines against `np.float32(float(text))`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedtrain.kernels.text import parse_floats as parsing
from embedtrain.kernels.text.byte_masks import PADDING

FLOATS = st.floats(width=32, allow_nan=False, allow_infinity=False)
DOUBLES = st.floats(allow_nan=False, allow_infinity=False)
DIGITS = st.text("0123456789", min_size=1, max_size=45)
LARGEST = 0x7F7FFFFF  # bits of the largest float32


def rows_of(data, dim):
    """The word ends and values of the lines of `data`, its starts too."""
    text = np.frombuffer(data + bytes(PADDING), np.uint8)
    starts = np.empty(len(data) + 1, np.int64)
    n = parsing.find_lines(text, len(data), starts)
    word_ends, values = np.empty(n, np.int64), np.zeros((n, dim), np.float32)
    parsing.parse_rows(text, starts[:n], word_ends, values)
    return starts[: n + 1], word_ends, values


def parse(texts):
    """The float32 of each text, None where the kernel leaves it to others."""
    _, word_ends, values = rows_of(b"".join(b"w %s\n" % text.encode() for text in texts), 1)
    return [value if end >= 0 else None for end, value in zip(word_ends, values[:, 0], strict=True)]


def check(texts):
    """Compare with Python; returns how many the kernel read."""
    got = parse(texts)
    for text, value in zip(texts, got, strict=True):
        with np.errstate(over="ignore"):
            wanted = np.float32(float(text))
        if value is not None:
            assert value.tobytes() == wanted.tobytes(), text
    return sum(value is not None for value in got)


def float32(bits):
    return float(np.uint32(bits).view(np.float32))


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(FLOATS, min_size=1, max_size=30))
def test_every_spelling_of_a_float32_is_read(numbers):
    for spell in (repr, "{:g}".format, "{:.9g}".format, "{:.6f}".format, "{:e}".format, "{:+.3E}".format):
        texts = [spell(number) for number in numbers]
        assert check(texts) == sum(abs(float(text)) < 3.4028235677973366e38 for text in texts)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(DOUBLES, min_size=1, max_size=30))
def test_float64_are_rounded_as_python_and_numpy_do(numbers):
    for spell in (repr, "{:.25e}".format):
        check([spell(number) for number in numbers])


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(st.tuples(DIGITS, DIGITS, st.integers(-120, 80)), min_size=1, max_size=20))
def test_long_digit_strings_are_read_right_or_not_at_all(parts):
    check([f"{whole}.{fraction}e{exponent}" for whole, fraction, exponent in parts])
    check([f"0.{whole}{fraction}" for whole, fraction, _ in parts])
    check([f"{whole}{fraction}" for whole, fraction, _ in parts])


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(st.integers(0, LARGEST - 1), min_size=1, max_size=30))
def test_halves_between_two_float32_and_what_is_beside_them(patterns):
    halves = [(float32(bits) + float32(bits + 1)) / 2 for bits in patterns]
    near = [np.nextafter(half, end) for half in halves for end in (0, np.inf)]
    texts = [repr(float(number)) for number in [*halves, *near]]
    assert check(texts) == len(texts)
    check([f"{half:.60e}" for half in halves])  # all digits


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(st.integers(2**53, 2**63), min_size=1, max_size=30), st.integers(-8, 25))
def test_halves_between_two_float64(wholes, exponent):
    texts = [f"{whole | 1}e{exponent}" for whole in wholes]
    assert check(texts) == sum(float(text) < 3.4e38 for text in texts)


EVERYDAY = [
    *("0", "-0", "+0", "0.0", "-0.000", "0e5", "00012", "1.", ".5", "-.5e1", "1E5", "1e+05", "1e-05", "+4.50"),
    *("1.17549435e-38", "1.4e-45", "7.1e-46", "7.0e-46", "7.038531e-26", "3.4028235e38", "1e-400", "0e99999"),
    *("0." + "0" * 60 + "1", "1" + "0" * 30, "0." + "3" * 40, "123456789012345678901234567890e-20"),
    *("9007199254740993", "16777217", "33554433", "340282346638528859811704183484516925440"),
]
LEFT_TO_OTHERS = [
    *("", "-", "+", ".", "e5", "1e", "1e+", "--1", "1.2.3", "1_000", "0x1p3", "nan", "inf", "-Infinity", "1d5", "1,5"),
    *("3.4028236e38", "1e39", "1e400", "1e99999999999", "one", "1a", "1 2", "\t1", "1\t", "1\x002", "\u0661"),
]


def test_everyday_spellings_are_read():
    assert check(EVERYDAY) == len(EVERYDAY)


def test_what_is_no_finite_number_is_left_to_others():
    assert parse(LEFT_TO_OTHERS) == [None] * len(LEFT_TO_OTHERS)


def test_of_long_digit_strings_most_are_read():
    generator = np.random.default_rng(1)
    texts = ["0." + "".join(map(str, generator.integers(0, 10, 30))) for _ in range(2000)]
    assert check(texts) >= 1998  # the others lie within 1e-19 of a float64's rounding, by chance


@pytest.mark.parametrize(
    ("line", "values"),
    [
        (b"w 1 2", [1, 2]),
        (b"w 1 2 ", [1, 2]),
        (b"w  1   2  ", [1, 2]),
        (b"w 1 2\r", [1, 2]),
        (b"w 1 2 \r", [1, 2]),
        ("wörd\u00a0 1 2".encode(), [1, 2]),
        (b"w 1", None),
        (b"w 1 2 3", None),
        (b"w w 1 2", None),
        (b" 1 2", None),
        (b"w\t1 2", None),
        (b"w 1\t2", None),
        (b"w 1 2\r\r", None),
        (b"w\x00w 1 2", None),
        (b"w\x7f 1 2", None),
        (b"w", None),
        (b"", None),
    ],
)
def test_a_line_is_a_word_and_its_values(line, values):
    _, word_ends, got = rows_of(b"before 8 9\n" + line + b"\nafter 5 6\n", 2)
    assert (word_ends >= 0).tolist() == [True, values is not None, True]
    assert got[[0, 2]].tolist() == [[8, 9], [5, 6]]
    if values is not None:
        assert got[1].tolist() == values


def test_lines_and_words_are_found():
    data = b"a 1\n\nlonger 2\n" + b"x" * 150 + b" 3\nno\n 4\nlast"
    starts, word_ends, _ = rows_of(data, 1)
    lines = data.split(b"\n")
    assert np.diff(starts).tolist() == [len(line) + 1 for line in lines[:-1]]  # the last has no end
    text = np.frombuffer(data + bytes(PADDING), np.uint8)
    word_ends = np.empty(starts.size - 1, np.int64)
    parsing.find_words(text, starts[:-1], word_ends)
    assert (word_ends >= 0).tolist() == [True, False, True, True, False, False]
    found = word_ends >= 0
    out = np.empty(len(data), np.uint8)
    n = parsing.pack_words(text, starts[:-1][found], word_ends[found], out)
    assert out[:n].tobytes() == b"a\nlonger\n" + b"x" * 150 + b"\n"
