"""The command `vocab`."""

import os
import warnings
from pathlib import Path

import pytest
from commands import contents, counted, error_of, named, run
from programs import embedtrain, start_python

pytestmark = pytest.mark.usefixtures("warm_kernels")


def test_vocab_writes_the_words_and_their_counts(folder):
    done = run("vocab", "text.txt", "--min-count", "1")
    assert (done.exit_code, done.stdout) == (0, "")
    assert Path("text.vocab").read_text().splitlines() == counted()
    n_tokens = len(Path("text.txt").read_text().split())
    assert f"{n_tokens:,} tokens of {len(counted())} types" in done.stderr
    assert f"text.vocab: {len(counted())} words, which cover 100.0%" in done.stderr


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ([], lambda: counted(min_count=5)),
        (["--min-count", 2], lambda: counted(min_count=2)),
        (["--max-vocab", 7], lambda: counted()[:7]),
        (["--min-count", 1, "--max-vocab", 1000000], counted),
        (["--min-count", 1, "--threads", 2], counted),
        (["--min-count", 1, "--cache", "cache"], counted),
        (["--mincount", 3], lambda: counted(min_count=3)),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, list) else "",
)
def test_vocab_takes_the_options_of_training(options, wanted):
    done = run("vocab", "text.txt", *options, "-o", "-")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines() == wanted()


@pytest.mark.parametrize("option", ["--map", "--drop", "--phrases"])
def test_vocab_keeps_its_other_inputs(folder, option):
    Path("types.txt").write_text("a\tb\n")
    message = f"-o types.txt would replace the file of {option}; name another file"
    assert message in error_of(run("vocab", "text.txt", option, "types.txt", "-o", "types.txt"), 2)
    assert Path("types.txt").read_text() == "a\tb\n"


def test_vocab_of_a_cache_reads_no_text(folder, monkeypatch):
    assert run("vocab", "text.txt", "--min-count", 1, "--cache", "cache", "-o", "first").exit_code == 0
    monkeypatch.setattr("embedtrain.corpus.encoding.read_chunks", None)
    assert run("vocab", "text.txt", "--min-count", 1, "--cache", "cache", "-o", "second").exit_code == 0
    assert Path("first").read_bytes() == Path("second").read_bytes()
    assert Path("first").read_text().splitlines() == counted()


def test_vocab_counts_all_files(parts):
    assert run("vocab", "parts", "--min-count", 1).exit_code == 0
    assert Path("parts.vocab").read_text().splitlines() == counted()
    assert run("vocab", *parts, "--min-count", 1).exit_code == 0
    assert Path("vectors.vocab").read_bytes() == Path("parts.vocab").read_bytes()


def test_vocab_of_one_word(folder):
    Path("same.txt").write_text("a a\na a a\n")
    assert run("vocab", "same.txt", "-o", "-").stdout == "a 5\n"
    message = "no word occurs 6 times or more: the corpus has 5 tokens of 1 types, 'a' most often, 5 times; try a"
    assert message in error_of(run("vocab", "same.txt", "--min-count", "6"), 1)


def test_vocab_reads_as_training_does(folder):
    (folder / "x.jsonl").write_text('{"body": "The the THE dog Dog"}\n')
    done = run("vocab", "x.jsonl", "--field", "body", "--lowercase", "--min-count", 1, "-o", "-")
    assert done.stdout == "the 3\ndog 2\n"


@pytest.mark.usefixtures("doubtful_text")
@pytest.mark.parametrize("cache", [[], ["--cache", "cache"]], ids=["plain", "cached"])
def test_vocab_shows_notes_unless_quiet(cache):
    for _ in range(2):
        warnings.simplefilter("always")  # a process shows a note once, and --quiet none from then on
        done = run("vocab", "text.txt", *cache)
        assert [line.split()[0] for line in done.stderr.splitlines()] == ["Note:", "Note:", "read", "saved"]
        done = run("vocab", "text.txt", *cache, "--quiet")
        assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


REFUSED_BY_VOCAB = [
    (2, ["text.txt", "-o", "words.gz"], "written as plain text"),
    (2, ["text.txt", "-o", "words.ZIP"], "written as plain text, not .ZIP"),
    (2, ["text.txt", "--min-count", "0"], "--min-count must be a whole number of at least 1, got 0"),
    (2, ["missing.txt", "--max-vocab", "1"], "--max-vocab must be a whole number of at least 2, got 1"),
    (2, ["text.txt", "--dim", "5"], "--dim; it is an option of skipgram, cbow, glove, item2vec, svd and lsa"),
    (2, ["text.txt", "--save-vocab", "x"], "no such option --save-vocab; use -o x"),
]


@pytest.mark.parametrize(("status", "args", "message"), REFUSED_BY_VOCAB, ids=named(REFUSED_BY_VOCAB))
def test_bad_input_of_vocab_is_one_line(folder, status, args, message):
    before = contents(folder)
    assert message.lower() in error_of(run("vocab", *args), status).lower()
    assert contents(folder) == before


def test_vocab_from_a_pipe_to_a_pipe_writes_utf8_whatever_the_terminal_shows():
    options, ascii_only = ["-o", "-", "--min-count", "1"], {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = embedtrain("vocab", "-", *options, input="дом é дом\n", env=ascii_only)
    assert (done.returncode, done.stdout, done.stderr) == (0, "дом 2\né 1\n", "")


def test_vocab_to_a_pipe_that_is_closed_ends_quietly(folder):
    (folder / "many.txt").write_text("".join(f"{number}\n" for number in range(100_000)))
    command = ["-m", "embedtrain", "vocab", "many.txt", "-o", "-", "--min-count", "1"]
    with start_python(*command) as running:
        assert running.stdout.readline() == "0 1\n"
        running.stdout.close()
        assert running.stderr.read() == ""


def test_a_vocabulary_as_corpus_names_its_option(folder):
    assert run("vocab", "text.txt", "--min-count", 1).exit_code == 0
    assert "and the vocabulary with --read-vocab; --force reads" in error_of(run("skipgram", "text.vocab"), 1)
