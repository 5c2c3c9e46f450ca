"""The cache depends on all kernel sources, and may be absent; Python reaches inlined functions through a caller."""

import gc
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import naive
import numpy as np
import pytest
from programs import python

from embedtrain.errors import EmbedtrainWarning
from embedtrain.kernels import compilation, kernel_cache
from embedtrain.kernels import random as sampling
from embedtrain.models.skipgram import SkipGram

PACKAGE = Path(__file__).parent.parent.parent / "embedtrain"
CALL = """
import numba, numpy as np
from embedtrain.kernels import compilation, random as sampling
held_out, compiled = np.zeros(64, np.uint8), []
with compilation.on_compilation(lambda: compiled.append(1)):
    numba.njit(lambda: 0)()
    sampling.hold_out(np.array([0, 64]), 0, 1, np.uint64(1), np.uint32(1 << 30), held_out)
hits = sum(sampling.hold_out.stats.cache_hits.values())
assert len(compiled) == 1 - hits, "a compilation is announced, and a user's own is not"
print(int.from_bytes(np.packbits(held_out).tobytes()), hits)
"""


def call(folder, **environment):
    """Run a kernel of the copy in `folder`; returns its value and how often the cache served it."""
    result = subprocess.run(
        [sys.executable, "-c", CALL],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "cache"), **environment},
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    value, hits = result.stdout.split()
    return int(value), int(hits)


@pytest.fixture
def copy(tmp_path):
    """A copy of the package, whose cache is in its folder."""
    shutil.copytree(PACKAGE, tmp_path / "embedtrain", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_what_is_cached_is_recompiled_if_it_is_damaged_or_the_tiles_change(copy):
    value, hits = call(copy)
    assert hits == 0
    (cached,) = (copy / "cache").rglob("*hold_out*")
    truncated(cached)
    assert call(copy) == (value, 0)
    assert call(copy) == (value, 1), "the next run is served from the cache"
    tiles = copy / "embedtrain" / "kernels" / "simd" / "tiles.py"
    tiles.write_text(tiles.read_text() + "\n# another line\n")
    assert call(copy) == (value, 0), "another source, another compilation"
    assert call(copy) == (value, 1)


def test_a_changed_kernel_is_not_run_from_a_stale_cache_of_its_callers(copy):
    value, _ = call(copy)
    source = copy / "embedtrain" / "kernels" / "random.py"
    source.write_text(source.read_text().replace("np.uint64(index) * _STRIDE", "np.uint64(index) * _STRIDE + _FACTOR1"))
    assert call(copy)[0] != value


def test_installations_with_the_same_kernels_share_the_cache(copy, tmp_path):
    other = tmp_path / "other"
    shutil.copytree(copy / "embedtrain", other / "embedtrain", copy_function=shutil.copyfile)  # with other times
    homes = {name: str(tmp_path / "home") for name in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA")}
    value, _ = call(copy, NUMBA_CACHE_DIR="", **homes)
    assert call(other, NUMBA_CACHE_DIR="", **homes) == (value, 1)
    (folder,) = (tmp_path / "home").rglob("kernels-*")
    assert folder.parent.name == "embedtrain"
    assert not list(tmp_path.rglob("__pycache__/*.nbi"))


def test_the_oldest_kernels_are_removed(tmp_path):
    for age in range(15):
        folder = tmp_path / f"kernels-{age}"
        folder.mkdir()
        (folder / "file").touch()
        os.utime(folder, (1e9 - age, 1e9 - age))
    (tmp_path / "other").mkdir()
    kernel_cache._remove_oldest(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"other", *(f"kernels-{age}" for age in range(10))}


def test_a_full_disk_is_no_error(monkeypatch):
    def save(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kernel_cache.caching.Cache, "save_overload", save)
    kernels = kernel_cache.KernelCache(sampling.hold_out.py_func)
    message = f"cannot be saved in {re.escape(kernels.cache_path)}: No space left"
    with pytest.warns(EmbedtrainWarning, match=message), SkipGram().compiling():
        kernels.save_overload(None, None)


def truncated(path):
    path.write_bytes(path.read_bytes()[:-100])


def emptied(path):
    path.write_bytes(b"")


def filled_with_garbage(path):
    path.write_bytes(random.Random(1).randbytes(path.stat().st_size))


def changed_in_the_middle(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def replaced_by_a_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    "damage", [truncated, emptied, filled_with_garbage, changed_in_the_middle, replaced_by_a_folder]
)
def test_damaged_cache_files_are_compiled_anew(tmp_path, damage):
    files = kernel_cache._CacheFile(str(tmp_path), "kernel", "")
    files.save("key", list(range(1000)))
    (path,) = tmp_path.iterdir()
    assert files.load("key") == list(range(1000))
    assert files.load("another") is None
    damage(path)
    assert files.load("key") is None
    if path.is_file():
        files.save("key", "repaired")
        assert files.load("key") == "repaired"
    else:
        with pytest.raises(IsADirectoryError):
            files.save("key", "repaired")


def test_python_can_call_what_is_inlined():
    assert int(sampling.random_at(np.uint64(77), 3)) == naive.random_at(77, 3)
    assert sampling.hold_out.targetoptions.get("no_cpython_wrapper") is None
    assert sampling.random_at.targetoptions["no_cpython_wrapper"], "compiling what nobody uses takes time"


@compilation.inlined
def quotient(n, divisor):
    return n // divisor


@compilation.kernel
def quotients(n, divisor):
    return quotient(n, 2), quotient(4, divisor), quotient(8, 4)


def test_inlined_functions_are_compiled_as_parts_of_kernels_and_once_for_all_literals():
    quotients._cache.disable()
    gc.enable()
    assert quotients(6, 2) == (3, 2, 2)
    assert gc.isenabled()
    (code,) = quotient.overloads.values()
    assert not code.library._codegen._engine.is_symbol_defined(code.fndesc.mangled_name)
    with pytest.raises(ZeroDivisionError):
        quotients(6, 0)


def test_compilation_leaves_the_garbage_collector_as_it_was():
    gc.disable()
    try:
        compilation.kernel(quotient.py_func).compile("(int64, int64)")
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("model", ["skipgram --hs --sample 0 --valid text --min-count 1", "glove --min-count 1"])
def test_compiled_kernels_are_loaded_without_what_compilation_needs(tmp_path, model):
    (tmp_path / "text").write_text("two words\n" * 20)
    model, *options = model.split()
    for _ in range(2):
        done = python("-X", "importtime", "-m", "embedtrain", model, "text", "-o", "out.vec", *options, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert "numba.np.linalg" not in done.stderr


def test_nothing_can_be_cached(copy):
    """A read-only installation whose user has no home: kernels are compiled at every start, and work."""
    value, _ = call(copy)
    blocked = copy / "blocked"
    blocked.write_text("a file where the cache folder should be")
    for pycache in copy.rglob("__pycache__"):
        shutil.rmtree(pycache)
    for folder in (copy / "embedtrain").rglob("*"):
        if folder.is_dir():
            (folder / "__pycache__").write_text("a file where the cache folder should be")
    environment = {"HOME": str(blocked), "XDG_CACHE_HOME": str(blocked), "LOCALAPPDATA": str(blocked)}
    environment["NUMBA_CACHE_DIR"] = ""
    assert call(copy, PYTHONDONTWRITEBYTECODE="1", **environment) == (value, 0)


FORK = """
import os, threading, time, numba
from numba.core.compiler_lock import global_compiler_lock
import embedtrain.kernels.compilation
held = threading.Event()

def compile_slowly():
    with global_compiler_lock:
        held.set()
        time.sleep(0.3)

threading.Thread(target=compile_slowly).start()
held.wait()
child = os.fork()
numba.njit(lambda: 0)()
if child == 0:
    os._exit(7)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_that_was_forked_while_another_thread_compiled_can_compile():
    assert python("-c", FORK, timeout=60).returncode == 0
