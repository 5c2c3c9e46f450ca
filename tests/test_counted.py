"""Runs over counts that are cut short, killed, interrupted or out of disk, and go on as if nothing had been."""

import itertools
import json
import re
import signal
from dataclasses import replace
from pathlib import Path

import generate
import numpy as np
import pytest
from commands import run
from programs import POSIX, embedtrain, start_embedtrain
from runs import TOY, clear_stop, files_in, some_vectors
from scipy import sparse
from text_files import refused

from embedtrain import DataError, Interrupted, SettingError, WordVectors, plan_glove, train_glove, train_skipgram
from embedtrain.counts import tiles as tiling
from embedtrain.counts.tiles import TILE_CELL_BYTES
from embedtrain.models.cooccurrence import cooccurrence_counts
from embedtrain.models.glove_model import GloveModel
from embedtrain.training.checkpoint import Checkpoint

TEXT = list(generate.sentences(1500, 3))
STATE = ["word_vectors", "context_vectors", "word_biases", "context_biases", "word_sums", "context_sums"]


@pytest.fixture(autouse=True)
def _few_tiles(monkeypatch):
    """So many tiles that there is something to cut short, and so few that every place is tried."""
    monkeypatch.setattr(tiling, "_ROWS", 200)
    monkeypatch.setattr(tiling, "_most_cells", lambda n_cells: n_cells // 4)


@pytest.fixture(scope="module")
def counts():
    """Counts of the text."""
    return cooccurrence_counts(TEXT, min_count=1, progress=False)


def train(corpus=TEXT, words=None, **settings):
    usual = {"dim": 8, "epochs": 2, "threads": 1, "progress": False}
    usual |= {"min_count": 1} if isinstance(corpus, (list, str)) else {}
    return train_glove(corpus, words=words, **{**usual, **settings})


def outcome(vectors):
    """All that must not depend on whether the run was cut short."""
    report = vectors.report
    tables = vectors.vectors.tobytes(), vectors.context_vectors.tobytes()
    return *tables, list(vectors.words), report.losses, report.cells


def same(one, other):
    """Whether two runs ended in the same; losses of several threads are summed in any order."""
    *tables, losses, cells = outcome(one)
    *other_tables, other_losses, other_cells = outcome(other)
    return tables == other_tables and losses == pytest.approx(other_losses, rel=1e-12) and cells == other_cells


@pytest.fixture
def checkpoint(tmp_path, counts):
    """The checkpoint of a run that was stopped after the first of two epochs."""
    path = tmp_path / "run.checkpoint"
    train(counts, checkpoint=path, callback=lambda epoch: True)
    return clear_stop(path, STATE)


# --- Going on ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("form", "before"), [("text", 2), ("counts", 1), ("counts", 2), ("frozen", 2)])
def test_a_run_that_goes_on_after_any_tile_ends_in_the_same_bytes(kept, counts, form, before, exhaustive):
    corpus = TEXT if form == "text" else counts
    always = {"vectors": "word"} if form == "frozen" else {}
    at_first = {"init": some_vectors(counts.words[::3]), "freeze": True} if form == "frozen" else {}
    whole = train(corpus, **always, **at_first, threads=before, checkpoint="x", checkpoint_every=0)
    assert same(train(corpus, **always, **at_first), whole), "checkpoints change nothing"
    paths = list(kept)
    histories = [Checkpoint.load(path).history for path in paths]
    assert len({history.chunks for history in histories}) >= 8, "in the middle of an epoch"
    assert {len(history.losses) for history in histories} == {0, 1, 2}
    for number in range(0, len(paths), 1 if exhaustive else 5):
        again = train(corpus, **always, resume=paths[number], threads=1 + number % 2)
        assert same(again, whole), histories[number]


def test_memory_may_differ_when_a_run_goes_on(tmp_path, little_memory, kept, temporary_files):
    whole = train(max_vocab=100, checkpoint="x", checkpoint_every=0)
    small = {"memory": little_memory(100), "temp_folder": tmp_path}
    for path in list(kept)[3:5]:
        temporary_files.clear()
        assert same(train(max_vocab=100, resume=path, **small), whole)
        assert len(temporary_files) >= 6, "shards, rows and tiles were in files"
    assert {name for name in files_in(tmp_path) if not name.endswith(".checkpoint")} == set()


@pytest.mark.parametrize("n", [0, 1, 2, 5, 11, 12, 13, 20])
@pytest.mark.parametrize("threads", [1, 2])
def test_an_interrupt_writes_a_checkpoint_from_which_a_run_goes_on(interrupt_after, tmp_path, counts, n, threads):
    path = tmp_path / "run.checkpoint"
    interrupt_after(n)
    with pytest.raises(Interrupted) as interruption:
        train(counts, threads=threads, vectors="word", checkpoint=path, temp_folder=tmp_path)
    state = Checkpoint.load(path)
    vectors = interruption.value.vectors
    assert state.tables["word_vectors"].tobytes() == vectors.vectors.tobytes()
    assert state.tables["context_vectors"].tobytes() == vectors.context_vectors.tobytes()
    assert (state.history.losses, state.history.stopped) == (vectors.report.losses, False)
    assert files_in(tmp_path) == {"run.checkpoint"}
    interrupt_after(1000)
    assert same(train(counts, vectors="word", resume=path, threads=3 - threads), train(counts, vectors="word"))


def test_every_tile_is_trained_on_once_though_the_run_is_cut_short_again_and_again(
    interrupt_after, monkeypatch, tmp_path, counts
):
    path, seen, make_worker = tmp_path / "run.checkpoint", [], GloveModel.worker

    def worker(model, thread, text=None):
        work = make_worker(model, thread, text)
        return lambda tile: (seen.append(tile), work(tile))[1]

    whole = train(counts, epochs=3)
    monkeypatch.setattr(GloveModel, "worker", worker)
    monkeypatch.setattr("embedtrain.training.run.Run.compile", lambda run: None)
    cuts = 0
    while True:
        interrupt_after(5)
        try:
            vectors = train(counts, epochs=3, threads=2, checkpoint=path, resume=path if cuts else None)
        except Interrupted:
            cuts += 1
        else:
            break
    assert cuts >= 3
    assert same(vectors, whole)
    tiles = sorted(set(seen))
    assert sorted(seen) == sorted(tiles * 3)


def test_a_checkpoint_holds_all_that_training_changes(tmp_path, counts):
    vectors = train(counts, checkpoint=tmp_path / "x")
    n = len(counts)
    with np.load(tmp_path / "x") as arrays:
        assert set(arrays) == {"about", "words", "counts", "frozen", *STATE}
        assert [arrays[name].shape for name in STATE] == [(n, 8), (n, 8), (n,), (n,), (n, 10), (n, 10)]
        assert (arrays["word_vectors"] + arrays["context_vectors"] == vectors.vectors).all()
        assert (arrays["counts"] == counts.counts).all()
        about = json.loads(arrays["about"].tobytes())
    assert about["settings"]["model"] == "glove"
    assert about["text"]["cells"] == counts.matrix.nnz


# --- What does not fit a checkpoint -----------------------------------------------------------------------------------


def test_other_settings_are_refused_and_all_named(checkpoint, counts):
    before = checkpoint.read_bytes()
    change = {"x_max": (10.0, 5.0), "alpha": (0.75, 0.5), "lr": (0.05, 0.1), "vectors": ("sum", "word"), "dim": (8, 9)}
    with refused("^cannot resume with other settings: .*; leave them out$", SettingError) as raised:
        train(counts, resume=checkpoint, **{name: value for name, (_, value) in change.items()})
    for name, (there, here) in change.items():
        assert f"{name} is {there} in the checkpoint and {here} here" in str(raised.value)
    assert checkpoint.read_bytes() == before


def changed(matrix, cell, factor):
    data = matrix.data.copy()
    data[cell] *= factor
    return sparse.csr_array((data, matrix.indices, matrix.indptr), shape=matrix.shape)


@pytest.mark.parametrize("change", ["value", "cell", "words", "occurrences"])
def test_other_counts_are_refused_in_a_line(checkpoint, counts, change):
    words, occurrences, matrix = list(counts.words), counts.counts, counts.matrix
    if change == "value":
        matrix = changed(matrix, 1, 2)
    elif change == "cell":
        matrix = sparse.csr_array(changed(matrix, 1, 0).toarray())
    elif change == "words":
        words[3:5] = words[4:2:-1]
    else:
        occurrences = occurrences + 1
    other = replace(counts, matrix=matrix, words=words, counts=occurrences)
    with refused("^cannot resume on another matrix of counts than the checkpoint's"):
        train(other, resume=checkpoint)


def test_another_text_and_another_way_of_counting_are_refused(tmp_path):
    train(checkpoint=tmp_path / "x")
    with pytest.raises(DataError, match=r"^cannot resume on another matrix of counts"):
        train(list(generate.sentences(1500, 4)), resume=tmp_path / "x")
    with pytest.raises(SettingError, match="window is 10 in the checkpoint and 4 here"):
        train(window=4, resume=tmp_path / "x")


def test_a_checkpoint_of_another_model_is_refused(tmp_path, checkpoint):
    settings = {"dim": 8, "epochs": 2, "min_count": 1, "threads": 1, "progress": False}
    train_skipgram(TEXT, **settings, checkpoint=tmp_path / "skipgram")
    for model, other, path in [(train_glove, "skipgram", tmp_path / "skipgram"), (train_skipgram, "glove", checkpoint)]:
        here = "glove" if other == "skipgram" else "skipgram"
        with refused(f"^cannot resume: the checkpoint is of {other}, and this is {here}$", SettingError):
            model(TEXT, **settings, resume=path)


# --- Signals ----------------------------------------------------------------------------------------------------------


def started(path, *args):
    """A run that has written a new checkpoint."""
    before = path.stat().st_mtime_ns if path.exists() else 0
    return start_embedtrain(
        "glove", *args, "--quiet", until=lambda: path.exists() and path.stat().st_mtime_ns != before
    )


@pytest.mark.slow
@POSIX
def test_an_interrupted_and_then_killed_run_ends_in_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.undo()  # tiles as they are in the other process
    source, output, path = tmp_path / "toy.npz", tmp_path / "toy.vec", tmp_path / "toy.checkpoint"
    counts = cooccurrence_counts(TOY, progress=False)
    counts.save(source)
    settings = ["--dim", 30, "--epochs", 100, "--checkpoint-every", "0.0005", "--memory", "1M"]  # tiles in a file
    usual = [source, "-o", output]

    process = started(path, *usual, *settings, "--checkpoint", path, "--threads", 2)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    message = f"Error: interrupted; {output} holds what was trained so far; go on with --resume {path}\n"
    assert (process.returncode, errors) == (130, message)
    assert len(WordVectors.load(output)) == len(counts)
    assert sorted(tmp_path.iterdir()) == [path, source, output]
    interrupted_after = Checkpoint.load(path).history.passed

    output.unlink()
    process = started(path, *usual, "--resume", path, "--checkpoint-every", "0.0005", "--memory", "1M", "--threads", 1)
    process.kill()
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert not output.exists()
    assert 0 < interrupted_after < Checkpoint.load(path).history.passed < 100 * counts.matrix.nnz

    embedtrain("glove", *usual, "--resume", path, "--quiet", check=True)
    assert sorted(tmp_path.iterdir()) == [path, source, output], "what the killed run left is gone"
    train_glove(counts, dim=30, epochs=100, progress=False).save(tmp_path / "whole.vec")
    assert output.read_bytes() == (tmp_path / "whole.vec").read_bytes()


# --- Full disks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2])
def test_a_disk_too_small_for_the_tiles_is_said_in_a_line(tmp_path, small_disk, monkeypatch, counts, threads):
    folder, leave = small_disk
    monkeypatch.setattr("embedtrain.machine.memory._LEAST", 1)
    n_bytes = TILE_CELL_BYTES * counts.matrix.nnz
    small = {"memory": 1000, "temp_folder": folder, "threads": threads}
    assert plan_glove(counts, **small).disk == n_bytes
    for share in (0.2, 0.9):
        leave(4096 * int(share * n_bytes / 4096))
        with pytest.raises(DataError, match=rf"^cannot write temporary files in {folder}: No space left on device$"):
            train(counts, **small)
        assert not list(folder.iterdir())
    leave(n_bytes + 3 * 4096)
    assert same(train(counts, **small), train(counts))
    assert not list(folder.iterdir())


def test_a_disk_too_small_for_shards_or_counts_is_said_in_a_line(small_disk, little_memory):
    folder, leave = small_disk
    whole, messages = train(max_vocab=100), []
    for room in itertools.count(0, 4096):
        leave(room)
        try:
            found = train(max_vocab=100, memory=little_memory(100), temp_folder=folder)
            break
        except DataError as error:
            messages.append(str(error))
    assert not list(folder.iterdir())
    assert len(messages) > 5
    wanted = rf"cannot write (temporary files in )?{folder}(/\S+)?: No space left on device"
    assert all(re.fullmatch(wanted, message) for message in messages), messages
    assert same(found, whole)


# --- The command ------------------------------------------------------------------------------------------------------


def test_the_command_logs_cells_and_goes_on(tmp_path, monkeypatch, counts):
    monkeypatch.chdir(tmp_path)
    counts.save("counts.npz")
    train(counts, epochs=3, checkpoint="x", callback=lambda epoch: epoch.number == 2)
    options = ["-o", "x.vec", "--resume", clear_stop("x", STATE), "--log", "log", "--quiet"]
    done = run("glove", "counts.npz", *options)
    assert (done.exit_code, done.output) == (0, "")
    (record,) = [json.loads(line) for line in Path("log").read_text().splitlines()]
    whole = train(counts, epochs=3)
    assert (record["number"], record["unit"], record["lr"], record["valid_loss"]) == (3, "cells", 0.05, None)
    assert record["loss"] == pytest.approx(whole.report.losses[2], rel=1e-12)
    assert Checkpoint.load("x").history.passed == 3 * counts.matrix.nnz
    assert WordVectors.load("x.vec").vectors.tobytes() == whole.vectors.tobytes()
