"""Narrower processors: the kernels' tests pass with the vectors that another machine has."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
X86 = platform.machine().lower() in ("x86_64", "amd64")
TARGETS = {
    "avx2": ("haswell", "+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+avx,+avx2,+fma,+bmi,+bmi2,+popcnt,+cx16", 8),
    "sse2": ("x86-64", "+sse,+sse2", 4),
}


@pytest.mark.skipif(not X86, reason="forces x86 features")
@pytest.mark.parametrize("target", TARGETS)
def test_kernels_on_narrower_vectors(target, tmp_path):
    name, features, lanes = TARGETS[target]
    environment = {
        **os.environ,
        "NUMBA_CPU_NAME": name,
        "NUMBA_CPU_FEATURES": features,
        "NUMBA_CACHE_DIR": str(tmp_path),
        "EXPECTED_LANES": str(lanes),
    }
    files = [
        str(TESTS / "kernels" / name)
        for name in ("test_tiles.py", "test_logistic.py", "test_skipgram.py", "test_decimal.py", "test_tokens.py")
    ]
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *files],
        env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
