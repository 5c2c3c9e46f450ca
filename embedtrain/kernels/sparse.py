"""Products and transposes of sparse matrices in compressed rows."""

from embedtrain.kernels.compilation import kernel
from embedtrain.kernels.integers import minimum
from embedtrain.kernels.simd.lanes import LANES
from embedtrain.kernels.simd.rows import ROW_VECTORS, multiply_row


@kernel
def multiply_rows(starts, columns, values, X, Y, width, begin, end):
    """Y[i] = sum of values * X[columns] over the cells of row i, in order, for i in [begin, end).

    X and Y are flat, with rows of `width` elements, whole vectors.
    """
    step = LANES * ROW_VECTORS
    for row in range(begin, end):
        for d in range(0, width, step):
            n_vectors = minimum(width - d, step) // LANES
            multiply_row(Y, row * width, columns, values, starts[row], starts[row + 1], X, width, d, n_vectors)


@kernel
def transpose_columns(starts, columns, values, begin, end, following, own_columns, own_values):
    """Copy the cells of the columns [begin, end), column by column, each by its rows.

    Column j starts at following[j - begin], which is advanced to its end. Columns ascend in each row.
    """
    for row in range(starts.size - 1):
        low, high = starts[row], starts[row + 1]
        last = high
        while low < high:  # the first cell from column `begin` on
            middle = (low + high) // 2
            if columns[middle] < begin:
                low = middle + 1
            else:
                high = middle
        while low < last and columns[low] < end:
            at = following[columns[low] - begin]
            following[columns[low] - begin] = at + 1
            own_columns[at], own_values[at] = row, values[low]
            low += 1
