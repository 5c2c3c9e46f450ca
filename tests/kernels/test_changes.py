"""Changes of rows since a copy was made, against NumPy."""

import naive
import numpy as np
import pytest

from embedtrain.kernels.changes import add_changes, combine_changes, mark_changes, sum_changes, take_changes
from embedtrain.kernels.simd.lanes import LANES, padded


def decoded(changes):
    return (changes.astype(np.uint32) << 16).view(np.float32)


@pytest.mark.parametrize("dim", [1, 5, LANES, 3 * LANES + 1], ids=["1", "5", "vector", "vectors+1"])
def test_changes_are_taken_and_added(dim):
    rng = np.random.default_rng(dim)
    before = np.zeros((30, padded(dim)), np.float32)
    before[:, :dim] = rng.normal(size=(30, dim))
    rows = before.copy()
    rows[::4, :dim] += rng.normal(size=rows[::4, :dim].shape).astype(np.float32)
    order, changed = rng.permutation(30), np.full(30, 7, np.int16)
    mark_changes(1, 29, rows.view(np.int32), before.view(np.int32), order, changed)
    assert changed[1:29].tolist() == (rows != before)[order[1:29]].any(axis=1).tolist()
    assert changed[[0, 29]].tolist() == [7, 7]
    which = np.array([8, 7, 20, 3, 29, 0])
    changes = np.full((len(which) + 2, dim), 7, np.uint16)
    take_changes(1, 5, rows, before, which, changes)
    expected = naive.row_changes(rows[:, :dim], before[:, :dim], which[1:5])
    assert decoded(changes[1:5]).tolist() == expected.tolist()
    assert (changes[[0, 5, 6, 7]] == 7).all()

    after, others = naive.changed_by(before[:, :dim], which[1:5], decoded(changes[1:5])), rows.copy()
    add_changes(1, 5, rows, before, which, changes)
    assert before[:, :dim] == pytest.approx(after, rel=1e-6, abs=1e-6)
    assert not before[:, dim:].any()
    others[which[1:5]] = before[which[1:5]]
    assert rows.tobytes() == others.tobytes()


@pytest.mark.parametrize("n_ranks", [1, 3])
def test_changes_of_ranks_are_summed_and_combined(n_ranks):
    rng = np.random.default_rng(n_ranks)
    parts = rng.integers(0x3000, 0x4000, size=(n_ranks, 6, 21)).astype(np.uint16)
    sums, received = np.full((6, 21), 7, np.float32), parts.copy()
    sum_changes(1, 5, parts, sums)
    assert sums[1:5] == pytest.approx(decoded(parts).sum(axis=0)[1:5], rel=1e-6)
    assert (sums[[0, 5]] == 7).all()
    weights, more = rng.normal(size=4).astype(np.float32), rng.normal(size=(4, 21)).astype(np.float32)
    combine_changes(1, 5, sums, weights, more, parts)
    expected = naive.bfloat16(weights[:, None] * sums[1:5] + more)
    assert decoded(parts)[:, 1:5] == pytest.approx(np.array([expected] * n_ranks), rel=2**-7)
    assert (parts[:, [0, 5]] == received[:, [0, 5]]).all()


def test_changes_are_rounded():
    values = np.array([[0, 1, -1 - 2**-8, 1 + 3 * 2**-9, 1 + 2**-9, -3e38, 1e-37]], np.float32)
    changes = np.empty(values.shape, np.uint16)
    take_changes(0, 1, values, np.zeros_like(values), np.zeros(1, int), changes)
    assert decoded(changes).tolist() == naive.bfloat16(values).tolist()
    assert decoded(changes)[0, :5].tolist() == [0, 1, -1 - 2**-7, 1 + 2**-7, 1]
    values[:] = np.nan, np.inf, -np.inf, 0, 0, 0, 0
    take_changes(0, 1, values, np.zeros_like(values), np.zeros(1, int), changes)
    assert np.array_equal(decoded(changes), values, equal_nan=True)
