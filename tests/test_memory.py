"""Free memory, memory limits and sizes."""

import math

import numpy as np
import psutil
import pytest

from embedtrain.errors import SettingError
from embedtrain.machine import memory


def test_some_memory_is_available():
    assert 0 < memory.available_memory() <= psutil.virtual_memory().total


FORMATTED = {0: "0 bytes", 999: "999 bytes", 1000: "1.0 kB", 1550: "1.6 kB", 123_456: "123 kB", 2_500_000: "2.5 MB"}
FORMATTED |= {24_600_000_000: "24.6 GB", 3_000_000_000_000: "3.0 TB"}


@pytest.mark.parametrize("n", FORMATTED)
def test_bytes_are_formatted_for_people(n):
    assert memory.format_bytes(n) == FORMATTED[n]


def test_memory_that_is_free_is_granted(monkeypatch):
    checked = []
    monkeypatch.setattr(memory, "available_memory", lambda: checked.append(1) or 1000)
    memory.require_memory(1000, "two tables", "lower dim")
    assert checked


def test_memory_that_is_not_free_is_refused_with_both_numbers(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1_500_000)
    with pytest.raises(SettingError, match=r"^two tables need 2\.5 GB of memory, 1\.5 MB are free; lower dim$"):
        memory.require_memory(2_500_000_000, "two tables", "lower dim")


SIZES = {
    1_000_000: [1_000_000, "1000000", "1000k"],
    500_000_000: ["500M", "500MB", "500 mb"],
    1_500_000_000: [" 1.5 GB ", np.int64(1_500_000_000)],
    4_000_000_000: ["4G", "4g"],
    512 * 1024**2: ["512MiB", "512Mi", "0.5GiB"],
    2_500_000_000_000: ["2.5T"],
    2_000_000_000_000: ["2.T"],
}


@pytest.mark.parametrize(("size", "n_bytes"), [(size, n) for n, sizes in SIZES.items() for size in sizes])
def test_sizes_are_read(size, n_bytes):
    found = memory.parse_bytes(size, "memory")
    assert (found, type(found)) == (n_bytes, int)


@pytest.mark.parametrize(
    "size",
    [0, 5, 999_999, -1, -5_000_000, "5", "999k", "0G", "-4G", "", "G", "4X", "4 Gigs", "4GG", "1e9", "4G 4G", "four",
     "nan", "inf", True, math.nan, math.inf, 1e300],
    ids=repr,
)  # fmt: skip
def test_a_size_that_is_invalid_or_too_small_is_refused(size):
    with pytest.raises(SettingError) as raised:
        memory.parse_bytes(size, "memory")
    assert str(raised.value) == f"memory must be a size of at least 1.0 MB, as 500M or 4G, got {size!r}"
