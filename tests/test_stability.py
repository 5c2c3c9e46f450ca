"""Training learns from few words, in wide windows and at high rates: its loss falls below that of the start."""

import itertools
import math

import numpy as np
import pytest
from scipy import sparse

from embedtrain import RandomWalks, train_cbow, train_skipgram
from embedtrain.models import block_shape

TRAIN = {"skipgram": train_skipgram, "cbow": train_cbow}
SIZES = (2, 3, 5, 50, 1000)
WINDOWS = (1, 5, 20, 100)
LONG = 1000  # tokens of a line


def random_words(n_words, zipfian, n_lines):
    """Lines of independent words, of which there is nothing to learn but their frequencies."""
    rng = np.random.default_rng(n_words)
    shares = 1 / np.arange(1, n_words + 1) if zipfian else np.ones(n_words)
    return [[f"w{i}" for i in line] for line in rng.choice(n_words, (n_lines, LONG), p=shares / shares.sum())]


def sessions(n_lines, n_groups=26, size=50, length=40):
    """Lines each of the items of one group."""
    rng = np.random.default_rng(7)
    return [[f"g{k}i{i}" for i in rng.permutation(size)[:length]] for k in rng.integers(0, n_groups, n_lines)]


def check(model, lines, **settings):
    quick = {"dim": 16, "epochs": 2, "sample": 0, "min_count": 1, "threads": 1, "progress": False}
    losses = TRAIN[model](lines, **quick, **settings).report.losses
    assert losses[-1] < (1 + settings.get("negative", 5)) * math.log(2)


# --- A few cases, always ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lr", [0.025, 0.1])
@pytest.mark.parametrize(("window", "mode"), [(5, "dynamic"), (20, "fixed"), (100, "dynamic")])
@pytest.mark.parametrize("n_words", [2, 5, 50])
def test_few_words_and_wide_windows(n_words, window, mode, lr):
    check("skipgram", random_words(n_words, False, 4), window=window, window_mode=mode, lr=lr)


@pytest.mark.parametrize("lr", [0.025, 0.1])
@pytest.mark.parametrize("model", TRAIN)
def test_sessions_of_one_topic_each(model, lr):
    check(model, sessions(300), window=20, window_mode="fixed", lr=lr)


@pytest.mark.parametrize("loss", [{}, {"negative": 0, "hs": True}], ids=str)
@pytest.mark.parametrize("shares", [(2, 1), (50, 1)], ids=str)
def test_few_words_fill_the_windows_of_cbow(shares, loss):
    rows = np.random.default_rng(3).choice(2, (10, LONG), p=np.array(shares) / sum(shares))
    lines = [[f"w{i}" for i in row] for row in rows]
    for window, mode in ((20, "fixed"), (1000, "dynamic")):
        check("cbow", lines, window=window, window_mode=mode, lr=0.1, **loss)


@pytest.mark.parametrize("negative", [1, 15])
def test_few_and_many_negative_samples(negative):
    check("skipgram", random_words(5, True, 10), window=20, negative=negative, lr=0.1)


# --- The whole grid ---------------------------------------------------------------------------------------------------

every_rate = pytest.mark.parametrize("lr", [0.025, 0.1])


@pytest.mark.slow
@every_rate
@pytest.mark.parametrize("mode", ["dynamic", "fixed"])
@pytest.mark.parametrize("window", [*WINDOWS, 1000])
@pytest.mark.parametrize(("n_words", "zipfian"), [*itertools.product(SIZES, [False, True])])
@pytest.mark.parametrize("model", TRAIN)
def test_grid_of_vocabularies_and_windows(model, n_words, zipfian, window, mode, lr):
    n_lines = 4 if window == 1000 else 40
    check(model, random_words(n_words, zipfian, n_lines), window=window, window_mode=mode, lr=lr)


@pytest.mark.slow
@every_rate
@pytest.mark.parametrize("mode", ["dynamic", "fixed"])
@pytest.mark.parametrize("window", WINDOWS)
def test_grid_of_sessions(window, mode, lr):
    check("skipgram", sessions(1000), window=window, window_mode=mode, lr=lr)


# --- Words that repeat within a few lines -----------------------------------------------------------------------------


def topics(size, zipfian, n_lines=200, n_topics=100):
    """Long lines, each of words of one topic."""
    rng = np.random.default_rng(size)
    shares = 1 / np.arange(1, size + 1) if zipfian else np.ones(size)
    return [
        [f"t{topic}w{word}" for word in rng.choice(size, LONG, p=shares / shares.sum())]
        for topic in rng.integers(0, n_topics, n_lines)
    ]


def walks(n_groups=20, size=50, n_lines=3000, length=80):
    """Walks on a graph of groups, of which a step leaves the group once in 20 times, and else goes near by."""
    rng = np.random.default_rng(11)
    for start in rng.integers(0, n_groups * size, n_lines):
        line = [start]
        for step, jump, far in zip(
            rng.integers(1, 9, length), rng.random(length) < 0.05, rng.integers(0, n_groups * size, length), strict=True
        ):
            line.append(far if jump else line[-1] // size * size + (line[-1] + step) % size)
        yield [str(node) for node in line]


def check_against_no_control_variate(lines, monkeypatch, **settings):
    """The loss is at most 5 % above that of training without a control variate."""
    settings = {"epochs": 5, "dim": 48, "threads": 1, "progress": False, **settings}
    loss = train_skipgram(lines, **settings).report.losses[-1]
    monkeypatch.setattr(block_shape, "LAG_LIMIT", 1e-12)
    assert loss < 1.05 * train_skipgram(lines, **settings).report.losses[-1]


def test_lines_of_one_topic(monkeypatch):
    check_against_no_control_variate(topics(10, False, 100, 5), monkeypatch)


@pytest.mark.slow
@every_rate
@pytest.mark.parametrize("window", [5, 20])
@pytest.mark.parametrize(("size", "zipfian"), [*itertools.product((5, 10, 40), (False, True))])
def test_grid_of_topics(size, zipfian, window, lr, monkeypatch):
    lines = topics(size, zipfian)
    check_against_no_control_variate(lines, monkeypatch, window=window, lr=lr, sample=0, min_count=1, epochs=2)


@pytest.mark.slow
@pytest.mark.parametrize("settings", [{}, {"window": 10, "lr": 0.05}, {"sample": 0}], ids=str)
def test_walks_on_a_graph(settings, monkeypatch):
    check_against_no_control_variate(list(walks()), monkeypatch, epochs=10, **settings)


@pytest.mark.slow
@pytest.mark.parametrize("window", [1, 2, 5])
@pytest.mark.parametrize("n_walks", [10, 60])
def test_walks_that_stay_in_a_clique(n_walks, window, monkeypatch):
    graph = sparse.block_diag([np.ones((8, 8))] * 36).tolil()
    for clique in range(36):
        graph[8 * clique, (8 * clique + 9) % 288] = graph[(8 * clique + 9) % 288, 8 * clique] = 1
    walks = RandomWalks(graph.tocsr(), walks=n_walks)
    check_against_no_control_variate(walks, monkeypatch, epochs=10, window=window, sample=0, min_count=1)
