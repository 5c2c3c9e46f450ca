"""The examples and those of docstrings run, and what notebooks show."""

import doctest
from pathlib import Path

import numpy as np
import pytest
from programs import python

from embedtrain import WordVectors, train_cbow, train_glove, train_item2vec, train_skipgram

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.mark.clients
@pytest.mark.usefixtures("warm_kernels")
def test_a_text_classifier_knows_new_words_by_their_vectors():
    pytest.importorskip("sklearn", reason="the example classifies with scikit-learn")
    done = python(EXAMPLES / "text_classifier.py", "--tokens", "100000")
    assert done.returncode == 0, done.stderr
    right = {name: float(share) for share, name in (line.split("  ") for line in done.stdout.splitlines())}
    assert right["averaged vectors"] > 0.95  # chance is 0.1
    assert right["averaged vectors"] > right["bags of words"] + 0.1


@pytest.mark.clients
def test_embeddings_of_categories_predict_better_than_one_hot_encoding():
    pytest.importorskip("sklearn", reason="the example predicts with scikit-learn")
    done = python(EXAMPLES / "table_categories.py", "--rows", "20000")
    assert done.returncode == 0, done.stderr
    score = {name: float(share) for share, name in (line.split("  ") for line in done.stdout.splitlines())}
    assert score["embeddings"] > score["one-hot"] + 0.1


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
