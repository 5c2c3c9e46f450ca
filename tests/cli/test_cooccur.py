"""The command `cooccur`."""

import shlex
from pathlib import Path

import pytest
from commands import GLOVE, contents, error_of, named, run

from embedtrain import Counts

pytestmark = pytest.mark.usefixtures("warm_kernels")


@pytest.mark.usefixtures("with_counts")
def test_the_summary_of_cooccur_names_a_next_command_that_works():
    done = run("cooccur", "text.txt", "--min-count", "2", "-o", "a name.npz")
    counted, saved, following = done.stderr.splitlines()
    counts = Counts.load("a name.npz")
    assert counted.startswith(f"counted  {counts.matrix.nnz:,} cells of {len(counts)} words in ")
    assert saved == "saved    a name.npz"
    assert run(*shlex.split(following.removeprefix("next "))[1:], *GLOVE).exit_code == 0
    assert Path("a name.vec").exists()


REFUSED_BY_COOCCUR = [
    (1, ["apart.txt", "--min-count", "1"], "nothing to learn from"),
    (2, ["counts.npz", "-o", "x.npz"], "counts.npz holds counts already; train on it: embedtrain glove counts.npz"),
    (2, ["text.txt", "cooccurrence.bin"], "cooccurrence.bin holds counts already"),
    (1, ["counts"], "cannot read counts"),
    (2, ["text.txt", "-o", "-"], "the output must be a file, not standard output"),
    (2, ["text.txt", "--weighting", "triangle"], "'triangle' is not one of"),
    (2, ["text.txt", "--memory", "5"], "memory must be a size of at least 1.0 MB"),
    (2, ["text.txt", "--dim", "5"], "--dim"),
]


@pytest.mark.parametrize(("status", "args", "message"), REFUSED_BY_COOCCUR, ids=named(REFUSED_BY_COOCCUR))
def test_bad_input_of_cooccur_is_one_line(with_counts, status, args, message):
    before = contents(with_counts)
    assert message.lower() in error_of(run("cooccur", *args), status).lower()
    assert contents(with_counts) == before


def test_an_interruption_of_counting_saves_nothing(with_counts, monkeypatch):
    def interrupt(*args, **settings):
        raise KeyboardInterrupt

    monkeypatch.setattr("embedtrain.training.count_data.count_windows", interrupt)
    before = contents(with_counts)
    for command in ("cooccur", "glove"):
        done = run(command, "text.txt", "--quiet")
        assert (done.exit_code, done.stdout) == (130, "")
        assert done.stderr.splitlines()[-1] == "Error: interrupted; nothing was saved"
    assert contents(with_counts) == before
