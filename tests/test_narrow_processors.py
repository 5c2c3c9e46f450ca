"""Narrower processors: the kernels' tests pass with the vectors that another machine has."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
pytestmark = pytest.mark.slow
X86 = platform.machine().lower() in ("x86_64", "amd64")
TARGETS = {
    "avx2": ("haswell", "+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+avx,+avx2,+fma,+bmi,+bmi2,+popcnt,+cx16", 8),
    "sse2": ("x86-64", "+sse,+sse2", 4),
}


FILES = (  # what computes with vectors,
    "test_tiles.py", "test_tile_step.py", "test_huffman.py", "test_skipgram.py", "test_cbow.py", "test_train_chunk.py",
    "test_adagrad.py", "test_sparse.py", "test_train_tile.py", "test_tokenize.py",
)  # fmt: skip
NOT_THESE = "not crowd and not home"  # which tables of types do not


@pytest.fixture(scope="module")
def runs(pytestconfig, tmp_path_factory):
    """The runs for all targets, side by side, each with what it says in a file; compiled code is kept for the next."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-k", NOT_THESE]
    command += [str(TESTS / "kernels" / name) for name in FILES]
    cache = getattr(pytestconfig, "cache", None)
    started = {}
    for target, (name, features, lanes) in TARGETS.items():
        folder = tmp_path_factory.mktemp(target)
        environment = {
            **os.environ,
            "NUMBA_CPU_NAME": name,
            "NUMBA_CPU_FEATURES": features,
            "NUMBA_CACHE_DIR": str(cache.mkdir(f"kernels-{target}") if cache else folder),
            "EXPECTED_LANES": str(lanes),
        }
        with open(folder / "said", "wb") as said:
            process = subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT)
        started[target] = process, folder / "said"
    yield started
    for process, _ in started.values():
        process.kill()
        process.wait()


@pytest.mark.skipif(not X86, reason="forces x86 features")
@pytest.mark.parametrize("target", TARGETS)
def test_kernels_on_narrower_vectors(target, runs):
    process, said = runs[target]
    assert process.wait(timeout=300) == 0, said.read_text()
