"""The commands `neighbors`, `analogy` and `evaluate`, and their prompt."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from embedtrain import WordVectors, cli
from embedtrain.cli.analogy import analogy
from embedtrain.cli.evaluate import evaluate
from embedtrain.cli.hints import usage_hint
from embedtrain.cli.neighbors import neighbors
from embedtrain.cli.query_options import split_words
from embedtrain.vectors import evaluation
from embedtrain.vectors.analogies import solve

pytestmark = pytest.mark.usefixtures("folder")

# as a part of the program, whose help options click keeps with a command once it has run
AS_COMMAND = {"standalone_mode": False, **cli.main.context_settings}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["man", "king", "woman", "queen", "frog"]
    table = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1], [1, -1, -1]], np.float32)
    WordVectors(words, table).save("x.vec")
    (tmp_path / "q.txt").write_text(": royal\nMan king woman queen\nman king frog woman\nman king woman tsar\n")
    (tmp_path / "p.tsv").write_text("man\tking\t5\nman\tfrog\t1\nqueen\tking\t8\nman\ttsar\t1\n")


def run(command, *args, status=0):
    done = CliRunner().invoke(command, [str(arg) for arg in args], **AS_COMMAND)
    assert (done.exception is None) == (status == 0), done.exception
    return done


@pytest.fixture
def at_terminal(monkeypatch, capsys):
    """Run a command with lines typed at a terminal; return its stdout and stderr."""
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals")

    def at_terminal(command, *args, typed):
        typing, terminal = pty.openpty()
        os.write(typing, typed.encode())
        with os.fdopen(typing, "wb"), os.fdopen(terminal, encoding="utf-8") as stdin:
            monkeypatch.setattr(sys, "stdin", stdin)
            command.main(list(args), **AS_COMMAND)
        return capsys.readouterr()

    return at_terminal


def test_analogy_completes():
    assert run(analogy, "x.vec", "man", "king", "woman", "-n", 1).stdout.split()[1] == "queen"
    found = json.loads(run(analogy, "x.vec", "man", "king", "woman", "--json", "--method", "mul").stdout)
    assert (found["positive"], found["negative"], found["method"]) == (["king", "woman"], ["man"], "mul")
    assert found["answers"][0]["word"] == "queen"


@pytest.mark.parametrize(
    "words",
    [
        ["king - man + woman"],
        ["king", "-", "man", "+", "woman"],
        ["king -", "man +  woman"],
        ["+ king − man + woman"],
        ["king – man + woman"],
        ["man king woman"],
    ],
)
def test_an_analogy_is_also_an_expression(words):
    assert (
        run(analogy, "x.vec", *words, "-n", 1).stdout == run(analogy, "x.vec", "man", "king", "woman", "-n", 1).stdout
    )


def test_words_with_hyphens_are_not_expressions():
    WordVectors(["vice-king", "man", "-", "x"], np.eye(4, dtype=np.float32)).save("hyphens.vec")
    found = json.loads(run(analogy, "hyphens.vec", "vice-king - man", "--json").stdout)
    assert (found["positive"], found["negative"]) == (["vice-king"], ["man"])
    for words in (["king-man"], ["king - man woman"], ["king -"], ["king + - man"]):
        error = run(analogy, "x.vec", *words, status=2).exception.format_message()
        assert "or an expression such as 'king - man + woman', with spaces around + and -; got" in error


@pytest.mark.parametrize("words", [["man"], ["man", "king"], ["man", "king", "woman", "queen"], []])
def test_an_analogy_takes_three_words(words):
    assert type(run(analogy, "x.vec", *words, status=2).exception).__name__ == "UsageError"


def test_neighbors_in_json_and_restricted():
    found = json.loads(run(neighbors, "x.vec", "queen", "--json", "--restrict", 2).stdout)
    assert found["word"] == "queen"
    assert [near["word"] for near in found["neighbors"]] == ["king", "man"]
    assert found["neighbors"][0]["cosine"] == pytest.approx(2 / 6**0.5, abs=1e-6)


def test_words_in_one_argument_are_split_unless_they_are_one():
    assert split_words(["New York", "a  b", "c"], {"New York"}) == ["New York", "a", "b", "c"]
    assert run(neighbors, "x.vec", "queen king").stdout == run(neighbors, "x.vec", "queen", "king").stdout
    for words in ("", " "):
        assert f"{words!r} is not among" in str(run(neighbors, "x.vec", words, status=1).exception)


def piped(command, *args, text, status=0):
    done = CliRunner().invoke(command, list(args), input=text, **AS_COMMAND)
    assert (done.exception is None) == (status == 0), done.exception
    return done


@pytest.mark.parametrize("words", [[], ["-"]])
def test_lines_of_standard_input_are_queries(words):
    text = "queen\r\n\n quene\nking frog\n"
    done = piped(neighbors, "x.vec", *words, "-n", "1", text=text, status=1)
    assert [line for line in done.stdout.splitlines() if line.endswith(":")] == ["queen:", "king:", "frog:"]
    assert done.stderr == "Error: 'quene' is not among the 5 words; similar spelling: queen\n"
    done = piped(analogy, "x.vec", *words, "-n", "1", text="\ufeffman king woman\nking - man + woman\n")
    assert [line for line in done.stdout.splitlines() if line.endswith(":")] == [
        "man king woman:",
        "king - man + woman:",
    ]
    done = piped(neighbors, "x.vec", *words, "--json", text="man\nking\n")
    assert [json.loads(line)["word"] for line in done.stdout.splitlines()] == ["man", "king"]
    error = piped(neighbors, "x.vec", *words, text="\n", status=2).exception
    assert error.format_message() == "no words: expected a word, or several, as arguments or on standard input"


@pytest.mark.parametrize(
    ("command", "args", "meant"),
    [
        (neighbors, ["king", "x.vec"], "neighbors x.vec king"),
        (analogy, ["man", "king", "woman", "x.vec"], "analogy x.vec man king woman"),
        (evaluate, ["q.txt", "--analogies", "x.vec"], "evaluate x.vec --analogies q.txt"),
        (evaluate, ["p.tsv", "--similarity", "x.vec"], "evaluate x.vec --similarity p.tsv"),
        (evaluate, ["x.vec", "q.txt"], "evaluate x.vec --analogies q.txt"),
        (evaluate, ["q.txt", "x.vec"], "evaluate x.vec --analogies q.txt"),
    ],
)
def test_swapped_arguments_are_recognised(command, args, meant):
    message = run(command, *args, status=2).exception.format_message()
    assert message.endswith(f"; did you mean: embedtrain {meant}")


def test_json_is_lines_of_utf8():
    WordVectors(["東京", "京都"], np.eye(2, dtype=np.float32)).save("u.vec")
    (line,) = run(neighbors, "u.vec", "東京", "--json").stdout.splitlines()
    assert line == '{"word": "東京", "neighbors": [{"word": "京都", "cosine": 0.0}]}'
    assert '"京都"' in run(analogy, "u.vec", "東京 + 東京", "--json").stdout
    Path("p").write_text("東京 京都 1\n京都 東京 2\n", encoding="utf-8")
    lines = run(evaluate, "u.vec", "--similarity", "p", "--analogies", "q.txt", "--json").stdout.splitlines()
    assert [json.loads(line).get("similarity") for line in lines] == [None, "p"]


@pytest.mark.parametrize(
    ("command", "typed", "found"),
    [(neighbors, "quene\nking frog\n\nman\n", ["queen", "man"]), (analogy, "man king\nman king woman\n\n", ["queen"])],
)
def test_the_prompt_goes_on_after_an_unknown_word(at_terminal, command, typed, found):
    said = at_terminal(command, "x.vec", "-n", "1", typed=typed)
    assert said.err.count("> ") == 3
    assert said.err.count("Error: ") == 1
    assert [line.split()[1] for line in said.out.splitlines() if " " in line] == found
    assert "man:" not in said.out


def test_words_are_those_of_bytes_whatever_the_terminal_says(at_terminal):
    WordVectors(["東京", "京都"], np.eye(2, dtype=np.float32)).save("u.vec")
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "utf-8"}
    code = "import sys; from embedtrain.cli import main; main(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, "neighbors", "u.vec", "東京"],
        capture_output=True, encoding="utf-8", env={**os.environ, **ascii_only}, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("0.0000  京都\n", "")
    assert at_terminal(neighbors, "u.vec", typed="東京\n\n").out == "0.0000  京都\n"


@pytest.mark.parametrize("command", [neighbors, analogy])
def test_words_that_begin_with_a_dash_come_after_two(command):
    error = run(command, "x.vec", "-5", status=2).exception
    assert usage_hint(error) == "no such option -5; a word that begins with - must follow --"
    assert "'-5' is not among the 5 words" in str(run(command, "x.vec", "--", "-5", "man", "king", status=1).exception)
    assert "must follow --" in " ".join(run(command, "--help").stdout.split())


def test_an_analogy_applies_restriction_and_method():
    assert run(analogy, "x.vec", "man", "king", "woman", "--restrict", 3).stdout == ""
    added, multiplied = (
        run(analogy, "x.vec", "frog", "king", "woman", "--method", method).stdout.split() for method in ("add", "mul")
    )
    assert added[1::2] == multiplied[1::2] == ["queen", "man"]
    assert float(multiplied[0]) > 1.5 > 1 > float(added[0])


def test_evaluate_shows_accuracy_correlation_and_coverage():
    done = run(evaluate, "x.vec", "--analogies", "q.txt", "--similarity", "p.tsv", "--restrict", 1000)
    assert done.stdout.startswith("x.vec: the first 5 of 5 words, case ignored\n")
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line}
    assert rows["royal"] == rows["total"] == ["1", "2", "3", "50.00%", "66.67%"]
    assert rows["p.tsv"][0] == "1.0000"
    assert rows["p.tsv"][2:] == ["3", "4", "75.00%"]


def test_evaluate_in_json():
    done = run(evaluate, "x.vec", "--analogies", "q.txt", "--similarity", "p.tsv", "--case", "exact", "--json")
    analogies, similarity = map(json.loads, done.stdout.splitlines())
    assert (analogies["analogies"], similarity["similarity"]) == ("q.txt", "p.tsv")
    assert analogies["total"]["known"] == 1
    assert analogies["sections"][0]["accuracy"] == 0
    assert similarity["spearman"] == pytest.approx(1)
    assert (analogies["case"], similarity["restrict"], analogies["method"]) == ("exact", 300_000, "add")


def test_evaluate_applies_restriction_and_method(monkeypatch):
    done = run(evaluate, "x.vec", "--analogies", "q.txt", "--similarity", "p.tsv", "--restrict", 3, "--method", "mul")
    assert done.stdout.startswith("x.vec: the first 3 of 5 words, case ignored\n")
    assert "q.txt: analogies by 3CosMul\n" in done.stdout
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line}
    assert rows["total"] == ["0", "0", "3", "-", "0.00%"]
    assert rows["p.tsv"] == ["-", "-", "1", "4", "25.00%"]
    assert "by 3CosAdd\n" in run(evaluate, "x.vec", "--analogies", "q.txt").stdout
    methods = []
    monkeypatch.setattr(evaluation, "solve", lambda *args: methods.append(args[3]) or solve(*args))
    run(evaluate, "x.vec", "--analogies", "q.txt", "--method", "mul")
    assert methods == ["mul"]


def test_scores_of_too_few_pairs_are_null_and_lose_no_others():
    Path("few").write_text("man king 1\ntsar frog 2\n")
    done = run(evaluate, "x.vec", "--similarity", "few", "--similarity", "p.tsv", "--json")
    few, others = map(json.loads, done.stdout.splitlines())
    assert {few[name] for name in ("spearman", "pearson", "spearman_p", "pearson_p")} == {None}
    assert (few["known"], few["pairs"], few["coverage"]) == (1, 2, 0.5)
    assert others["spearman"] == pytest.approx(1)


def test_questions_are_read_before_vectors():
    assert "cannot read nofile" in str(run(evaluate, "novectors", "--similarity", "nofile", status=1).exception)
    assert "cannot read nofile" in str(run(evaluate, "novectors", "--analogies", "nofile", status=1).exception)


def test_questions_come_from_standard_input(monkeypatch, capsys):
    with open("p.tsv") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        evaluate.main(["x.vec", "--similarity", "-"], **AS_COMMAND)
    assert capsys.readouterr().out.splitlines()[-1].split()[-3:] == ["3", "4", "75.00%"]


def test_evaluate_without_questions_is_refused():
    assert "--analogies, --similarity or --sessions" in str(run(evaluate, "x.vec", status=2).exception)
