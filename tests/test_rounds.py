"""TileSchedule: all tiles of a matrix in an order in which neighbours share as little as can be."""

import threading
from itertools import combinations, pairwise

import numpy as np
import pytest

from embedtrain.machine.threads import run_tasks
from embedtrain.training.tile_schedule import Tile, TileSchedule

SHAPES = [(1, 1), (2, 2), (3, 3), (8, 8), (5, 2), (2, 5), (7, 4), (4, 7), (1, 6), (6, 1)]
LARGE = [(8, 8), (7, 4), (4, 7)]


def full(shape, seed=1):
    return TileSchedule(np.full(shape, 3), lr=0.05, seed=seed)


def places(rounds, epoch=0):
    return [tile[:2] for tile in rounds.tasks(epoch)]


def share(one, other):
    return one[0] == other[0] or one[1] == other[1]


# --- Which tiles ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("empty", [0.0, 0.5, 0.9])
def test_every_tile_with_cells_comes_once_an_epoch(shape, empty):
    rng = np.random.default_rng(shape)
    cells = rng.integers(1, 100, shape) * (rng.random(shape) >= empty)
    rounds = TileSchedule(cells, lr=0.05, seed=1)
    for epoch in range(3):
        assert sorted(places(rounds, epoch)) == list(zip(*(axis.tolist() for axis in np.nonzero(cells)), strict=True))
    assert rounds.n_items == cells.sum()


def test_a_tile_tells_the_learning_rate():
    assert {tile.last_lr for tile in full((3, 3)).tasks(0)} == {0.05}


# --- In which order ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_tiles_of_a_round_share_neither_rows_nor_columns(shape):
    order, size = places(full(shape)), min(shape)
    assert len(order) == size * max(shape)
    for begin in range(0, len(order), size):
        assert not any(share(one, other) for one, other in combinations(order[begin : begin + size], 2))


@pytest.mark.parametrize("shape", SHAPES)
def test_what_a_tile_waits_for_lies_about_a_round_before_it(shape):
    order = places(full(shape))
    for axis in (0, 1):
        for block in range(shape[axis]):
            turns = [turn for turn, place in enumerate(order) if place[axis] == block]
            assert all(later - earlier >= min(shape) - 1 for earlier, later in pairwise(turns))


@pytest.mark.parametrize("shape", LARGE)
def test_every_epoch_and_every_seed_has_an_order_of_its_own(shape):
    orders = [places(full(shape, seed), epoch) for seed in (1, 2) for epoch in range(4)]
    assert all(one != other for one, other in combinations(orders, 2))
    assert orders[:4] == [places(full(shape), epoch) for epoch in range(4)], "the same every time"


# --- In turn ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_workers", [1, 2, 5])
@pytest.mark.parametrize("shape", [(1, 1), (4, 4), (5, 2), (1, 6)])
def test_every_row_and_column_sees_the_tiles_in_their_order(shape, n_workers):
    rounds, rng = full(shape), np.random.default_rng(0)
    seen = {(axis, block): [] for axis in (0, 1) for block in range(shape[axis])}
    pauses = rng.random(shape) / 500

    def worker(portion):
        (tile,) = portion
        own = [seen[axis, block] for axis, block in enumerate(tile[:2])]
        for tiles in own:
            tiles.append(("begin", tile[:2]))
        waiting.wait(pauses[tile[:2]])
        for tiles in own:
            tiles.append(("end", tile[:2]))
        rounds.done(tile)
        return tile

    waiting = threading.Event()  # for what never comes
    order = rounds.tasks(0)
    done = list(run_tasks([worker] * n_workers, rounds.in_turn(order, len(order))))
    assert sorted(done) == sorted(order)
    for (axis, block), events in seen.items():
        own = [tile[:2] for tile in order if tile[axis] == block]
        assert events == [(what, place) for place in own for what in ("begin", "end")]


def test_a_tile_is_drawn_when_what_it_waits_for_is_done():
    rounds = full((2, 2))
    first, second, third, fourth = rounds.tasks(0)
    drawn = rounds.in_turn([first, second, third, fourth], 4)
    assert (next(drawn), next(drawn)) == ([first], [second])
    rounds.done(second)
    rounds.done(first)
    assert (next(drawn), next(drawn)) == ([third], [fourth])
    assert isinstance(third, Tile)
