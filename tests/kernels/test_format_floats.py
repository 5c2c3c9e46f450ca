"""Formatted numbers are the shortest that read back, and the closest of those."""

import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embedtrain.kernels.text import format_floats as decimal

LARGEST = 0x7F7FFFFF  # bits of the largest float32; infinity comes next
SIGN = 0x80000000
TWICE_ROUNDED = 0x15AE43FD  # 7.038531e-26, whose nearest float64 lies halfway between two float32

EDGES = [
    *(0x00000000, 0x00000001, 0x00000002, 0x00000003, 0x00000007, 0x007FFFFF, LARGEST - 1, LARGEST, TWICE_ROUNDED),
    *(bits for power in range(1, 255) for bits in ((power << 23) - 1, power << 23, (power << 23) + 1)),
    *(1 << power for power in range(23)),
]
NUMBERS = [0.1, 0.3, 1, 10, 1e-4, 9.999e-5, 123456.79, 16777216, 999999999, 1e9, 9.5e8, 1e10, 1e-10, 8.5e37, 3.4e38]


def write(patterns):
    """The text of each float32."""
    bits = np.array(patterns, np.uint32)[:, None]
    starts = np.zeros(len(bits) + 1, np.int64)
    out = np.empty(bits.size * (decimal.WIDEST + 1), np.uint8)
    lines = out[: decimal.write_rows(np.frombuffer(b"", np.uint8), starts, bits, out)].tobytes().decode()
    assert all(line.startswith(" ") and line.endswith("\n") for line in lines.splitlines(keepends=True))
    return [line.removeprefix(" ") for line in lines.splitlines()]


def value(bits):
    return np.array(bits, np.uint32).view(np.float32)[()]


def nearest_float32(exact):
    """The bits of the float32 >= 0 nearest to a fraction, halfway the even one, rounded once."""
    guess = int(np.array(float(exact), np.float32).view(np.uint32))
    near = range(max(0, guess - 2), min(LARGEST, guess + 2) + 1)
    return min(near, key=lambda bits: (abs(Fraction(float(value(bits))) - exact), bits & 1))


def read(text):
    """The bits of the float32 that a text stands for."""
    return nearest_float32(Fraction(text.removeprefix("-"))) | SIGN * text.startswith("-")


def read_by_way_of_float64(text):
    """The bits of the float32 that most readers take a text for: they round twice."""
    return int(np.float32(float(text)).view(np.uint32))


def digits_of(text):
    """The significant digits."""
    return re.sub(r"e.*|[-.]", "", text).strip("0")


def check(patterns):
    for bits, text in zip(patterns, write(patterns), strict=True):
        assert read(text) == bits
        assert read_by_way_of_float64(text) == bits
        shortest = np.format_float_scientific(value(bits), unique=True, trim="-")
        if read_by_way_of_float64(shortest) == bits:
            assert len(digits_of(text)) == len(digits_of(shortest))
        assert len(text) < decimal.WIDEST


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(st.integers(0, LARGEST) | st.integers(SIGN, SIGN | LARGEST), min_size=1, max_size=40))
def test_every_float_reads_back_and_is_shortest(patterns):
    check(patterns)


@pytest.mark.parametrize("sign", [0, SIGN], ids=["positive", "negative"])
def test_edges_read_back_and_are_shortest(sign):
    check([bits | sign for bits in EDGES])


def test_everyday_numbers_read_back_and_are_shortest():
    check(np.array(NUMBERS, np.float32).view(np.uint32).tolist())


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.lists(st.integers(1, LARGEST), min_size=1, max_size=20))
def test_of_the_shortest_the_closest_is_taken(patterns):
    for bits, text in zip(patterns, write(patterns), strict=True):
        exact, written = Fraction(float(value(bits))), Fraction(text)
        step = Fraction(10) ** Decimal(text).normalize().as_tuple().exponent
        closer = [other for other in (written - step, written + step) if abs(other - exact) < abs(written - exact)]
        assert [other for other in closer if nearest_float32(other) == bits] == []


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (-1.5, "-1.5"),
        (0.1, "0.1"),
        (0.001, "0.001"),
        (0.00012345, "0.00012345"),
        (0.00001, "1e-05"),
        (1.25e-05, "1.25e-05"),
        (100.0, "100"),
        (123456.79, "123456.79"),
        (16777216.0, "16777216"),
        (1e20, "1e+20"),
        (-1.17549435e-38, "-1.1754944e-38"),
        (3.4028235e38, "3.4028235e+38"),
        (1e-45, "1e-45"),
    ],
)
def test_numbers_are_spelled_as_people_expect(number, text):
    assert write([int(np.float32(number).view(np.uint32))]) == [text]


def test_rows_are_words_and_numbers_between_single_spaces():
    words = np.frombuffer("aéword".encode(), np.uint8)
    starts = np.array([0, 1, 3, 7])
    bits = np.array([[1, -2], [0.5, 0], [-0.25, 1e-7]], np.float32).view(np.uint32)
    out = np.empty(words.size + 3 + bits.size * decimal.WIDEST, np.uint8)
    n = decimal.write_rows(words, starts, bits, out)
    assert out[:n].tobytes().decode() == "a 1 -2\né 0.5 0\nword -0.25 1e-07\n"
