"""The command `phrases`, and the options `--phrases`, `--map` and `--drop`."""

import shlex
from pathlib import Path

import pytest
from commands import SETTINGS, contents, error_of, named, run

from embedtrain import Phrases, WordVectors

pytestmark = pytest.mark.usefixtures("warm_kernels")
TEXT = "new york times\nold york\nnew times in new york\nold cars in old times\n" * 5


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("text.txt").write_text(TEXT)
    Path("found.txt").write_text("new york\nnew york times\n")
    Path("map.tsv").write_text("cars\tcar\n")
    Path("drop.txt").write_text("in\nthe\n")
    return tmp_path


def test_phrases_writes_a_file_that_the_next_command_takes(folder):
    done = run("phrases", "text.txt", "--threshold", "0.3", "--min-count", "2", "--passes", "2")
    assert (done.exit_code, done.stdout) == (0, "")
    saved, following = done.stderr.splitlines()[-2:]
    found = Phrases.load("text.phrases")
    assert saved == f"saved    text.phrases: {len(found)} phrases"
    assert "new_york_times" in found.scores
    command = shlex.split(following.removeprefix("next ").replace("CORPUS", "text.txt"))[1:]
    assert run(*command, *SETTINGS, "--sample", "0", "-o", "a.vec").exit_code == 0
    assert "new_york_times" in WordVectors.load("a.vec").words


def test_a_text_without_phrases_has_no_next_command(folder):
    done = run("phrases", "text.txt", "--threshold", "1000")
    assert done.exit_code == 0
    assert "no phrase was found; lower --threshold or --min-count" in done.stderr
    assert "next " not in done.stderr


def test_vocab_takes_phrases_replacements_and_words_to_drop(folder):
    options = ["--min-count", 1, "--phrases", "found.txt", "--map", "map.tsv", "--drop", "drop.txt"]
    expected = "old 15", "new 5", "car 5", "new_york 5", "new_york_times 5", "times 10", "york 5"
    for cache in ([], ["--cache", "cache"], ["--cache", "cache"]):
        done = run("vocab", "text.txt", *options, *cache, "-o", "-")
        assert done.exit_code == 0
        assert sorted(done.stdout.splitlines()) == sorted(expected)


@pytest.mark.parametrize("command", ["skipgram", "cbow", "glove", "svd", "lsa", "cooccur"])
def test_all_commands_take_them(folder, command):
    options = ["--phrases", "found.txt", "--map", "map.tsv", "--drop", "drop.txt", "--min-count", 1]
    epochs = ["--sample", 0, "--dim", 3, "--epochs", 1] if command in ("skipgram", "cbow") else ["--dim", 3]
    done = run(command, "text.txt", *options, *([] if command == "cooccur" else epochs), "-o", "x.npz")
    assert done.exit_code == 0, done.stderr


REFUSED = [
    (1, ["phrases", "text.txt", "--connectors", "absent.txt"], "absent.txt"),
    (1, ["phrases", "text.txt", "-o", "no/x"], "no"),
    (2, ["phrases", "text.txt", "-o", "text.txt"], "would replace the corpus"),
    (2, ["phrases", "text.txt", "--phrases", "found.txt", "-o", "found.txt"], "found.txt"),
    (2, ["phrases", "text.txt", "--threshold", "-2"], "--threshold must be at least -1"),
    (2, ["phrases", "text.txt", "--max-vocab", "5"], "--max-vocab"),
    (1, ["skipgram", "text.txt", "--phrases", "drop.txt"], "drop.txt, line 1: expected two to 10 words"),
    (1, ["skipgram", "text.txt", "--map", "found.txt"], "found.txt, line 1: expected a type, a tab"),
    (1, ["skipgram", "text.txt", "--drop", "map.tsv"], "map.tsv, line 1: expected a word"),
    (2, ["skipgram", "text.txt", "--drop", "drop.txt", "-o", "drop.txt"], "drop.txt"),
    (2, ["node2vec", "text.txt", "--phrases", "found.txt"], "it is an option of"),
]


@pytest.mark.parametrize(("status", "args", "message"), REFUSED, ids=named(REFUSED))
def test_bad_input_is_one_line(folder, status, args, message):
    before = contents(folder)
    assert message in error_of(run(*args), status)
    assert contents(folder) == before
