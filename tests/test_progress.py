"""What a person sees on standard error and in the log: progress, reports, notes."""

import io
import logging
import os
import subprocess
import sys

import generate
import pytest
from numba.core import event
from programs import POSIX

from embedtrain import DataError, train_skipgram
from embedtrain.kernels import compilation, random
from embedtrain.machine import progress
from embedtrain.machine.progress import Progress, note, say, shown
from embedtrain.models.skipgram import SkipGram
from embedtrain.vectors.training_report import TrainingReport

FACTS = {"loss": "1.234", "epoch": "100/200"}
pytestmark = pytest.mark.usefixtures("warm_kernels")


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Notebook(io.StringIO):
    """As ipykernel's stream, which is no terminal."""


Notebook.__module__ = "ipykernel.iostream"


class Broken(io.StringIO):
    def write(self, text):
        raise BrokenPipeError


def closed():
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.fixture
def stderr(monkeypatch):
    """A function that replaces standard error."""

    def replace(stream):
        monkeypatch.setattr(sys, "stderr", stream)
        return stream

    return replace


@pytest.fixture
def clock(monkeypatch):
    """The seconds that the progress is told; they are set by the test."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def advance(clock, total, *, style, seconds, steps=20):
    with Progress("training", total, shown=style) as bar:
        for _ in range(steps):
            clock[0] += seconds
            bar.update(1_000_000_000, **FACTS)


@pytest.mark.parametrize("total", [20_000_000_000, None])
@pytest.mark.parametrize(("width", "parts"), [(80, ["loss 1.234", " words/s"]), (40, []), (12, [])])
def test_the_bar_fits_the_terminal(stderr, clock, monkeypatch, width, parts, total):
    monkeypatch.setenv("COLUMNS", str(width))
    stream = stderr(Terminal())
    advance(clock, total, style="bar", seconds=1000.0)
    drawn = stream.getvalue().split("\r")
    assert len(drawn) > 20
    assert max(map(len, drawn)) < width
    assert all(any(part in line for line in drawn) for part in parts[total is None :])
    assert drawn[-2].strip() == drawn[-1] == "", "the bar was removed"
    if width == 40 and total:
        assert "training   50%  2:46:40 left" in [line.rstrip() for line in drawn]


def test_the_bar_is_removed_before_a_line(stderr, clock):
    stream = stderr(Terminal())
    bar = Progress("reading", None, shown="bar")
    clock[0] = 1.0
    bar.update(1000)
    say("a line")
    assert stream.getvalue() == "\rreading   1k words  1k words/s\r" + " " * 30 + "\ra line\n"


@pytest.mark.parametrize(
    ("total", "seconds", "n_lines"),
    [(20e9, 61.0, 10), (20e9, 1.0, 0), (20e9, 600.0, 10), (200e9, 61.0, 1), (None, 61.0, 20), (None, 30.0, 10)],
)
def test_lines_come_every_minute_or_tenth_whichever_is_later(stderr, clock, total, seconds, n_lines):
    stream = stderr(io.StringIO())
    advance(clock, total, style="lines", seconds=seconds)
    lines = stream.getvalue().splitlines()
    assert len(lines) == n_lines
    assert all(line.startswith("training  ") and "loss 1.234" in line for line in lines)


@pytest.mark.parametrize(
    ("stream", "styles"),
    [
        *((stream, ["", "bar", "bar", "bar"]) for stream in (Terminal, Notebook)),
        *((stream, ["", "", "lines", "lines"]) for stream in (io.StringIO, lambda: None, object, closed)),
    ],
    ids=["terminal", "notebook", "file", "none", "object", "closed"],
)
def test_progress_is_a_bar_on_a_terminal_and_lines_elsewhere(stderr, stream, styles):
    stderr(stream())
    assert [shown(setting) for setting in (False, None, True, "auto")] == styles
    assert [shown(setting) for setting in ("bar", "lines", "none")] == ["bar", "lines", "none"]


@pytest.mark.parametrize("stream", [lambda: None, object, closed, Broken], ids=["none", "object", "closed", "broken"])
@pytest.mark.parametrize("style", [True, None, "bar", "lines", "none"])
def test_training_does_not_need_standard_error(stderr, clock, stream, style):
    stderr(stream())
    clock[0] = 1e6
    train_skipgram([["two", "words"]], sample=0, dim=8, epochs=1, min_count=1, threads=1, progress=style)


@POSIX
@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("skipgram text.txt -o x.vec --dim 8 2>&-", 0),
        ("vocab text.txt -o - >&- 2>&-", 0),
        ("neighbors missing.vec king >&- 2>&-", 1),
    ],
)
def test_commands_do_not_need_their_streams(tmp_path, command, status):
    (tmp_path / "text.txt").write_text("".join(" ".join(tokens) + "\n" for tokens in generate.sentences(1200)))
    line = f"{sys.executable} -m embedtrain {command}"
    done = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, encoding="utf-8")
    assert done.returncode == status
    assert "Traceback" not in done.stderr


def train(style):
    return train_skipgram([["two", "words"]], sample=0, dim=8, epochs=1, min_count=1, threads=1, progress=style)


@pytest.mark.parametrize("stream", [Terminal, Notebook])
def test_training_leaves_a_few_lines(stderr, monkeypatch, stream):
    monkeypatch.setenv("COLUMNS", "200")
    said = stderr(stream())
    report = train(None).report
    lines = [line.rsplit("\r", 1)[-1] for line in said.getvalue().split("\n")[:-1]]  # without the bar
    assert [line.split()[0] for line in lines] == ["memory", "read", "trained", "time"]
    assert lines[1:] == str(report).splitlines()
    assert "loss" in lines[2]


@pytest.mark.parametrize(("style", "n_lines"), [(None, 0), (False, 0), (True, 4), ("none", 4), ("lines", 4)])
def test_without_a_terminal_lines_come_when_wanted(stderr, style, n_lines):
    said = stderr(io.StringIO())
    train(style)
    assert len(said.getvalue().splitlines()) == n_lines


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
@pytest.mark.parametrize("style", [None, True, False])
def test_lines_go_to_the_log_if_there_is_one_and_not_twice(stderr, caplog, stream, style):
    said = stderr(stream())
    with caplog.at_level(logging.INFO, "embedtrain"):
        train(style)
    assert [record.message.split()[0] for record in caplog.records] == ["memory", "read", "trained", "time"]
    assert {(record.name, record.levelno) for record in caplog.records} == {("embedtrain", logging.INFO)}
    assert "\n" not in said.getvalue(), "at most a bar"


def test_reports_are_wrapped_on_a_terminal_only(stderr, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    line = "read     " + "some words " * 10 + "and-a-path/that-is-long"
    stream = stderr(Terminal())
    say(line)
    first, *others = stream.getvalue().splitlines()
    assert len(others) == 4
    assert all(len(part) <= 40 for part in (first, *others))
    assert all(part.startswith(" " * 9) for part in others)
    assert " ".join([first, *map(str.strip, others)]) == line
    stream = stderr(io.StringIO())
    say(line)
    assert stream.getvalue() == line + "\n"


def test_a_note_is_at_the_line_of_the_caller():
    with pytest.warns(UserWarning, match="also trained on") as seen:
        train_skipgram(__file__, valid=__file__, dim=8, epochs=1, threads=1, min_count=1, sample=0)
    assert {warning.filename for warning in seen} == {__file__}
    with pytest.warns(UserWarning, match="here") as seen:
        note("here")
    assert [warning.filename for warning in seen] == [__file__]


@POSIX
def test_the_width_is_that_of_the_terminal_of_standard_error(stderr):
    import fcntl
    import struct
    import termios

    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 57, 0, 0))
    with open(ours, "rb"), stderr(open(theirs, "w")) as stream:
        assert progress._columns(stream) == 57
        assert shown(None) == "bar"


def test_compiling_is_reported_when_it_begins(stderr, monkeypatch):
    said = stderr(io.StringIO())
    monkeypatch.setattr(compilation._Compilation, "begun", False)
    train(True)
    assert "compiling" not in said.getvalue(), "all is in the cache"
    with SkipGram(progress=True).compiling(), event.trigger_event("numba:compile", {"dispatcher": random.hold_out}):
        assert said.getvalue().splitlines()[-1] == "compiling kernels, some seconds, once"


def test_what_is_not_text_is_refused_before_anything_is_compiled(tmp_path, monkeypatch):
    (tmp_path / "page.txt").write_text("<html><body>a page</body></html>")
    monkeypatch.setattr(SkipGram, "compiling", None)
    with pytest.raises(DataError, match="HTML"):
        train_skipgram(tmp_path / "page.txt", progress=False)


def test_where_nothing_can_be_cached_the_report_names_the_remedy(stderr, monkeypatch):
    said = stderr(io.StringIO())
    monkeypatch.setattr(compilation._Compilation, "begun", False)
    monkeypatch.setattr(compilation, "UNCACHED", ["a kernel"])
    with SkipGram(progress=True).compiling(), event.trigger_event("numba:compile", {"dispatcher": random.hold_out}):
        assert "in each process, as no cache can be written; set NUMBA_CACHE_DIR to a folder" in said.getvalue()


def test_a_report_of_counts_says_so():
    report = TrainingReport(words=10, threads=2, cells=50, losses=[2.0, 1.0], unit="cells", seconds={"train": 1.0})
    assert "counted  50 cells of 10 × 10 (50.00%)" in str(report)
    assert "loss 2 → 1 a cell" in str(report)
