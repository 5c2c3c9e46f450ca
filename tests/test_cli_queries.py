import io
import json

import numpy as np
import pytest
from click.testing import CliRunner

from embedtrain import WordVectors
from embedtrain.cli import asking
from embedtrain.cli.analogy import analogy
from embedtrain.cli.evaluate import evaluate
from embedtrain.cli.neighbors import neighbors

pytestmark = pytest.mark.usefixtures("folder")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["man", "king", "woman", "queen", "frog"]
    table = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1], [1, -1, -1]], np.float32)
    WordVectors(words, table).save("x.vec")
    (tmp_path / "q.txt").write_text(": royal\nMan king woman queen\nman king frog woman\nman king woman tsar\n")
    (tmp_path / "p.tsv").write_text("man\tking\t5\nman\tfrog\t1\nqueen\tking\t8\nman\ttsar\t1\n")


def run(command, *args, status=0):
    done = CliRunner().invoke(command, [str(arg) for arg in args], standalone_mode=False)
    assert (done.exception is None) == (status == 0), done.exception
    return done


def at_terminal(monkeypatch, text):
    monkeypatch.setattr(asking, "is_terminal", lambda: True)
    monkeypatch.setattr(asking.sys, "stdin", io.StringIO(text))


def test_analogy_completes():
    assert run(analogy, "x.vec", "man", "king", "woman", "-n", 1).stdout.split()[1] == "queen"
    found = json.loads(run(analogy, "x.vec", "man", "king", "woman", "--json", "--method", "mul").stdout)
    assert (found["a"], found["b"], found["c"], found["method"]) == ("man", "king", "woman", "mul")
    assert found["answers"][0]["word"] == "queen"


@pytest.mark.parametrize("words", [["man"], ["man", "king"], ["man", "king", "woman", "queen"], []])
def test_an_analogy_takes_three_words(words):
    assert type(run(analogy, "x.vec", *words, status=2).exception).__name__ == "UsageError"


def test_neighbors_in_json_and_restricted():
    (found,) = json.loads(run(neighbors, "x.vec", "queen", "--json", "--restrict", 2).stdout)
    assert found["word"] == "queen"
    assert [near["word"] for near in found["neighbors"]] == ["king", "man"]
    assert found["neighbors"][0]["cosine"] == pytest.approx(2 / 6**0.5, abs=1e-6)


def test_words_are_needed_where_nobody_can_be_asked():
    assert "Missing argument 'WORDS'" in str(run(neighbors, "x.vec", status=2).exception)


def test_an_unknown_word_gets_close_spellings():
    assert str(run(neighbors, "x.vec", "quene", status=1).exception) == (
        "'quene' is not among the 5 words; near in spelling: queen"
    )


def test_a_conversation_goes_on_after_an_unknown_word():
    for command, lines in ((neighbors, "quene\nking frog\n\nman\n"), (analogy, "man king\nman king woman")):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(asking, "is_terminal", lambda: True)
            patch.setattr(asking, "_ask", iter([*lines.split("\n"), ""]).__next__)
            done = run(command, "x.vec", "-n", 1)
        assert "Error: " in done.stderr
        assert "queen" in done.stdout
        assert "man:" not in done.stdout


def test_evaluate_tells_accuracy_correlation_and_coverage():
    done = run(evaluate, "x.vec", "--analogies", "q.txt", "--similarity", "p.tsv", "--restrict", 1000)
    assert done.stdout.startswith("x.vec: the first 5 of 5 words, case ignored\n")
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line}
    assert rows["royal"] == rows["total"] == ["1", "2", "3", "50.00%", "66.67%"]
    assert rows["p.tsv"][0] == "1.0000"
    assert rows["p.tsv"][2:] == ["3", "4", "75.00%"]


def test_evaluate_in_json():
    found = json.loads(run(evaluate, "x.vec", "--analogies", "q.txt", "--similarity", "p.tsv", "--case", "exact",
                           "--json").stdout)  # fmt: skip
    assert found["analogies"][0]["total"]["asked"] == 1
    assert found["analogies"][0]["sections"][0]["accuracy"] == 0
    assert found["similarity"][0]["spearman"] == pytest.approx(1)
    assert (found["case"], found["restrict"], found["method"]) == ("exact", 300_000, "add")


def test_evaluate_without_questions_is_refused():
    assert "--analogies or --similarity" in str(run(evaluate, "x.vec", status=2).exception)


def test_an_evaluation_file_of_another_kind_is_refused():
    assert "x.vec, line 1: expected the four words" in str(
        run(evaluate, "x.vec", "--analogies", "x.vec", status=1).exception
    )
