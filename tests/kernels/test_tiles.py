"""The shape of the tiles follows the machine that Numba compiles for."""

import os

import pytest

from embedtrain.kernels import tiles, vectors


@pytest.mark.parametrize(
    ("triple", "features", "shape"),
    [
        ("x86_64-unknown-linux-gnu", "+avx,+avx2,+avx512f,+avx512vl", (16, 32)),
        ("x86_64-unknown-linux-gnu", "+avx,+avx2,-avx512f", (8, 16)),
        ("x86_64-apple-darwin", "+avx,-avx2", (8, 16)),
        ("x86_64-pc-windows-msvc", "+sse2,-avx,-avx2", (4, 16)),
        ("aarch64-unknown-linux-gnu", "+neon", (4, 32)),
        ("arm64-apple-darwin", "", (4, 32)),
    ],
)
def test_vector_shape(triple, features, shape):
    assert vectors.vector_shape(triple, features) == shape


def test_tiles_fit_the_registers():
    registers = vectors.REGISTERS
    assert tiles.ROWS * tiles.COLUMNS + tiles.COLUMNS + 1 <= registers
    assert tiles.ROWS * tiles.VECTORS + tiles.VECTORS + 1 <= registers
    assert tiles.ROWS * tiles.COLUMNS % vectors.LANES == 0, "the sums of a tile fill whole vectors"


def test_forced_machine_is_the_one_compiled_for():
    assert vectors.LANES == int(os.environ.get("EXPECTED_LANES", vectors.LANES))
