"""Why tiles have 4096 rows and blocks a 32nd of all cells: the speed of an epoch with others.

    python bench/tile_size.py counts.npz --rows 1024 4096 16384 --shares 8 32 128

The file is one that `scipy.sparse.load_npz` reads. Prints M cells/s, medians of runs in turns, and what the tiles are.
"""

from __future__ import annotations

import argparse
import statistics
import time
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np


def main() -> None:
    """Train an epoch with every size, in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[1024, 2048, 4096, 8192])
    parser.add_argument("--shares", type=int, nargs="+", default=[16, 32, 64])
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    settings = parser.parse_args()

    arrays = read_arrays(settings.counts)
    sizes = list(product(settings.rows, settings.shares))
    speeds: dict[tuple[int, int], list[float]] = {size: [] for size in sizes}
    said = {}
    for _ in range(settings.runs):
        for size in sizes:
            tiles = build(arrays, *size, settings.threads)
            speeds[size].append(tiles.n_cells / epoch_seconds(tiles, settings.dim, settings.threads) / 1e6)
            said[size] = f"{tiles.n_row_blocks} x {tiles.n_column_blocks}, the largest {tiles.sizes.max():,} cells"
    print("rows  share  M cells/s  tiles")
    for rows, share in sizes:
        speed = statistics.median(speeds[rows, share])
        print(f"{rows:4}  {share:5}  {speed:9.1f}  {said[rows, share]}", flush=True)


def read_arrays(counts: Path) -> Any:
    """The arrays of a matrix."""
    from scipy.sparse import load_npz

    matrix = load_npz(counts).tocsr()
    return matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float32)


def build(arrays: Any, rows: int, share: int, threads: int) -> Any:
    """Tiles of at most so many rows, and at most such a share of the cells in a block."""
    from embedtrain.counts import tiles

    tiles._ROWS, tiles._ROWS_SHARE, tiles._BLOCK_SHARE = rows, 1 << 62, share
    return tiles.build_tiles(*arrays, x_max=10.0, alpha=0.75, threads=threads)


def epoch_seconds(tiles: Any, dim: int, threads: int) -> float:
    """An epoch's time, after one that warms everything up."""
    from embedtrain.kernels.glove.train_tile import train_tile
    from embedtrain.kernels.simd.lanes import aligned_zeros, padded
    from embedtrain.machine.threads import run_tasks
    from embedtrain.training.tile_schedule import TileSchedule

    width, n_words = padded(dim + 2), int(tiles.row_borders[-1])
    W, W_sums, C, C_sums = (aligned_zeros(n_words * width) for _ in range(4))
    W[:] = C[:] = np.random.default_rng(1).random(n_words * width, np.float32) / dim - 0.5 / dim
    W_sums[:] = C_sums[:] = 1
    rounds = TileSchedule(tiles.sizes, 0.05, 1)

    def train(portion: Any) -> None:
        (task,) = portion
        tile = tiles.number(task.row_block, task.column_block)
        cells = tiles.read(tile)
        train_tile(W, W_sums, C, C_sums, cells, *tiles.corner(tile), width, np.float32(task.last_lr))
        rounds.done(task)

    for epoch in range(2):
        start = time.perf_counter()
        for _ in run_tasks([train] * threads, rounds.in_turn(rounds.tasks(epoch))):
            pass
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
