"""The commands `item2vec` and `recommend`, `neighbors --complements` and `evaluate --sessions`."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from commands import error_of, named, run

from embedtrain import WordVectors, cli, cooccurrence_counts

pytestmark = pytest.mark.usefixtures("items")


@pytest.fixture
def items(folder):
    """Vectors of five items, and sessions."""
    table = np.array([[1, 0.1], [1, 0.2], [0, 1], [0.1, 1], [-1, 0]], np.float32)
    vectors = WordVectors(["tea", "milk", "nails", "saw", "boat"], table, context_vectors=table[::-1])
    vectors.save("items.npz")
    vectors.save("items.vec")
    (folder / "sessions.txt").write_text("saw tea milk\nnails saw\nboat\ntea xx\n")
    (folder / "train.txt").write_text("saw tea\nnails saw\ntea milk\n")
    return vectors


def piped(*args, typed):
    return CliRunner().invoke(cli.main, [str(arg) for arg in args], input=typed)


def test_item2vec_trains_on_whole_sessions():
    assert run("item2vec", "text.txt", "--dim", "8", "--epochs", "1").exit_code == 0
    settings = WordVectors.load("text.npz").settings
    assert (settings["model"], settings["window"], settings["sample"], settings["min_count"]) == (
        "item2vec",
        "all",
        0,
        1,
    )
    assert WordVectors.load("text.npz").complements("the", 1)
    done = run("convert", "text.npz", "out.vec")
    assert "Note: out.vec has no context vectors, which complements need; write npz to keep them" in done.stderr


def test_items_with_spaces_are_written_to_npz_where_the_output_cannot_hold_them():
    Path("x.jsonl").write_text('["red mug", "tea"]\n["tea", "red mug"]\n')
    done = run("item2vec", "x.jsonl", "--dim", "8", "-o", "out.vec")
    assert done.exit_code == 0
    assert "Note: out.vec cannot hold words with spaces; they are written to out.vec.npz\n" in done.stderr
    assert sorted(WordVectors.load("out.vec.npz").words) == ["red mug", "tea"]
    assert not Path("out.vec").exists()
    assert run("recommend", "out.vec.npz", "red mug", "-n", "1").stdout.endswith("  tea\n")
    assert run("evaluate", "out.vec.npz", "--sessions", "x.jsonl", "--train", "x.jsonl").exit_code == 0
    message = "no item of the history has a vector: ['red', 'mug']; 'red mug' is one item, quote it"
    assert message in error_of(run("recommend", "out.vec.npz", "red", "mug"), 1)
    assert "; similar spelling: red mug" in error_of(run("recommend", "out.vec.npz", "red mgu"), 1)
    Path("y.jsonl").write_text('{"of": ["tea", "red mug"]}\n')
    done = run("evaluate", "out.vec.npz", "--sessions", "y.jsonl", "--train", "y.jsonl", "--field", "of")
    assert "y.jsonl: the last items of 1 session, ranked among 2 items" in done.stdout


@pytest.mark.parametrize("command", ["skipgram", "cbow", "glove", "item2vec"])
def test_the_window_is_a_number_or_all(calls, command):
    for value in ("all", "7"):
        assert run(command, "text.txt", "--window", value).exit_code == 0
    assert [settings.window for _, settings in calls] == ["all", 7]
    line = error_of(run(command, "text.txt", "--window", "some"), 2)
    assert "--window must be a whole number of at least 1 or 'all', got 'some'" in line


def test_recommendations_are_those_of_the_library(items):
    done = run("recommend", "items.npz", "tea", "saw", "-n", "2")
    expected = "".join(f"{cosine:.4f}  {item}\n" for item, cosine in items.recommend(["tea", "saw"], 2))
    assert (done.exit_code, done.stdout, done.stderr) == (0, expected, "")
    found = json.loads(run("recommend", "items.npz", "tea", "--json", "--repeats", "-n", "1").stdout)
    [(item, score)] = items.recommend(["tea"], 1, repeats=True)
    assert found == {"history": ["tea"], "items": [{"item": item, "score": pytest.approx(score, abs=1e-6)}]}


def test_histories_are_read_from_standard_input():
    done = piped("recommend", "items.npz", "-n", "1", typed='tea\n\n["nails", "saw"]\nyy\n')
    headings = [line for line in done.stdout.splitlines() if line.endswith(":")]
    assert (done.exit_code, headings) == (0, ["tea:", '["nails", "saw"]:', "yy:"])
    assert done.stdout.splitlines()[1].endswith("milk")
    assert "Note: 1 item without a vector, as 'yy'; 1 of 3 histories have no other" in done.stderr


def test_histories_that_cannot_be_read_are_errors_and_the_next_ones_are_read():
    WordVectors(["[odd]", "tea"], np.eye(2, dtype=np.float32)).save("odd.npz")
    done = piped("recommend", "odd.npz", typed='[odd]\n[bad\n{"items": ["tea"]}\n[1.5]\n["tea", "[odd]"]\ntea\n')
    assert [line for line in done.stdout.splitlines() if line.endswith(":")] == ["[odd]:", '["tea", "[odd]"]:', "tea:"]
    message = "Error: history {}: not a JSON list of items, strings or whole numbers: {}\n"
    said = [message.format(*of) for of in ((2, "[bad"), (3, '{"items": ["tea"]}'), (4, "[1.5]"))]
    assert (done.exit_code, done.stderr) == (1, "".join(said))


REFUSED = [
    (1, ["recommend", "items.npz", "xx", "yy"], "no item of the history has a vector: ['xx', 'yy']"),
    (1, ["recommend", "missing.npz", "tea"], "cannot read missing.npz"),
    (2, ["recommend", "tea", "items.npz"], "tea is not a file, but items.npz is; did you mean"),
    (2, ["recommend", "items.npz", "[1,"], "not a JSON list of items"),
    (2, ["recommend", "items.npz", '[["tea"], ["saw"]]'], "not a JSON list of items"),
    (2, ["recommend", "items.npz", "[1.5]"], "not a JSON list of items, strings or whole numbers: [1.5]"),
    (2, ["recommend", "items.npz", "tea", "-n", "0"], "-n"),
    (1, ["neighbors", "items.vec", "tea", "--complements"], "complements need context vectors, which .npz files keep"),
    (2, ["evaluate", "items.vec"], "name a file with --analogies, --similarity or --sessions"),
    (2, ["evaluate", "items.vec", "--similarity", "x", "--train", "train.txt"], "--train is for --sessions"),
    (2, ["evaluate", "sessions.txt", "--sessions", "items.vec"], "evaluate items.vec --sessions sessions.txt"),
    (
        1,
        ["evaluate", "items.vec", "--sessions", "one.txt"],
        "none of the 2 sessions has vectors for its last two items",
    ),
    (1, ["evaluate", "items.vec", "--sessions", "sessions.txt", "--train", "no.txt"], "cannot read no.txt"),
    (
        1,
        ["explore", "numbers.txt", "-o", "x.html"],
        "holds whole numbers in lines of several lengths, perhaps sessions",
    ),
    (1, ["item2vec", "single.txt"], "there is nothing to learn from: 2 tokens in 2 sentences, one in each"),
    (2, ["item2vec", "sessions.txt", "--partners", "0"], "--partners must be a whole number of at least 1, got 0"),
    (2, ["glove", "counts.npz", "--window", "all"], "--window says how text is counted, and these are counts already"),
    (2, ["skipgram", "sessions.txt", "--partners", "5"], "--partners are drawn with --window all only"),
]


@pytest.mark.parametrize(("status", "args", "message"), REFUSED, ids=named(REFUSED))
def test_bad_input_is_one_line(status, args, message):
    Path("single.txt").write_text("a\nb\n")
    Path("numbers.txt").write_text("70 12 9\n12 8\n")
    cooccurrence_counts("train.txt", min_count=1).save("counts.npz")
    assert message in error_of(run(*args), status)


def test_complements_are_those_of_the_library(items):
    done = run("neighbors", "items.npz", "tea", "--complements", "-n", "2")
    assert done.stdout == "".join(f"{score:.4f}  {item}\n" for item, score in items.complements("tea", 2))
    found = json.loads(run("neighbors", "items.npz", "tea", "--complements", "--json", "-n", "1").stdout)
    assert (found["word"], list(found["complements"][0])) == ("tea", ["word", "product"])


def test_evaluation_prints_the_protocol_and_the_baselines():
    done = run("evaluate", "items.vec", "--sessions", "sessions.txt", "--train", "train.txt")
    assert done.exit_code == 0
    assert done.stderr.startswith(
        "Note: 2 of 4 sessions are left out: one item alone, or one of the last two has no vector"
    )
    lines = done.stdout.splitlines()
    assert lines[:2] == [
        "sessions.txt: the last items of 2 sessions, ranked among 5 items but the one before, repeats",
        "allowed; vectors and --train should be of all but the last items, with min-count 1",
    ]
    assert lines[3].split() == ["item", "before", "vectors", "1.000", "1.000", "1.000", "100.0%"]
    assert len(lines) == 3 + 8
    found = json.loads(run("evaluate", "items.vec", "--sessions", "sessions.txt", "--json").stdout)
    assert (found["k"], len(found["rankings"]), found["rankings"][0]["n_sessions"]) == (10, 4, 2)
