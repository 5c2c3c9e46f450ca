"""Runs that are cut short, and go on from their checkpoint as if nothing had been."""

import io
import itertools
import json
import math
import os
import re
import signal
from dataclasses import asdict, replace
from pathlib import Path

import generate
import numpy as np
import pytest
from commands import error_of, run
from programs import POSIX, embedtrain, start_embedtrain
from runs import SETTINGS, TOY, clear_stop, lines_of, some_vectors, train_small
from text_files import refused

from embedtrain import (
    DataError,
    Interrupted,
    OutputError,
    SettingError,
    TrainingError,
    WordVectors,
    train_glove,
    train_skipgram,
)  # fmt: skip
from embedtrain.corpus.sources import OPTIONS, Corpus
from embedtrain.machine.files import atomic_file
from embedtrain.models.skipgram import SkipGram
from embedtrain.models.word2vec_model import Word2vecModel
from embedtrain.training.checkpoint import Checkpoint, read_settings
from embedtrain.training.chunk_schedule import LARGEST_CHUNK, ChunkSchedule, plan_chunks

TEXT = list(generate.sentences(1500, 3))
N_CHUNKS = 6  # of an epoch


def train(corpus=TEXT, **settings):
    return train_small(corpus, **settings)


def outcome(vectors):
    """All that must not depend on whether the run was cut short."""
    report = vectors.report
    tables = vectors.vectors.tobytes(), vectors.context_vectors.tobytes()
    return *tables, list(vectors.words), report.losses, report.valid_losses, report.kept_share


def done(path):
    """The history in a checkpoint, less the time."""
    return {**asdict(Checkpoint.load(path).history), "seconds": None}


@pytest.fixture
def checkpoint(tmp_path):
    """The checkpoint of a run that was stopped after the first of two epochs."""
    path = tmp_path / "run.checkpoint"
    train(checkpoint=path, callback=lambda epoch: True)
    return clear_stop(path)


# --- Going on ---------------------------------------------------------------------------------------------------------


def variant(name, tmp_path):
    """Settings that a run needs whenever it starts, and those that it needs only the first time."""
    words = [word for sentence in TEXT for word in sentence]
    if name == "read_vocab":
        lines = [f"{word} {words.count(word) + 1}\n" for word in sorted(set(words))[::2]]
        (tmp_path / "vocab.txt").write_text("".join(lines))
    vectors = some_vectors(sorted(set(words))[::3])
    return {
        "usual": ({}, {}),
        "valid_share": ({"valid_share": 0.1}, {}),
        "valid": ({"valid": list(generate.sentences(400, 9))}, {}),
        "frozen": ({}, {"init": vectors, "freeze": True}),
        "frozen and held out": ({"valid_share": 0.1}, {"init": vectors, "freeze": True}),
        "max_vocab": ({"max_vocab": 50, "sample": 0}, {}),
        "read_vocab": ({"read_vocab": tmp_path / "vocab.txt", "valid_share": 0.1}, {}),
        "patience": ({"valid_share": 0.1, "patience": 1, "epochs": 3}, {}),
    }[name]


@pytest.mark.parametrize(
    "name",
    ["usual", "valid_share", "valid", "frozen", "frozen and held out", "max_vocab", "read_vocab", "patience"],
)
def test_a_run_that_goes_on_after_any_chunk_ends_in_the_same_bytes(kept, tmp_path, name, exhaustive):
    always, at_first = variant(name, tmp_path)
    whole = train(**always, **at_first, checkpoint="x", checkpoint_every=0)
    last, *others = reversed(kept)
    assert len(others) >= 3 * len(whole.report.losses), "one after every chunk"
    assert outcome(train(**always, **at_first)) == outcome(whole), "checkpoints change nothing"
    for path in [last, *others[:: 1 if exhaustive else 5]]:
        again = train(**always, resume=path, checkpoint="x", checkpoint_every=60)
        assert outcome(again) == outcome(whole), Checkpoint.load(path).history
        assert done(kept[-1]) == done(last)


@pytest.mark.parametrize("n", [1, 8, *(pytest.param(n, marks=pytest.mark.exhaustive) for n in range(2 * N_CHUNKS))])
def test_an_interrupt_writes_a_checkpoint_from_which_a_run_goes_on(interrupt_after, tmp_path, n):
    path = tmp_path / "run.checkpoint"
    interrupt_after(n)
    with pytest.raises(Interrupted) as interruption:
        train(checkpoint=path, checkpoint_every=math.inf)
    state = Checkpoint.load(path)
    assert state.tables["word_vectors"].tobytes() == interruption.value.vectors.vectors.tobytes()
    assert (state.history.losses, state.history.stopped) == (interruption.value.vectors.report.losses, False)
    interrupt_after(1000)
    assert outcome(train(resume=path)) == outcome(train())


def test_a_run_may_be_cut_short_again_and_again(interrupt_after, tmp_path):
    path = tmp_path / "run.checkpoint"
    cuts = 0
    while True:
        interrupt_after(2)
        try:
            vectors = train(checkpoint=path, resume=path if cuts else None)
        except Interrupted:
            cuts += 1
        else:
            break
    assert cuts >= 3
    interrupt_after(1000)
    assert outcome(vectors) == outcome(train())


def test_two_threads_train_on_every_chunk_once_though_cut_short(interrupt_after, monkeypatch, tmp_path):
    path, seen, make_worker = tmp_path / "run.checkpoint", [], Word2vecModel.worker

    def worker(model, thread, text=None):
        work = make_worker(model, thread, text)
        return lambda chunk: (seen.append(chunk), work(chunk))[1]

    whole = train(epochs=5)
    monkeypatch.setattr(Word2vecModel, "worker", worker)
    monkeypatch.setattr("embedtrain.training.run.Run.compile", lambda run: None)
    resume, n_tokens = None, sum(map(len, TEXT))
    while True:
        interrupt_after(5)
        try:
            vectors = train(epochs=5, threads=2, checkpoint=path, resume=resume)
        except Interrupted:
            resume = path
            history = Checkpoint.load(path).history
            begins = [chunk.begin for chunk in plan_chunks(n_tokens, 0, 1, 1, LARGEST_CHUNK)] + [n_tokens]
            assert history.passed == n_tokens * len(history.losses) + begins[history.chunks]
        else:
            break
    assert resume is not None
    assert sorted(seen) == [c for epoch in range(5) for c in plan_chunks(n_tokens, epoch, 5, 0.025, LARGEST_CHUNK)]
    assert vectors.report.kept_share == whole.report.kept_share
    assert vectors.report.losses == pytest.approx(whole.report.losses, rel=0.01)


def test_checkpoints_of_two_threads_are_taken_when_no_worker_is_at_work(kept):
    train(threads=2, checkpoint="x", checkpoint_every=0)
    n_tokens = sum(map(len, TEXT))
    begins = [chunk.begin for chunk in plan_chunks(n_tokens, 0, 1, 1, LARGEST_CHUNK)] + [n_tokens]
    assert len(kept) > 2
    for path in kept:
        history = Checkpoint.load(path).history
        assert history.passed == n_tokens * len(history.losses) + begins[history.chunks]
        again = train(threads=2, resume=path)
        assert again.report.losses == pytest.approx(train().report.losses, rel=0.01)


@pytest.mark.parametrize(
    ("settings", "stop", "n_epochs"),
    [({}, None, 2), ({"epochs": 5}, 2, 2), ({"epochs": 5, "valid_share": 0.1, "patience": 1}, None, 2)],
    ids=["done", "stopped", "patience"],
)
def test_a_run_that_has_ended_does_not_go_on(monkeypatch, tmp_path, settings, stop, n_epochs):
    path, losses = tmp_path / "run.checkpoint", iter([2.0, 3.0])
    monkeypatch.setattr("embedtrain.training.run.evaluate", lambda *_, **__: next(losses))
    ended = train(**settings, checkpoint=path, callback=lambda epoch: epoch.number == stop)
    before = done(path)
    reason = "stopped, by patience or a callback; it does not train further" if settings else "nothing is left to train"
    with pytest.warns(UserWarning, match=reason):
        again = train(**settings, resume=path, checkpoint=path, callback=lambda epoch: pytest.fail("it has ended"))
    assert outcome(again) == outcome(ended)
    assert len(again.report.losses) == n_epochs
    assert done(path) == before


@pytest.mark.parametrize("share", [0, 0.5, 0.7, 1], ids=str)
@pytest.mark.parametrize("train", [train_skipgram, train_glove])
def test_epochs_can_be_added_in_the_middle_of_a_run_and_at_its_end(kept, monkeypatch, train, share):
    chunks, plan = [], ChunkSchedule.tasks
    usual = {"dim": 8, "min_count": 1, "threads": 1, "progress": False}
    usual |= {} if train is train_glove else {"sample": 0}  # so much text that four epochs lower the loss
    train(TEXT, epochs=2, checkpoint="x", checkpoint_every=0, **usual)
    monkeypatch.setattr(ChunkSchedule, "tasks", lambda *args: chunks.append(plan(*args)) or chunks[-1])
    path = kept[int(share * (len(kept) - 1))]
    with pytest.warns(UserWarning, match="^epochs was 2 and is now 4; the learning rate continues as in a run of 4$"):
        again = train(TEXT, epochs=4, resume=path, checkpoint="y", **usual)
    assert len(again.report.losses) == again.settings["epochs"] == Checkpoint.load(kept[-1]).settings["epochs"] == 4
    whole = train(TEXT, epochs=4, **usual)
    if train is train_glove:  # its rate does not fall
        assert again.vectors.tobytes() == whole.vectors.tobytes()
    else:
        rates = [chunk.first_lr for epoch in chunks for chunk in epoch if chunk.epoch >= 2]
        assert rates[0] == 0.025 / 2
        assert again.report.losses[3] < again.report.losses[1]


@pytest.mark.parametrize("n_before", [1, 2, 3])
def test_patience_goes_on_where_it_was(monkeypatch, tmp_path, n_before):
    path, settings = tmp_path / "run.checkpoint", {"epochs": 9, "valid_share": 0.1, "patience": 2}
    losses = iter([2.0, 1.0, 3.0, 1.0, 0.5])
    monkeypatch.setattr("embedtrain.training.run.evaluate", lambda *_, **__: next(losses))

    def interrupt(epoch):
        if epoch.number > n_before:
            raise RuntimeError("a crash")

    with pytest.raises(RuntimeError, match="a crash"):
        train(**settings, checkpoint=path, checkpoint_every=0, callback=interrupt)
    state = Checkpoint.load(path)
    losses = iter([2.0, 1.0, 3.0, 1.0, 0.5][len(state.history.losses) :])
    assert train(**settings, resume=path).report.valid_losses == [2.0, 1.0, 3.0, 1.0]


def test_the_report_of_a_resumed_run_is_on_the_whole_run_and_callbacks_on_the_epochs_left(checkpoint):
    seen, whole = [], train().report
    again = train(
        resume=checkpoint, callback=lambda epoch: seen.append((epoch.number, epoch.epochs, epoch.loss))
    ).report
    for name in ("tokens", "types", "words", "covered"):
        assert getattr(again, name) == getattr(whole, name)
    assert again.seconds["train"] > Checkpoint.load(checkpoint).history.seconds
    assert again.speed > 0
    assert seen == [(2, 2, again.losses[1])]


def test_without_held_out_text_a_resumed_run_tells_of_no_held_out_loss(tmp_path):
    path, valid, seen = tmp_path / "run.checkpoint", list(generate.sentences(400, 9)), []
    train(epochs=2, valid=valid, checkpoint=path, callback=lambda epoch: True)
    again = train(epochs=2, resume=clear_stop(path), callback=lambda epoch: seen.append(epoch.valid_loss))
    assert seen == [None]
    assert len(again.report.valid_losses) == 1


# --- When, and how ----------------------------------------------------------------------------------------------------


def test_a_checkpoint_is_written_every_so_many_minutes(kept, monkeypatch):
    now = itertools.count()  # a second for each question
    monkeypatch.setattr("embedtrain.training.checkpoint.time.monotonic", lambda: next(now))
    train(epochs=10, checkpoint="x", checkpoint_every=0.2)
    assert 3 <= len(kept) <= 1 + 10 * (2 * N_CHUNKS) // 12


def test_without_a_checkpoint_none_is_written(kept):
    train(checkpoint_every=0)
    assert kept == []


def test_a_checkpoint_is_on_the_disk_before_the_old_one_goes(monkeypatch, tmp_path):
    seen = []

    def observed(path, *, durable=False):
        seen.append(durable)
        return atomic_file(path, durable=durable)

    monkeypatch.setattr("embedtrain.training.checkpoint.atomic_file", observed)
    train(checkpoint=tmp_path / "run.checkpoint", checkpoint_every=0)
    assert len(seen) == 2 * N_CHUNKS + 1
    assert all(seen)


def test_numpy_reads_a_checkpoint(tmp_path):
    path = tmp_path / "run.checkpoint"
    vectors = train(checkpoint=path)
    with np.load(path) as arrays:
        assert set(arrays) == {"about", "words", "counts", "frozen", "word_vectors", "context_vectors"}
        assert (arrays["word_vectors"] == vectors.vectors).all()
        assert (arrays["context_vectors"] == vectors.context_vectors).all()
        assert arrays["words"].tobytes().decode().split("\n") == list(vectors.words)
        assert (arrays["counts"] == vectors.counts).all()
        about = json.loads(arrays["about"].tobytes())
    assert about["settings"]["dim"] == 8
    assert about["history"]["losses"] == vectors.report.losses


def test_words_in_any_script_come_back(tmp_path):
    words = ["straße", "naïve", "日本", "\U0001f600", "e\u0301", "a\u200db"]
    train([words] * 9, checkpoint=tmp_path / "x", sample=0)
    assert sorted(Checkpoint.load(tmp_path / "x").words) == sorted(words)
    assert outcome(train([words] * 9, resume=tmp_path / "x", sample=0)) == outcome(train([words] * 9, sample=0))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_tables_that_are_not_finite_replace_no_checkpoint(checkpoint, monkeypatch, value):
    before, train_chunk = checkpoint.read_bytes(), Word2vecModel.worker

    def worker(model, thread, text=None):
        work = train_chunk(model, thread, text)

        def break_down(chunk):
            result = work(chunk)
            model.contexts.rows[-1, -1] = value
            return result._replace(loss=result.pairs * 4.0)

        return break_down

    monkeypatch.setattr(Word2vecModel, "worker", worker)
    with pytest.raises(TrainingError, match=r"not finite; try lr=0\.0125"):
        train(resume=checkpoint, checkpoint=checkpoint, checkpoint_every=0)
    assert checkpoint.read_bytes() == before


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        ({"dim": 9}, ["dim is 8 in the checkpoint and 9 here"]),
        ({"lr": 0.05}, ["lr is 0.025 in the checkpoint and 0.05 here"]),
        ({"max_vocab": 30}, ["max_vocab is None in the checkpoint and 30 here"]),
        ({"window_mode": "fixed"}, ["window_mode is dynamic in the checkpoint and fixed here"]),
        ({"epochs": 1, "seed": 2, "valid_share": 0.1}, ["epochs is 2", "seed is 1", "valid_share is 0.0"]),
        ({"epochs": 3, "seed": 2}, ["seed is 1"]),
    ],
    ids=str,
)
def test_other_settings_are_refused_and_all_named(checkpoint, change, messages):
    with pytest.raises(SettingError, match=r"cannot resume with other settings: .*; leave them out") as error:
        train(resume=checkpoint, **change)
    assert all(message in str(error.value) for message in messages)
    assert str(error.value).count(" in the checkpoint and ") == len(messages)


@pytest.mark.parametrize(
    ("corpus", "change", "message"),
    [
        (TEXT[:-1], {}, r"this one has .*1,4\d\d tokens, not 1,5\d\d"),
        ([*TEXT[:-2], TEXT[-2] + TEXT[-1]], {}, r"\d+ sentences, not \d+"),
        ([["other" if word == "the" else word for word in words] for words in TEXT], {}, "other words or counts|types"),
        ([[*TEXT[0][:-1], TEXT[1][0]], *TEXT[1:]], {}, "other words or counts|types"),
        ([*TEXT[1:], TEXT[0]], {}, "this one has another order"),
        (TEXT, {"read_vocab": "vocab.txt"}, "cannot resume on another text than the checkpoint's"),
    ],
    ids=["tokens", "sentences", "word", "counts", "order", "vocabulary"],
)
def test_another_text_is_refused(checkpoint, monkeypatch, corpus, change, message):
    monkeypatch.chdir(checkpoint.parent)
    Path("vocab.txt").write_text("".join(f"{word} 9\n" for word in set(itertools.chain(*TEXT))))
    before = checkpoint.read_bytes()
    with pytest.raises(DataError, match=message):
        train(corpus, resume=checkpoint, checkpoint=checkpoint, **change)
    assert checkpoint.read_bytes() == before


def with_about(path, change):
    """Rewrite what a checkpoint says about itself."""
    with np.load(path) as arrays:
        contents = dict(arrays)
    about = json.loads(contents["about"].tobytes())
    change(about)
    contents["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
    with open(path, "wb") as file:
        np.savez(file, **contents)


def test_a_checkpoint_of_another_version_is_refused_by_name(checkpoint):
    with_about(checkpoint, lambda about: about.update(format=2, embedtrain="9.8"))
    with pytest.raises(DataError, match=r"it has the format 2 of embedtrain 9\.8, this is .* and reads the format 1$"):
        train(resume=checkpoint)


@pytest.mark.parametrize(
    "change",
    [
        lambda about: about.pop("format"),
        lambda about: about.pop("settings"),
        lambda about: about["history"].update(unknown=1),
        lambda about: about.update(history=[]),
        lambda about: about.update(tables="word_vectors"),
    ],
)
def test_a_checkpoint_that_says_other_things_is_refused(checkpoint, change):
    with_about(checkpoint, change)
    with pytest.raises(DataError, match="it is damaged or not a checkpoint"):
        train(resume=checkpoint)


def test_vectors_are_not_a_checkpoint(tmp_path):
    train(epochs=1).save(tmp_path / "x.npz")
    with pytest.raises(DataError, match=r"x\.npz: it is damaged or not a checkpoint$"):
        train(resume=tmp_path / "x.npz")


def test_a_table_of_the_other_byte_order_is_read(checkpoint):
    with np.load(checkpoint) as arrays:
        contents = dict(arrays)
    whole = train(resume=checkpoint)
    contents["word_vectors"] = contents["word_vectors"].astype(">f4")
    with open(checkpoint, "wb") as file:
        np.savez(file, **contents)
    assert outcome(train(resume=checkpoint)) == outcome(whole)


def npz(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


STRANGE = {
    "text": b"the quick brown fox\njumps over the lazy dog\n",
    "empty": b"",
    "npz": npz(about=np.arange(12)),
    "npy": b"\x93NUMPY" + npz(x=np.arange(12)).split(b"\x93NUMPY")[1],
    "pickle": npz(about=np.array([{}], object)),
}


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("missing", "cannot read .*run.checkpoint: no such file"),
        ("folder", "cannot read .*run.checkpoint: "),
        *[(kind, "damaged or not a checkpoint") for kind in STRANGE],
    ],
)
def test_what_is_no_checkpoint_is_refused_and_nothing_written(checkpoint, monkeypatch, kind, message):
    checkpoint.unlink()
    if kind == "folder":
        checkpoint.mkdir()
    elif kind != "missing":
        checkpoint.write_bytes(STRANGE[kind])
    folder = checkpoint.parent
    monkeypatch.chdir(folder)
    Path("text.txt").write_text("a b\nb a\n")
    Path("x.vec").write_text("mine")
    before = {path: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    with pytest.raises(DataError, match=message):
        train(resume=checkpoint)
    line = error_of(run("skipgram", "text.txt", "-o", "x.vec", "--resume", checkpoint), 1)
    assert re.search(message, line)
    assert {path: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


@pytest.fixture
def tiny(tmp_path):
    """A checkpoint of few bytes."""
    path = tmp_path / "tiny.checkpoint"
    train([["a", "bc", "def", "a"]] * 5, dim=2, epochs=1, sample=0, checkpoint=path)
    return path


def test_a_checkpoint_that_was_cut_is_refused(tiny):
    whole = tiny.read_bytes()
    for length in {*range(0, len(whole), 11), *range(len(whole) - 30, len(whole))}:
        tiny.write_bytes(whole[:length])
        with refused("(cannot resume from|cannot read)"):
            Checkpoint.load(tiny)


def test_a_changed_byte_anywhere_is_refused_or_changes_nothing(tiny, exhaustive):
    whole, right = tiny.read_bytes(), Checkpoint.load(tiny)
    harmless, places = 0, range(0, len(whole), 1 if exhaustive else 7)
    for place in places:
        changed = bytearray(whole)
        changed[place] ^= 1 + place % 255
        tiny.write_bytes(changed)
        try:
            found = Checkpoint.load(tiny)
            found.check_settings(right.settings, {})
            found.check_data(right.text, right.words, right.counts)
        except DataError:
            continue
        harmless += 1
        assert asdict(found.history) == asdict(right.history)
        assert found.tables["word_vectors"].tobytes() == right.tables["word_vectors"].tobytes()
        assert found.tables["context_vectors"].tobytes() == right.tables["context_vectors"].tobytes()
        assert found.frozen.tobytes() == right.frozen.tobytes()
    assert harmless < len(places) / 4, "dates, permissions and the like"


@pytest.mark.parametrize(
    ("old", "new"), [(b"(3, 2)", b"(3, 1)"), (b"(3, 2)", b"(3, 0)"), (b"'<f4'", b"'<f2'"), (b"(3,)", b"(2,)")]
)
def test_arrays_that_claim_to_be_smaller_are_refused(tiny, old, new):
    """NumPy would read only their beginning, and never come to the checksum."""
    whole = tiny.read_bytes()
    assert old in whole
    for place in [place for place in range(len(whole)) if whole.startswith(old, place)]:
        tiny.write_bytes(whole[:place] + new + whole[place + len(old) :])
        with pytest.raises(DataError, match="damaged or not a checkpoint"):
            Checkpoint.load(tiny)


@pytest.mark.parametrize(
    ("place", "message"), [(".", "it is a folder; name a file in it"), ("missing/x", "there is no folder .*missing")]
)
def test_a_place_where_no_checkpoint_could_be_is_refused_before_training(tmp_path, place, message):
    with pytest.raises(DataError, match=message):
        train(iter(()), checkpoint=tmp_path / place)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fails_leaves_the_checkpoint_as_it_was(checkpoint, monkeypatch):
    def fail(file, arrays):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    before = checkpoint.read_bytes()
    monkeypatch.setattr("embedtrain.training.checkpoint.write_arrays", fail)
    with refused(r"cannot write .*run\.checkpoint: No space left on device"):
        train(resume=checkpoint, checkpoint=checkpoint, checkpoint_every=0)
    assert checkpoint.read_bytes() == before
    assert list(checkpoint.parent.iterdir()) == [checkpoint]


# --- The command ------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(checkpoint, monkeypatch):
    """The current folder, with the text of the checkpoint."""
    monkeypatch.chdir(checkpoint.parent)
    Path("text.txt").write_text(lines_of(TEXT))
    return checkpoint.parent


def test_resume_alone_takes_the_settings_and_keeps_the_checkpoint_up(folder):
    strange = ["--dim", "7", "--window", "3", "--window-mode", "fixed", "--negative", "4", "--noise-exponent", "0.6",
               "--sample", "0.01", "--lr", "0.03", "--seed", "5", "--valid-share", "0.1", "--max-vocab", "90",
               "--min-count", "2", "--epochs", "3"]  # fmt: skip
    whole = run("skipgram", "text.txt", "-o", "whole.vec", *strange, "--threads", "1", "--checkpoint", "x")
    assert whole.exit_code == 0, whole.output
    settings = {name: value for name, value in Checkpoint.load("x").settings.items() if name != "model"}
    train("text.txt", **settings, checkpoint="x", callback=lambda epoch: True)
    assert len(Checkpoint.load(clear_stop("x")).history.losses) == 1
    again = run("skipgram", "text.txt", "-o", "again.vec", "--threads", "1", "--resume", "x")
    assert again.exit_code == 0, again.output
    assert Path("again.vec").read_bytes() == Path("whole.vec").read_bytes()
    assert len(Checkpoint.load("x").history.losses) == 3


def test_the_command_adds_epochs(folder, checkpoint):
    again = run("skipgram", "text.txt", "-o", "x.vec", "--epochs", "4", "--resume", checkpoint)
    assert again.exit_code == 0, again.output
    assert "--epochs was 2 and is now 4" in again.stderr
    assert len(Checkpoint.load(checkpoint).history.losses) == 4
    line = error_of(run("skipgram", "text.txt", "-o", "x.vec", "--epochs", "3", "--resume", checkpoint), 2)
    assert "epochs is 4 in the checkpoint and 3 here" in line


def test_settings_may_be_repeated_and_another_checkpoint_kept_up(folder, checkpoint):
    before = checkpoint.read_bytes()
    again = run("skipgram", "text.txt", "-o", "x.vec", *SETTINGS, "--resume", checkpoint, "--checkpoint", "new")
    assert again.exit_code == 0, again.output
    assert checkpoint.read_bytes() == before
    assert len(Checkpoint.load("new").history.losses) == 2
    assert WordVectors.load("x.vec").vectors.tobytes() == train().vectors.tobytes()


def test_other_settings_on_the_command_line_are_refused_and_all_named(folder, checkpoint):
    before = checkpoint.read_bytes()
    line = error_of(run("skipgram", "text.txt", "--dim", "9", "--window", "3", "--resume", checkpoint), 2)
    assert "--dim is 8 in the checkpoint and 9 here, --window is 5 in the checkpoint and 3 here" in line
    assert checkpoint.read_bytes() == before
    assert not Path("text.vec").exists()


def test_a_setting_newer_than_the_checkpoint_had_its_default_there(checkpoint):
    saved = Checkpoint.load(checkpoint)
    older = replace(saved, settings={name: value for name, value in saved.settings.items() if name != "window_mode"})
    defaults = SkipGram().kept("result")
    older.check_settings(saved.settings, defaults)
    with pytest.raises(SettingError, match="window_mode is dynamic in the checkpoint and fixed here"):
        older.check_settings({**saved.settings, "window_mode": "fixed"}, defaults)


@pytest.mark.parametrize("option", ["--checkpoint", "--log", "--save-vocab"])
@pytest.mark.parametrize(("place", "what"), [("./text.txt", "the corpus"), ("./x.vec", "the file of -o")])
def test_an_output_that_would_replace_another_file_of_the_run_is_refused(folder, option, place, what):
    before = Path("text.txt").read_bytes()
    line = error_of(run("skipgram", "text.txt", "-o", "x.vec", *SETTINGS, option, place), 2)
    assert line == f"Error: {option} {place} would replace {what}; name another file"
    assert Path("text.txt").read_bytes() == before
    assert not Path("x.vec").exists()


def test_a_device_takes_many_outputs(folder):
    done = run("skipgram", "text.txt", *SETTINGS, "-o", os.devnull, "--log", os.devnull)
    assert done.exit_code == 0, done.output


def test_an_interrupt_before_the_first_checkpoint_promises_none(folder, monkeypatch):
    def interrupt(self, path, *tables):
        raise KeyboardInterrupt  # a second Ctrl-C, which waits for nothing

    monkeypatch.setattr(Checkpoint, "save", interrupt)
    result = run("skipgram", "text.txt", "-o", "x.vec", *SETTINGS, "--checkpoint", "new", "--quiet")
    assert result.exit_code == 130
    assert "holds what was trained so far" in result.stderr
    assert "--resume" not in result.stderr


@pytest.mark.parametrize("option", ["--valid", "--read-vocab", "--init", "--resume"])
@pytest.mark.parametrize("output", ["-o", "--log", "--checkpoint", "--save-vocab"])
def test_no_output_replaces_an_input(folder, checkpoint, option, output):
    files = {"--valid": "held.txt", "--read-vocab": "known.txt", "--init": "init.vec", "--resume": "old.npz"}
    Path("held.txt").write_text("the of\n")
    Path("known.txt").write_text("the 9\nof 5\n")
    Path("init.vec").write_text("1 8\nthe 1 1 1 1 1 1 1 1\n")
    Path("old.npz").write_bytes(checkpoint.read_bytes())
    before = Path(files[option]).read_bytes()
    extra = [] if output == "--checkpoint" else ["--checkpoint", "other.ckpt"]
    if (option, output) == ("--resume", "--checkpoint"):
        return  # is kept up to date
    line = error_of(run("skipgram", "text.txt", *SETTINGS, option, files[option], output, files[option], *extra), 2)
    assert line == f"Error: {output} {files[option]} would replace the file of {option}; name another file"
    assert Path(files[option]).read_bytes() == before


def test_resume_alone_reads_the_text_in_the_same_way_with_as_many_threads(folder):
    how = ["--lowercase", "--threads", "1", "--min-count", "1", "--dim", "8", "--epochs", "1"]
    how += ["--checkpoint", "c", "--checkpoint-every", "7"]
    assert run("skipgram", "text.txt", "-o", "x.vec", *how).exit_code == 0
    first = Path("x.vec").read_bytes()
    again = run("skipgram", "text.txt", "-o", "y.vec", "--resume", "c")
    assert again.exit_code == 0, again.stderr
    assert "on 1 thread," in again.stderr
    assert Path("y.vec").read_bytes() == first
    assert read_settings("c")["checkpoint_every"] == 7
    assert {name: read_settings("c")[name] for name in OPTIONS} == Corpus("text.txt", lowercase=True).options


def test_other_held_out_text_is_refused(tmp_path):
    train(valid=TEXT[:20], checkpoint=tmp_path / "c", epochs=1)
    with pytest.raises(DataError, match="held-out tokens, not"):
        train(valid=TEXT[:30], resume=tmp_path / "c", epochs=1)


def test_a_checkpoint_is_the_same_file_by_any_name(folder):
    assert run("skipgram", "text.txt", "-o", "x.vec", *SETTINGS, "--checkpoint", "c").exit_code == 0
    again = run("skipgram", "text.txt", "-o", "y.vec", "--resume", "c", "--checkpoint", "./c", "--quiet")
    assert (again.exit_code, again.stderr) == (0, "")


def test_held_out_text_that_was_named_is_found_from_another_folder(folder, monkeypatch):
    Path("held.txt").write_text("the of the in\n" * 9)
    text = os.path.abspath("text.txt")
    how = [*SETTINGS, "--valid", "held.txt", "--checkpoint", "c"]
    assert run("skipgram", text, "-o", "x.vec", *how).exit_code == 0
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    again = run("skipgram", text, "-o", "y.vec", "--resume", "../c", "--quiet")
    assert (again.exit_code, again.stderr) == (0, "")


def test_an_output_that_cannot_be_written_costs_no_vectors(folder, monkeypatch):
    def full(self, path, *tables):
        raise DataError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr(Checkpoint, "save", full)
    with pytest.raises(OutputError, match="No space left") as ended:
        train(checkpoint="c")
    assert np.abs(ended.value.vectors.context_vectors).max() > 0
    result = run("skipgram", "text.txt", "-o", "x.vec", *SETTINGS, "--checkpoint", "c", "--quiet")
    line = "Error: cannot write c: No space left on device; x.vec holds what was trained so far\n"
    assert (result.exit_code, result.stderr) == (1, line)
    assert len(WordVectors.load("x.vec")) > 10


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_what_a_callback_raises_costs_no_checkpoint(tmp_path, error):
    def fail(epoch):
        raise error

    with pytest.raises(error):
        train(checkpoint=tmp_path / "c", callback=fail)
    assert len(Checkpoint.load(tmp_path / "c").history.losses) == 1


def test_an_interrupt_while_saving_waits_until_all_is_saved(folder, monkeypatch):
    def save(self, path, **options):
        os.kill(os.getpid(), signal.SIGINT)
        Path(path).write_text("saved")

    monkeypatch.setattr(WordVectors, "save", save)
    result = run("skipgram", "text.txt", "-o", "x.vec", *SETTINGS, "--quiet")
    assert (result.exit_code, result.stderr) == (130, "Error: interrupted; x.vec holds the result\n")
    assert Path("x.vec").read_text() == "saved"


def command(*args):
    return ["skipgram", *args, "--threads", "1", "--quiet"]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The vectors file of a run of some seconds."""
    path = tmp_path_factory.mktemp("whole") / "toy.vec"
    train_skipgram(TOY, dim=8, epochs=20, threads=1, progress=False).save(path)
    return path.read_bytes()


@POSIX
@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)],
    ids=lambda number: number.name,
)
def test_a_signal_leaves_a_checkpoint_that_ends_in_the_same_bytes(tmp_path, uninterrupted, number):
    output, path = tmp_path / "toy.vec", tmp_path / "toy.checkpoint"
    settings = ["--dim", "8", "--epochs", "20", "--checkpoint", path, "--checkpoint-every", "0.001"]
    process = start_embedtrain(*command(TOY, "-o", output, *settings), until=path.exists)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert errors.splitlines() == [
        f"Error: interrupted; {output} holds what was trained so far; go on with --resume {path}"
    ]
    state = Checkpoint.load(path)
    assert len(state.history.losses) < 20
    assert WordVectors.load(output).vectors.tobytes() == state.tables["word_vectors"].tobytes()
    assert sorted(tmp_path.iterdir()) == [path, output]
    embedtrain(*command(TOY, "-o", output, "--resume", path), check=True)
    assert output.read_bytes() == uninterrupted
    assert sorted(tmp_path.iterdir()) == [path, output]


@POSIX
def test_a_checkpoint_too_large_for_the_disk_is_one_line_and_leaves_the_old_one(folder, checkpoint):
    import resource

    before, size = checkpoint.read_bytes(), checkpoint.stat().st_size
    ended = embedtrain(
        *command("text.txt", "-o", "x.vec", "--resume", checkpoint),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size // 2, size // 2)),
        env={**os.environ, "NUMBA_DISABLE_PERFORMANCE_WARNINGS": "1"},
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        f"Error: cannot write {checkpoint}: File too large; cannot write x.vec: File too large"
    ]
    assert checkpoint.read_bytes() == before
    assert {path.name for path in folder.iterdir()} == {checkpoint.name, "text.txt"}


def test_a_disk_that_fills_up_is_one_line_and_leaves_the_checkpoint_before(folder, small_disk):
    disk, leave = small_disk
    leave(100_000)
    path = disk / "run.checkpoint"
    ended = embedtrain(
        *command("text.txt", "-o", "x.vec", "--dim", "16", "--min-count", "1", "--sample", "0",
                "--checkpoint", path, "--checkpoint-every", "0"),
    )  # fmt: skip
    line = f"Error: cannot write {path}: No space left on device; x.vec holds what was trained so far\n"
    assert (ended.returncode, ended.stderr) == (1, line)
    assert list(disk.iterdir()) == [path]
    assert Checkpoint.load(path).history.chunks == 1, "the first had room, the second had not beside it"
    assert len(WordVectors.load("x.vec")) > 100, "what was trained is saved where there is room"
