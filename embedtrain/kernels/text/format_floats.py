"""Format float32 with the fewest digits that read back as the same number, by Schubfach.

Raffaello Giulietti, "The Schubfach way to render doubles" (2020), for 32-bit floats, with its names of variables.
"""

import numpy as np

from embedtrain.kernels.compilation import inlined, kernel

_K_MIN, _K_MAX = -31, 45

#: The most bytes of a number, with the space before it: " -1.17549435e-38".
WIDEST = 16


def _scaled_power(k: int) -> int:
    """10^k as 64 bits, rounded up: g with 2^63 <= g < 2^64 and 10^k <= g 2^-r for a suitable r."""
    numerator, denominator = (10**k, 1) if k >= 0 else (1, 10**-k)
    shift = 63 - (k * 1741647 >> 19)  # 63 - floor(log2 10^k)
    if shift >= 0:
        numerator <<= shift
    else:
        denominator <<= -shift
    return -(-numerator // denominator)


_POWERS = np.array([_scaled_power(k) for k in range(_K_MIN, _K_MAX + 1)], np.uint64)
_TENS = np.array([10**n for n in range(10)], np.int64)
_LEAST_TEN = -54
_TENS_AS_FLOATS = np.array([float(f"1e{n}") for n in range(_LEAST_TEN, 46)])
_TWOS = np.ldexp(1.0, np.arange(-149, 105))
_DOUBTFUL = 2.0**-26  # of the distance of two floats; the products below have at most a quarter of this error
_WORD, _LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
_MINUS, _POINT, _ZERO, _E, _PLUS, _SPACE, _NEWLINE = (np.uint8(ord(c)) for c in "-.0e+ \n")


@inlined
def round_to_odd(g, x):
    """Compute g x / 2^64, rounded down, made odd if more than the smallest remainder was truncated."""
    x = np.uint64(x)
    middle = (g >> _WORD) * x + (((g & _LOW) * x) >> _WORD)
    return np.int64(middle >> _WORD) | np.int64((middle & _LOW) > 1)


@inlined
def shortest_decimal(c, q, odd, closer_below):
    """(digits, exponent): the shortest and then closest decimal digits * 10^exponent that reads as the float32 c * 2^q.

    `odd` is the last bit of c; `closer_below` is 1 where the number below is closer than the one above.
    """
    # the bounds of decimals that read as c 2^q, and c 2^q itself, scaled by 4 10^-k
    k = (q * 1262611 - closer_below * 524031) >> 22
    h = q + (-k * 1741647 >> 19) + 1
    g = _POWERS[-k - _K_MIN]
    v = round_to_odd(g, (4 * c) << h)
    lower = round_to_odd(g, (4 * c - 2 + closer_below) << h) + odd
    upper = round_to_odd(g, (4 * c + 2) << h) - odd

    # one digit less, if a multiple of 10 is within the bounds
    s = v >> 2
    if s >= 10:
        tens = s // 10
        below, above = lower <= 40 * tens, 40 * tens + 40 <= upper
        if below != above:
            return tens + above, k + 1
    # else the closer of the two integers, or the only one within the bounds
    below, above = lower <= 4 * s, 4 * s + 4 <= upper
    if below != above:
        return s + above, k
    middle = 4 * s + 2
    return s + np.int64(v > middle or (v == middle and s & 1)), k


@inlined
def decimal_of(bits):
    """(digits, exponent) of the float32 > 0 with these bits, correct also for readers that round to float64 first.

    For about one number in 10^8, the shortest decimal is so close to the middle of two floats that these would read the
    wrong one; such a number gets nine digits, which always suffice.
    """
    fraction, biased = np.int64(bits) & 0x7FFFFF, (np.int64(bits) >> 23) & 0xFF
    c, q = (fraction | 0x800000, biased - 150) if biased else (fraction, np.int64(-149))
    digits, exponent = shortest_decimal(c, q, c & 1, np.int64(fraction == 0 and biased > 1))
    unit = _TWOS[q + 149]  # between this float and the next
    value, read = c * unit, digits * _TENS_AS_FLOATS[exponent - _LEAST_TEN]
    from_middle = abs(abs(read - value) - (0.25 if read < value and fraction == 0 else 0.5) * unit)
    if from_middle < _DOUBTFUL * unit:
        exponent = np.int64(np.floor(np.log10(value))) - 8
        digits = np.int64(np.rint(value / _TENS_AS_FLOATS[exponent - _LEAST_TEN]))
    return digits, exponent


@inlined
def write_digits(number, n, out, at):
    """Write the last n digits of a number; returns their end."""
    for digit in range(n):
        out[at + n - 1 - digit] = _ZERO + np.uint8(number % 10)
        number //= 10
    return at + n


@inlined
def write_float(bits, out, at):
    """Write the finite float32 with these bits as Python's `repr`, without a trailing ".0"; returns its end."""
    if bits >> np.uint32(31):
        out[at] = _MINUS
        at += 1
        bits &= np.uint32(0x7FFFFFFF)
    if bits == 0:
        out[at] = _ZERO
        return at + 1
    digits, exponent = decimal_of(bits)
    while digits % 10 == 0:
        digits //= 10
        exponent += 1
    n = 1
    while n < 10 and digits >= _TENS[n]:
        n += 1
    point = n + exponent  # digits before the decimal point

    if -4 < point <= 0:
        out[at], out[at + 1] = _ZERO, _POINT
        return write_digits(digits, n, out, write_digits(0, -point, out, at + 2))
    if 0 < point < n:
        at = write_digits(digits // _TENS[n - point], point, out, at)
        out[at] = _POINT
        return write_digits(digits, n - point, out, at + 1)
    if n <= point < 10:
        return write_digits(0, point - n, out, write_digits(digits, n, out, at))
    at = write_digits(digits // _TENS[n - 1], 1, out, at)
    if n > 1:
        out[at] = _POINT
        at = write_digits(digits, n - 1, out, at + 1)
    out[at], out[at + 1] = _E, _MINUS if point <= 0 else _PLUS
    return write_digits(abs(point - 1), 2, out, at + 2)


@kernel
def write_rows(words, starts, bits, out):
    """Write a line for each word: words[starts[i]:starts[i + 1]], then the numbers of row i; returns the bytes."""
    at = 0
    for row in range(bits.shape[0]):
        for position in range(starts[row], starts[row + 1]):
            out[at] = words[position]
            at += 1
        for column in range(bits.shape[1]):
            out[at] = _SPACE
            at = write_float(bits[row, column], out, at + 1)
        out[at] = _NEWLINE
        at += 1
    return at
