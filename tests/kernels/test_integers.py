"""Minimum and maximum of integers."""

import itertools

from embedtrain.kernels.compilation import kernel
from embedtrain.kernels.integers import maximum, minimum

NUMBERS = [-(2**63), -(2**31), -1, 0, 1, 7, 2**31, 2**63 - 1]


@kernel
def both(x, y):
    return minimum(x, y), maximum(x, y)


def test_minimum_and_maximum():
    for x, y in itertools.product(NUMBERS, repeat=2):
        assert both(x, y) == (min(x, y), max(x, y))
