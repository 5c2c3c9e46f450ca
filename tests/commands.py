"""Running the commands, and what their tests look at."""

from pathlib import Path

import naive_text
from click.testing import CliRunner

from embedtrain import cli

SETTINGS = ["--dim", "8", "--epochs", "1", "--threads", "1", "--min-count", "2"]
GLOVE = ["--dim", "8", "--epochs", "2"]
LONG_NAME = "x" * 300


def run(*args):
    return CliRunner().invoke(cli.main, [str(arg) for arg in args])


def contents(folder):
    return {path.name: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}


def error_of(done, status):
    """The one line that a refusal says."""
    assert done.exit_code == status, done.output
    assert isinstance(done.exception, SystemExit)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


def named(rows):
    """Ids of tests: the arguments."""
    return [" ".join(args)[:40] or "nothing" for _, args, _ in rows]


def raising(error):
    def train(*args, **settings):
        raise error

    return train


def counted(path="text.txt", min_count=1):
    """The lines of a vocabulary in plain Python."""
    words = naive_text.vocabulary_of(naive_text.tokens_of(Path(path).read_bytes()))
    return [f"{word} {count}" for word, count in words.items() if count >= min_count]
