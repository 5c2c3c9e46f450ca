"""The log of a run: a line of JSON for each epoch, each once, whatever happened to the run."""

import json
import math
from pathlib import Path

import generate
import pytest
from commands import error_of, run
from runs import SETTINGS, clear_stop, lines_of, train_small

from embedtrain import DataError
from embedtrain.training.epoch_log import EpochLog
from embedtrain.training.reports import Epoch
from embedtrain.training.run import Run

FIELDS = ["number", "epochs", "loss", "valid_loss", "lr", "speed", "unit"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The current folder, with a text."""
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(lines_of(generate.sentences(1500, 3)))
    return tmp_path


def train(**settings):
    return train_small("text.txt", **{"epochs": 4, "valid_share": 0.1, **settings})


def run_skipgram(*args):
    return run("skipgram", "text.txt", "-o", "x.vec", "--quiet", *args)


def records(path="log"):
    text = Path(path).read_text()
    assert text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def numbers(path="log"):
    return [record["number"] for record in records(path)]


def epoch(number, **values):
    usual = {"epochs": 9, "loss": 2.5, "valid_loss": None, "lr": 0.01, "speed": 1e6, "unit": "words", "vectors": None}
    return Epoch(number, **{**usual, **values})


def checkpoint_after(n_epochs, path="run.checkpoint"):
    """A checkpoint of a run that was cut short."""
    train(checkpoint=path, callback=lambda epoch: epoch.number == n_epochs)
    return clear_stop(path)


# --- What is written --------------------------------------------------------------------------------------------------


def test_a_line_of_json_tells_of_each_epoch_at_once():
    log, seen, logged = EpochLog("log"), [], []

    def callback(epoch):
        seen.append(epoch)
        assert not log(epoch), "it stops no run"
        logged.append(numbers())

    report = train(callback=callback).report
    assert logged == [[1], [1, 2], [1, 2, 3], [1, 2, 3, 4]]
    for record, epoch, loss, valid_loss in zip(records(), seen, report.losses, report.valid_losses, strict=True):
        assert list(record) == FIELDS
        assert record == {name: getattr(epoch, name) for name in FIELDS}
        assert (record["loss"], record["valid_loss"]) == (loss, valid_loss)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_json_cannot_say_is_null(value):
    EpochLog("log")(epoch(1, loss=value, valid_loss=value))
    assert records()[0]["loss"] is records()[0]["valid_loss"] is None


def test_without_held_out_text_its_loss_is_null():
    train(valid_share=0, callback=EpochLog("log"))
    assert [record["valid_loss"] for record in records()] == [None] * 4


def test_the_option_writes_what_the_callback_does():
    result = run_skipgram(*SETTINGS, "--epochs", 4, "--valid-share", 0.1, "--log", "log")
    assert result.exit_code == 0, result.output
    train(callback=EpochLog("again"))
    timeless = [[{**record, "speed": 0} for record in records(path)] for path in ("log", "again")]
    assert timeless[0] == timeless[1]


# --- Going on ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("old", ["", "no log\n", '{"number": 1}\n{"number": 2}\n'])
def test_a_new_run_begins_the_log_anew(old):
    Path("log").write_text(old)
    train(callback=EpochLog("log"))
    assert numbers() == [1, 2, 3, 4]


def test_one_log_of_two_runs_tells_of_the_second():
    log = EpochLog("log")
    train(epochs=3, callback=log)
    train(epochs=2, callback=log)
    assert [(record["number"], record["epochs"]) for record in records()] == [(1, 2), (2, 2)]


@pytest.mark.parametrize("n_epochs", [1, 2, 3])
@pytest.mark.parametrize("n_logged", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("rest", ["", '{"number": 4, "epo', "{"])
def test_a_resumed_run_tells_of_every_epoch_once(n_epochs, n_logged, rest):
    """The run before may have been killed before or after it wrote of an epoch, or within a line."""
    path = checkpoint_after(n_epochs)
    old = [json.dumps({"number": number, "old": True}) + "\n" for number in range(1, n_logged + 1)]
    Path("log").write_text("".join(old) + rest)
    train(resume=path, callback=EpochLog("log"))
    earlier = range(1, min(n_epochs, n_logged) + 1)
    assert numbers() == [*earlier, *range(n_epochs + 1, 5)]
    assert [record["number"] for record in records() if "old" in record] == list(earlier)


def test_a_log_that_went_missing_begins_where_the_run_goes_on():
    train(resume=checkpoint_after(2), callback=EpochLog("log"))
    assert numbers() == [3, 4]


def test_the_option_continues_the_log():
    path = checkpoint_after(2)
    Path("log").write_text("".join(json.dumps({"number": number}) + "\n" for number in (1, 2, 3)))
    result = run_skipgram("--threads", "1", "--resume", path, "--log", "log")
    assert result.exit_code == 0, result.output
    assert numbers() == [1, 2, 3, 4]
    assert "loss" in records()[2]


# --- What is refused --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["no log\n", "no log, without an end", "5\n", "[1]\n", '{"epoch": 1}\n', '{"number": "1"}\n', "\x00\xff\n",
     "[" * 100_000 + "\n"],
    ids=["text", "no end", "number", "list", "no number", "str", "bytes", "deep"],
)  # fmt: skip
def test_a_file_that_is_no_log_is_not_continued(text):
    path = checkpoint_after(2)
    Path("log").write_text(text, encoding="latin-1")
    before = Path("log").read_bytes()
    with pytest.raises(DataError, match="cannot continue the log log: it is not a log of epochs; name another file"):
        train(resume=path, callback=EpochLog("log"))
    assert Path("log").read_bytes() == before


def test_a_file_that_is_no_log_is_refused_before_training(monkeypatch):
    path = checkpoint_after(2)
    Path("log").write_text("no log\n")
    monkeypatch.setattr(Run, "train", lambda *_, **__: pytest.fail("it trains"))
    line = error_of(run_skipgram("--resume", path, "--log", "log"), 1)
    assert "cannot continue the log log: it is not a log of epochs" in line
    assert Path("log").read_text() == "no log\n"


@pytest.mark.parametrize(("place", "message"), [("missing/log", "there is no folder"), (".", "it is a folder")])
def test_a_log_that_could_not_be_written_is_refused_before_training(monkeypatch, place, message):
    monkeypatch.setattr(Run, "train", lambda *_, **__: pytest.fail("it trains"))
    assert message in error_of(run_skipgram(*SETTINGS, "--log", place), 1)
    assert not Path("x.vec").exists()


def test_a_log_that_cannot_be_written_any_more_is_one_line():
    Path("logs").mkdir()
    log = EpochLog("logs/log")
    log(epoch(1))
    Path("logs/log").unlink()
    Path("logs").rmdir()
    with pytest.raises(DataError, match=r"cannot write logs.log: No such file or directory$"):
        log(epoch(2))
