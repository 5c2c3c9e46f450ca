"""How close skip-gram's kernel is to the peak of the machine: operations for a centre, time and share of it by stage.

    python bench/roofline.py text8.xz --dim 100

The stages are timed alone on rows in the first cache, with the number of outputs that tiles of this text have; the rest
of the time of a run (memory, subsampling, drawing) is the difference. One thread; vector FMA are counted.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numba.types import float32, int64
from text import cut_into_lines

from embedtrain import train_skipgram
from embedtrain.kernels.compilation import kernel
from embedtrain.kernels.simd import window_weights
from embedtrain.kernels.simd.lanes import FLOATS, INT, LANES, REGISTERS, aligned_zeros, constant, emits, padded
from embedtrain.kernels.simd.sigmoid import logistic_gradient
from embedtrain.kernels.simd.tiles import COLUMNS, ROWS, TILE_VECTORS, dot_tile, exchange_tile
from embedtrain.models.block_shape import N_NOISE

WINDOW, REPEATS = 5, 20_000
_CHAINS = 3 * REGISTERS // 4


@emits(float32, FLOATS, int64)
def _fma_chains(b, X, n):
    """Independent chains of `n` FMA each, as many as hide their latency."""
    x = b.load_at(X, INT(0))
    sums = b.loop(INT(0), n, 1, [constant(c) for c in range(_CHAINS)], lambda _, s: [b.fma(x, x, t) for t in s])
    total = sums[0]
    for other in sums[1:]:
        total = b.fadd(total, other)
    b.store_at(total, X, INT(LANES))
    return b.load(b.gep(X, [INT(LANES)]))


@kernel
def _peak(X, n):
    return _fma_chains(X, n)


@kernel
def _dots(X, rows, Y, outputs, n_outputs, dim, S, repeats):
    for _ in range(repeats):
        for k in range(0, n_outputs, COLUMNS):
            dot_tile(X, rows, Y, outputs, k, dim, S)


@kernel
def _exchanges(X, rows, Y, outputs, n_outputs, G, M, weights, dim, repeats):
    for _ in range(repeats):
        for d in range(0, dim, TILE_VECTORS * LANES):
            exchange_tile(
                X, rows, X, rows, Y, outputs, n_outputs, G, M, weights, d, min(TILE_VECTORS, (dim - d) // LANES)
            )


@kernel
def _gradients(S, weights, n, repeats):
    for _ in range(repeats):
        logistic_gradient(S, weights, n, np.float32(0), np.float32(0))


@kernel
def _weights(weights, begins, ends, n_noise, n_outputs, repeats):
    for _ in range(repeats):
        window_weights.set_tile_weights(
            weights, n_noise, 0, n_outputs - n_noise, n_outputs, begins, ends, 0, 5, ROWS, np.float32(1)
        )


def timed(function: Callable[..., Any], *arguments: Any) -> float:
    """Seconds of the fastest of five calls after the first."""
    function(*arguments)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        function(*arguments)
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def mean_columns(n_tiles: int = 20_000) -> tuple[float, float]:
    """Tokens that the windows of a tile reach, and contexts of a centre, in a long line."""
    reach = np.random.default_rng(1).integers(1, WINDOW + 1, (n_tiles, ROWS))
    places = np.arange(ROWS)
    columns = (places + reach).max(1) - (places - reach).min(1) + 1
    return columns.mean(), 2 * reach.mean()


def main() -> None:
    """Time the stages and a run, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--work", type=Path, default=Path("bench-work"))
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=2)
    settings = parser.parse_args()
    text = cut_into_lines(settings.text, settings.work)

    dim, n_noise = padded(settings.dim), N_NOISE["skipgram", False]
    columns, contexts = mean_columns()
    X = aligned_zeros(2 * LANES)
    n_chain = 5_000_000
    peak = n_chain * _CHAINS / timed(_peak, X, n_chain)  # vector FMA a second

    n_outputs = n_noise + round(columns / COLUMNS) * COLUMNS
    generator = np.random.default_rng(1)
    table = aligned_zeros((ROWS + n_outputs) * dim)
    table[:] = generator.normal(0, 0.1, table.size)
    rows, outputs = np.arange(ROWS) * dim, (ROWS + np.arange(n_outputs)) * dim
    G, weights, mean, mean_weights = (aligned_zeros(n) for n in (n_outputs * ROWS, n_outputs * ROWS, dim, ROWS))
    begins, ends = np.zeros(2 * ROWS, np.int32), np.full(2 * ROWS, 9, np.int32)
    per_centre = 1 / (REPEATS * ROWS)
    exact = n_noise + columns
    to_exact = per_centre * exact / n_outputs
    exchange = timed(_exchanges, table, rows, table, outputs, n_outputs, G, mean, mean_weights, dim, REPEATS)
    stages = {
        "scores": (timed(_dots, table, rows, table, outputs, n_outputs, dim, G, REPEATS) * to_exact, exact),
        "updates": (exchange * to_exact, 2 * exact),
        "gradients": (timed(_gradients, G, weights, n_outputs * ROWS, REPEATS) * per_centre, 0),
        "weights": (timed(_weights, weights, begins, ends, n_noise, n_outputs, REPEATS) * per_centre, 0),
    }

    run = {"dim": settings.dim, "sample": 1e-4, "threads": 1, "progress": False, "epochs": settings.epochs}
    report = train_skipgram(text, cache=settings.work / "cache", **run).report
    assert report is not None
    whole = 1 / (report.speed * report.kept_share)
    fma_row = dim // LANES
    needed = 3 * (n_noise + contexts) * fma_row
    print(f"peak of a core: {peak / 1e9:.1f} G vector FMA/s = {peak * LANES * 2 / 1e9:.0f} GFLOP/s; {LANES} lanes")
    print(f"a tile has {n_noise} noise words and {columns:.1f} tokens; a centre has {contexts:.1f} contexts")
    print(f"{'stage':10} {'ns/centre':>10} {'share':>7} {'FMA':>7} {'of peak':>8}")
    rest = whole
    for name, (seconds, products) in stages.items():
        n = products * fma_row
        print(f"{name:10} {seconds * 1e9:10.1f} {seconds / whole:7.1%} {n:7.0f} {n / seconds / peak:8.1%}")
        rest -= seconds
    total = 3 * exact * fma_row
    print(f"{'rest':10} {rest * 1e9:10.1f} {rest / whole:7.1%}")
    print(f"{'all':10} {whole * 1e9:10.1f} {'':7} {total:7.0f} {total / whole / peak:8.1%}   ({needed:.0f} needed)")
    print(f"{report.speed / 1e6:.2f} M words/s")


if __name__ == "__main__":
    main()
