"""What commands do with results where the output cannot be written, and outputs that are pipes."""

import os
import re
import signal
import subprocess
import tempfile
from pathlib import Path

import pytest
from commands import SETTINGS, error_of, run
from programs import embedtrain

from embedtrain import Counts, WordVectors
from embedtrain.errors import DataError
from embedtrain.training.checkpoint import Checkpoint

pytestmark = pytest.mark.usefixtures("warm_kernels")
RESULTS = {"skipgram": WordVectors, "cooccur": Counts}
COMMANDS = {
    "skipgram": ["skipgram", "text.txt", *SETTINGS, "--quiet"],
    "cooccur": ["cooccur", "text.txt", "--min-count", "2", "--threads", "1", "--quiet"],
}
SLOWER = ["--version", "info good.vec", "vocab text.txt -o -", "analogy good.vec king queen frog --json", "glove -h"]
FULL = "No space left on device"


@pytest.fixture
def temporary_folder(tmp_path_factory, monkeypatch):
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def words_in(path):
    return len(Counts.load(path) if path.name == "c.npz" else WordVectors.load(path))


def kept(path, folder):
    """The only file or folder in a visible one of the temporary folder."""
    (place,) = folder.iterdir()
    assert [file.name for file in place.iterdir()] == [Path(path).name]
    return place / Path(path).name


# --- Disks that fill at the end ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "name"), [("skipgram", "v.vec"), ("skipgram", "v.npy"), ("skipgram", "v.tsv"), ("cooccur", "c.npz")]
)
def test_a_disk_that_fills_at_the_end_costs_no_result(monkeypatch, small_disk, temporary_folder, command, name):
    def fill_and_save(result, path, save=RESULTS[command].save):
        leave(0)
        save(result, path)

    folder, leave = small_disk
    monkeypatch.setattr(RESULTS[command], "save", fill_and_save)
    line = error_of(run(*COMMANDS[command], "-o", folder / name), 1)
    assert list(folder.iterdir()) == []
    if name == "v.tsv":
        (place,) = temporary_folder.iterdir()
        assert {file.name for file in place.iterdir()} == {"v.tsv", "v_metadata.tsv"}
        found = place / name
    else:
        found = kept(name, temporary_folder)
    assert re.fullmatch(rf"Error: cannot write {folder}/?.*: {FULL}; {found} holds the result", line)
    assert words_in(found) > 10


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_device_costs_no_result(temporary_folder, command):
    (Path("c.npz")).symlink_to("/dev/full")
    line = error_of(run(*COMMANDS[command], "-o", "c.npz"), 1)
    found = kept("c.npz", temporary_folder)
    assert line == f"Error: cannot write c.npz: {FULL}; {found} holds the result"
    assert len((Counts if command == "cooccur" else WordVectors).load(found)) > 10


def test_without_any_place_the_first_error_is_given_and_nothing_is_left(temporary_folder, monkeypatch):
    def fail(result, path, **options):
        Path(path).parent.joinpath("half").write_bytes(b"")
        try:
            raise OSError("no")
        except OSError as error:
            raise DataError(f"cannot write {path}: {FULL}") from error

    monkeypatch.setattr(WordVectors, "save", fail)
    assert error_of(run(*COMMANDS["skipgram"], "-o", "v.vec"), 1) == f"Error: cannot write v.vec: {FULL}"
    assert list(temporary_folder.iterdir()) == []


def test_an_error_that_any_folder_would_have_is_given_at_once(temporary_folder, monkeypatch):
    def fail(result, path, **options):
        raise DataError("a word that cannot be written")

    monkeypatch.setattr(WordVectors, "save", fail)
    assert error_of(run(*COMMANDS["skipgram"], "-o", "v.vec"), 1) == "Error: a word that cannot be written"
    assert list(temporary_folder.iterdir()) == []


def test_the_checkpoint_and_the_vectors_on_a_full_disk(small_disk, temporary_folder, monkeypatch):
    def fill_and_save(checkpoint, path, *tables, save=Checkpoint.save):
        leave(0)
        save(checkpoint, path, *tables)

    folder, leave = small_disk
    monkeypatch.setattr(Checkpoint, "save", fill_and_save)
    line = error_of(run(*COMMANDS["skipgram"], "-o", folder / "v.vec", "--checkpoint", folder / "c"), 1)
    found = kept("v.vec", temporary_folder)
    assert line == f"Error: cannot write {folder / 'c'}: {FULL}; {found} holds what was trained so far"
    assert words_in(found) > 10


# --- Outputs that cannot be replaced ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("option", "name"), [("-o", "v.vec"), ("--checkpoint", "c"), ("--log", "l"), ("-o", "v.npy")])
def test_mounted_outputs_are_written(folder, mount, option, name):
    path = folder / name
    path.mkdir() if name == "v.npy" else path.touch()
    mount(path)
    outputs = {"-o": "v.vec", option: name}
    done = run(*COMMANDS["skipgram"], *[text for pair in outputs.items() for text in pair])
    assert (done.exit_code, done.stderr) == (0, "")
    assert words_in(Path(outputs["-o"])) > 10
    assert any(path.iterdir()) if name == "v.npy" else path.stat().st_size
    assert not list(folder.glob(".embedtrain-*"))


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("name", ["v.vec", "v.npy"])
def test_a_folder_without_permission_is_refused_before_training(folder, calls, name):
    (folder / "folder").chmod(0o500)
    assert "Permission denied" in error_of(run(*COMMANDS["skipgram"], "-o", f"folder/{name}"), 1)
    assert not calls


@pytest.mark.parametrize("name", ["v.vec", "v.npy"])
def test_a_folder_that_is_mounted_read_only_is_refused_before_training(folder, calls, mount, name):
    mount(folder / "folder", "-r")
    line = error_of(run(*COMMANDS["skipgram"], "-o", f"folder/{name}"), 1)
    assert line == f"Error: cannot write folder/{name}: Read-only file system"
    assert not calls


# --- Pipes ------------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="needs paths of open pipes")
@pytest.mark.parametrize(("command", "path"), [("skipgram", "/dev/stdout"), ("cooccur", "/dev/fd/1")])
def test_results_are_written_into_pipes(command, path):
    name = "v.vec" if command == "skipgram" else "c.npz"
    assert run(*COMMANDS[command], "-o", name).exit_code == 0
    done = embedtrain(*COMMANDS[command], "-o", path, encoding=None)
    assert (done.returncode, done.stderr) == (0, b"")
    n_words = words_in(Path(name))
    Path(name).write_bytes(done.stdout)
    assert words_in(Path(name)) == n_words


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("command", COMMANDS)
def test_one_interrupt_ends_what_waits_for_the_reader_of_a_pipe(monkeypatch, command):
    def wait(result, path, **options):
        signal.raise_signal(signal.SIGINT)
        pytest.fail("it waits")

    os.mkfifo("pipe")
    monkeypatch.setattr(RESULTS[command], "save", wait)
    done = run(*COMMANDS[command], "-o", "pipe")
    assert (done.exit_code, done.stderr.strip()) == (130, "Error: interrupted; nothing was saved")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device of Linux")
@pytest.mark.parametrize(
    "command",
    [
        "--help",
        "neighbors good.vec king",
        *[pytest.param(command, marks=pytest.mark.slow) for command in SLOWER],
    ],
)
def test_a_full_standard_output_is_one_line(command):
    with open("/dev/full", "wb") as full:
        done = embedtrain(*command.split(), capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, f"Error: cannot write standard output: {FULL}\n")
