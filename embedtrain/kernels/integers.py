"""Minimum and maximum of integers; Numba compiles `min` and `max` anew for each pair of types, 20 ms each."""

from numba.types import int64

from embedtrain.kernels.simd.lanes import emits


@emits(int64, int64, int64)
def minimum(b, x, y):
    """The lower of two integers."""
    return b.select(b.icmp_signed("<", x, y), x, y)


@emits(int64, int64, int64)
def maximum(b, x, y):
    """The higher of two integers."""
    return b.select(b.icmp_signed(">", x, y), x, y)
