"""Tiles: all cells of the matrix, each once, where and as they belong."""

import numpy as np
import pytest
from naive_glove import order_in_tile, weight
from scipy.sparse import csr_array, random_array

from embedtrain.counts import tiles as tiling
from embedtrain.counts.tiles import TILE_CELL_BYTES, block_borders, build_tiles
from embedtrain.errors import DataError
from embedtrain.machine.memory import mapping_of

X_MAX, ALPHA = 10.0, 0.75


def random_matrix(n_words, n_cells, seed=0):
    """Counts, most of them of the first words, as in a text, and not symmetric."""
    rng = np.random.default_rng(seed)
    rows = (n_words * rng.random(n_cells) ** 3).astype(np.int64)
    columns = (n_words * rng.random(n_cells) ** 2).astype(np.int64)
    values = rng.lognormal(0, 2, n_cells).astype(np.float32)
    matrix = csr_array((values, (rows, columns)), shape=(n_words, n_words))
    matrix.sum_duplicates()
    return matrix


def build(matrix, threads=1, folder=None, **settings):
    arrays = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float32)
    return build_tiles(*arrays, **{"x_max": X_MAX, "alpha": ALPHA, **settings}, threads=threads, folder=folder)


def tile_cells(tiles):
    """Rows, columns, logs and weights of each tile, with rows and columns counted from the tile's corner."""
    for tile in range(tiles.n_row_blocks * tiles.n_column_blocks):
        coords, logs, weights = tiles.read(tile)
        assert len(coords) == tiles.tile_starts[tile + 1] - tiles.tile_starts[tile]
        yield tile, coords >> 16, coords & 0xFFFF, logs, weights


def all_cells(tiles):
    """Rows, columns, logs and weights of the matrix, in the order of the matrix."""
    parts = []
    for tile, rows, columns, logs, weights in tile_cells(tiles):
        first_row, first_column = tiles.corner(tile)
        parts.append((rows.astype(np.int64) + first_row, columns.astype(np.int64) + first_column, logs, weights))
    rows, columns, logs, weights = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = np.lexsort((columns, rows))
    return rows[order], columns[order], logs[order], weights[order]


def require_same_cells(tiles, matrix, x_max=X_MAX, alpha=ALPHA):
    right = matrix.tocoo()
    kept = right.data != 0
    right_rows, right_columns, values = right.row[kept], right.col[kept], right.data[kept].astype(np.float64)
    order = np.lexsort((right_columns, right_rows))
    rows, columns, logs, weights = all_cells(tiles)
    assert tiles.n_cells == len(rows) == kept.sum()
    assert (rows == right_rows[order]).all()
    assert (columns == right_columns[order]).all()
    assert logs == pytest.approx(np.log(values[order]), rel=1e-7)
    assert weights == pytest.approx(weight(values[order], x_max, alpha), rel=2e-7)


# --- Borders ----------------------------------------------------------------------------------------------------------


def test_blocks_obey_both_rules():
    rng = np.random.default_rng(0)
    for _ in range(200):
        masses = rng.integers(0, 20, rng.integers(1, 50)) * (rng.random() < 0.9)
        max_rows, max_mass = rng.integers(1, 10), rng.integers(1, 60)
        borders = block_borders(masses, max_rows, max_mass)
        sums = np.add.reduceat(masses, borders[:-1])
        lengths = np.diff(borders)
        assert borders[0] == 0
        assert borders[-1] == len(masses)
        assert (lengths >= 1).all()
        assert (lengths <= max_rows).all()
        assert ((sums <= max_mass) | (lengths == 1)).all()
        following = sums[:-1] + masses[borders[1:-1]]
        assert ((following > max_mass) | (lengths[:-1] == max_rows)).all(), "one more would have been too many"


@pytest.mark.parametrize(("n_words", "most"), [(1000, 4096), (262_144, 4096), (400_000, 6250), (5_000_000, 65_536)])
def test_blocks_of_many_words(n_words, most):
    matrix = csr_array(([1.0] * 3, ([0, 5, 9], [1, 2, 3])), shape=(n_words, n_words))
    tiles = build(matrix)
    for borders in (tiles.row_borders, tiles.column_borders):
        assert borders[-1] == n_words
        assert min(most, n_words - 12) <= np.diff(borders).max() <= most
    require_same_cells(tiles, matrix)


@pytest.fixture(autouse=True)
def _many_tiles(monkeypatch):
    """Small matrices in as many tiles as large ones."""
    monkeypatch.setattr(tiling, "_TILE_CELLS", 1)


@pytest.mark.parametrize(("n_words", "n_cells"), [(300, 20_000), (3000, 400_000)])
def test_small_matrices_have_few_tiles(n_words, n_cells, monkeypatch):
    monkeypatch.undo()
    tiles = build(random_matrix(n_words, n_cells))
    assert tiles.n_cells / tiles.sizes.size > 2500, "ten thousand a tile, but for what rounding up to whole blocks adds"
    assert tiles.n_row_blocks > 1 < tiles.n_column_blocks


def test_a_block_has_a_share_of_all_cells_at_most():
    matrix = random_matrix(3000, 40_000)
    tiles = build(matrix)
    by_rows, by_columns = np.diff(matrix.indptr), np.bincount(matrix.indices, minlength=3000)
    for borders, masses in ((tiles.row_borders, by_rows), (tiles.column_borders, by_columns)):
        sums = np.add.reduceat(masses, borders[:-1])
        assert ((sums <= matrix.nnz // 32) | (np.diff(borders) == 1)).all()


# --- Cells ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("n_words", "n_cells"), [(2, 3), (17, 200), (1003, 5000), (5001, 60_000)])
@pytest.mark.parametrize("in_file", [False, True])
def test_tiles_have_the_cells_of_the_matrix(n_words, n_cells, in_file, tmp_path):
    matrix = random_matrix(n_words, n_cells)
    require_same_cells(build(matrix, folder=tmp_path if in_file else None), matrix)


@pytest.mark.parametrize(("x_max", "alpha"), [(100, 0.75), (1.0, 1), (1e9, 0.5), (0.001, 0.0)])
def test_weights_follow_the_settings(x_max, alpha):
    matrix = random_matrix(100, 1000)
    require_same_cells(build(matrix, x_max=x_max, alpha=alpha), matrix, x_max, alpha)


def test_a_matrix_without_large_rows_has_large_tiles_in_their_order():
    """Tiles of 16 blocks of 512 x 512; in others there is but one block."""
    rng = np.random.default_rng(1)
    matrix = random_array((66_000, 66_000), density=3e-5, format="csr", dtype=np.float32, random_state=rng)
    tiles = build(matrix)
    assert tiles.n_row_blocks == tiles.n_column_blocks == 33
    require_in_order(tiles)
    require_same_cells(tiles, matrix)


def require_in_order(tiles):
    seen = 0
    for _, rows, columns, _, _ in tile_cells(tiles):
        keys = [order_in_tile(*cell) for cell in zip(rows.tolist(), columns.tolist(), strict=True)]
        assert keys == sorted(keys)
        seen = max(seen, len(keys))
    assert seen > 10


def test_cells_are_in_their_order_however_rows_are_sorted():
    matrix = random_matrix(900, 30_000)
    tiles = build(matrix)
    require_in_order(tiles)
    rng = np.random.default_rng(0)
    for row in range(900):
        part = slice(matrix.indptr[row], matrix.indptr[row + 1])
        order = rng.permutation(part.stop - part.start)
        matrix.indices[part], matrix.data[part] = matrix.indices[part][order], matrix.data[part][order]
    assert build(matrix).cells.tobytes() == tiles.cells.tobytes()


def test_zeros_are_no_cells():
    matrix = random_matrix(300, 4000)
    matrix.data[::3] = 0
    matrix.data[1::3] *= -0.0
    matrix.data[matrix.indptr[-2] :] = 0.0
    tiles = build(matrix)
    assert tiles.n_cells == np.count_nonzero(matrix.data) > 1000
    require_same_cells(tiles, matrix)
    matrix.data[:] = 0
    assert build(matrix).n_cells == 0
    assert all(len(rows) == 0 for _, rows, *_ in tile_cells(build(matrix)))


@pytest.mark.parametrize(("rows", "columns", "n_words"), [([3, 3, 40], [7, 2, 7], 50), ([4999], [4999], 5000)])
def test_empty_rows_and_columns(rows, columns, n_words):
    matrix = csr_array((np.ones(len(rows), np.float32), (rows, columns)), shape=(n_words, n_words))
    require_same_cells(build(matrix), matrix)


def test_one_huge_row_and_one_huge_column():
    n_words = 2000
    dense = np.zeros((n_words, n_words), np.float32)
    dense[7], dense[:, 11] = 3, 4
    matrix = csr_array(dense)
    tiles = build(matrix)
    assert {7, 8} <= set(tiles.row_borders.tolist())
    assert {11, 12} <= set(tiles.column_borders.tolist())
    require_same_cells(tiles, matrix)


# --- Where they are ---------------------------------------------------------------------------------------------------


def test_any_number_of_threads_gives_the_same_bytes_in_memory_and_in_a_file(tmp_path):
    matrix = random_matrix(4000, 50_000)
    right = build(matrix)
    for threads in (1, 2, 8):
        in_memory, in_file = build(matrix, threads), build(matrix, threads, tmp_path)
        assert in_memory.cells.tobytes() == right.cells.tobytes()
        assert in_file.cells.tobytes() == right.cells.tobytes()
        assert mapping_of(in_memory.cells) is None is not mapping_of(in_file.cells)
        assert len(right.cells.tobytes()) == TILE_CELL_BYTES * right.n_cells
        for one in (in_memory, in_file):
            assert (one.tile_starts == right.tile_starts).all()
            assert (one.row_borders == right.row_borders).all()
            assert (one.column_borders == right.column_borders).all()


def test_a_missing_folder_is_said_in_a_line(tmp_path):
    with pytest.raises(DataError, match=r"^cannot write temporary files in .*missing: No such file or directory$"):
        build(random_matrix(20, 30), folder=tmp_path / "missing")
