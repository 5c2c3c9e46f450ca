"""Memory as the tiles want it: rows of whole vectors that start at cache lines."""

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.simd.lanes import LANES

_CACHE_LINE = 64  # bytes


def padded(n: int) -> int:
    """`n` elements rounded up to whole vectors."""
    return -(-n // LANES) * LANES


def aligned_zeros(n: int) -> NDArray[np.float32]:
    """`n` zeros that start at a cache line."""
    memory = np.zeros(n + _CACHE_LINE // 4, np.float32)
    start = -memory.ctypes.data % _CACHE_LINE // 4
    return memory[start : start + n]
