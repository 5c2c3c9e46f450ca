"""Changes of rows since a copy was made, against NumPy."""

import naive
import numpy as np
import pytest

from embedtrain.kernels.changes import add_changes, mark_changed, take_changes
from embedtrain.kernels.simd.lanes import LANES, padded

N_ROWS = 30


@pytest.fixture(params=[1, 5, LANES, LANES + 1, 3 * LANES], ids=["1", "5", "vector", "vector+1", "vectors"])
def tables(request):
    """A table and one before some of its rows changed: flat, and as rows without their padding."""
    dim, rng = request.param, np.random.default_rng(request.param)
    before = np.zeros((N_ROWS, padded(dim)), np.float32)
    before[:, :dim] = rng.normal(size=(N_ROWS, dim))
    before[3, :dim] = 0
    rows = before.copy()
    rows[::4, :dim] += rng.normal(size=rows[::4, :dim].shape).astype(np.float32)
    rows[7, dim - 1] = np.nextafter(rows[7, dim - 1], np.float32(9))
    rows[3, 0] = -0.0
    rows[9, dim - 1] = np.nan
    return rows, before, dim


def test_changed_rows_are_marked(tables):
    rows, before, dim = tables
    changed = np.full(N_ROWS, 5, np.int16)
    flat = [table.view(np.int32).reshape(-1) for table in (rows, before)]
    mark_changed(1, N_ROWS - 1, *flat, padded(dim), changed)
    assert (changed[0], changed[-1]) == (5, 5)
    found = np.flatnonzero(changed[1:-1]) + 1
    assert found.tolist() == [i for i in naive.changed_rows(rows, before) if 0 < i < N_ROWS - 1]
    assert {3, 7, 9} <= set(found.tolist())
    assert set(changed[1:-1].tolist()) == {0, 1}


def test_changes_are_taken_and_added(tables):
    rows, before, dim = tables
    which, width = np.array([8, 7, 20, 3, 29, 0]), padded(dim)
    flat = rows.reshape(-1), before.reshape(-1), width, which
    changes = np.full((len(which) + 2, dim), 7, np.float32)
    take_changes(1, 5, *flat, changes)
    expected = naive.row_changes(rows[:, :dim], before[:, :dim], which[1:5])
    assert changes[1:5] == pytest.approx(expected, rel=1e-6, abs=1e-6)
    assert (changes[[0, 5, 6, 7]] == 7).all()

    after, others = naive.changed_by(before[:, :dim], which[1:5], changes[1:5]), rows.copy()
    add_changes(1, 5, *flat, changes)
    assert before[:, :dim] == pytest.approx(after, rel=1e-6, abs=1e-6)
    assert not before[:, dim:].any()
    others[which[1:5]] = before[which[1:5]]
    assert rows.tobytes() == others.tobytes()
