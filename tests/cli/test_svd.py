"""The commands `svd` and `lsa`."""

from pathlib import Path

import pytest
from commands import run
from scipy import sparse

from embedtrain import Counts, WordVectors, train_lsa, train_svd

pytestmark = pytest.mark.usefixtures("warm_kernels")
DIM = ["--dim", "4"]


@pytest.mark.usefixtures("with_counts")
def test_text_and_counts_give_the_vectors_of_the_library():
    options = "--min-count 2 --window 10 --smoothing 1 --shift 2 --singular-exponent 0 --add-contexts".split()
    done = run("svd", "text.txt", *DIM, *options, "-o", "x.npz")
    assert (done.exit_code, done.stdout) == (0, ""), done.output
    for part in ("memory ", "of the decomposition, up to ", "cells of", "decompose", "saved    x.npz"):
        assert part in done.stderr
    settings = {"window": 10, "smoothing": 1, "shift": 2, "singular_exponent": 0, "add_contexts": True}
    expected = train_svd("text.txt", dim=4, min_count=2, **settings, progress=False)
    assert WordVectors.load("x.npz").vectors.tobytes() == expected.vectors.tobytes()
    assert run("svd", "counts.npz", *DIM, *options[4:], "-o", "y.npz").exit_code == 0
    assert WordVectors.load("y.npz").vectors.tobytes() == expected.vectors.tobytes()


@pytest.mark.usefixtures("with_counts")
def test_a_rectangular_matrix_has_words_for_rows_and_columns():
    counts = Counts.load("counts.npz")
    sparse.save_npz("half.npz", sparse.csr_array(counts.matrix[:, :20]))
    Path("rows").write_text("\n".join(counts.words))
    Path("columns").write_text("\n".join(counts.words[:20]))
    done = run("svd", "half.npz", "--vocab", "rows", "--context-vocab", "columns", *DIM, "-o", "x.npz")
    assert done.exit_code == 0, done.output
    assert WordVectors.load("x.npz").factors.context_words == list(counts.words[:20])


@pytest.mark.usefixtures("with_counts")
def test_lsa_writes_words_and_documents():
    done = run("lsa", "text.txt", *DIM, "--min-count", "2", "--documents", "d.npz", "-o", "x.npz")
    assert (done.exit_code, done.stdout) == (0, ""), done.output
    expected = train_lsa("text.txt", dim=4, min_count=2, progress=False)
    assert WordVectors.load("x.npz").vectors.tobytes() == expected.vectors.tobytes()
    assert WordVectors.load("d.npz").vectors.tobytes() == expected.documents.vectors.tobytes()


@pytest.mark.usefixtures("with_counts")
@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["svd", "text.txt", "--epochs", "3"], "no such option --epochs; it is an option of skipgram, cbow, glove"),
        (["lsa", "text.txt", "--lr", "3"], "no such option --lr; it is an option of skipgram, cbow, glove"),
        (["svd", "text.txt", "--checkpoint", "x"], "no such option --checkpoint; it is an option of"),
        (["svd", "text.txt", "--dry-run"], "no such option --dry-run; it is an option of skipgram, cbow, "),
        (["lsa", "text.txt", "--log", "x"], "no such option --log; it is an option of skipgram, cbow, "),
        (["svd", "text.txt", "-j"], "no such option -j; see embedtrain svd --help"),
        (["svd", "counts.npz", "--window", "3"], "--window says how text is counted"),
        (["svd", "text.txt", "--dim", "0"], "--dim must be a whole number of at least 1"),
        (["lsa", "text.txt", "--cache", "x"], "--cache keeps sentences, not documents"),
        (["lsa", "text.txt", "--documents", "text.txt"], "text.txt"),
        (["lsa", "text.txt", "-o", "x.npz", "--documents", "x.npz"], "x.npz"),
        (["lsa", "text.txt", "--documents", "no/x.npz"], "no"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_options_are_one_line(args, part):
    done = run(*args)
    assert part in done.stderr
    assert done.exit_code in (1, 2)
    assert done.stderr.count("\n") == 1
