import errno
import importlib.util
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from programs import start_python

from embedtrain.errors import DataError, SettingError
from embedtrain.machine import files
from embedtrain.machine.files import (
    atomic_file,
    require_apart,
    require_writable,
    sweep,
    temporary_file,
    temporary_folder,
)
from embedtrain.machine.memory import mapping_of

LOCKS = pytest.mark.skipif(os.name == "nt", reason="Windows has no such locks")
HOUR, WEEK = 3600, 7 * 24 * 3600


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def left_folder(place, name=".embedtrain-dead0000", lock=True):
    """A temporary folder as a killed run leaves it."""
    folder = place / name
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "ids").write_bytes(b"x")
    if lock:
        (folder / "lock").write_bytes(b"")
    return folder


def left_part(place, name=".embedtrain-dead0000.part"):
    (place / name).write_bytes(b"half")
    return place / name


def make_older(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


# --- atomic_file ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("as_type", [str, lambda path: path], ids=["str", "Path"])
def test_a_file_appears_whole(tmp_path, as_type):
    path = tmp_path / "x.vec"
    with atomic_file(as_type(path)) as file:
        file.write(b"first, ")
        file.flush()
        assert not path.exists()
        file.write(b"second")
    assert path.read_bytes() == b"first, second"
    assert names(tmp_path) == ["x.vec"]


def test_an_old_file_is_replaced_at_the_end_only(tmp_path):
    path = tmp_path / "x.vec"
    path.write_bytes(b"old and longer")
    with atomic_file(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old and longer"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_the_old_file_is_as_it_was(tmp_path, error):
    path = tmp_path / "x.vec"
    path.write_bytes(b"old")

    def write():
        with atomic_file(path) as file:
            file.write(b"new")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["x.vec"]


def test_after_an_error_there_is_no_new_file(tmp_path):
    def write():
        with atomic_file(tmp_path / "x.vec") as file:
            file.write(b"new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert names(tmp_path) == []


def test_a_full_disk_is_said_in_one_line(tmp_path):
    path = tmp_path / "x.vec"

    def write():
        with atomic_file(path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(DataError, match=r"cannot write .*x\.vec: No space left on device$"):
        write()
    assert names(tmp_path) == []


def test_a_file_in_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"cannot write .*x\.vec"), atomic_file(tmp_path / "missing" / "x.vec"):
        pytest.fail("the block must not run")
    assert names(tmp_path) == []


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "x.vec").mkdir()

    def write():
        with atomic_file(tmp_path / "x.vec") as file:
            file.write(b"new")

    with pytest.raises(DataError, match=r"cannot write .*x\.vec"):
        write()
    assert (tmp_path / "x.vec").is_dir()
    assert names(tmp_path) == ["x.vec"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_permissions_are_as_for_any_new_file(tmp_path):
    (tmp_path / "usual").write_bytes(b"")
    with atomic_file(tmp_path / "atomic"):
        pass
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("usual", "atomic")]
    assert modes[0] == modes[1]


@LOCKS
def test_a_half_written_file_is_not_swept_until_it_has_its_name(tmp_path, monkeypatch):
    def replace(part, target, replace=os.replace):
        sweep(tmp_path)
        replace(part, target)
        sweep(tmp_path)

    monkeypatch.setattr(os, "replace", replace)
    with atomic_file(tmp_path / "x.vec") as file:
        sweep(tmp_path)
        file.write(b"new")
    assert (tmp_path / "x.vec").read_bytes() == b"new"
    assert names(tmp_path) == ["x.vec"]


@pytest.mark.parametrize("durable", [False, True])
def test_a_durable_file_reaches_the_disk_before_its_name_does(tmp_path, monkeypatch, durable):
    path, done = tmp_path / "x.vec", []

    def fsync(handle, fsync=os.fsync):
        done.append("folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else f"{os.fstat(handle).st_size} bytes")
        fsync(handle)

    def replace(part, target, replace=os.replace):
        done.append("name")
        replace(part, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    with atomic_file(path, durable=durable) as file:
        file.write(b"new")
    folder = ["folder"] if os.name != "nt" else []
    assert done == (["3 bytes", "name", *folder] if durable else ["name"])
    assert path.read_bytes() == b"new"


def test_a_durable_file_that_cannot_be_synced_is_refused(tmp_path, monkeypatch):
    def fail(handle):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def write():
        with atomic_file(path, durable=True) as file:
            file.write(b"new")

    path = tmp_path / "x.vec"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DataError, match=r"cannot write .*x\.vec: Input/output error$"):
        write()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["x.vec"]


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("size", [10, 1 << 20], ids=["at the end", "in the block"])
def test_a_disk_that_is_full_indeed_is_said_in_one_line(small_disk, size, durable):
    folder, leave = small_disk
    leave(0)

    def write():
        with atomic_file(folder / "x.vec", durable=durable) as file:
            file.write(bytes(size))

    with pytest.raises(DataError, match=r"^cannot write .*x\.vec: No space left on device$"):
        write()
    assert names(folder) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("size", [10, 1 << 20], ids=["at the end", "in the block"])
def test_a_device_that_is_full_is_said_in_one_line(size):
    def write():
        with atomic_file("/dev/full", durable=True) as file:
            file.write(bytes(size))

    with pytest.raises(DataError, match=r"^cannot write /dev/full: No space left on device$"):
        write()


# --- require_writable -------------------------------------------------------------------------------------------------


def test_a_trial_leaves_no_trace(tmp_path):
    path = tmp_path / "x.vec"
    require_writable(path)
    assert names(tmp_path) == []
    path.write_bytes(b"old")
    before = path.stat()
    require_writable(str(path))
    assert names(tmp_path) == ["x.vec"]
    assert path.read_bytes() == b"old"
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_ino == before.st_ino


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(DataError, match=r"there is no folder .*missing; create it first"):
        require_writable(tmp_path / "missing" / "x.vec")
    assert names(tmp_path) == []


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match=r"there is no folder .*file"):
        require_writable(tmp_path / "file" / "x.vec")


def test_a_folder_as_output_is_refused(tmp_path):
    with pytest.raises(DataError, match="it is a folder; name a file in it"):
        require_writable(tmp_path)


@pytest.mark.parametrize("length", [100, 250, 300])
def test_a_trial_agrees_with_the_writing_on_long_names(tmp_path, length):
    path = tmp_path / ("x" * length)

    def write():
        with atomic_file(path) as file:
            file.write(b"new")

    def succeeds(action):
        try:
            action()
        except DataError:
            return False
        return True

    assert succeeds(lambda: require_writable(path)) == succeeds(write)


@LOCKS
def test_a_trial_sweeps_the_folder(tmp_path):
    left_folder(tmp_path)
    left_part(tmp_path)
    require_writable(tmp_path / "x.vec")
    assert names(tmp_path) == []


def test_a_trial_of_a_device_sweeps_nothing(monkeypatch):
    monkeypatch.setattr(files, "sweep", lambda folder: pytest.fail(f"swept {folder}"))
    require_writable(os.devnull)


# --- Pipes ------------------------------------------------------------------------------------------------------------

PIPES = pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs paths of open pipes")


def write(path, content):
    """What every command does with its output."""
    require_apart({"the corpus": ["text.txt"]}, {"output": path})
    require_writable(path)
    with atomic_file(path) as file:
        file.write(content)


@pytest.fixture
def pipe():
    """The ends of a pipe that are read from and written to."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with suppress(OSError):
            os.close(end)


@PIPES
def test_an_open_pipe_is_written_by_its_path(pipe):
    reading, writing = pipe
    write(f"/dev/fd/{writing}", b"words")
    os.close(writing)
    assert os.read(reading, 100) == b"words"
    assert os.read(reading, 100) == b""


@PIPES
def test_standard_output_is_written_into_a_pipe():
    program = "import sys; sys.path[:0] = sys.argv[1:]; from test_files import write; write('/dev/stdout', b'words')"
    command = [sys.executable, "-c", program, str(Path(__file__).parent), str(Path(files.__file__).parents[2])]
    assert subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout == b"words"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_trial_of_a_pipe_is_no_end_to_its_reader(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE) as reader:
        write(tmp_path / "link", b"words")
        assert reader.stdout.read() == b"words"
    assert names(tmp_path) == ["link", "pipe"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_trial_of_a_pipe_waits_for_nobody_and_sees_what_is_not_allowed(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "pipe")
    require_writable(tmp_path / "pipe")
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(DataError, match=r"^cannot write .*pipe: Permission denied$"):
        require_writable(tmp_path / "pipe")


# --- temporary_file ---------------------------------------------------------------------------------------------------


def test_a_temporary_file_holds_arrays_at_any_position(tmp_path):
    with temporary_file(tmp_path) as file:
        file.append(np.arange(5, dtype=np.int32))
        file.write_at(40, np.array([[7, 8], [9, 10]], np.int32))
        file.append(np.array([], np.int64))
        file.append(np.array([11], np.int32))
        part = np.empty((2, 2), np.int32)
        file.read_into(part, 40)
        file.read_into(np.empty(0, np.int32), 0)
        found = file.mapped(np.int32)
    assert part.tolist() == [[7, 8], [9, 10]]
    assert found.tolist() == [0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 7, 8, 9, 10, 11]
    assert found.dtype == np.int32
    assert not found.flags.writeable
    assert mapping_of(found) is not None


def test_a_temporary_file_has_no_name(tmp_path):
    file = temporary_file(tmp_path)
    file.append(np.arange(5))
    if os.name != "nt":
        assert names(tmp_path) == []
    found = file.mapped(np.int64)
    assert found.tolist() == [0, 1, 2, 3, 4]
    del found
    assert names(tmp_path) == []


def test_a_temporary_file_may_be_empty(tmp_path):
    found = temporary_file(tmp_path).mapped(np.float32)
    assert (found.shape, found.dtype, found.flags.writeable) == ((0,), np.float32, False)


def test_threads_share_a_temporary_file(tmp_path):
    def work(number):
        for at in range(number, 400, 4):
            file.write_at(8 * at, np.array([at]))
            found = np.empty(1, np.int64)
            file.read_into(found, 8 * at)
            assert found[0] == at

    with temporary_file(tmp_path) as file, ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
        assert file.mapped(np.int64).tolist() == list(range(400))


def test_the_end_of_a_temporary_file_is_noticed(tmp_path):
    with temporary_file(tmp_path) as file:
        file.append(np.arange(3))
        with pytest.raises(DataError, match=r"^cannot read temporary files in .*: it ends too early$"):
            file.read_into(np.empty(4, np.int64), 0)


def test_a_temporary_file_on_a_full_disk_is_refused_in_one_line(small_disk):
    folder, leave = small_disk
    leave(0)
    with (
        temporary_file(folder) as file,
        pytest.raises(DataError, match=r"^cannot write temporary files in .*: No space left on device$"),
    ):
        file.append(np.zeros(1 << 17))


def test_a_temporary_file_in_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"^cannot write temporary files in .*missing: "):
        temporary_file(tmp_path / "missing")


# --- temporary_folder -------------------------------------------------------------------------------------------------


def test_a_temporary_folder_lies_in_the_folder_named(tmp_path):
    with temporary_folder(tmp_path) as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_bytes(b"x")
        assert folder.parent == tmp_path
        assert folder.is_dir()
    assert names(tmp_path) == []


def test_a_temporary_folder_lies_in_the_systems_place_by_default():
    with temporary_folder() as folder:
        assert folder.is_dir()
    assert not folder.exists()


@pytest.mark.parametrize("error", [ValueError, OSError, KeyboardInterrupt])
def test_a_temporary_folder_is_removed_after_errors(tmp_path, error):
    def work():
        with temporary_folder(tmp_path) as folder:
            (folder / "file").write_bytes(b"x")
            raise error("in the block")

    with pytest.raises(error, match="in the block"):
        work()
    assert names(tmp_path) == []


def test_a_temporary_folder_in_a_missing_one_is_refused(tmp_path):
    missing = tmp_path / "missing"
    with pytest.raises(DataError, match=r"cannot write temporary files in .*missing"), temporary_folder(missing):
        pytest.fail("the block must not run")


@LOCKS
@pytest.mark.parametrize("named", [True, False], ids=["named", "the system's"])
def test_a_temporary_folder_sweeps_its_place(tmp_path, monkeypatch, named):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    left_folder(tmp_path)
    with temporary_folder(tmp_path if named else None) as folder:
        assert names(tmp_path) == [folder.name]


@pytest.mark.parametrize("removed", [[], ["lock"], ["ids"]], ids=str)
def test_what_an_interrupted_removal_leaves_is_swept_by_the_next_run(tmp_path, monkeypatch, removed):
    def remove_some_and_be_interrupted(folder, **_):
        for name in removed:
            (folder / name).unlink()
        raise KeyboardInterrupt

    def work():
        with temporary_folder(tmp_path) as folder:
            (folder / "ids").write_bytes(b"x")
            monkeypatch.setattr(shutil, "rmtree", remove_some_and_be_interrupted)

    with pytest.raises(KeyboardInterrupt):
        work()
    monkeypatch.undo()
    assert len(names(tmp_path)) == 1
    sweep(tmp_path)
    assert names(tmp_path) == []


# --- sweep ------------------------------------------------------------------------------------------------------------


@LOCKS
def test_what_nobody_has_locked_is_swept(tmp_path):
    left_folder(tmp_path)
    left_part(tmp_path)
    sweep(str(tmp_path))
    assert names(tmp_path) == []


@LOCKS
def test_what_is_in_use_is_not_swept(tmp_path):
    with temporary_folder(tmp_path) as first, temporary_folder(tmp_path) as second:
        make_older(first, 2 * WEEK)
        sweep(tmp_path)
        assert names(tmp_path) == sorted([first.name, second.name])
        assert (first / "lock").exists()


@LOCKS
def test_what_another_process_uses_is_swept_when_it_is_killed(tmp_path):
    script = """
import sys, time
from embedtrain.machine.files import atomic_file, temporary_folder
with temporary_folder(sys.argv[1]), atomic_file(sys.argv[1] + "/x.vec"):
    print("ready", flush=True)
    time.sleep(60)
"""
    with start_python("-c", script, tmp_path) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            in_use = names(tmp_path)
            assert len(in_use) == 2
            sweep(tmp_path)
            assert names(tmp_path) == in_use
        finally:
            process.kill()
    assert names(tmp_path) == in_use
    sweep(tmp_path)
    assert names(tmp_path) == []


@LOCKS
def test_a_folder_without_a_lock_is_swept_when_it_is_an_hour_old(tmp_path):
    old = left_folder(tmp_path, ".embedtrain-old00000", lock=False)
    new = left_folder(tmp_path, ".embedtrain-new00000", lock=False)
    make_older(old, HOUR + 60)
    make_older(new, HOUR - 60)
    sweep(tmp_path)
    assert names(tmp_path) == [new.name]


@LOCKS
def test_what_is_not_ours_is_not_swept(tmp_path):
    for name in ("embedtrain-a", ".embedtrain", ".other-a"):
        left_folder(tmp_path, name)
    for name in ("x.part", ".part", ".embedtrain-notes", "a.embedtrain-b.part", ".embedtrain.part"):
        left_part(tmp_path, name)
    for path in tmp_path.iterdir():
        make_older(path, 2 * WEEK)
    before = names(tmp_path)
    sweep(tmp_path)
    assert names(tmp_path) == before


@LOCKS
def test_links_are_not_followed(tmp_path):
    place, elsewhere = tmp_path / "place", tmp_path / "elsewhere"
    place.mkdir()
    folder = left_folder(elsewhere, "folder")
    file = left_part(elsewhere, "file")
    (place / ".embedtrain-a").symlink_to(folder)
    (place / ".embedtrain-b.part").symlink_to(file)
    locked_elsewhere = left_folder(place, ".embedtrain-c", lock=False)
    (locked_elsewhere / "lock").symlink_to(file)
    make_older(locked_elsewhere, 2 * HOUR)
    dangling = left_folder(place, ".embedtrain-d", lock=False)
    (dangling / "lock").symlink_to(elsewhere / "missing")
    make_older(dangling, 2 * HOUR)
    swept = left_folder(place, ".embedtrain-e")
    (swept / "link").symlink_to(folder)
    (swept / "deep" / "link").symlink_to(file)
    sweep(place)
    assert names(place) == [".embedtrain-a", ".embedtrain-b.part", ".embedtrain-c", ".embedtrain-d"]
    assert names(folder) == ["deep", "lock"]
    assert file.read_bytes() == b"half"


@LOCKS
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EINVAL])
def test_without_locks_all_works_and_nothing_is_swept(tmp_path, monkeypatch, number):
    import fcntl

    def refuse(file, operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    left = [left_folder(tmp_path).name, left_part(tmp_path).name]
    with temporary_folder(tmp_path) as folder:
        assert folder.is_dir()
    with atomic_file(tmp_path / "x.vec") as file:
        file.write(b"new")
    assert names(tmp_path) == [*left, "x.vec"]


@LOCKS
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may do everything")
def test_what_may_not_be_removed_is_left(tmp_path):
    left_folder(tmp_path)
    left_part(tmp_path)
    tmp_path.chmod(0o500)
    try:
        sweep(tmp_path)
        assert len(names(tmp_path)) == 2
    finally:
        tmp_path.chmod(0o700)


def test_what_cannot_be_listed_is_left(tmp_path):
    sweep(tmp_path / "missing")


def test_other_files_cost_nothing_but_their_names(tmp_path, monkeypatch):
    for number in range(100):
        (tmp_path / f"file-{number}").touch()
    before, looked_at = names(tmp_path), []
    for name in ("open", "stat", "lstat"):
        monkeypatch.setattr(os, name, lambda *args, **_: looked_at.append(args))
    sweep(tmp_path)
    monkeypatch.undo()
    assert looked_at == []
    assert names(tmp_path) == before


# --- Sweeping what is just being made ---------------------------------------------------------------------------------


def first_time(monkeypatch, owner, name, before=lambda *_: None, after=lambda *_: None):
    """Let something happen before or after the first call of a function."""
    function, calls = getattr(owner, name), []

    def call(*args, **settings):
        calls.append(args)
        if len(calls) == 1:
            before(*args)
        result = function(*args, **settings)
        if len(calls) == 1:
            after(result)
        return result

    monkeypatch.setattr(owner, name, call)
    return calls


def held_file(path):
    import fcntl

    file = open(path, "r+b")
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


@LOCKS
def test_a_file_swept_before_it_was_locked_is_made_again(tmp_path, monkeypatch):
    calls = first_time(monkeypatch, tempfile, "mkstemp", after=lambda _: sweep(tmp_path))
    with atomic_file(tmp_path / "x.vec") as file:
        file.write(b"new")
    assert len(calls) == 2
    assert names(tmp_path) == ["x.vec"]
    assert (tmp_path / "x.vec").read_bytes() == b"new"


@LOCKS
@pytest.mark.parametrize("moment", ["before there is a lock file", "before it is locked"])
def test_a_folder_swept_before_it_was_locked_is_made_again(tmp_path, monkeypatch, moment):
    if moment == "before it is locked":
        first_time(monkeypatch, files, "_lock_new", before=lambda *_: sweep(tmp_path))
    else:
        first_time(monkeypatch, tempfile, "mkdtemp", after=shutil.rmtree)
    with temporary_folder(tmp_path) as folder:
        assert names(tmp_path) == [folder.name]
        assert names(folder) == ["lock"]
        sweep(tmp_path)
        assert folder.is_dir()
    assert names(tmp_path) == []


@LOCKS
@pytest.mark.parametrize("make", [atomic_file, temporary_folder])
def test_what_a_sweep_has_locked_already_is_made_again(tmp_path, monkeypatch, make):
    held = []
    calls = first_time(monkeypatch, files, "_lock_new", before=lambda _, path: held.append(held_file(path)))
    with make(tmp_path / "x.vec" if make is atomic_file else tmp_path):
        assert len(calls) == 2
    held[0].close()
    sweep(tmp_path)  # goes on
    assert [name for name in names(tmp_path) if name != "x.vec"] == []


@LOCKS
def test_a_name_that_is_another_files_now_is_not_taken_for_ones_own(tmp_path, monkeypatch):
    def exchange(_, path):
        path.unlink()
        path.write_bytes(b"another's")

    first_time(monkeypatch, files, "_lock_new", before=exchange)
    with atomic_file(tmp_path / "x.vec") as file:
        file.write(b"new")
    assert (tmp_path / "x.vec").read_bytes() == b"new"


# --- Windows ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def without_locks(monkeypatch):
    """The module as Windows has it."""
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setitem(sys.modules, "fcntl", None)
    spec = importlib.util.spec_from_file_location("files_of_windows", files.__file__)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.undo()
    return module


def test_on_windows_what_is_a_week_old_is_swept(tmp_path, without_locks):
    old = [left_folder(tmp_path, ".embedtrain-old00000"), left_part(tmp_path, ".embedtrain-old00000.part")]
    new = [left_folder(tmp_path, ".embedtrain-new00000"), left_part(tmp_path, ".embedtrain-new00000.part")]
    for path in old:
        make_older(path, WEEK + 60)
    for path in new:
        make_older(path, WEEK - 60)
    without_locks.sweep(tmp_path)
    assert names(tmp_path) == [path.name for path in new]


@pytest.mark.skipif(os.name == "nt", reason="links need privileges there")
def test_on_windows_links_are_not_followed_either(tmp_path, without_locks):
    for name, target in ((".embedtrain-a", left_folder(tmp_path, "folder")), (".embedtrain-b.part", tmp_path / "file")):
        (tmp_path / name).symlink_to(target)
        os.utime(tmp_path / name, (0, 0), follow_symlinks=False)
    left_part(tmp_path, "file")
    make_older(tmp_path / "folder", 2 * WEEK)
    without_locks.sweep(tmp_path)
    assert names(tmp_path) == [".embedtrain-a", ".embedtrain-b.part", "file", "folder"]


def test_on_windows_nothing_is_open_when_it_is_renamed_or_removed(tmp_path, monkeypatch, without_locks):
    opened = []

    def remember(*args, opening=open, **settings):
        opened.append(opening(*args, **settings))
        return opened[-1]

    def check(*args, function, **settings):
        assert all(file.closed for file in opened)
        return function(*args, **settings)

    monkeypatch.setattr(without_locks, "open", remember, raising=False)
    monkeypatch.setattr(os, "fdopen", lambda *args, fdopen=os.fdopen: opened.append(fdopen(*args)) or opened[-1])
    monkeypatch.setattr(os, "replace", lambda *args, replace=os.replace: check(*args, function=replace))
    monkeypatch.setattr(shutil, "rmtree", lambda *a, rmtree=shutil.rmtree, **s: check(*a, function=rmtree, **s))
    with without_locks.temporary_folder(tmp_path), without_locks.atomic_file(tmp_path / "x.vec") as file:
        file.write(b"new")
    assert len(opened) == 2
    assert names(tmp_path) == ["x.vec"]


# --- Names ------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="links need privileges there")
def test_a_folder_is_not_written_over_its_input(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder", target_is_directory=True)
    for named in ("folder", "link", "other/../folder"):
        with pytest.raises(SettingError, match="would replace the input"):
            require_apart({"the input": [tmp_path / "folder"]}, {"output": tmp_path / named})


@pytest.mark.skipif(os.name == "nt", reason="names have no line feeds there")
def test_messages_are_one_line_whatever_the_names(tmp_path):
    (tmp_path / "a\nb").mkdir()
    for path in (tmp_path / "a\nb", tmp_path / "no\nfolder" / "x", tmp_path / "a\nb" / ("x" * 300)):
        for use in (require_writable, lambda path: atomic_file(path).__enter__()):
            with pytest.raises(DataError) as caught:
                use(path)
            assert str(caught.value).isprintable()
    with pytest.raises(SettingError) as caught:
        require_apart({"the input": [tmp_path / "a\nb"]}, {"output": tmp_path / "a\nb"})
    assert str(caught.value).isprintable()
