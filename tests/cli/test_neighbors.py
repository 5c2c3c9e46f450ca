"""The command `neighbors`."""

import pytest
from commands import LONG_NAME, error_of, named, run

pytestmark = pytest.mark.usefixtures("warm_kernels")


def test_neighbors_are_those_of_the_library():
    done = run("neighbors", "good.vec", "king")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "0.8000  queen\n-1.0000  frog\n", "")


def test_neighbors_of_several_words_have_headings():
    done = run("neighbors", "good.vec", "king", "frog", "-n", "1")
    assert (done.exit_code, done.stdout) == (0, "king:\n0.8000  queen\nfrog:\n-0.8000  queen\n")


REFUSED_BY_NEIGHBORS = [
    (1, ["good.vec", "kings"], "'kings' is not among the 3 words; similar spelling: king"),
    (1, ["good.vec", "king", "zzz"], "'zzz' is not among the 3 words"),
    (1, ["missing.vec", "king"], "cannot read missing.vec"),
    (1, ["folder", "king"], "folder is a folder without vectors.npy"),
    (1, ["broken.vec", "a"], "broken.vec, line 3"),
    (1, ["text.txt", "a"], "text.txt is not a file of vectors"),
    (1, ["empty.txt", "a"], "empty.txt is empty"),
    (1, [LONG_NAME, "a"], f"cannot read {LONG_NAME[:200]}"),
    (2, ["good.vec"], "WORDS"),
    (2, [], "FILE"),
    (2, ["good.vec", "king", "-n", "0"], "-n"),
    (2, ["good.vec", "king", "--nonsense"], "--nonsense"),
]


@pytest.mark.parametrize(("status", "args", "message"), REFUSED_BY_NEIGHBORS, ids=named(REFUSED_BY_NEIGHBORS))
def test_bad_input_of_neighbors_is_one_line(status, args, message):
    assert message.lower() in error_of(run("neighbors", *args), status).lower()
