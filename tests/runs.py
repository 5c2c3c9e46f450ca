"""Small runs, and what the tests of training share."""

from dataclasses import replace
from pathlib import Path

import generate
import numpy as np

from embedtrain import WordVectors, train_skipgram
from embedtrain.training.checkpoint import Checkpoint

TOY = Path(generate.__file__).parent / "toy.txt"
SETTINGS = ["--dim", "8", "--epochs", "2", "--min-count", "1", "--threads", "1"]


def train_small(corpus, **settings):
    """Vectors by skip-gram with few dimensions and epochs, by one thread."""
    usual = {"dim": 8, "epochs": 2, "min_count": 1, "threads": 1, "progress": False}
    return train_skipgram(corpus, **{**usual, **settings})


def some_vectors(words, dim=8):
    """Small random vectors."""
    return WordVectors(words, np.random.default_rng(6).normal(0, 0.3, (len(words), dim)).astype(np.float32))


def lines_of(sentences):
    """Sentences as the content of a text file."""
    return "".join(" ".join(words) + "\n" for words in sentences)


def clear_stop(path, tables=("word_vectors", "context_vectors")):
    """Rewrite the checkpoint of a run that a callback stopped, so that the run goes on; return its path."""
    state = Checkpoint.load(path)
    history = replace(state.history, stopped=False)
    replace(state, history=history).save(path, {name: state.tables[name] for name in tables})
    return path


def files_in(folder):
    """The names of all files below a folder."""
    return {path.name for path in folder.rglob("*") if path.is_file()}


def unreadable():
    """Text that must not be read."""
    raise AssertionError("the text was read")
    yield
