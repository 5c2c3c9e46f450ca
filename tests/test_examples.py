"""The examples and those of docstrings run, and what notebooks show."""

import doctest
import re
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from programs import python

from embedtrain import WordVectors, train_cbow, train_glove, train_item2vec, train_skipgram

EXAMPLES = Path(__file__).parent.parent / "examples"


#: For each example its arguments, the packages it needs beside ours, and what its printed numbers have to show.
COURSE = [
    ("table_categories", ["--rows", "20000"], ["sklearn"], lambda of: of["embeddings"] > of["one-hot"] + 0.1),
    ("documents_lsa", ["--tokens", "100000"], ["sklearn"], lambda of: of["LSA"] > of["bags of words"] + 0.5),
    ("king_glove", [], [], lambda of: of["of 786 analogies are right"] > 0.9),
    ("films", [], [], lambda of: of[f"{LAST} recommended by vectors"] > of[f"{LAST} most popular ones"] + 0.05),
    ("picture_of_words", [], ["matplotlib"], lambda of: of[ARROWS] > of[f"{ARROWS} at random"] + 0.2),
    (
        "text_classifier",
        ["--tokens", "100000"],
        ["sklearn"],
        lambda of: in_order(of, "bags of words", "averaged vectors"),
    ),
    (
        "keras_classifier",
        ["--tokens", "100000"],
        ["sklearn", "keras", "jax"],
        lambda of: in_order(of, "random rows, trained", "our rows, fine-tuned") and of["our rows, frozen"] > 0.9,
    ),
    ("fine_tuning", [], [], lambda of: in_order(of, "the second text alone", "both, one after the other", by=0.3)),
    ("two_models", [], [], lambda of: of["both, concat"] > max(of["skip-gram"], of["GloVe"]) + 0.05),
    ("tune", ["--trials", "8"], ["optuna"], lambda of: of["test, chosen settings"] >= of["test, usual settings"]),
    ("graph_communities", [], ["sklearn"], lambda of: of["members in the group that they joined"] > 0.9),
]
LAST, ARROWS, MEANS = "last films among the five", "mean cosine of the arrows of pairs", "averaged vectors"


def in_order(of, worse, better, by=0.05):
    return of[better] > of[worse] + by


@pytest.mark.clients
@pytest.mark.usefixtures("warm_kernels")
@pytest.mark.parametrize(("name", "args", "packages", "shows"), COURSE, ids=[name for name, *_ in COURSE])
def test_the_course_shows_what_it_says(name, args, packages, shows, tmp_path, monkeypatch):
    if missing := [package for package in packages if find_spec(package) is None]:
        pytest.skip(f"the example needs {', '.join(missing)}; the extra [examples] has it")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    done = python(EXAMPLES / f"{name}.py", *args, cwd=tmp_path, timeout=600)
    assert done.returncode == 0, done.stderr
    rows = [re.match(r"(\d\.\d{3}) +(?:\d\.\d{3} +)?([^;]*)", line) for line in done.stdout.splitlines()]
    assert shows({row[2]: float(row[1]) for row in rows if row}), done.stdout
    assert name != "picture_of_words" or (tmp_path / "words-pairs.png").stat().st_size > 10_000


def test_the_table_of_the_course_is_complete():
    listed = re.findall(r"^\| \[`(\w+)\.py`\]", (EXAMPLES / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(path.stem for path in EXAMPLES.glob("*.py") if path.stem != "toy_text")
    assert sorted(listed) == sorted(name for name, *_ in COURSE)


@pytest.mark.parametrize(
    "function", [train_cbow, train_glove, train_item2vec, train_skipgram], ids=lambda function: function.__name__
)
def test_help_ends_with_examples_that_work(tmp_path, monkeypatch, function):
    monkeypatch.chdir(tmp_path)
    (test,) = doctest.DocTestFinder().find(function, function.__name__)
    assert "    Examples\n    --------\n" in function.__doc__
    assert function.__doc__.index("Examples\n") > function.__doc__.index("Raises\n")
    assert doctest.DocTestRunner().run(test) == (0, len(test.examples))


def test_a_notebook_shows_a_table():
    vectors = WordVectors(["<b>", *"cdefghijk"], np.ones((10, 3)), settings={"model": "cbow"})
    assert vectors._repr_html_() == (
        "<table><tr><th>words</th><td>10: &lt;b&gt; c d e f g h i …</td></tr><tr><th>dimensions</th><td>3</td></tr>"
        "<tr><th>model</th><td>cbow</td></tr></table>"
    )
