import gzip
import inspect
import json
import os
import shlex
import subprocess
import sys
import warnings
from pathlib import Path

import generate
import naive_text
import numpy as np
import pytest
from click.testing import CliRunner
from scipy import sparse

from embedtrain import (
    Corpus,
    Counts,
    DataError,
    Interrupted,
    TrainingError,
    WordVectors,
    cli,
    cooccurrence_counts,
    train_cbow,
    train_glove,
    train_skipgram,
)
from embedtrain.corpus.pieces import read_pieces
from embedtrain.machine.progress import counted as counted_as

pytestmark = pytest.mark.usefixtures("warm_kernels")
SETTINGS = ["--dim", "8", "--epochs", "1", "--threads", "1", "--min-count", "2"]


def run(*args):
    return CliRunner().invoke(cli.main, [str(arg) for arg in args])


def contents(folder):
    return {path.name: path.read_bytes() if path.is_file() else None for path in folder.iterdir()}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """The current folder, with corpora good and bad."""
    monkeypatch.chdir(tmp_path)
    text = "".join(" ".join(tokens) + "\n" for tokens in generate.sentences(600))
    (tmp_path / "text.txt").write_bytes(text.encode())
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "one.txt").write_bytes(b"word word word\nword word\n")
    (tmp_path / "broken.vec").write_bytes(b"2 2\na 1 2\nb 1 x\n")
    (tmp_path / "good.vec").write_bytes(b"3 2\nking 1 0\nqueen 0.8 0.6\nfrog -1 0\n")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.fixture
def calls(monkeypatch):
    """What `train_skipgram` is called with; it does not train."""
    seen = []

    def pretend(corpus, **settings):
        seen.append({"corpus": corpus, **settings})
        return WordVectors(["a", "b"], np.eye(2, dtype=np.float32))

    monkeypatch.setattr("embedtrain.models.skipgram.train_skipgram", pretend)
    monkeypatch.setattr("embedtrain.models.cbow.train_cbow", pretend)
    return seen


# --- What works -------------------------------------------------------------------------------------------------------


def test_training_writes_vectors_that_load(folder):
    done = run("skipgram", "text.txt", *SETTINGS, "-o", "x.vec")
    assert (done.exit_code, done.stdout) == (0, "")
    vectors = WordVectors.load("x.vec")
    again = train_skipgram("text.txt", dim=8, epochs=1, threads=1, min_count=2)
    assert list(vectors.words) == again.words
    assert vectors.vectors.tolist() == again.vectors.tolist()


def test_the_summary_names_a_next_command_that_works():
    done = run("skipgram", "text.txt", *SETTINGS, "-o", "a name.vec")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("next ")]
    name, *args = shlex.split(line.removeprefix("next "))
    assert name == "embedtrain"
    asked = run(*args)
    assert asked.exit_code == 0
    assert len(asked.stdout.splitlines()) == 10


def test_the_summary_says_what_was_done():
    done = run("skipgram", "text.txt", *SETTINGS, "-o", "x.vec")
    vectors = WordVectors.load("x.vec")
    n_tokens = len(Path("text.txt").read_text().split())
    for part in (f"{n_tokens} tokens of ", f"{len(vectors)} words", "1 epoch,", "1 thread,", "x.vec", "8 dimensions"):
        assert part in done.stderr


def test_quiet_says_nothing():
    done = run("skipgram", "text.txt", *SETTINGS, "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    assert WordVectors.load("text.vec").vectors.shape[1] == 8


@pytest.fixture
def doubtful_text(folder):
    text = (folder / "text.txt").read_bytes()
    (folder / "text.txt").write_bytes(text + b"a nul\0 and caf\xe9\n")


@pytest.mark.usefixtures("doubtful_text")
def test_notes_on_the_text_are_shown_a_line_each():
    done = run("skipgram", "text.txt", *SETTINGS)
    assert done.exit_code == 0
    shown = [line for line in done.stderr.splitlines() if line.startswith("Note: ")]
    assert ["control character" in note for note in shown].count(True) == 1
    assert ["not UTF-8" in note for note in shown].count(True) == 1
    assert len(shown) == 2


@pytest.mark.usefixtures("doubtful_text")
def test_quiet_says_no_notes():
    done = run("skipgram", "text.txt", *SETTINGS, "--quiet")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("corpus", "output"),
    [
        ("text.txt", "text.vec"),
        ("text.txt.gz", "text.vec"),
        ("TEXT.Txt.GZ", "TEXT.vec"),
        ("text", "text.vec"),
        ("a.b.txt", "a.b.vec"),
        ("folder/text.txt", "text.vec"),
        ("folder/a text.txt", "a text.vec"),
    ],
)
def test_the_output_is_named_after_the_corpus(folder, corpus, output):
    text = (folder / "text.txt").read_bytes()
    (folder / corpus).write_bytes(gzip.compress(text) if corpus.lower().endswith(".gz") else text)
    before = set(contents(folder))
    assert run("skipgram", corpus, *SETTINGS).exit_code == 0
    assert set(contents(folder)) - before == {output}


@pytest.mark.parametrize(
    ("corpus", "output"),
    [
        (["texts"], "texts.vec"),
        (["texts/"], "texts.vec"),
        (["texts/../texts"], "texts.vec"),
        (["."], "current.vec"),
        (["b.c.jsonl.gz"], "b.c.vec"),
        (["b.ndjson"], "b.vec"),
        (["texts", "a.txt"], "vectors.vec"),
        (["a.txt", "texts"], "vectors.vec"),
        (["texts/*"], "vectors.vec"),
        (["?.txt"], "vectors.vec"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_output_is_named_after_a_single_corpus(folder, monkeypatch, corpus, output):
    (folder / "current" / "texts").mkdir(parents=True)
    monkeypatch.chdir(folder / "current")
    text = (folder / "text.txt").read_bytes()
    record = json.dumps({"text": text.decode()}).encode()
    for path, content in [
        ("a.txt", text), ("texts/a.txt", text), ("b.c.jsonl.gz", gzip.compress(record)), ("b.ndjson", record)
    ]:  # fmt: skip
        Path(path).write_bytes(content)
    before = set(contents(folder / "current"))
    assert run("skipgram", *corpus, *SETTINGS).exit_code == 0
    assert set(contents(folder / "current")) - before == {output}


def test_an_old_output_is_replaced(folder):
    (folder / "text.vec").write_bytes(b"old")
    assert run("skipgram", "text.txt", *SETTINGS).exit_code == 0
    assert WordVectors.load("text.vec").vectors.shape[1] == 8


def test_neighbors_are_those_of_the_library():
    done = run("neighbors", "good.vec", "king")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "0.8000  queen\n-1.0000  frog\n", "")


def test_neighbors_of_several_words_have_headings():
    done = run("neighbors", "good.vec", "king", "frog", "-n", "1")
    assert (done.exit_code, done.stdout) == (0, "king:\n0.8000  queen\nfrog:\n-0.8000  queen\n")


@pytest.mark.parametrize(
    "args", [["--help"], ["-h"], ["skipgram", "--help"], ["neighbors", "-h"], ["--version"]], ids=" ".join
)
def test_help_is_given_on_stdout(args):
    done = run(*args)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "embedtrain" in done.stdout or "Usage: " in done.stdout


def test_help_shows_no_aliases():
    shown = run("skipgram", "--help").stdout
    assert "--dim" in shown
    assert not [alias for alias in ("--size", "--iter", "--workers", "--neg ", "--ws", "--alpha") if alias in shown]


# --- Options ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "train", "n_options"), [("skipgram", train_skipgram, 24), ("cbow", train_cbow, 25)]
)
def test_defaults_are_those_of_the_library(calls, command, train, n_options):
    assert run(command, "text.txt").exit_code == 0
    parameters = inspect.signature(train).parameters
    own = {"corpus", "temp_folder", "progress", "callback"}
    wanted = {name: parameter.default for name, parameter in parameters.items() if name not in own}
    assert len(wanted) == n_options
    (call,) = calls
    assert {name: value for name, value in call.items() if name not in own} == wanted
    assert call["corpus"] == Corpus("text.txt")


@pytest.mark.parametrize(
    ("args", "setting", "value"),
    [
        (["--size", "7"], "dim", 7),
        (["--size=7"], "dim", 7),
        (["--vector_size", "7"], "dim", 7),
        (["--vector-size", "7"], "dim", 7),
        (["--iter", "7"], "epochs", 7),
        (["--workers", "7"], "threads", 7),
        (["--neg", "7"], "negative", 7),
        (["--ws", "7"], "window", 7),
        (["--min_count", "7"], "min_count", 7),
        (["--mincount", "7"], "min_count", 7),
        (["--minCount", "7"], "min_count", 7),
        (["--ns_exponent", "0.5"], "noise_exponent", 0.5),
        (["--window_mode", "fixed"], "window_mode", "fixed"),
        (["--dim", "7"], "dim", 7),
        (["--lr", "0.5"], "lr", 0.5),
        (["--sample", "0"], "sample", 0),
        (["--invalid-utf8", "refuse"], "corpus", Corpus("text.txt", invalid_utf8="refuse")),
        (["--field", "body"], "corpus", Corpus("text.txt", field="body")),
        (["--lowercase", "one.txt"], "corpus", Corpus("one.txt", "text.txt", lowercase=True)),
        (["--checkpoint-every", "3"], "checkpoint_every", 3),
        (["--hs"], "hs", True),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_names_of_other_tools_are_understood(calls, args, setting, value):
    done = run("skipgram", *args, "text.txt")
    assert done.exit_code == 0
    assert calls[0][setting] == value


def test_temporary_files_lie_beside_the_output(calls, folder):
    assert run("skipgram", "text.txt", "-o", "folder/x.vec").exit_code == 0
    assert Path(calls[0]["temp_folder"]).resolve() == (folder / "folder").resolve()


# --- What is refused --------------------------------------------------------------------------------------------------


def error_of(done, status):
    """The one line that a refusal says."""
    assert done.exit_code == status, done.output
    assert isinstance(done.exception, SystemExit)
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error: ")
    return line


LONG_NAME = "x" * 300


REFUSED_BY_TRAINING = [
    (1, ["missing.txt"], "cannot read missing.txt: no such file"),
    (1, ["folder"], "folder holds no files"),
    (1, ["empty.txt"], "empty.txt holds no words"),
    (1, ["one.txt", "--min-count", "1"], "at least two different words"),
    (1, ["text.txt", "--min-count", "1000"], "try a min-count of at most"),
    (1, ["text.txt", "-o", "missing/x.vec"], "missing; create it first"),
    (1, [LONG_NAME], f"cannot read {LONG_NAME[:200]}"),
    (1, ["text.txt", "-o", LONG_NAME], f"cannot write {LONG_NAME}"),
    (1, ["text.txt", "-o", "folder"], "cannot write folder: it is a folder"),
    (2, ["text.txt", "-o", "text.txt"], "would replace the corpus"),
    (2, ["text.txt", "-o", "folder/../text.txt"], "would replace the corpus"),
    (2, ["good.vec", "-o", "good.vec"], "would replace the corpus good.vec"),
    (2, [], "CORPUS"),
    (1, ["text.txt", "missing.txt"], "missing.txt"),
    (1, ["text.txt", "folder"], "folder holds no files"),
    (1, ["*.text"], "no file matches the pattern *.text"),
    (1, ["text.txt", "--field", "text"], "text.txt, line 1: not JSON"),
    (2, [".", "-o", "text.txt"], "would replace the corpus text.txt; name another file with -o"),
    (2, [".", "-o", "folder/../good.vec"], "would replace the corpus"),
    (2, ["*.txt", "-o", "empty.txt"], "would replace the corpus empty.txt"),
    (2, ["one.txt", "text.txt", "-o", "text.txt"], "would replace the corpus text.txt"),
    (1, ["text.txt", "--cache", "one.txt", *SETTINGS], "cannot write one.txt"),
    (1, ["text.txt", "--cache", "one.txt/cache", *SETTINGS], "cannot write one.txt/cache"),
    (1, ["text.txt", "--read-vocab", "missing"], "cannot read missing: no such file"),
    (1, ["text.txt", "--read-vocab", "folder"], "cannot read folder"),
    (1, ["text.txt", "--read-vocab", "one.txt"], "one.txt, line 1: expected a word, a space and its count"),
    (1, ["text.txt", "--read-vocab", "empty.txt"], "empty.txt holds no words"),
    (1, ["text.txt", "--save-vocab", "missing/x"], "missing; create it first"),
    (2, ["text.txt", "--max-vocab", "1"], "max_vocab must be a whole number of at least 2, got 1; leave it out"),
    (2, ["text.txt", "--max-vocab", "x"], "'x' is not a valid integer"),
    (2, ["text.txt", "--dim", "0"], "dim must be a whole number of at least 1, got 0"),
    (2, ["text.txt", "--dim", "-5"], "dim must be a whole number of at least 1, got -5"),
    (2, ["text.txt", "--dim", "x"], "'x' is not a valid integer"),
    (2, ["text.txt", "--dim"], "--dim"),
    (2, ["text.txt", "--dim", "1000000000"], "lower dim"),
    (2, ["text.txt", "--threads", "-1"], "threads must be a whole number of at least 0, got -1"),
    (2, ["text.txt", "--epochs", "0"], "epochs must be a whole number of at least 1, got 0"),
    (2, ["text.txt", "--lr", "0"], "lr must be above 0, got 0"),
    (2, ["text.txt", "--lr", "nan"], "lr must be between 0 and 1000, got nan"),
    (2, ["text.txt", "--negative", "0"], "negative must be a whole number of at least 1, got 0"),
    (2, ["text.txt", "--sample", "2"], "sample must be between 0 and 1, got 2"),
    (2, ["text.txt", "--window", "0"], "window must be a whole number of at least 1, got 0"),
    (2, ["text.txt", "--min-count", "0"], "min_count must be a whole number of at least 1, got 0"),
    (2, ["text.txt", "--seed", "-1"], "seed must be a whole number of at least 0, got -1"),
    (2, ["text.txt", "--window-mode", "wide"], "'wide' is not one of"),
    (2, ["text.txt", "-size", "200"], "did you mean --dim 200?"),
    (2, ["text.txt", "-window", "8"], "did you mean --window 8?"),
    (2, ["text.txt", "-iter", "3", "--quiet"], "did you mean --epochs 3?"),
    (2, ["text.txt", "-min-count", "3"], "did you mean --min-count 3?"),
    (2, ["text.txt", "--alpha", "0.1"], "use --lr 0.1"),
    (2, ["text.txt", "-alpha", "0.1"], "--lr 0.1"),
    (2, ["--train", "text.txt"], "--train"),
    (2, ["text.txt", "--nonsense"], "--nonsense"),
    (2, ["text.txt", "--x-max", "10"], "--x-max; it belongs to glove; skipgram counts no cells"),
    (2, ["text.txt", "--cbow-update", "corrected"], "--cbow-update; it belongs to cbow"),
    (2, ["text.txt", "-hs", "1"], "did you mean --hs?"),
    (2, ["text.txt", "-cbow", "1"], "the model is the command: embedtrain skipgram, cbow or glove"),
    (2, ["text.txt", "-loss", "hs"], "hierarchical softmax --hs"),
]

REFUSED_BY_CBOW = [
    (2, ["text.txt", "--negative", "0"], "negative must be a whole number of at least 1, got 0; 5 is usual; without"),
    (2, ["text.txt", "--negative", "-1", "--hs"], "negative must be a whole number of at least 0, got -1"),
    (2, ["text.txt", "--cbow-update", "half"], "'half' is not one of 'word2vec', 'corrected'"),
    (2, ["text.txt", "--cbow-mean", "0"], "--cbow-mean; the mean is always taken"),
    (2, ["text.txt", "--x-max", "10"], "--x-max; it belongs to glove; cbow counts no cells"),
    (2, ["text.txt", "--memory", "1G"], "--memory; it belongs to glove and cooccur; cbow takes what its tables need"),
    (2, ["text.txt", "--lr", "0"], "lr must be above 0, got 0.0; 0.05 is usual"),
    (1, ["same.txt", "--hs"], "at least two different words are needed to learn from"),
]


def named(rows):
    """Ids of tests: the arguments."""
    return [" ".join(args)[:40] or "nothing" for _, args, _ in rows]


@pytest.mark.parametrize(("status", "args", "message"), REFUSED_BY_TRAINING, ids=named(REFUSED_BY_TRAINING))
def test_bad_input_of_training_is_one_line(folder, status, args, message):
    before = contents(folder)
    line = error_of(run("skipgram", *args), status)
    assert message.lower() in line.lower()
    assert contents(folder) == before


REFUSED_BY_NEIGHBORS = [
    (1, ["good.vec", "kings"], "'kings' is not among the 3 words; near in spelling: king"),
    (1, ["good.vec", "king", "zzz"], "'zzz' is not among the 3 words"),
    (1, ["missing.vec", "king"], "cannot read missing.vec"),
    (1, ["folder", "king"], "folder is a folder without vectors.npy"),
    (1, ["broken.vec", "a"], "broken.vec, line 3"),
    (1, ["text.txt", "a"], "text.txt is no file of vectors"),
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


@pytest.mark.parametrize("args", [["nonsense"], ["--nonsense"], ["skipgramm", "text.txt"]], ids=" ".join)
def test_an_unknown_command_is_one_line(args):
    assert args[0] in error_of(run(*args), 2)


@pytest.mark.usefixtures("doubtful_text")
def test_text_that_is_not_utf8_is_refused_where_asked():
    line = error_of(run("skipgram", "text.txt", *SETTINGS, "--invalid-utf8", "refuse"), 1)
    assert r"b'caf\xe9' is not UTF-8" in line


def test_diverged_training_leaves_the_old_output_alone(folder):
    toy = " ".join(token for tokens in generate.sentences(5000) for token in tokens)
    (folder / "text.txt").write_text(toy)
    (folder / "text.vec").write_bytes(b"old")
    before = contents(folder)
    line = error_of(run("skipgram", "text.txt", "--lr", "10", "--dim", "8", "--threads", "1"), 1)
    assert "try --lr" in line
    assert contents(folder) == before


def raising(error):
    def train(corpus, **settings):
        raise error

    return train


@pytest.mark.parametrize("error", [DataError, TrainingError, MemoryError])
def test_an_error_while_training_is_one_line(folder, monkeypatch, error):
    monkeypatch.setattr("embedtrain.models.skipgram.train_skipgram", raising(error("in the middle")))
    (folder / "text.vec").write_bytes(b"old")
    before = contents(folder)
    error_of(run("skipgram", "text.txt"), 1)
    assert contents(folder) == before


def test_an_interruption_while_training_saves_what_was_trained(monkeypatch):
    vectors = WordVectors(["a", "b"], np.eye(2, dtype=np.float32))
    monkeypatch.setattr("embedtrain.models.skipgram.train_skipgram", raising(Interrupted(vectors)))
    done = run("skipgram", "text.txt", "--quiet")
    assert done.exit_code == 130
    assert done.stderr.split() == "Error: interrupted; text.vec holds what was trained so far".split()
    assert list(WordVectors.load("text.vec").words) == ["a", "b"]


def test_an_interruption_before_training_saves_nothing(folder, monkeypatch):
    monkeypatch.setattr("embedtrain.models.skipgram.train_skipgram", raising(KeyboardInterrupt()))
    before = contents(folder)
    done = run("skipgram", "text.txt")
    assert done.exit_code == 130
    assert "Error: interrupted; nothing was saved" in done.stderr
    assert contents(folder) == before


# --- Corpora ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def parts(folder):
    """The text in two files of a folder, the second compressed; it is that of text.txt."""
    lines = (folder / "text.txt").read_bytes().splitlines(keepends=True)
    (folder / "parts").mkdir()
    (folder / "parts" / "1.txt").write_bytes(b"".join(lines[:30]))
    (folder / "parts" / "2.txt.gz").write_bytes(gzip.compress(b"".join(lines[30:])))
    return ["parts/1.txt", "parts/2.txt.gz"]


@pytest.mark.parametrize("corpus", [["parts"], ["parts/*"], ["parts/1.*", "parts/2*"], None], ids=str)
def test_many_files_are_one_corpus(parts, corpus):
    assert run("skipgram", *(corpus or parts), *SETTINGS, "-o", "parts.vec").exit_code == 0
    assert run("skipgram", "text.txt", *SETTINGS).exit_code == 0
    assert Path("parts.vec").read_bytes() == Path("text.vec").read_bytes()


def test_the_order_of_files_is_that_of_the_arguments(parts):
    for name, corpus in (("forth", parts), ("back", parts[::-1])):
        assert run("skipgram", *corpus, *SETTINGS, "-o", name).exit_code == 0
    assert Path("forth").read_bytes() != Path("back").read_bytes()
    assert set(WordVectors.load("forth").words) == set(WordVectors.load("back").words)


@pytest.mark.parametrize(
    ("name", "field", "options"),
    [("text.jsonl", "text", []), ("text.jsonl", "body", ["--field", "body"]), ("dump", "body", ["--field", "body"])],
)
def test_json_lines_give_the_text_of_their_field(folder, name, field, options):
    lines = (folder / "text.txt").read_text().splitlines()
    records = [{field: line, "id": number, "title": "other words"} for number, line in enumerate(lines)]
    (folder / name).write_text("".join(json.dumps(record) + "\n" for record in records))
    assert run("skipgram", name, *options, *SETTINGS, "-o", "json.vec").exit_code == 0
    assert run("skipgram", "text.txt", *SETTINGS, "-o", "text.vec").exit_code == 0
    assert Path("json.vec").read_bytes() == Path("text.vec").read_bytes()


def test_a_field_that_no_record_has_is_one_line(folder):
    (folder / "x.jsonl").write_text('{"body": "a b"}\n')
    assert "no record has the field 'text'; name another with --field, they have 'body'" in error_of(
        run("skipgram", "x.jsonl"), 1
    )


# --- Vocabulary -------------------------------------------------------------------------------------------------------


def counted(path="text.txt", min_count=1):
    """The lines of a vocabulary in plain Python."""
    words = naive_text.vocabulary_of(naive_text.tokens_of(Path(path).read_bytes()))
    return [f"{word} {count}" for word, count in words.items() if count >= min_count]


def test_vocab_writes_the_words_and_their_counts(folder):
    done = run("vocab", "text.txt", "--min-count", "1")
    assert (done.exit_code, done.stdout) == (0, "")
    assert Path("text.vocab").read_text().splitlines() == counted()
    n_tokens = len(Path("text.txt").read_text().split())
    assert f"{n_tokens} tokens of {len(counted())} types" in done.stderr
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


def test_vocab_of_a_cache_reads_no_text(folder, monkeypatch):
    assert run("vocab", "text.txt", "--min-count", 1, "--cache", "cache", "-o", "first").exit_code == 0
    monkeypatch.setattr("embedtrain.corpus.encoding.read_pieces", None)
    assert run("vocab", "text.txt", "--min-count", 1, "--cache", "cache", "-o", "second").exit_code == 0
    assert Path("first").read_bytes() == Path("second").read_bytes()
    assert Path("first").read_text().splitlines() == counted()


def test_vocab_counts_all_files(parts):
    assert run("vocab", "parts", "--min-count", 1).exit_code == 0
    assert Path("parts.vocab").read_text().splitlines() == counted()
    assert run("vocab", *parts, "--min-count", 1).exit_code == 0
    assert Path("vectors.vocab").read_bytes() == Path("parts.vocab").read_bytes()


def test_vocab_reads_as_training_does(folder):
    (folder / "x.jsonl").write_text('{"body": "The the THE dog Dog"}\n')
    done = run("vocab", "x.jsonl", "--field", "body", "--lowercase", "--min-count", 1, "-o", "-")
    assert done.stdout == "the 3\ndog 2\n"


@pytest.mark.usefixtures("doubtful_text")
@pytest.mark.parametrize("cache", [[], ["--cache", "cache"]], ids=["plain", "cached"])
def test_vocab_shows_notes_unless_quiet(cache):
    warnings.simplefilter("always")  # a process shows a note once, and this one is of many runs
    for _ in range(2):
        done = run("vocab", "text.txt", *cache)
        assert [line.split()[0] for line in done.stderr.splitlines()] == ["Note:", "Note:", "read", "saved"]
        done = run("vocab", "text.txt", *cache, "--quiet")
        assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")


def test_training_takes_the_file_of_vocab():
    assert run("vocab", "text.txt", "--min-count", 1).exit_code == 0
    train = ["skipgram", "text.txt", *SETTINGS[:-1], "1"]
    assert run(*train, "--read-vocab", "text.vocab", "--save-vocab", "saved").exit_code == 0
    assert run(*train, "-o", "plain.vec").exit_code == 0
    assert Path("text.vec").read_bytes() == Path("plain.vec").read_bytes()
    assert Path("saved").read_bytes() == Path("text.vocab").read_bytes()


def test_words_that_the_text_lacks_are_noted(folder):
    (folder / "words").write_text("the 30\nunheard 20\nin 10\n")
    done = run("skipgram", "text.txt", *SETTINGS, "--sample", 0, "--read-vocab", "words")
    assert done.exit_code == 0
    assert "Note: 1 of the 3 words of the vocabulary do not occur in text.txt" in done.stderr.splitlines()
    assert list(WordVectors.load("text.vec").words) == ["the", "unheard", "in"]


def test_a_vocabulary_of_another_text_is_one_line(folder):
    (folder / "words").write_text("unheard 20\nunseen 10\n")
    line = error_of(run("skipgram", "text.txt", *SETTINGS, "--read-vocab", "words"), 1)
    assert "text.txt holds none of the 2 words of the vocabulary" in line


def test_max_vocab_is_that_of_the_library():
    assert run("skipgram", "text.txt", *SETTINGS, "--max-vocab", "30").exit_code == 0
    wanted = train_skipgram("text.txt", dim=8, epochs=1, threads=1, min_count=2, max_vocab=30)
    assert len(wanted) == 30
    assert list(WordVectors.load("text.vec").words) == wanted.words


REFUSED_BY_VOCAB = [
    (1, ["missing.txt"], "cannot read missing.txt: no such file"),
    (1, ["folder"], "folder holds no files"),
    (1, ["empty.txt"], "empty.txt holds no words"),
    (1, ["text.txt", "--min-count", "1000"], "try a min-count of at most"),
    (1, ["text.txt", "-o", "missing/x"], "missing; create it first"),
    (1, ["text.txt", "-o", "folder"], "cannot write folder: it is a folder"),
    (1, ["text.txt", "--cache", "one.txt"], "cannot write one.txt"),
    (1, ["text.txt", "--field", "x"], "text.txt, line 1: not JSON"),
    (2, ["text.txt", "-o", "text.txt"], "would replace the corpus text.txt; name another file with -o"),
    (2, [".", "-o", "folder/../one.txt"], "would replace the corpus"),
    (2, ["text.txt", "-o", "words.gz"], "written as plain text"),
    (2, ["text.txt", "-o", "words.ZIP"], "written as plain text, not .ZIP"),
    (2, ["text.txt", "--min-count", "0"], "min_count must be at least 1, got 0"),
    (2, ["text.txt", "--max-vocab", "1"], "max_vocab must be at least 2 words, got 1"),
    (2, ["missing.txt", "--max-vocab", "1"], "max_vocab must be at least 2 words, got 1"),
    (2, ["text.txt", "--threads", "-1"], "threads must be"),
    (2, ["text.txt", "--dim", "5"], "--dim"),
    (2, [], "CORPUS"),
]


@pytest.mark.parametrize(("status", "args", "message"), REFUSED_BY_VOCAB, ids=named(REFUSED_BY_VOCAB))
def test_bad_input_of_vocab_is_one_line(folder, status, args, message):
    before = contents(folder)
    assert message.lower() in error_of(run("vocab", *args), status).lower()
    assert contents(folder) == before


# --- Cache ------------------------------------------------------------------------------------------------------------


def test_a_second_training_with_a_cache_reads_no_text(monkeypatch):
    assert run("skipgram", "text.txt", *SETTINGS, "--cache", "cache", "-o", "first.vec").exit_code == 0

    def read(corpus):
        assert corpus.in_memory
        return read_pieces(corpus)

    monkeypatch.setattr("embedtrain.corpus.encoding.read_pieces", read)
    assert run("skipgram", "text.txt", *SETTINGS, "--cache", "cache", "-o", "second.vec").exit_code == 0
    assert Path("first.vec").read_bytes() == Path("second.vec").read_bytes()


@pytest.fixture
def full_cache(folder):
    (folder / "a\nname").write_text("a b a c\n")
    for corpus in (["text.txt"], ["a\nname", "one.txt"]):
        assert run("vocab", *corpus, "--min-count", 1, "--cache", "cache", "-o", "x").exit_code == 0
    (folder / "cache" / "notes").write_text("mine")
    return folder / "cache"


def test_a_cache_is_listed(folder, full_cache):
    before = contents(full_cache)
    done = run("cache", "cache")
    assert (done.exit_code, done.stderr) == (0, "")
    *entries, total = done.stdout.splitlines()
    n_tokens = len((folder / "text.txt").read_text().split())
    listed = {entry.split("types  ")[1]: entry for entry in entries}
    several = f"{folder / 'a'}\\nname, {folder / 'one.txt'}"
    assert set(listed) == {str(folder / "text.txt"), several}
    assert f"{n_tokens:,} tokens of {len(counted()):,} types" in listed[str(folder / "text.txt")]
    assert "9 tokens of 4 types" in listed[several]
    assert total.startswith("2 encoded corpora, ")
    assert contents(full_cache) == before


def test_numbers_of_one_are_singular(folder):
    (folder / "word.txt").write_text("word\n")
    run("vocab", "word.txt", "--cache", "single", "--min-count", 1)
    assert " 1 token of 1 type  " in run("cache", "single").stdout
    assert counted_as(1, "word") == "1 word"
    assert counted_as(0, "word") == "0 words"
    assert counted_as(2000, "word") == "2,000 words"


def test_a_damaged_entry_is_listed(full_cache):
    for about in full_cache.glob("*/about.json"):
        about.write_text("{")
    done = run("cache", "cache")
    assert done.exit_code == 0
    assert done.stdout.count("(damaged, or of another version)") == 2


def test_a_cache_is_cleared_of_its_entries_only(full_cache):
    done = run("cache", "cache", "--clear")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].endswith(", removed")
    assert contents(full_cache) == {"notes": b"mine"}
    assert run("cache", "cache").stdout == "0 encoded corpora, 0 bytes\n"


REFUSED_BY_CACHE = [
    (1, ["missing"], "there is no cache missing: no such folder"),
    (1, ["missing", "--clear"], "there is no cache missing: no such folder"),
    (1, ["text.txt"], "there is no cache text.txt"),
    (1, ["text.txt", "--clear"], "there is no cache text.txt"),
    (2, [], "FOLDER"),
    (2, ["folder", "--nonsense"], "--nonsense"),
]


@pytest.mark.parametrize(("status", "args", "message"), REFUSED_BY_CACHE, ids=named(REFUSED_BY_CACHE))
def test_bad_input_of_cache_is_one_line(folder, status, args, message):
    before = contents(folder)
    assert message in error_of(run("cache", *args), status)
    assert contents(folder) == before


# --- GloVe ------------------------------------------------------------------------------------------------------------

GLOVE = ["--dim", "8", "--epochs", "2"]


@pytest.fixture(scope="module")
def counts_bytes(tmp_path_factory):
    """The counts of the text as files, by their names; GloVe's kernels are compiled."""
    folder = tmp_path_factory.mktemp("counts")
    text = [tokens for tokens in generate.sentences(600)]
    counts = cooccurrence_counts(text, min_count=2, progress=False)
    train_glove(counts, dim=8, epochs=1, progress=False)
    counts.save(folder / "counts.npz")
    sparse.save_npz(folder / "plain.npz", counts.matrix, compressed=False)
    (folder / "words.txt").write_text("".join(f"{word}\n" for word in counts.words))
    cells = counts.matrix.tocoo()
    records = np.zeros(cells.nnz, [("row", "<i4"), ("column", "<i4"), ("count", "<f8")])
    records["row"], records["column"], records["count"] = cells.row + 1, cells.col + 1, cells.data
    (folder / "cooccurrence.bin").write_bytes(records.tobytes())
    whole = (folder / "counts.npz").read_bytes()
    (folder / "cut.npz").write_bytes(whole[: len(whole) // 2])
    place = whole.index(counts.matrix.data.tobytes())
    (folder / "flipped.npz").write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
    np.savez(folder / "others.npz", a=np.ones(3))
    (folder / "text.bin").write_bytes(b"the quick brown fox\n")
    (folder / "empty.bin").write_bytes(b"")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture
def with_counts(folder, counts_bytes):
    """The current folder, with files of counts good and bad too."""
    for name, content in counts_bytes.items():
        (folder / name).write_bytes(content)
    (folder / "counts").mkdir()
    (folder / "counts" / "a.npz").write_bytes(counts_bytes["counts.npz"])
    (folder / "apart.txt").write_bytes(b"a\nb\n" * 9)
    return folder


@pytest.fixture
def glove_calls(monkeypatch):
    """What `train_glove` is called with; it does not train."""
    seen = []

    def pretend(corpus_or_counts, **settings):
        seen.append({"corpus_or_counts": corpus_or_counts, **settings})
        return WordVectors(["a", "b"], np.eye(2, dtype=np.float32))

    monkeypatch.setattr("embedtrain.models.glove.train_glove", pretend)
    return seen


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
    options = [
        "--vectors",
        "context",
        "--x-max",
        "5",
        "--alpha",
        "0.5",
        "--lr",
        "0.1",
        "--seed",
        "4",
        "--memory",
        "500M",
    ]
    assert run("glove", "counts.npz", *GLOVE, *options).exit_code == 0
    settings = {"vectors": "context", "x_max": 5, "alpha": 0.5, "lr": 0.1, "seed": 4}
    vectors = train_glove(counts, dim=8, epochs=2, **settings, progress=False)
    assert WordVectors.load("counts.vec").vectors.tobytes() == vectors.vectors.tobytes()
    text = ["text.txt", "--left-only", "--weighting", "uniform", "--window", "3", "--min-count", "2", "-o", "x.npz"]
    assert run("cooccur", *text, "--save-vocab", "vocab", "--memory", "1GiB").exit_code == 0
    wanted = cooccurrence_counts("text.txt", symmetric=False, weighting="uniform", window=3, min_count=2)
    found = Counts.load("x.npz")
    assert (found.matrix != wanted.matrix).nnz == 0
    assert (
        list(found.words) == list(wanted.words) == [line.split()[0] for line in Path("vocab").read_text().splitlines()]
    )


@pytest.mark.usefixtures("with_counts")
@pytest.mark.parametrize("args", [["text.txt", "--min-count", "2"], ["counts.npz"]], ids=" ".join)
def test_the_summary_of_glove_says_what_was_done(args):
    done = run("glove", *args, *GLOVE, "--threads", "1", "-o", "x.vec")
    counts = Counts.load("counts.npz")
    n_cells, n_words = counts.matrix.nnz, len(counts)
    for part in (
        f"{n_cells:,} cells of {n_words} × {n_words}",
        "2 epochs, ",
        "M cells/s on 1 thread",
        "a cell",
        "x.vec",
    ):
        assert part in done.stderr
    assert (" tokens of " in done.stderr) == (args[0] == "text.txt")
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("next ")]
    assert len(run(*shlex.split(line.removeprefix("next "))[1:]).stdout.splitlines()) == 10


@pytest.mark.usefixtures("with_counts")
def test_the_summary_of_cooccur_names_a_next_command_that_works():
    done = run("cooccur", "text.txt", "--min-count", "2", "-o", "a name.npz")
    counted, saved, following = done.stderr.splitlines()
    counts = Counts.load("a name.npz")
    assert counted.startswith(f"counted  {counts.matrix.nnz:,} cells of {len(counts)} words in ")
    assert saved == "saved    a name.npz"
    assert run(*shlex.split(following.removeprefix("next "))[1:], *GLOVE).exit_code == 0
    assert Path("a name.vec").exists()


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


def test_defaults_of_glove_are_those_of_the_library(glove_calls):
    assert run("glove", "text.txt").exit_code == 0
    parameters = inspect.signature(train_glove).parameters
    own = {"corpus_or_counts", "temp_folder", "progress", "callback"}
    (call,) = glove_calls
    assert {name: value for name, value in call.items() if name not in own} == {
        name: parameter.default for name, parameter in parameters.items() if name not in own
    }
    assert call["corpus_or_counts"] == Corpus("text.txt")


@pytest.mark.parametrize(
    ("args", "setting", "value"),
    [
        (["--vector-size", "7"], "dim", 7),
        (["--size=7"], "dim", 7),
        (["--iter", "7"], "epochs", 7),
        (["--workers", "7"], "threads", 7),
        (["--eta", "0.5"], "lr", 0.5),
        (["--context", "7"], "window", 7),
        (["--window-size", "7"], "window", 7),
        (["--minCount", "7"], "min_count", 7),
        (["--x_max", "7"], "x_max", 7),
        (["--alpha", "0.5"], "alpha", 0.5),
        (["--vectors", "context"], "vectors", "context"),
        (["--vectors=word"], "vectors", "word"),
        (["--left-only"], "symmetric", False),
        (["--symmetric"], "symmetric", True),
        (["--memory", "500M"], "memory", "500M"),
        (["--field", "body"], "corpus_or_counts", Corpus("text.txt", field="body")),
        (["--lowercase", "one.txt"], "corpus_or_counts", Corpus("one.txt", "text.txt", lowercase=True)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_glove_understands_names_of_other_tools(glove_calls, args, setting, value):
    assert run("glove", *args, "text.txt").exit_code == 0
    assert glove_calls[0][setting] == value


REFUSED_BY_GLOVE = [
    (1, ["missing.npz"], "cannot read missing.npz: no such file"),
    (1, ["missing.bin"], "cannot read missing.bin: no such file"),
    (1, ["folder"], "folder holds no files"),
    (1, ["empty.txt"], "empty.txt holds no words"),
    (1, ["one.txt", "--min-count", "1"], "at least two different words"),
    (1, ["apart.txt", "--min-count", "1"], "nothing to learn from"),
    (1, ["apart.txt", "--min-count", "1", "--dry-run"], "nothing to learn from"),
    (1, ["counts"], "cannot read counts"),
    (2, ["counts.npz", "text.txt"], "counts.npz holds counts: train on that one file, or on text alone"),
    (2, ["text.txt", "counts.npz"], "counts.npz holds counts: train on that one file, or on text alone"),
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
    (2, ["text.txt", "--vocab", "words.txt"], "words belong to counts that have none"),
    (2, ["counts.npz", "--window", "5"], "window says how text is counted"),
    (2, ["counts.npz", "--left-only"], "symmetric says how text is counted"),
    (2, ["counts.npz", "--weighting", "uniform"], "weighting says how text is counted"),
    (2, ["counts.npz", "--min-count", "3"], "min_count says how text is counted"),
    (2, ["counts.npz", "--max-vocab", "9"], "max_vocab says how text is counted"),
    (2, ["counts.npz", "--read-vocab", "words.txt"], "read_vocab says how text is counted"),
    (2, ["counts.npz", "--cache", "cache"], "cache says how text is counted"),
    (2, ["counts.npz", "--lowercase"], "--lowercase says how text is read; counts.npz holds counts"),
    (2, ["counts.npz", "--field", "text"], "--field says how text is read; counts.npz holds counts"),
    (2, ["counts.npz", "--invalid-utf8", "refuse"], "--invalid-utf8 says how text is read"),
    (2, ["counts.npz", "-o", "counts.npz"], "would replace the corpus counts.npz; name another file with -o"),
    (2, ["counts.npz", "--checkpoint", "counts.npz"], "--checkpoint counts.npz would replace the counts"),
    (2, ["counts.npz", "--save-vocab", "./counts.npz"], "would replace the counts"),
    (2, ["counts.npz", "--log", "counts.npz"], "--log counts.npz would replace the counts"),
    (2, ["plain.npz", "--vocab", "words.txt", "-o", "words.txt"], "would replace the file of --vocab"),
    (2, ["plain.npz", "--vocab", "words.txt", "--save-vocab", "words.txt"], "would replace the file of --vocab"),
    (2, ["text.txt", "--negative", "5"], "--negative; it belongs to skipgram and cbow; GloVe takes no samples"),
    (2, ["text.txt", "--neg=5"], "--neg=5; it belongs to skipgram"),
    (2, ["text.txt", "--hs"], "--hs; it belongs to skipgram and cbow"),
    (2, ["text.txt", "--cbow-update", "corrected"], "--cbow-update; it belongs to cbow"),
    (2, ["text.txt", "--sample", "0"], "--sample; it belongs to skipgram"),
    (2, ["text.txt", "--noise-exponent", "1"], "--noise-exponent; it belongs to skipgram"),
    (2, ["text.txt", "--valid", "text.txt"], "--valid; the cost of cells is no measure of held-out text"),
    (2, ["text.txt", "--valid-share", "0.1"], "--valid-share; the cost of cells is no measure"),
    (
        2,
        ["text.txt", "--patience", "2"],
        "--patience; it needs held-out text, which GloVe has none of; choose --epochs",
    ),
    (2, ["text.txt", "--window-mode", "fixed"], "--window-mode; it belongs to skipgram"),
    (2, ["--train", "text.txt"], "name the corpus without an option: embedtrain glove text.txt"),
    (2, ["text.txt", "-x-max", "9"], "did you mean --x-max 9?"),
    (2, ["text.txt", "-eta", "0.1"], "did you mean --lr 0.1?"),
    (2, ["text.txt", "--x-max", "0"], "x_max must be above 0, got 0"),
    (2, ["text.txt", "--x-max", "nan"], "x_max must be between 0 and 1e+30, got nan"),
    (2, ["text.txt", "--alpha", "11"], "alpha must be between 0 and 10, got 11"),
    (2, ["text.txt", "--vectors", "both"], "'both' is not one of"),
    (2, ["text.txt", "--weighting", "triangle"], "'triangle' is not one of"),
    (2, ["text.txt", "--memory", "5"], "memory must be a size of at least 1.0 MB, as 500M or 4G, got '5'"),
    (2, ["text.txt", "--memory", "5X"], "got '5X'"),
    (2, ["text.txt", "--memory", "2M"], "memory must be at least"),
    (2, ["counts.npz", "--dim", "1000000000"], "lower dim"),
    (2, ["text.txt", "--freeze"], "name their file with init"),
    (2, ["text.txt", "--freeze", "--init", "good.vec", "--dim", "2"], "make it 'word'"),
    (2, [], "CORPUS"),
]


@pytest.mark.parametrize(("status", "args", "message"), REFUSED_BY_CBOW, ids=named(REFUSED_BY_CBOW))
def test_bad_input_of_cbow_is_one_line(folder, status, args, message):
    (folder / "same.txt").write_text("one one one one one one\n")
    before = contents(folder)
    line = error_of(run("cbow", *args), status)
    assert message.lower() in line.lower()
    assert contents(folder) == before


@pytest.mark.parametrize(("status", "args", "message"), REFUSED_BY_GLOVE, ids=named(REFUSED_BY_GLOVE))
def test_bad_input_of_glove_is_one_line(with_counts, status, args, message):
    before = contents(with_counts)
    line = error_of(run("glove", *args), status)
    assert message.lower() in line.lower()
    assert contents(with_counts) == before


REFUSED_BY_COOCCUR = [
    (1, ["missing.txt"], "cannot read missing.txt"),
    (1, ["empty.txt"], "empty.txt holds no words"),
    (1, ["one.txt", "--min-count", "1"], "at least two different words"),
    (1, ["apart.txt", "--min-count", "1"], "nothing to learn from"),
    (2, ["counts.npz", "-o", "x.npz"], "counts.npz holds counts already; train on it: embedtrain glove counts.npz"),
    (2, ["text.txt", "cooccurrence.bin"], "cooccurrence.bin holds counts already"),
    (1, ["counts"], "cannot read counts"),
    (1, ["text.txt", "-o", "missing/x.npz"], "missing; create it first"),
    (1, ["text.txt", "-o", "folder"], "cannot write folder: it is a folder"),
    (2, ["text.txt", "-o", "text.txt"], "would replace the corpus"),
    (2, ["text.txt", "--save-vocab", "text.txt"], "--save-vocab text.txt would replace the corpus"),
    (2, ["text.txt", "-o", "x", "--save-vocab", "x"], "--save-vocab x would replace the file of -o"),
    (2, ["text.txt", "-o", "-"], "the output is a file, not standard output"),
    (2, ["text.txt", "--window", "0"], "window must be a whole number of at least 1, got 0"),
    (2, ["text.txt", "--weighting", "triangle"], "'triangle' is not one of"),
    (2, ["text.txt", "--memory", "5"], "memory must be a size of at least 1.0 MB"),
    (2, ["text.txt", "--threads", "-1"], "threads must be a whole number of at least 0, got -1"),
    (2, ["text.txt", "--dim", "5"], "--dim"),
    (2, [], "CORPUS"),
]


@pytest.mark.parametrize(("status", "args", "message"), REFUSED_BY_COOCCUR, ids=named(REFUSED_BY_COOCCUR))
def test_bad_input_of_cooccur_is_one_line(with_counts, status, args, message):
    before = contents(with_counts)
    assert message.lower() in error_of(run("cooccur", *args), status).lower()
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
    line = error_of(run("glove", "counts.npz", "--lr", "50", "--checkpoint", "old.checkpoint"), 1)
    assert "; try --lr 12" in line
    assert contents(with_counts) == before


@pytest.mark.usefixtures("with_counts")
def test_an_interruption_of_glove_saves_what_was_trained(monkeypatch):
    vectors = WordVectors(["a", "b"], np.eye(2, dtype=np.float32))
    monkeypatch.setattr("embedtrain.models.glove.train_glove", raising(Interrupted(vectors)))
    done = run("glove", "counts.npz", "--quiet")
    assert (done.exit_code, done.stdout) == (130, "")
    assert done.stderr == "Error: interrupted; counts.vec holds what was trained so far\n"
    assert list(WordVectors.load("counts.vec").words) == ["a", "b"]


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


# --- The program ------------------------------------------------------------------------------------------------------


def python(*args, text=None, stdout="utf-8"):
    environment = {**os.environ, "PYTHONIOENCODING": stdout}
    return subprocess.run(
        [sys.executable, *args], input=text, capture_output=True, text=True, encoding="utf-8", env=environment
    )


def imported(done):
    """The packages that a run with -X importtime tells of."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rsplit("|", 1)[1].strip().split(".")[0] for line in lines}


@pytest.mark.parametrize(
    "args",
    [["-c", "import embedtrain"], *(["-m", "embedtrain", *args, "--help"] for args in ([], ["skipgram"], ["glove"]))],
    ids=" ".join,
)
def test_what_needs_no_kernels_imports_no_compiler(args):
    done = python("-X", "importtime", *args)
    assert done.returncode == 0
    assert "embedtrain" in imported(done)
    assert imported(done).isdisjoint({"numba", "llvmlite", "scipy"})


def test_without_a_command_the_help_is_shown():
    done = python("-m", "embedtrain")
    assert done.returncode == 2
    assert "skipgram" in done.stdout
    assert done.stderr == ""


def test_errors_of_the_program_are_one_line():
    done = python("-m", "embedtrain", "neighbors", "missing.vec", "word")
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["Error: cannot read missing.vec: no such file"]


def test_text_from_a_pipe_is_trained_on(folder):
    text = (folder / "text.txt").read_text()
    before = set(contents(folder))
    done = python("-m", "embedtrain", "skipgram", "-", *SETTINGS, "--cache", "cache", text=text)
    assert (done.returncode, done.stdout) == (0, "")
    assert "Note: standard input is not kept in the cache: it cannot be known again" in done.stderr.splitlines()
    assert set(contents(folder)) - before == {"vectors.vec", "cache"}
    assert contents(folder / "cache") == {}
    assert run("skipgram", "text.txt", *SETTINGS).exit_code == 0
    assert Path("vectors.vec").read_bytes() == Path("text.vec").read_bytes()


@pytest.mark.usefixtures("with_counts")
def test_text_from_a_pipe_is_counted():
    text = Path("text.txt").read_text()
    done = python("-m", "embedtrain", "glove", "-", *GLOVE, "--min-count", "2", "--quiet", text=text)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert run("glove", "counts.npz", *GLOVE).exit_code == 0
    assert Path("vectors.vec").read_bytes() == Path("counts.vec").read_bytes()


def test_vocab_from_a_pipe_to_a_pipe_writes_utf8_whatever_the_terminal_shows():
    done = python("-m", "embedtrain", "vocab", "-", "-o", "-", "--min-count", "1", text="дом é дом\n", stdout="ascii")
    assert (done.returncode, done.stdout, done.stderr) == (0, "дом 2\né 1\n", "")


def test_vocab_to_a_pipe_that_is_closed_ends_quietly(folder):
    (folder / "many.txt").write_text("".join(f"{number}\n" for number in range(100_000)))
    program = [sys.executable, "-m", "embedtrain", "vocab", "many.txt", "-o", "-", "--min-count", "1"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout.readline() == b"0 1\n"
        running.stdout.close()
        assert running.stderr.read() == b""
