import psutil
import pytest

from embedtrain.errors import SettingError
from embedtrain.machine import memory


def test_some_memory_is_available():
    assert 0 < memory.available_memory() <= psutil.virtual_memory().total


@pytest.mark.parametrize(
    ("n", "text"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (1550, "1.6 kB"),
        (123_456, "123 kB"),
        (2_500_000, "2.5 MB"),
        (24_600_000_000, "24.6 GB"),
        (3_000_000_000_000, "3.0 TB"),
    ],
)
def test_bytes_are_written_for_people(n, text):
    assert memory.format_bytes(n) == text


def test_what_fits_is_let_pass(monkeypatch):
    asked = []
    monkeypatch.setattr(memory, "available_memory", lambda: asked.append(1) or 1000)
    memory.require_memory(1000, "two tables", "lower dim")
    assert asked


def test_what_does_not_fit_is_refused_with_both_numbers(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: 1_500_000)
    with pytest.raises(SettingError, match=r"^two tables need 2\.5 GB of memory, 1\.5 MB are free; lower dim$"):
        memory.require_memory(2_500_000_000, "two tables", "lower dim")
