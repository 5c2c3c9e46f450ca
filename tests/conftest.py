import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # threads of simulated ranks multiply matrices at the same time

# The plain forms and the toy corpus are modules beside the tests, not parts of the package.
ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "corpora")]
pytest.register_assert_rewrite("commands", "programs", "text_files")  # as in tests


@pytest.fixture(scope="session")
def warm_kernels():
    """The kernels compiled or loaded, of which the first run would say something."""
    from embedtrain import train_skipgram

    train_skipgram([["two", "words"]], sample=0, dim=8, epochs=1, min_count=1, threads=1, progress=False)


@pytest.fixture(autouse=True)
def little_text(monkeypatch):
    """The texts of tests are small, which is not noted; returns a function that restores the usual limit."""
    from embedtrain.training import text_checks

    usual = text_checks._LITTLE
    monkeypatch.setattr(text_checks, "_LITTLE", 0)
    return lambda: monkeypatch.setattr(text_checks, "_LITTLE", usual)


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """All checkpoints of a run, each in a file of its own."""
    from embedtrain.training.checkpoint import Checkpoint

    save, paths = Checkpoint.save, []

    def save_apart(checkpoint, path, *tables):
        paths.append(tmp_path / f"{len(paths)}.checkpoint")
        save(checkpoint, paths[-1], *tables)

    monkeypatch.setattr(Checkpoint, "save", save_apart)
    return paths


@pytest.fixture(params=[False, pytest.param(True, marks=pytest.mark.exhaustive)], ids=["some", "all"])
def exhaustive(request):
    """Whether a test tries all cases, or some of them."""
    return request.param


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of its own, and a function that sets the number of free bytes."""
    mount, disk = shutil.which("mount"), tmp_path / "disk"
    disk.mkdir()
    command = [mount, "-t", "tmpfs", "-o", "size=64m", "tmpfs", disk]
    if not mount or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk needs Linux and root")

    def leave(n_bytes):
        used = shutil.disk_usage(disk).used
        subprocess.run([mount, "-o", f"remount,size={used + n_bytes}", disk], check=True)

    try:
        (disk / "other").write_bytes(bytes(4096))  # a size of 0 would be no limit
        (disk / "folder").mkdir()
        yield disk / "folder", leave
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.fixture
def mount():
    """A function that mounts a file or folder at its own path, as those of containers; it cannot be replaced."""
    mounted = []

    def mount(path, *options):
        program = shutil.which("mount")
        command = [program, "--bind", *options, path, path]
        if not program or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("mounting needs Linux and root")
        mounted.append(path)

    yield mount
    for path in mounted:
        subprocess.run(["umount", "--lazy", path], check=True)


@pytest.fixture
def temporary_files(monkeypatch):
    """The folders of the temporary files that were made."""
    folders, make = [], tempfile.TemporaryFile

    def made(**settings):
        if "__pycache__" not in str(settings["dir"]):  # Numba tries whether it can cache there
            folders.append(settings["dir"])
        return make(**settings)

    monkeypatch.setattr(tempfile, "TemporaryFile", made)
    return folders


@pytest.fixture
def little_memory(monkeypatch):
    """A function that gives the least memory that a text can be counted in, with small tasks and budgets allowed."""
    from embedtrain.counts import memory_plan

    monkeypatch.setattr(memory_plan, "_TASK_CELLS", 1)
    monkeypatch.setattr(memory_plan, "_LEAST_SHARD", 100)
    monkeypatch.setattr("embedtrain.machine.memory._LEAST", 1)
    return lambda n_words: memory_plan.least_bytes(n_words, window=10)


@pytest.fixture
def interrupt_after(monkeypatch):
    """A function that lets an interrupt come after so many questions whether one came."""

    def interrupt_after(n):
        @contextmanager
        def deferred():
            asked = itertools.count()
            yield lambda: next(asked) >= n

        monkeypatch.setattr("embedtrain.training.run.deferred_interrupts", deferred)

    yield interrupt_after
    monkeypatch.undo()
