"""What training has changed in rows since a copy of them was made; tables are flat, with rows of whole vectors."""

import numpy as np

from embedtrain.kernels.compilation import kernel
from embedtrain.kernels.simd.lanes import LANES


@kernel
def mark_changed(begin, end, rows, before, width, changed):
    """Set changed[i] for i in [begin, end) to whether a bit of row i differs; the tables are views as int32."""
    for row in range(begin, end):
        at, stop, different = row * width, (row + 1) * width, 0
        while at < stop and different == 0:
            for j in range(np.uint64(LANES)):
                different |= rows[at + j] ^ before[at + j]
            at += LANES
        changed[row] = different != 0


@kernel
def take_changes(begin, end, rows, before, width, which, changes):
    """Set changes[k] for k in [begin, end) to rows[which[k]] - before[which[k]], without padding."""
    dim = np.uint64(changes.shape[1])
    for k in range(begin, end):
        at = np.uint64(which[k] * width)
        for j in range(dim):
            changes[k, j] = rows[at + j] - before[at + j]


@kernel
def add_changes(begin, end, rows, before, width, which, changes):
    """Add changes[k] for k in [begin, end) to before[which[k]], and copy these rows to `rows`."""
    dim = np.uint64(changes.shape[1])
    for k in range(begin, end):
        at = np.uint64(which[k] * width)
        for j in range(dim):
            before[at + j] += changes[k, j]
            rows[at + j] = before[at + j]
