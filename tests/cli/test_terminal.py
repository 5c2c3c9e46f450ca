"""What terminals and pipes get of words and file names with control and direction characters."""

import io
import json
import sys

import numpy as np
import pytest

from embedtrain import WordVectors, cli
from embedtrain.machine.progress import say

ODD = "\u202eevil\u2066"
PLAIN = r"\u202eevil\u2066"
JOINED = "می\u200cخواهم"


class Terminal(io.TextIOWrapper):
    def isatty(self):
        return True


def run(monkeypatch, *arguments, kind=Terminal):
    streams = [kind(io.BytesIO(), encoding="utf-8") for _ in range(2)]
    monkeypatch.setattr(sys, "stdout", streams[0])
    monkeypatch.setattr(sys, "stderr", streams[1])
    with pytest.raises(SystemExit):
        cli.main([str(argument) for argument in arguments])
    texts = []
    for stream in streams:
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())
    return texts


@pytest.fixture
def vectors(tmp_path):
    path = tmp_path / f"x{ODD}.vec"
    WordVectors(["the", ODD, JOINED], np.eye(3, dtype=np.float32)).save(path)
    return path


@pytest.mark.parametrize("command", ["neighbors", "analogy", "neighbors --json", "evaluate", "check", "info", "vocab"])
def test_terminals_get_words_and_names_escaped_and_pipes_as_they_are(tmp_path, monkeypatch, vectors, command):
    questions, text = tmp_path / f"q{ODD}", tmp_path / "text"
    questions.write_text(f": {ODD}\nthe {ODD} the {JOINED}\n", "utf-8")
    text.write_text(f"{ODD} {JOINED}\n" * 5, "utf-8")
    arguments = {
        "neighbors": [vectors, "the"], "analogy": [vectors, "the", "--", "the", "the"],
        "neighbors --json": [vectors, "the"], "evaluate": [vectors, "--analogies", questions], "check": [vectors],
        "info": [vectors], "vocab": [text, "-o", "-"],
    }[command]  # fmt: skip
    seen = "".join(run(monkeypatch, *command.split(), *arguments))
    assert PLAIN in seen
    assert ODD not in seen
    if command not in ("evaluate", "check", "neighbors --json"):
        assert JOINED in seen
    piped, _ = run(monkeypatch, *command.split(), *arguments, kind=io.TextIOWrapper)
    if command not in ("check", "info"):
        assert ODD in piped
    if command == "neighbors --json":
        assert json.loads(seen) == json.loads(piped)


@pytest.mark.parametrize("name", [ODD, "\x1b[31mred", "a\nb"])
def test_errors_are_one_line_for_any_name(monkeypatch, name):
    for command in ("skipgram", "info", "glove", "evaluate"):
        (line,) = run(monkeypatch, command, name)[1].split("\n")[:-1]
        assert line.isprintable()


def test_reports_are_one_line_for_any_name(capsys):
    say("saved    a\x1b[31m\nb")
    assert capsys.readouterr().err == "saved    a\\x1b[31m\\nb\n"
