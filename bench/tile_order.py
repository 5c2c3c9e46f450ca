"""Why tiles overtake up to 64 that wait: how many threads the tiles of a matrix keep busy, in a simulated epoch.

    python bench/tile_order.py counts.npz --waiting 1 16 64

The file is one that `scipy.sparse.load_npz` reads. A tile takes a time in proportion to its cells.
"""

from __future__ import annotations

import argparse
import heapq
from pathlib import Path
from typing import Any

from tile_size import read_arrays

from embedtrain.counts.tiles import build_tiles
from embedtrain.machine import threads
from embedtrain.training.tile_schedule import TileSchedule


def main() -> None:
    """Simulate an epoch with all numbers of threads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", type=Path)
    parser.add_argument("--waiting", type=int, nargs="+", default=[1, 4, 16, 64])
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 16, 32, 64])
    settings = parser.parse_args()
    sizes = build_tiles(*read_arrays(settings.counts), x_max=10.0, alpha=0.75, threads=1).sizes
    for threads._WAITING in settings.waiting:
        busy = [f"{sizes.sum() / epoch_time(sizes, n):5.1f} of {n}" for n in settings.threads]
        print(f"{threads._WAITING:4} waiting: busy " + ", ".join(busy), flush=True)


def epoch_time(sizes: Any, n_threads: int) -> float:
    """The time of an epoch, in that of a cell."""
    schedule = TileSchedule(sizes, 0.05, 1)
    order, waiting, running, now = schedule._order, [], [], 0
    left = ((tile, set(order._resources(tile))) for tile in schedule.tasks(0))
    while True:
        while len(running) < n_threads and (number := order._startable(waiting, left)) is not None:
            tile, needed = waiting.pop(number)
            order._in_use |= needed
            heapq.heappush(running, (now + int(sizes[tile.row_block, tile.column_block]), tile))
        if not running:
            return now
        now, tile = heapq.heappop(running)
        order.done(tile)


if __name__ == "__main__":
    main()
