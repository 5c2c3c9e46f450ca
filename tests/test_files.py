"""Atomic and temporary files."""

import errno
import os
import re
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

from embedtrain.errors import DataError, SettingError
from embedtrain.machine import files
from embedtrain.machine.array_file import temporary_file
from embedtrain.machine.files import (
    atomic_file,
    atomic_folder,
    check_distinct_paths,
    remove_leftovers,
    require_writable,
)
from embedtrain.machine.memory import mapping_of

WEEK = 7 * 24 * 3600


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def write_file(path, content=b"new", error=None, durable=False):
    with atomic_file(path, durable=durable) as file:
        file.write(content)
        if error is not None:
            raise error


def make_older(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then), follow_symlinks=False)


# --- atomic_file ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("old", [None, b"old and longer"])
@pytest.mark.parametrize("as_type", [str, Path])
def test_a_file_appears_whole_and_replaces_the_old_one_at_the_end(tmp_path, as_type, old):
    path = tmp_path / "x.vec"
    if old is not None:
        path.write_bytes(old)
    with atomic_file(as_type(path)) as file:
        file.write(b"first, ")
        file.flush()
        assert (path.read_bytes() if path.exists() else None) == old
        file.write(b"second")
    assert path.read_bytes() == b"first, second"
    assert names(tmp_path) == ["x.vec"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_there_is_only_the_old_file(tmp_path, error):
    path = tmp_path / "x.vec"
    with pytest.raises(error):
        write_file(path, error=error)
    assert names(tmp_path) == []
    path.write_bytes(b"old")
    with pytest.raises(error):
        write_file(path, error=error)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["x.vec"]


def test_a_full_disk_is_an_error_of_one_line(tmp_path):
    with pytest.raises(DataError, match=r"cannot write .*x\.vec: No space left on device$"):
        write_file(tmp_path / "x.vec", error=OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    assert names(tmp_path) == []


def test_a_file_in_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"cannot write .*x\.vec"), atomic_file(tmp_path / "missing" / "x.vec"):
        pytest.fail("the block must not run")
    assert names(tmp_path) == []


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "x.vec").mkdir()
    with pytest.raises(DataError, match=r"cannot write .*x\.vec"):
        write_file(tmp_path / "x.vec")
    assert (tmp_path / "x.vec").is_dir()
    assert names(tmp_path) == ["x.vec"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_permissions_are_as_for_any_new_file(tmp_path):
    (tmp_path / "usual").write_bytes(b"")
    write_file(tmp_path / "atomic")
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("usual", "atomic")]
    assert modes[0] == modes[1]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_permissions_of_what_is_replaced_are_kept(tmp_path):
    for name, write, modes in (("x.vec", write_file, (0o600, 0o664)), ("x.npy", make_folder, (0o700, 0o775))):
        path = tmp_path / name
        for mode in modes:
            write(path, b"old")
            path.chmod(mode)
            write(path, b"new")
            assert stat.S_IMODE(path.stat().st_mode) == mode


def test_the_umask_of_other_threads_is_not_touched(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "umask")
    write_file(tmp_path / "x.vec")
    write_file(tmp_path / "x.vec")
    assert (tmp_path / "x.vec").read_bytes() == b"new"


def test_a_file_system_without_permissions_is_written(tmp_path, monkeypatch):
    def refuse(path, mode):
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "chmod", refuse)
    for content in (b"old", b"new"):
        write_file(tmp_path / "x.vec", content)
        assert (tmp_path / "x.vec").read_bytes() == content


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
    write_file(path, durable=durable)
    folder = ["folder"] if os.name != "nt" else []
    assert done == (["3 bytes", "name", *folder] if durable else ["name"])
    assert path.read_bytes() == b"new"


def test_a_durable_file_that_cannot_be_synced_is_refused(tmp_path, monkeypatch):
    def fail(handle):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    path = tmp_path / "x.vec"
    path.write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(DataError, match=r"cannot write .*x\.vec: Input/output error$"):
        write_file(path, durable=True)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["x.vec"]


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("size", [10, 1 << 20], ids=["at the end", "in the block"])
def test_a_small_disk_that_is_full_is_an_error_of_one_line(small_disk, size, durable):
    folder, leave = small_disk
    leave(0)
    with pytest.raises(DataError, match=r"^cannot write .*x\.vec: No space left on device$"):
        write_file(folder / "x.vec", bytes(size), durable=durable)
    assert names(folder) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("size", [10, 1 << 20], ids=["at the end", "in the block"])
def test_a_full_device_is_an_error_of_one_line(size):
    with pytest.raises(DataError, match=r"^cannot write /dev/full: No space left on device$"):
        write_file("/dev/full", bytes(size), durable=True)


# --- Outputs that cannot be replaced ----------------------------------------------------------------------------------


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("old", [b"old and longer", b""])
def test_a_mounted_file_is_overwritten(tmp_path, mount, old, durable):
    path = tmp_path / "x.vec"
    path.write_bytes(old)
    mount(path)
    require_writable(path)
    write_file(path, durable=durable)
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["x.vec"]


def test_a_mounted_folder_is_filled(tmp_path, mount):
    path = tmp_path / "x.npy"
    make_folder(path, "old")
    (path / "of the old one").write_bytes(b"")
    mount(path)
    make_folder(path, "new")
    assert names(path) == ["file"]
    assert (path / "file").read_text() == "new"
    assert names(tmp_path) == ["x.npy"]


@pytest.fixture
def not_replaced(monkeypatch):
    """A function that lets files and folders not be renamed to a path."""

    def refuse(path, number):
        def checked(rename):
            def checked(source, target):
                if path in (Path(source), Path(target)):
                    raise OSError(number, os.strerror(number))
                return rename(source, target)

            return checked

        monkeypatch.setattr(os, "replace", checked(os.replace))
        monkeypatch.setattr(Path, "rename", checked(Path.rename))

    return refuse


@pytest.mark.parametrize("number", [errno.EBUSY, errno.EPERM])
def test_a_file_that_cannot_be_replaced_is_overwritten(tmp_path, not_replaced, number):
    path = tmp_path / "x.vec"
    path.write_bytes(b"old and longer")
    not_replaced(path, number)
    write_file(path)
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["x.vec"]


def found_beside(path, message):
    """The path that a message names, in a visible folder beside an old file or folder."""
    (kept,) = set(path.parent.iterdir()) - {path}
    assert re.fullmatch(rf"cannot write {path}: [\w ]+; the new one is {kept / path.name}", message), message
    return kept / path.name


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC])
def test_a_finished_file_or_folder_without_its_name_is_kept(tmp_path, not_replaced, number):
    file, folder = tmp_path / "1" / "x.vec", tmp_path / "2" / "x.npy"
    for path in (file, folder):
        path.parent.mkdir()
        not_replaced(path, number)
    file.write_bytes(b"old")
    with pytest.raises(DataError) as caught:
        write_file(file)
    assert found_beside(file, str(caught.value)).read_bytes() == b"new"
    assert file.read_bytes() == b"old"
    with pytest.raises(DataError) as caught:
        make_folder(folder, "new")
    (kept,) = folder.parent.iterdir()
    assert str(caught.value).endswith(f"; the new one is {kept / 'x.npy'}")
    assert (kept / "x.npy" / "file").read_text() == "new"


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_a_finished_file_is_kept_if_overwriting_ends_early(tmp_path, monkeypatch, not_replaced, error):
    def half(source, target):
        target.write(source.read(1))
        raise error

    path = tmp_path / "x.vec"
    path.write_bytes(b"old")
    not_replaced(path, errno.EBUSY)
    monkeypatch.setattr(files.shutil, "copyfileobj", half)
    with pytest.raises((DataError, KeyboardInterrupt)):
        write_file(path)
    (kept,) = set(tmp_path.iterdir()) - {path}
    assert (kept / "x.vec").read_bytes() == b"new"


@pytest.fixture
def shared_folder():
    """A folder as /tmp, with a file of another user, in which this process is neither that user nor root."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("to be another user needs root")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        path = Path(folder) / "x.vec"
        path.write_bytes(b"old")
        os.chmod(folder, 0o1777)
        try:
            os.seteuid(65534)
            yield path
        finally:
            os.seteuid(0)


def test_the_file_of_another_user_in_a_sticky_folder_is_refused_before_the_work(shared_folder):
    with pytest.raises(DataError, match=r"^cannot write .*x\.vec: Permission denied$"):
        require_writable(shared_folder)
    with pytest.raises(DataError) as caught:
        write_file(shared_folder)
    assert found_beside(shared_folder, str(caught.value)).read_bytes() == b"new"


def test_the_file_of_another_user_in_a_sticky_folder_is_overwritten_if_all_may_write(shared_folder):
    os.seteuid(0)
    shared_folder.chmod(0o666)
    os.seteuid(65534)
    require_writable(shared_folder)
    write_file(shared_folder)
    assert shared_folder.read_bytes() == b"new"
    assert names(shared_folder.parent) == ["x.vec"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_a_read_only_file_of_ones_own_is_replaced(tmp_path):
    path = tmp_path / "x.vec"
    path.write_bytes(b"old")
    path.chmod(0o444)
    require_writable(path)
    write_file(path)
    assert path.read_bytes() == b"new"


def test_an_immutable_file_is_refused_before_the_work(tmp_path):
    path = tmp_path / "x.vec"
    path.write_bytes(b"old")
    if subprocess.run(["chattr", "+i", path], capture_output=True).returncode if shutil.which("chattr") else True:
        pytest.skip("an immutable file needs root and a file system of Linux")
    try:
        with pytest.raises(DataError, match=r"^cannot write .*x\.vec: Operation not permitted$"):
            require_writable(path)
    finally:
        subprocess.run(["chattr", "-i", path], check=True)


def test_a_file_mounted_read_only_is_refused_before_the_work(tmp_path, mount):
    path = tmp_path / "x.vec"
    path.write_bytes(b"old")
    mount(path, "-r")
    with pytest.raises(DataError, match=r"^cannot write .*x\.vec: Read-only file system$"):
        require_writable(path)


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


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing/x.vec", "there is no folder .*missing; create it first"),
        ("file/x.vec", "there is no folder .*file"),
        (".", "it is a folder; name a file in it"),
    ],
)
def test_an_output_without_a_folder_or_that_is_one_is_refused(tmp_path, name, message):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match=message):
        require_writable(tmp_path / name)
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("length", [100, 250, 300])
def test_a_trial_agrees_with_writing_on_long_names(tmp_path, length):
    def succeeds(action):
        with suppress(DataError):
            action(tmp_path / ("x" * length))
            return True

    assert succeeds(require_writable) == succeeds(write_file)


# --- Pipes ------------------------------------------------------------------------------------------------------------

PIPES = pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs paths of open pipes")


def write(path, content):
    """What every command does with its output."""
    check_distinct_paths({"the corpus": ["text.txt"]}, {"output": path})
    require_writable(path)
    write_file(path, content)


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
def test_a_trial_of_a_pipe_does_not_end_its_reader(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=subprocess.PIPE) as reader:
        write(tmp_path / "link", b"words")
        assert reader.stdout.read() == b"words"
    assert names(tmp_path) == ["link", "pipe"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_trial_of_a_pipe_does_not_wait_and_checks_permissions(tmp_path, monkeypatch):
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
    folder, leave_free = small_disk
    leave_free(0)
    with (
        temporary_file(folder) as file,
        pytest.raises(DataError, match=r"^cannot write temporary files in .*: No space left on device$"),
    ):
        file.append(np.zeros(1 << 17))


# --- atomic_folder ----------------------------------------------------------------------------------------------------


def make_folder(path, content, error=None):
    with atomic_folder(path) as folder:
        (folder / "file").write_text(str(content))
        if error is not None:
            raise error


@pytest.mark.parametrize("old", [None, "empty", "full"])
def test_a_folder_appears_whole_and_replaces_the_old_one(tmp_path, old):
    path = tmp_path / "x.npy"
    if old is not None:
        path.mkdir()
    if old == "full":
        (path / "other").write_text("old")
    with atomic_folder(path) as folder:
        (folder / "file").write_text("new")
        assert path.exists() == (old is not None)
        assert not (path / "file").exists()
    assert names(path) == ["file"]
    assert names(tmp_path) == ["x.npy"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_the_old_folder_is_as_it_was(tmp_path, error):
    path = tmp_path / "x.npy"
    make_folder(path, "old")
    with pytest.raises(error):
        make_folder(path, "new", error)
    assert (path / "file").read_text() == "old"
    assert names(tmp_path) == ["x.npy"]


def test_an_old_folder_comes_back_if_the_new_one_cannot_take_its_place(tmp_path, monkeypatch):
    def rename(path, target, rename=Path.rename):
        if path.parent.name == "new":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return rename(path, target)

    path = tmp_path / "x.npy"
    make_folder(path, "old")
    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(DataError, match=r"cannot write .*x\.npy: Permission denied$"):
        make_folder(path, "new")
    assert (path / "file").read_text() == "old"
    assert names(tmp_path) == ["x.npy"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="Windows has no fork")
@pytest.mark.parametrize("other", [False, True])
def test_a_run_killed_between_the_renames_loses_no_folder(tmp_path, monkeypatch, other):
    def rename(path, target, rename=Path.rename):
        if path.parent.name == "new":
            os._exit(9)
        rename(path, target)

    path = tmp_path / "x.npy"
    make_folder(path, "old")
    if (child := os.fork()) == 0:
        Path.rename = rename
        make_folder(path, "new")
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    (left,) = names(tmp_path)
    if other:
        make_folder(path, "other")
    remove_leftovers(tmp_path)
    assert left in names(tmp_path)
    make_older(tmp_path / left, WEEK + 60)
    remove_leftovers(tmp_path)
    assert names(tmp_path) == ["x.npy"]
    assert (path / "file").read_text() == ("other" if other else "new")


# --- Leftovers of killed runs -----------------------------------------------------------------------------------------


def leave(place, name):
    """What a killed run leaves: a file, or a folder with files and folders."""
    path = place / name
    if name.endswith(".part"):
        path.write_bytes(b"half")
    else:
        (path / "new" / "deep").mkdir(parents=True)
        (path / "new" / "ids").write_bytes(b"x")
    return path


@pytest.mark.parametrize("use", [remove_leftovers, lambda folder: require_writable(folder / "x.vec")])
def test_leftovers_are_removed_after_a_week(tmp_path, use):
    for name, age in (("old", WEEK + 60), ("new", WEEK - 60)):
        for end in ("", ".part"):
            make_older(leave(tmp_path, f".embedtrain-{name}00000{end}"), age)
    use(tmp_path)
    assert names(tmp_path) == [".embedtrain-new00000", ".embedtrain-new00000.part"]


def test_foreign_files_are_not_removed(tmp_path):
    for name in "embedtrain-a .embedtrain .other-a x.part .part a.embedtrain-b.part .embedtrain.part".split():
        leave(tmp_path, name)
    (tmp_path / ".embedtrain-notes").write_text("mine")
    for path in tmp_path.iterdir():
        make_older(path, 2 * WEEK)
    before = names(tmp_path)
    remove_leftovers(tmp_path)
    assert names(tmp_path) == before


@pytest.mark.skipif(os.name == "nt", reason="links need privileges there")
def test_links_are_not_followed(tmp_path):
    place, elsewhere = tmp_path / "place", tmp_path / "elsewhere"
    place.mkdir()
    elsewhere.mkdir()
    folder, file = leave(elsewhere, "folder"), leave(elsewhere, "file.part")
    (place / ".embedtrain-a").symlink_to(folder)
    (place / ".embedtrain-b.part").symlink_to(file)
    removed = leave(place, ".embedtrain-c")
    (removed / "link").symlink_to(folder)
    for path in (folder, file, *place.iterdir()):
        make_older(path, 2 * WEEK)
    remove_leftovers(place)
    assert names(place) == [".embedtrain-a", ".embedtrain-b.part"]
    assert names(folder / "new") == ["deep", "ids"]
    assert file.read_bytes() == b"half"


def test_a_missing_folder_has_no_leftovers(tmp_path):
    remove_leftovers(tmp_path / "missing")


# --- Names ------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="links need privileges there")
def test_a_folder_is_not_written_over_its_input(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "folder", target_is_directory=True)
    for named in ("folder", "link", "other/../folder"):
        with pytest.raises(SettingError, match="would replace the input"):
            check_distinct_paths({"the input": [tmp_path / "folder"]}, {"output": tmp_path / named})


@pytest.mark.skipif(os.name == "nt", reason="names have no line feeds there")
def test_messages_are_one_line_for_any_name(tmp_path):
    (tmp_path / "a\nb").mkdir()
    for path in (tmp_path / "a\nb", tmp_path / "no\nfolder" / "x", tmp_path / "a\nb" / ("x" * 300)):
        for use in (require_writable, lambda path: atomic_file(path).__enter__()):
            with pytest.raises(DataError) as caught:
                use(path)
            assert str(caught.value).isprintable()
    with pytest.raises(SettingError) as caught:
        check_distinct_paths({"the input": [tmp_path / "a\nb"]}, {"output": tmp_path / "a\nb"})
    assert str(caught.value).isprintable()
