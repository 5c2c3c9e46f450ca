"""The highest scores of many queries against sorting them all."""

import numpy as np
import pytest

from embedtrain.kernels.top_k import insert_higher


def insert_tiles(scores, width, topn):
    """What is kept when tiles of `width` columns come one after the other."""
    n_queries, n_columns = scores.shape
    rows, highest = np.full((n_queries, topn), -1), np.full((n_queries, topn), -np.inf, np.float32)
    for start in range(0, n_columns, width):
        tile = np.ascontiguousarray(scores[:, start : start + width])
        insert_higher(tile.ravel(), tile.shape[1], start, rows, highest)
    return rows, highest


@pytest.mark.parametrize("topn", [1, 2, 10, 200])
@pytest.mark.parametrize("width", [1, 63, 64, 65, 128, 300])
def test_the_highest_stay_in_order(topn, width):
    scores = np.random.default_rng(width).integers(0, 90, (5, 300)).astype(np.float32)  # many are equal
    rows, highest = insert_tiles(scores, width, topn)
    right = np.argsort(-scores, axis=1, kind="stable")[:, :topn]
    assert (rows == right).all()
    assert (highest == np.take_along_axis(scores, right, axis=1)).all()


def test_what_is_no_number_or_as_low_as_can_be_is_never_high():
    scores = np.array([[np.nan, -np.inf, 1, np.nan, 3, -2] * 30, [-np.inf, np.nan] * 90], np.float32)
    rows, highest = insert_tiles(scores, 50, 70)
    assert rows[0, :3].tolist() == [4, 10, 16]
    assert np.isfinite(highest[0]).all()
    assert (rows[1] == -1).all()
    assert np.isneginf(highest[1]).all()
