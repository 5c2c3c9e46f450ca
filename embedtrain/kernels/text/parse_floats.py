"""Parse lines "word value value …" of bytes, with values equal to `np.float32(float(text))`.

A decimal w 10^q is rounded to float64, then to float32: Daniel Lemire, "Number parsing at a gigabyte per second"
(2021). A product of 128 bits always suffices: Noble Mushtak and Daniel Lemire, "Fast number parsing without fallback"
(2023).
"""

import numpy as np

from embedtrain.kernels.compilation import inlined, kernel
from embedtrain.kernels.text.byte_masks import (
    BLOCK,
    bytes_between,
    high_product,
    leading_zeros,
    low_bits,
    nearest_float32,
    trailing_zeros,
)

#: Below, w 10^q < 2^64 10^q is less than half the smallest float32 > 0; above, 10^q exceeds the largest.
_LEAST_POWER, _LARGEST_POWER = -65, 38
_TIES = (-4, 23)  # exponents q for which w 10^q can be halfway between two float64


def _power_of_five(q: int) -> int:
    """The highest 128 bits of 5^q: truncated, and of a fraction rounded up."""
    if q >= 0:
        power = 5**q
        return power << 128 - power.bit_length() if power < 1 << 128 else power >> power.bit_length() - 128
    divisor = 5**-q
    return (1 << divisor.bit_length() + 127) // divisor + 1


_POWERS = [_power_of_five(q) for q in range(_LEAST_POWER, _LARGEST_POWER + 1)]
_HIGH = np.array([power >> 64 for power in _POWERS], np.uint64)
_LOW = np.array([power & 0xFFFFFFFFFFFFFFFF for power in _POWERS], np.uint64)

_ZERO, _ONE, _TWO, _THREE, _NINE, _TEN = (np.uint64(n) for n in (0, 1, 2, 3, 9, 10))
_UNSURE = np.uint64(0x1FF)  # the lowest bits of a product: if all are set, a carry from below would change the others
_TOP, _FRACTION, _FRACTION_BITS = np.uint64(63), np.uint64((1 << 52) - 1), np.uint64(52)
_FULL = np.uint64(10**18)  # a mantissa below this takes one more digit
_SIGN = np.uint64(1 << 63)
_TOO_LARGE = np.uint64(0x47EFFFFFF0000000)  # the smallest float64 whose nearest float32 is infinite
_MOST_EXPONENT = 100_000
_DIGIT_0 = np.uint64(ord("0"))
_SPACE, _NEWLINE, _RETURN, _DELETE, _PLUS, _MINUS, _POINT = (np.uint8(ord(c)) for c in " \n\r\x7f+-.")
_LOWER_CASE, _E = np.uint8(0x20), np.uint8(ord("e"))
FAILED = -1  # instead of an end: not a number, or it needs more than 19 digits for rounding


@inlined
def nearest_float64(w, q):
    """The bits of the float64 nearest to w 10^q, halfway the even one; of 0 if it is 0 as a float32."""
    if w == _ZERO or q < _LEAST_POWER:
        return _ZERO
    if q > _LARGEST_POWER:
        return _TOO_LARGE
    # w 5^q as a product of 128 bits, from the upper half of 5^q; the lower half where it could matter
    zeros = leading_zeros(w)
    w <<= zeros
    power = _HIGH[q - _LEAST_POWER]
    high, low = high_product(w, power), w * power
    if high & _UNSURE == _UNSURE:
        carried = high_product(w, _LOW[q - _LEAST_POWER])
        low += carried
        high += np.uint64(carried > low)

    # 54 bits of it, the last of which rounds; an exact tie goes to the even number
    upper = high >> _TOP
    shift = upper + np.uint64(9)
    mantissa = high >> shift
    if low <= _ONE and _TIES[0] <= q <= _TIES[1] and mantissa & _THREE == _ONE and mantissa << shift == high:
        mantissa -= _ONE
    mantissa = (mantissa + (mantissa & _ONE)) >> _ONE
    exponent = (217706 * q >> 16) + 63 + np.int64(upper) - np.int64(zeros) + 1023  # 217706 / 2^16 is log2 10
    exponent += np.int64(mantissa >> np.uint64(53))
    return np.uint64(exponent) << _FRACTION_BITS | (mantissa & _FRACTION)


@inlined
def read_digits(text, at, w, scale):
    """(end, w, scale, cut): append the digits from `at` on to w, up to 19.

    Each further digit adds 1 to `scale`; `cut` is non-zero if one of these is.
    """
    cut = _ZERO
    digit = np.uint64(text[at]) - _DIGIT_0
    while digit <= _NINE:
        if w < _FULL:
            w = w * _TEN + digit
        else:
            cut |= digit
            scale += 1
        at += 1
        digit = np.uint64(text[at]) - _DIGIT_0
    return at, w, scale, cut


@inlined
def read_exponent(text, at):
    """(end, exponent) of "e+12" and the like; FAILED if digits are missing, or the exponent is huge."""
    at += 1
    negative = text[at] == _MINUS
    if negative or text[at] == _PLUS:
        at += 1
    first, exponent = at, np.int64(0)
    digit = np.uint64(text[at]) - _DIGIT_0
    while digit <= _NINE and exponent < _MOST_EXPONENT:
        exponent = exponent * 10 + np.int64(digit)
        at += 1
        digit = np.uint64(text[at]) - _DIGIT_0
    if at == first or exponent >= _MOST_EXPONENT:
        return FAILED, exponent
    return at, -exponent if negative else exponent


@inlined
def read_number(text, at):
    """(end, bits): the number that starts at `at`, as the bits of a float64 within the range of float32.

    The text must end with a byte that is not part of a number.
    """
    sign = _SIGN if text[at] == _MINUS else _ZERO
    if text[at] == _MINUS or text[at] == _PLUS:
        at += 1
    first = at
    at, w, q, cut = read_digits(text, at, _ZERO, np.int64(0))
    n_digits = at - first
    if text[at] == _POINT:
        point = at + 1
        at, w, q, cut_after = read_digits(text, point, w, q)
        cut |= cut_after
        q -= at - point
        n_digits += at - point
    if n_digits == 0:
        return FAILED, _ZERO
    if text[at] | _LOWER_CASE == _E:
        at, exponent = read_exponent(text, at)
        if at == FAILED:
            return FAILED, _ZERO
        q += exponent
    bits = nearest_float64(w, q)
    if bits >= _TOO_LARGE:
        return FAILED, _ZERO
    if cut != _ZERO and nearest_float32(nearest_float64(w + _ONE, q)) != nearest_float32(bits):
        return FAILED, _ZERO  # the omitted digits decide between two float32
    return at, sign | bits


@inlined
def skip_spaces(text, at):
    """The position after the spaces from `at` on."""
    while text[at] == _SPACE:
        at += 1
    return at


@inlined
def end_of_word(text, at):
    """The position of the first control character or space from `at` on."""
    while text[at] > _SPACE and text[at] != _DELETE:
        at += 1
    return at


@inlined
def parse_values(text, at, row):
    """Fill a row with the numbers from `at` on, each after spaces; returns their end, or FAILED."""
    for column in range(row.size):
        start = skip_spaces(text, at)
        if start == at:
            return FAILED
        at, bits = read_number(text, start)
        if at == FAILED:
            return FAILED
        row[column] = nearest_float32(bits)
    return at


@kernel
def parse_rows(text, starts, word_ends, values):
    """Parse the lines that start at `starts`, a word and values.shape[1] finite numbers each.

    `word_ends` receives the ends of words, or FAILED for other lines, whose rows are undefined. Spaces and a carriage
    return may end a line; the text must end with a line feed.
    """
    for i in range(starts.size):
        word_ends[i] = FAILED
        end = end_of_word(text, starts[i])
        if end == starts[i]:
            continue
        at = parse_values(text, end, values[i])
        if at == FAILED:
            continue
        at = skip_spaces(text, at)
        if text[at] == _RETURN:
            at += 1
        if text[at] == _NEWLINE:
            word_ends[i] = end


@kernel
def find_words(text, starts, word_ends):
    """word_ends = the ends of the words of lines at `starts`, or FAILED for a line without a word and a space."""
    for i in range(starts.size):
        end = end_of_word(text, starts[i])
        word_ends[i] = end if end > starts[i] and text[end] == _SPACE else FAILED


@kernel
def pack_words(text, starts, word_ends, out):
    """Write the words, each with a line feed; returns the number of bytes."""
    at = np.int64(0)
    for i in range(starts.size):
        for position in range(starts[i], word_ends[i]):
            out[at] = text[position]
            at += 1
        out[at] = _NEWLINE
        at += 1
    return at


@kernel
def find_lines(text, n, starts):
    """Starts = the starts of the lines of text[:n], which end in line feeds, and the last end; returns their number."""
    n_lines = np.int64(0)
    starts[0] = 0
    for block in range(0, n, BLOCK):
        feeds = bytes_between(text, block, _NEWLINE, _NEWLINE) & low_bits(n - block)
        while feeds:
            n_lines += 1
            starts[n_lines] = block + trailing_zeros(feeds) + 1
            feeds &= feeds - _ONE
    return n_lines
