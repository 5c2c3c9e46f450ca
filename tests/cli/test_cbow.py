"""The command `cbow`."""

import pytest
from commands import contents, error_of, named, run

from embedtrain import train_cbow

pytestmark = pytest.mark.usefixtures("warm_tree_kernels")


@pytest.fixture(scope="module")
def warm_tree_kernels():
    """The kernels of `--hs` compiled or loaded, of which the first run would say something."""
    train_cbow([["two", "words"]], hs=True, negative=5, sample=0, dim=8, epochs=1, min_count=1, progress=False)


REFUSED_BY_CBOW = [
    (2, ["text.txt", "--negative", "0"], "--negative must be at least 1, got 0; without negative samples use --hs"),
    (2, ["text.txt", "--cbow-update", "half"], "'half' is not one of 'word2vec', 'corrected'"),
    (2, ["text.txt", "--cbow-mean", "0"], "--cbow-mean; the mean is always taken"),
    (2, ["text.txt", "--x-max", "10"], "--x-max; it is an option of glove"),
    (2, ["text.txt", "--memory", "1G"], "--memory; it is an option of glove, svd, lsa and cooccur"),
    (1, ["same.txt", "--hs"], "at least two different words are needed to learn from"),
]


@pytest.mark.parametrize(("status", "args", "message"), REFUSED_BY_CBOW, ids=named(REFUSED_BY_CBOW))
def test_bad_input_of_cbow_is_one_line(folder, status, args, message):
    (folder / "same.txt").write_text("one one one one one one\n")
    before = contents(folder)
    line = error_of(run("cbow", *args), status)
    assert message.lower() in line.lower()
    assert contents(folder) == before
