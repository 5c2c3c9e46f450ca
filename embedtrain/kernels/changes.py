"""What training has changed in rows since a copy of them was made, as bfloat16, the upper half of a float32.

Tables have rows padded to whole vectors, changes have not.
"""

import numpy as np

from embedtrain.kernels.compilation import kernel

_HALF, _BITS = np.uint32(1 << 15), np.uint32(16)


@kernel
def mark_changes(begin, end, rows, before, which, changed):
    """Set changed[k] for k in [begin, end) to whether rows[which[k]] differs from that of `before`, both int32."""
    for k in range(begin, end):
        row = np.uint64(which[k])
        changed[k] = 0
        for j in range(np.uint64(rows.shape[1])):
            if rows[row, j] != before[row, j]:
                changed[k] = 1
                break


@kernel
def take_changes(begin, end, rows, before, which, changes):
    """Set changes[k] for k in [begin, end) to rows[which[k]] - before[which[k]], rounded to the nearest."""
    for k in range(begin, end):
        row = np.uint64(which[k])
        for j in range(np.uint64(changes.shape[1])):
            bits = np.float32(rows[row, j] - before[row, j]).view(np.uint32)
            changes[k, j] = np.uint16((bits + _HALF) >> _BITS)


@kernel
def sum_changes(begin, end, parts, sums):
    """Set sums[k] for k in [begin, end) to the sum of the changes parts[:, k] of all ranks, in their order."""
    for k in range(begin, end):
        sums[k] = 0
        for part in range(parts.shape[0]):
            for j in range(np.uint64(sums.shape[1])):
                sums[k, j] += np.uint32(np.uint32(parts[part, k, j]) << _BITS).view(np.float32)


@kernel
def combine_changes(begin, end, sums, weights, more, parts):
    """Set parts[:, k] for k in [begin, end) to weights[k - begin] * sums[k] + more[k - begin], rounded."""
    for k in range(begin, end):
        for part in range(parts.shape[0]):
            for j in range(np.uint64(sums.shape[1])):
                bits = np.float32(weights[k - begin] * sums[k, j] + more[k - begin, j]).view(np.uint32)
                parts[part, k, j] = np.uint16((bits + _HALF) >> _BITS)


@kernel
def add_changes(begin, end, rows, before, which, changes):
    """Add changes[k] for k in [begin, end) to before[which[k]], and copy these rows to `rows`."""
    for k in range(begin, end):
        row = np.uint64(which[k])
        for j in range(np.uint64(changes.shape[1])):
            before[row, j] += np.uint32(np.uint32(changes[k, j]) << _BITS).view(np.float32)
            rows[row, j] = before[row, j]
