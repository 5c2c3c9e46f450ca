"""The command `glove`."""

import gzip
import json
import shlex
from pathlib import Path

import pytest
from commands import GLOVE, contents, error_of, named, run
from programs import embedtrain

from embedtrain import Counts, WordVectors, cooccurrence_counts, train_glove

pytestmark = pytest.mark.usefixtures("warm_kernels")


@pytest.mark.usefixtures("with_counts")
def test_text_and_counts_in_every_form_give_the_same_vectors():
    done = run("cooccur", "text.txt", "--min-count", "2")
    assert (done.exit_code, done.stdout) == (0, "")
    assert Counts.load("text.npz").matrix.nnz > 100
    for args, output in [
        (["text.txt", "--min-count", "2"], "text.vec"),
        (["text.npz", "-o", "x.vec"], "x.vec"),
        (["counts.npz"], "counts.vec"),
        (["plain.npz", "--vocab", "words.txt"], "plain.vec"),
        (["cooccurrence.bin", "--vocab", "words.txt", "--threads", "1"], "cooccurrence.vec"),
    ]:
        before = set(contents(Path()))
        done = run("glove", *args, *GLOVE)
        assert (done.exit_code, done.stdout) == (0, ""), done.output
        assert set(contents(Path())) - before == {output}
        assert Path(output).read_bytes() == Path("text.vec").read_bytes()


@pytest.mark.usefixtures("with_counts")
def test_the_options_of_glove_are_those_of_the_library():
    counts = Counts.load("counts.npz")
    options = "--vectors context --x-max 5 --alpha 0.5 --lr 0.1 --seed 4 --memory 500M".split()
    assert run("glove", "counts.npz", *GLOVE, *options).exit_code == 0
    settings = {"vectors": "context", "x_max": 5, "alpha": 0.5, "lr": 0.1, "seed": 4}
    vectors = train_glove(counts, dim=8, epochs=2, **settings, progress=False)
    assert WordVectors.load("counts.vec").vectors.tobytes() == vectors.vectors.tobytes()
    text = ["text.txt", "--left-only", "--weighting", "uniform", "--window", "3", "--min-count", "2", "-o", "x.npz"]
    assert run("cooccur", *text, "--save-vocab", "vocab", "--memory", "1GiB").exit_code == 0
    wanted = cooccurrence_counts("text.txt", symmetric=False, weighting="uniform", window=3, min_count=2)
    found = Counts.load("x.npz")
    assert (found.matrix != wanted.matrix).nnz == 0
    saved = [line.split()[0] for line in Path("vocab").read_text().splitlines()]
    assert list(found.words) == list(wanted.words) == saved


@pytest.mark.usefixtures("with_counts")
@pytest.mark.parametrize("args", [["text.txt", "--min-count", "2"], ["counts.npz"]], ids=" ".join)
def test_the_summary_of_glove_says_what_was_done(args):
    done = run("glove", *args, *GLOVE, "--threads", "1", "-o", "x.vec")
    counts = Counts.load("counts.npz")
    n_cells, n_words = counts.matrix.nnz, len(counts)
    parts = f"{n_cells:,} cells of {n_words} × {n_words}", "2 epochs, ", "M cells/s on 1 thread", "a cell", "x.vec"
    for part in parts:
        assert part in done.stderr
    assert (" tokens of " in done.stderr) == (args[0] == "text.txt")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("next ")]
    assert len(run(*shlex.split(line.removeprefix("next "))[1:]).stdout.splitlines()) == 10


@pytest.mark.usefixtures("with_counts")
@pytest.mark.parametrize(
    "args",
    [["glove", "text.txt", *GLOVE], ["glove", "counts.npz", *GLOVE], ["cooccur", "text.txt"]],
    ids=lambda args: " ".join(args[:2]),
)
def test_quiet_glove_and_quiet_cooccur_say_nothing(args):
    done = run(*args, "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (["text.txt", "--min-count", "2"], ["tokens of ", "min-count     words     cover", "count "]),
        (["counts.npz"], []),
        (["cooccurrence.bin", "--vocab", "words.txt"], []),
    ],
    ids=lambda value: " ".join(value),
)
def test_a_dry_run_of_glove_tells_and_writes_nothing(with_counts, args, parts):
    before, n_cells = contents(with_counts), Counts.load("counts.npz").matrix.nnz
    done = run("glove", *args, "--dim", "8", "--dry-run")
    assert (done.exit_code, done.stderr) == (0, "")
    for part in [f"counts   {n_cells:,} cells", "four tables", "disk ", "M cells/s", *parts]:
        assert part in done.stdout
    assert "sample" not in done.stdout
    assert contents(with_counts) == before


REFUSED_BY_GLOVE = [
    (1, ["missing.npz"], "cannot read missing.npz: no such file"),
    (1, ["missing.bin"], "cannot read missing.bin: no such file"),
    (1, ["apart.txt", "--min-count", "1"], "nothing to learn from"),
    (1, ["apart.txt", "--min-count", "1", "--dry-run"], "nothing to learn from"),
    (1, ["counts"], "cannot read counts"),
    (2, ["counts.npz", "text.txt"], "counts.npz holds counts: train on this file only, or on text only"),
    (2, ["text.txt", "counts.npz"], "counts.npz holds counts: train on this file only, or on text only"),
    (1, ["cut.npz"], "cannot read cut.npz"),
    (1, ["flipped.npz"], "cannot read flipped.npz: it is damaged or holds no counts"),
    (1, ["others.npz"], "others.npz"),
    (1, ["text.bin", "--vocab", "words.txt"], "text.bin holds no counts: it looks like text"),
    (1, ["empty.bin", "--vocab", "words.txt"], "empty.bin holds no counts: it is empty"),
    (1, ["plain.npz", "--vocab", "missing"], "cannot read missing"),
    (1, ["plain.npz", "--vocab", "one.txt"], "one.txt, line 1"),
    (2, ["plain.npz"], "plain.npz has no words; name the file of its words"),
    (2, ["cooccurrence.bin"], "cooccurrence.bin has no words; name the file of its words"),
    (2, ["counts.npz", "--vocab", "words.txt"], "counts.npz has its own words; leave out"),
    (2, ["text.txt", "--vocab", "words.txt"], "--vocab is for counts without words"),
    (2, ["counts.npz", "--left-only"], "--symmetric says how text is counted"),
    (2, ["counts.npz", "--cache", "cache"], "--cache says how text is counted"),
    (2, ["counts.npz", "--lowercase"], "--lowercase says how text is read; counts.npz holds counts"),
    (2, ["counts.npz", "--field", "text"], "--field says how text is read; counts.npz holds counts"),
    (2, ["counts.npz", "--invalid-utf8", "refuse"], "--invalid-utf8 says how text is read"),
    (2, ["counts.npz", "-o", "counts.npz"], "would replace the corpus counts.npz; name another file with -o"),
    (2, ["counts.npz", "--checkpoint", "counts.npz"], "--checkpoint counts.npz would replace the counts"),
    (2, ["counts.npz", "--save-vocab", "./counts.npz"], "would replace the counts"),
    (2, ["counts.npz", "--log", "counts.npz"], "--log counts.npz would replace the counts"),
    (2, ["plain.npz", "--vocab", "words.txt", "-o", "words.txt"], "would replace the file of --vocab"),
    (2, ["plain.npz", "--vocab", "words.txt", "--save-vocab", "words.txt"], "would replace the file of --vocab"),
    (2, ["text.txt", "--negative", "5"], "--negative; it is an option of skipgram, cbow and item2vec"),
    (2, ["text.txt", "--cbow-update", "corrected"], "--cbow-update; it is an option of cbow"),
    (2, ["text.txt", "--valid", "text.txt"], "--valid; it is an option of skipgram, cbow and item2vec"),
    (2, ["text.txt", "--patience", "2"], "--patience; it is an option of skipgram, cbow and item2vec"),
    (2, ["--train", "text.txt"], "name the corpus without an option: embedtrain glove text.txt"),
    (2, ["text.txt", "-x-max", "9"], "did you mean --x-max 9?"),
    (2, ["text.txt", "-eta", "0.1"], "did you mean --lr 0.1?"),
    (2, ["text.txt", "--vectors", "both"], "'both' is not one of"),
    (2, ["text.txt", "--min-count", "2", "--memory", "2M"], "memory must be at least"),
    (2, ["counts.npz", "--dim", "1000000000"], "lower --dim"),
    (2, ["text.txt", "--freeze", "--init", "good.vec", "--dim", "2"], "not --vectors sum; set --vectors word"),
]


@pytest.mark.parametrize(("status", "args", "message"), REFUSED_BY_GLOVE, ids=named(REFUSED_BY_GLOVE))
def test_bad_input_of_glove_is_one_line(with_counts, status, args, message):
    before = contents(with_counts)
    line = error_of(run("glove", *args), status)
    assert message.lower() in line.lower()
    assert contents(with_counts) == before


def test_glove_reads_several_files_compressed_text_and_json_lines(with_counts):
    lines = (with_counts / "text.txt").read_bytes().splitlines(keepends=True)
    (with_counts / "first.txt").write_bytes(b"".join(lines[:30]))
    (with_counts / "rest.txt.gz").write_bytes(gzip.compress(b"".join(lines[30:])))
    (with_counts / "text.jsonl").write_text("".join(json.dumps({"text": line.decode()}) + "\n" for line in lines))
    settings = [*GLOVE, "--min-count", "2", "--quiet"]
    assert run("glove", "text.txt", *settings, "-o", "x.vec").exit_code == 0
    for corpus, output in [(["first.txt", "rest.txt.gz"], "vectors.vec"), (["text.jsonl"], "text.vec")]:
        assert run("glove", *corpus, *settings).exit_code == 0
        assert Path(output).read_bytes() == Path("x.vec").read_bytes()
        assert run("cooccur", *corpus, "--min-count", "2", "--quiet").exit_code == 0
        assert list(Counts.load(Path(output).with_suffix(".npz")).words) == list(WordVectors.load(output).words)


def test_diverged_glove_leaves_the_old_output_alone(with_counts):
    for name in ("counts.vec", "old.checkpoint"):
        (with_counts / name).write_bytes(b"old")
    before = contents(with_counts)
    line = error_of(run("glove", "counts.npz", "--lr", "50", "--checkpoint", "old.checkpoint", "--quiet"), 1)
    assert line.endswith("; try --lr 0.05")
    assert contents(with_counts) == before


@pytest.mark.usefixtures("with_counts")
def test_text_from_a_pipe_is_counted():
    text = Path("text.txt").read_text()
    done = embedtrain("glove", "-", *GLOVE, "--min-count", "2", "--quiet", input=text)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert run("glove", "counts.npz", *GLOVE).exit_code == 0
    assert Path("vectors.vec").read_bytes() == Path("counts.vec").read_bytes()
