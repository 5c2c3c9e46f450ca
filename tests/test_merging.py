"""Vocabularies and counts of the parts of a text, merged: as those of the whole text, and what is refused."""

import shutil
from pathlib import Path

import generate
import numpy as np
import pytest
from commands import contents, error_of, named, run
from runs import files_in, lines_of
from scipy import sparse

from embedtrain import Counts, cooccurrence_counts
from embedtrain.counts import merging
from embedtrain.machine.progress import Progress
from embedtrain.models.cooccurrence import Cooccurrence

TEXT = list(generate.sentences(1500, 3))
PARTS = [TEXT[:60], TEXT[60:63], TEXT[63:]]
pytestmark = pytest.mark.usefixtures("warm_kernels")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with the text whole and in parts, and the vocabulary of each."""
    monkeypatch.chdir(tmp_path)
    for name, part in {"whole": TEXT, "0": PARTS[0], "1": PARTS[1], "2": PARTS[2]}.items():
        Path(f"{name}.txt").write_text(lines_of(part))
        assert run("vocab", f"{name}.txt", "--min-count", 1, "-o", f"{name}.vocab").exit_code == 0
    return tmp_path


@pytest.fixture
def count(folder):
    """A function that counts the parts with the vocabulary of the whole text."""

    def count(*options):
        for part in range(3):
            done = run(
                "cooccur", f"{part}.txt", "--read-vocab", "whole.vocab", "--exact", "-o", f"{part}.npz", *options
            )
            assert done.exit_code == 0, done.output
            assert "next" not in done.stderr
        return ["0.npz", "1.npz", "2.npz"]

    return count


# --- As the whole text ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [[], ["--min-count", 1], ["--min-count", 2, "--max-vocab", 50]], ids=len)
def test_merged_vocabularies_are_that_of_the_whole_text(folder, options):
    done = run("vocab", "--merge", "2.vocab", "0.vocab", "1.vocab", "-o", "merged.vocab", *options)
    whole = run("vocab", "whole.txt", "-o", "wanted.vocab", *options)
    assert Path("merged.vocab").read_bytes() == Path("wanted.vocab").read_bytes()
    assert done.stderr.replace("merged", "wanted") == whole.stderr
    assert run("vocab", "--merge", "0.vocab", "-o", "-", *options).stdout == run(
        "vocab", "0.txt", "-o", "-", *options
    ).stdout.replace("\r", "")


@pytest.mark.parametrize(
    "options",
    [[], ["--left-only", "--window", 3], ["--weighting", "uniform"], ["--window", "all", "--max-vocab", 100]],
    ids=lambda options: " ".join(map(str, options)),
)
def test_merged_counts_have_the_bytes_of_those_of_the_whole_text(count, options):
    parts = count(*options)
    assert run("cooccur", "whole.txt", "--read-vocab", "whole.vocab", "-o", "wanted.npz", *options).exit_code == 0
    done = run("cooccur", "--merge", *parts[::-1], "-o", "merged.npz")
    assert Path("merged.npz").read_bytes() == Path("wanted.npz").read_bytes()
    merged, saved, following = done.stderr.splitlines()
    assert merged.startswith(f"merged   {Counts.load('merged.npz').matrix.nnz:,} cells of ")
    assert (saved, following) == ("saved    merged.npz", "next     embedtrain glove merged.npz")


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_and_memory_change_no_byte(count, tmp_path, little_memory, temporary_files, threads):
    parts = count("--max-vocab", 200)
    temporary_files.clear()
    found = Cooccurrence(threads=threads, memory=little_memory(200)).merged(list(map(Path, parts)))
    assert len(temporary_files) >= 5, "sums and the result were in files"
    wanted = cooccurrence_counts("whole.txt", read_vocab="whole.vocab", max_vocab=200, progress=False)
    assert (found.words, found.counts.tolist(), found.settings) == (
        wanted.words, wanted.counts.tolist(), wanted.settings,
    )  # fmt: skip
    for array in ("data", "indices", "indptr"):
        one, other = getattr(found.matrix, array), getattr(wanted.matrix, array)
        assert (one.dtype, one.tobytes()) == (other.dtype, other.tobytes())
    assert not [path for path in files_in(tmp_path) if "embedtrain" in str(path)]


def test_exact_counts_are_what_float32_rounds(folder):
    exact = cooccurrence_counts(["a b c a"] * 100_001, min_count=1, exact=True, progress=False)
    rounded = cooccurrence_counts(["a b c a"] * 100_001, min_count=1, progress=False)
    assert (exact.matrix.dtype, rounded.matrix.dtype) == (np.float64, np.float32)
    assert (exact.matrix.data.astype(np.float32) == rounded.matrix.data).all()
    units = exact.matrix.data * 720720
    assert (np.abs(units - np.rint(units)) < 1e-3).all()
    assert (exact.matrix.data != rounded.matrix.data).any()
    exact.save("exact.npz")
    loaded = Counts.load("exact.npz")
    assert loaded.matrix.dtype == np.float32
    assert (loaded.matrix.data == rounded.matrix.data).all()


@pytest.mark.parametrize("scale", [1, 720720])
@pytest.mark.parametrize("at_once", [1, 3, 1 << 18])
def test_sums_are_recovered_up_to_two_to_the_51(scale, at_once, monkeypatch, tmp_path):
    monkeypatch.setattr(merging, "_AT_ONCE", at_once)
    rng = np.random.default_rng(1)
    sums = [rng.integers(1, 2**51, (3, 3)) * (rng.random((3, 3)) < 0.6) for _ in range(4)]
    matrices = [sparse.csr_array(part / scale) for part in sums]
    found = merging.merge_matrices(
        matrices, 3, scale, Progress("merging", None, shown=False), threads=1, budget=1 << 28, folder=tmp_path
    )
    dense = sparse.csr_array((found.values, found.columns, found.starts), shape=(3, 3)).toarray()
    assert (dense == (sum(sums) / scale).astype(np.float32)).all()


def test_the_same_file_twice_is_added_twice_and_said(count):
    parts = count()
    shutil.copy(parts[0], "copy.npz")
    done = run("cooccur", "--merge", parts[0], Path(parts[0]).absolute(), "-o", "twice.npz")
    assert "0.npz is given 2 times; its counts are added 2 times" in " ".join(done.stderr.split())
    assert "is given" not in run("cooccur", "--merge", parts[0], "copy.npz", "-o", "other.npz").stderr
    assert Path("twice.npz").read_bytes() == Path("other.npz").read_bytes()
    done = run("vocab", "--merge", "0.vocab", "0.vocab", "-o", "-", "--min-count", 1)
    assert "0.vocab is given 2 times" in done.stderr
    lines = Path("0.vocab").read_text().splitlines()
    assert done.stdout.splitlines() == [f"{line.split()[0]} {2 * int(line.split()[1])}" for line in lines]


# --- What is refused --------------------------------------------------------------------------------------------------

REFUSED = [
    (1, ["cooccur", "0.npz", "window.npz"], "--window is 4 in window.npz and 10 in 0.npz; count all parts alike"),
    (1, ["cooccur", "0.npz", "uniform.npz"], "--weighting is 'uniform' in uniform.npz and 'distance' in 0.npz"),
    (1, ["cooccur", "0.npz", "left.npz"], "--symmetric is False in left.npz and True in 0.npz"),
    (
        1,
        ["cooccur", "0.npz", "words.npz"],
        "words.npz and 0.npz differ in words or their counts; count all parts",
    ),
    (
        1,
        ["cooccur", "0.npz", "rounded.npz"],
        "rounded.npz has no exact counts, as of embedtrain cooccur with --exact",
    ),
    (
        1,
        ["cooccur", "0.npz", "scipy.npz"],
        "scipy.npz has no exact counts, as of embedtrain cooccur with --exact",
    ),
    (1, ["cooccur", "0.npz", "whole.txt"], "whole.txt holds no counts: it looks like text"),
    (1, ["cooccur", "0.npz", "missing.npz"], "cannot read missing.npz: no such file"),
    (
        1,
        ["cooccur", "other.npz"],
        "other.npz has no exact counts, as of embedtrain cooccur with --exact",
    ),
    (1, ["cooccur", "huge.npz"], "a count is 10,000,000,000, exact up to 3,124,375,366; count all parts"),
    (2, ["cooccur", "0.npz", "-o", "0.npz"], "the output would replace the corpus 0.npz; name another file with -o"),
    (2, ["cooccur", "0.npz", "--window", 10], "--window is for reading text, and --merge reads counts; leave it out"),
    (2, ["cooccur", "0.npz", "--lowercase"], "--lowercase is for reading text"),
    (2, ["cooccur", "0.npz", "--memory", 5], "--memory must be a size of at least 1.0 MB"),
    (
        1,
        ["vocab", "0.vocab", "cut.vocab"],
        "cut.vocab lacks rare words: each of its words occurs 2 times or more;",
    ),
    (1, ["vocab", "0.vocab", "whole.txt"], "whole.txt, line 1: expected a word, a space and its count"),
    (
        1,
        ["vocab", "large.vocab", "large.vocab"],
        "the sum of the counts is 9,223,372,036,854,775,810; it must be below",
    ),
    (
        2,
        ["vocab", "0.vocab", "-o", "0.vocab"],
        "the output would replace the corpus 0.vocab; name another file",
    ),
    (2, ["vocab", "0.vocab", "--tokenize", "words"], "--tokenize is for reading text, and --merge reads counts"),
    (2, ["vocab", "0.vocab", "--threads", 2], "--threads is for reading text"),
]


@pytest.mark.filterwarnings("ignore::embedtrain.EmbedtrainWarning")
@pytest.mark.parametrize(("status", "args", "message"), REFUSED, ids=named([(0, row[1][:2], 0) for row in REFUSED]))
def test_what_cannot_be_merged_is_refused_in_a_line(folder, status, args, message):
    given = {"exact": True, "read_vocab": "whole.vocab", "progress": False}
    made = {
        "0.npz": {}, "window.npz": {"window": 4}, "uniform.npz": {"weighting": "uniform"},
        "left.npz": {"symmetric": False}, "words.npz": {"read_vocab": "0.vocab"}, "rounded.npz": {"exact": False},
    }  # fmt: skip
    for name, settings in made.items():
        if name in map(str, args):
            cooccurrence_counts("0.txt", **{**given, **settings}).save(name)
    counts = cooccurrence_counts("0.txt", **given)
    sparse.save_npz("scipy.npz", counts.matrix)
    Counts(counts.matrix, counts.words, counts.counts).save("other.npz")
    Counts(counts.matrix * (1e10 / counts.matrix.max()), counts.words, counts.counts, counts.settings).save("huge.npz")
    Path("cut.vocab").write_text("a 9\nb 2\n")
    Path("large.vocab").write_text(f"a {2**62}\nb 1\n")
    before = contents(folder)
    output = [] if "-o" in args else ["-o", "x.vocab" if args[0] == "vocab" else "x.npz"]
    done = run(args[0], "--merge", *args[1:], *output, "--quiet")
    assert message in error_of(done, status)
    assert contents(folder) == before


@pytest.mark.parametrize("command", ["vocab", "cooccur"])
def test_merging_needs_an_output(folder, command):
    assert "name the file of the merged counts with -o" in error_of(run(command, "--merge", "0.vocab", "1.vocab"), 2)


def test_a_vocabulary_without_rare_words_is_merged_by_force(folder):
    Path("cut.vocab").write_text("a 9\nb 2\n")
    done = run("vocab", "--merge", "cut.vocab", "-o", "-", "--force", "--min-count", 1)
    assert done.stdout == "a 9\nb 2\n"


def test_damaged_parts_are_refused(count):
    parts = count()
    content = Path("0.npz").read_bytes()
    Path("0.npz").write_bytes(content[: len(content) // 2])
    done = run("cooccur", "--merge", *parts, "-o", "x.npz")
    assert "cannot read 0.npz: it is damaged or holds no counts" in error_of(done, 1)
