import errno
import os
import stat

import pytest

from embedtrain.errors import DataError
from embedtrain.machine.files import atomic_file, require_writable, temporary_folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


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
