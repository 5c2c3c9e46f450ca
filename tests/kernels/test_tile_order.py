"""Keys, coords and the sorting of cells."""

import numpy as np
import pytest
from naive_glove import order_in_tile, weight

from embedtrain.kernels.glove.tile_order import SUB_TILES, cell_coord, cell_key, sort_items, weigh_items


def some_coords(n):
    """Rows and columns up to the largest, with the corners."""
    rows, columns = np.random.default_rng(0).integers(0, 1 << 16, (2, n))
    rows[:4], columns[:4] = [0, 0, 65535, 65535], [0, 65535, 0, 65535]
    return rows.tolist(), columns.tolist()


def test_keys_and_coords_are_made_of_each_other():
    for row, column in zip(*some_coords(2000), strict=True):
        key = cell_key(row, column)
        assert 0 <= key < 1 << 32
        assert cell_coord(key) == row << 16 | column


def test_keys_have_the_order_of_the_cells():
    cells = list(zip(*some_coords(2000), strict=True))
    cells += [(row, column) for row in range(500, 530) for column in range(1010, 1040)]
    assert sorted(cells, key=lambda cell: cell_key(*cell)) == sorted(cells, key=lambda cell: order_in_tile(*cell))


def items_of(keys, values):
    return keys.astype(np.uint64) << np.uint64(32) | values.astype(np.float32).view(np.uint32).astype(np.uint64)


@pytest.mark.parametrize("n", [0, 1, 5, 5000])
@pytest.mark.parametrize(("bit", "n_digits"), [(4, 16), (8, 1024), (18, 512), (22, 1024)])
def test_items_are_sorted_by_a_digit_and_ties_stay(n, bit, n_digits):
    keys = np.random.default_rng(n).integers(0, 1 << 32, n)
    items, into = np.full(n + 7, 99, np.uint64), np.full(n + 9, 77, np.uint64)
    items[3 : 3 + n] = items_of(keys, np.arange(n))
    sort_items(items, 3, n, into, 5, bit, n_digits, np.empty(SUB_TILES, np.int64))
    order = np.argsort(keys >> bit & (n_digits - 1), kind="stable")
    assert (into[5 : 5 + n] == items[3 : 3 + n][order]).all()
    assert (into[:5] == 77).all()
    assert (into[5 + n :] == 77).all()


@pytest.mark.parametrize(("x_max", "alpha"), [(10.0, 0.75), (100.0, 0.75), (1.0, 2.0), (0.5, 0.0)])
def test_items_become_coords_logs_and_weights(x_max, alpha):
    values = np.array([1e-40, 1e-6, 0.1, 0.5, 1, 3, x_max, np.nextafter(np.float32(x_max), 0), 99, 3e38], np.float32)
    rows, columns = np.arange(10), np.arange(10)[::-1] * 7000
    keys = np.array([cell_key(*cell) for cell in zip(rows.tolist(), columns.tolist(), strict=True)])
    memory = np.full(3 * 10 + 4, 77, np.uint32)
    weigh_items(items_of(keys, values), 0, 10, np.log(x_max), alpha, memory, memory.view(np.float32), 2)
    coords, logs, weights = memory[2:-2].reshape(3, 10)
    exact = values.astype(np.float64)
    assert (coords == (rows << 16 | columns)).all()
    assert (logs.view(np.float32) == np.log(exact).astype(np.float32)).all()
    assert weights.view(np.float32) == pytest.approx(weight(exact, x_max, alpha), rel=2e-7, abs=1e-45)
    assert (weights.view(np.float32)[exact >= x_max] == 1).all()
    assert (memory[[0, 1, -2, -1]] == 77).all()
