"""No kernel touches memory outside the arrays that it is given, at the extremes of all settings."""

import json
import re
import signal
import sys
from collections import Counter
from pathlib import Path

import pytest
from programs import python

pytestmark = [
    pytest.mark.exhaustive,
    pytest.mark.skipif(sys.platform != "linux", reason="maps memory as Linux does"),
]
HERE = Path(__file__).parent
SCENARIOS = [
    "skipgram", "cbow", "corrected", "subwords", "glove", "factors", "counting", "texts", "floats", "neighbors",
    "walks", "phrases",
]  # fmt: skip
WITHIN = {"glove.cooccurrence.add_cells", "glove.cooccurrence.take_row", "text.type_table.fill_slots"}
seen, ran = Counter(), []


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("side", ["end", "start"])
def test_kernels_stay_in_their_arrays(tmp_path, side, scenario, record_property):
    done = python(HERE / "guarded.py", side, scenario, tmp_path / "running", timeout=1200)
    told = (tmp_path / "running").read_text()
    assert done.returncode != -signal.SIGSEGV, f"{told[:100].strip()} touches memory {side} of an array"
    assert done.returncode == 0, f"{told[:100].strip()}: {done.stderr[-2000:]}"
    told = json.loads(told)
    seen.update(told["calls"])
    ran.append((side, scenario))
    n_calls, n_arrays = sum(told["calls"].values()), sum(told["arrays"].values())
    record_property("figures", f"{n_calls:,} calls of {len(told['calls'])} kernels, {n_arrays:,} arrays")


def test_every_kernel_ran():
    if len(ran) < 2 * len(SCENARIOS):
        pytest.skip("counts the calls of all other tests, in the same process")
    package = HERE.parent / "embedtrain" / "kernels"
    kernels = set()
    for path in package.rglob("*.py"):
        module = ".".join(path.relative_to(package).with_suffix("").parts)
        names = re.findall(r"^@kernel\ndef (\w+)", path.read_text(), re.MULTILINE)
        kernels |= {f"{module}.{name}" for name in names}
    assert set(seen) == kernels - WITHIN


def test_a_kernel_that_leaves_its_array_is_named(tmp_path):
    source = f"""
import os, sys
sys.path.insert(0, {str(HERE)!r})
import numpy as np
import guarded
from embedtrain.kernels.text.tokenize import renumber
guarded.guard_kernels({{at_end}}, os.open({str(tmp_path / "running")!r}, os.O_RDWR | os.O_CREAT))
renumber(np.array([{{index}}], np.int32), np.zeros(3, np.int32))
"""
    for at_end, index in ((True, 3), (False, -5)):
        done = python("-c", source.format(at_end=at_end, index=index))
        assert done.returncode == -signal.SIGSEGV
        assert (tmp_path / "running").read_text().strip() == "text.tokenize.renumber"
