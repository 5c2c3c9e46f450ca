"""Records of co-occurrence, as GloVe's programs write them: two words and a count, to be put into rows."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.compilation import kernel

SIZE = 16  # bytes of a record
LARGEST = np.finfo(np.float32).max


class Records(NamedTuple):
    """Records one after the other, their bytes seen in two ways."""

    numbers: NDArray[np.int32]  # (4 n,) the first of each four is a word, the second its context, both from 1
    values: NDArray[np.float64]  # (2 n,) the second of each two is the count


@kernel
def count_cells(records, ends):
    """Add the cells of each row of the matrix to ends[row + 1]; returns the first wrong record, or -1."""
    numbers, values = records
    n_words = ends.size - 1
    for record in range(values.size // 2):
        word, context, value = numbers[4 * record], numbers[4 * record + 1], values[2 * record + 1]
        if not (1 <= word <= n_words and 1 <= context <= n_words and 0.0 <= value <= LARGEST):
            return record
        ends[word] += 1
    return -1


@kernel
def place_cells(records, nexts, ends, columns, counts):
    """Put cells where `nexts` has the next of each row of the matrix; returns a record that has no place, or -1."""
    numbers, values = records
    n_words = nexts.size
    for record in range(values.size // 2):
        word, context = numbers[4 * record], numbers[4 * record + 1]
        if not (1 <= word <= n_words and nexts[word - 1] < ends[word]):
            return record
        place = nexts[word - 1]
        nexts[word - 1] = place + 1
        columns[place] = context - 1
        counts[place] = values[2 * record + 1]
    return -1
