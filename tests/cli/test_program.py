"""The program: help, errors, and what it imports."""

import os
import re

import pytest
from click.testing import CliRunner
from commands import contents, error_of, named, raising, run
from programs import embedtrain, python

from embedtrain import WordVectors, cli, kernels
from embedtrain.errors import DataError
from embedtrain.machine.progress import note
from embedtrain.models.skipgram import SkipGram

pytestmark = pytest.mark.usefixtures("warm_kernels")


@pytest.mark.parametrize(
    "args", [["--help"], ["-h"], ["skipgram", "--help"], ["neighbors", "-h"], ["--version"]], ids=" ".join
)
def test_help_is_given_on_stdout(args):
    done = run(*args)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "embedtrain" in done.stdout or "Usage: " in done.stdout


@pytest.mark.parametrize("name", cli.main.commands)
def test_the_help_of_a_command_has_an_example_in_80_columns(name):
    shown = run(name, "--help").stdout
    assert f"Example: embedtrain {name} " in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80


def test_the_help_of_training_has_an_example_of_raw_text_in_one_line():
    for name in ("skipgram", "cbow", "glove"):
        assert (
            f"  Raw text: embedtrain {name} books --tokenize words --lowercase -o out.vec\n" in run(name, "-h").stdout
        )


def test_commands_and_options_are_in_groups():
    groups = [line for line in run("--help").stdout.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert groups == ["Options:", "Training:", "Queries:", "Pictures:", "Files:"]
    for name in ("skipgram", "cbow", "glove", "cooccur"):
        groups = [line for line in run(name, "--help").stdout.splitlines() if line.endswith(" options:")]
        assert groups == [f"{group} options:" for group in ("Model", "Vocabulary", "Input", "Run", "Output", "Other")]


@pytest.mark.parametrize("args", [["nonsense"], ["--nonsense"], ["skipgramm", "text.txt"]], ids=" ".join)
def test_an_unknown_command_is_one_line(args):
    assert args[0] in error_of(run(*args), 2)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nn", "no such command nn; use embedtrain neighbors"),
        ("most_similar", "use embedtrain neighbors"),
        ("train", "use embedtrain skipgram"),
        ("word2vec", "use embedtrain skipgram"),
        ("Skip-Gram", "use embedtrain skipgram"),
        ("glov", "use embedtrain glove"),
        ("print-word-vectors", "use embedtrain convert"),
        ("doc2vec", "use embedtrain embed"),
        ("nonsense", "see embedtrain --help"),
        ("text.txt", "the first argument must be a command, got text.txt; as in: embedtrain skipgram text.txt"),
        ("folder", "as in: embedtrain skipgram folder"),
        ("a b*.txt", "as in: embedtrain skipgram 'a b*.txt'"),
        ("good.vec", "as in: embedtrain info good.vec"),
    ],
)
def test_an_unknown_command_suggests_one(name, message):
    assert message in error_of(run(name, "x"), 2)


@pytest.mark.parametrize("name", [name for name in cli.main.commands if name != "warmup"])  # it needs none
def test_a_missing_argument_has_an_example(name):
    assert re.search(f"missing argument [A-Z]+; for example: embedtrain {name} ", error_of(run(name), 2))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["skipgram", "-t", "1e-4"], "no such option -t; fastText's -t is --sample"),
        (["glove", "text.txt", "-x"], "no such option -x; options have two hyphens: --x-max"),
        (["skipgram", "text.txt", "-j"], "no such option -j; see embedtrain skipgram --help"),
        (["info", "good.vec", "-j"], "--json"),
        (["info", "good.vec", "--verbose"], "no such option --verbose; see embedtrain info --help"),
        (["skipgram", "text.txt", "--outptu", "x"], "no such option --outptu; did you mean --output?"),
        (["--seed", "5", "skipgram", "text.txt"], "no such option --seed; options follow the command"),
        (["cooccur", "text.txt", "--alpha", "1"], "no such option --alpha; it is an option of glove"),
        (["vocab", "text.txt", "--loss", "hs"], "--loss"),
        (["skipgram", "--corpus_file", "a"], "name the corpus without an option: embedtrain skipgram a"),
        (["cooccur", "--save-file", "a"], "--save-file; use -o a"),
        (["cbow", "--shrink-windows"], "use --window-mode dynamic or --window-mode fixed"),
    ],
)
def test_an_unknown_option_has_a_hint(args, message):
    assert message in error_of(run(*args), 2)


REFUSED_BY_ALL = [
    (1, ["missing.txt"], "cannot read missing.txt: no such file"),
    (1, ["text.txt", "missing.txt"], "cannot read missing.txt: no such file"),
    (1, ["folder"], "folder holds no files"),
    (1, ["*.text"], "no file matches the pattern *.text"),
    (1, ["empty.txt"], "empty.txt holds no words"),
    (1, ["text.txt", "--min-count", "1000"], "try a --min-count of at most"),
    (1, ["text.txt", "-o", "missing/x"], "missing; create it first"),
    (1, ["text.txt", "-o", "folder"], "cannot write folder: it is a folder"),
    (1, ["text.txt", "--cache", "one.txt"], "cannot write one.txt"),
    (1, ["text.txt", "--field", "text"], "text.txt, line 1: not JSON"),
    (2, ["text.txt", "-o", "text.txt"], "would replace the corpus text.txt; name another file with -o"),
    (2, ["one.txt", "text.txt", "-o", "text.txt"], "would replace the corpus text.txt"),
    (2, [".", "-o", "folder/../one.txt"], "would replace the corpus"),
    (2, ["*.txt", "-o", "empty.txt"], "would replace the corpus empty.txt"),
    (2, ["text.txt", "--threads", "-1"], "--threads must be"),
    (2, ["text.txt", "--max-vocab", "1"], "--max-vocab must be a whole number of at least 2, got 1; leave it out"),
    (2, ["text.txt", "--nonsense"], "--nonsense"),
    (2, [], "CORPUS"),
]
REFUSED_BY_TRAINING = [
    (1, ["one.txt", "--min-count", "1"], "at least two different words"),
    (1, ["text.txt", "--read-vocab", "missing"], "cannot read missing: no such file"),
    (1, ["text.txt", "--read-vocab", "one.txt"], "one.txt, line 1: expected a word, a space and its count"),
    (1, ["text.txt", "--read-vocab", "empty.txt"], "empty.txt holds no words"),
    (1, ["text.txt", "--save-vocab", "missing/x"], "missing; create it first"),
    (2, ["text.txt", "--save-vocab", "text.txt"], "--save-vocab text.txt would replace the corpus"),
    (2, ["text.txt", "-o", "x", "--save-vocab", "x"], "--save-vocab x would replace the file of -o"),
]


REFUSED = [
    (status, [command, *args], message)
    for command in ("skipgram", "glove", "cooccur", "vocab")
    for status, args, message in REFUSED_BY_ALL + (REFUSED_BY_TRAINING if command != "vocab" else [])
]


@pytest.mark.parametrize(("status", "args", "message"), REFUSED, ids=named(REFUSED))
def test_bad_input_of_every_command_on_text_is_one_line(folder, status, args, message):
    before = contents(folder)
    assert message.lower() in error_of(run(*args), status).lower()
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("`min_count` must be", "--min-count must be"),
        ("try `sample=0` or `vectors='word'`", "try --sample 0 or --vectors word"),
        ("`lowercase=True` joins them", "--lowercase joins them"),
        ("with `words`, not `temp_folder`", "with --vocab, not temp_folder"),
    ],
)
def test_errors_and_notes_spell_settings_as_options(monkeypatch, message, shown):
    def train(settings, data):
        note(message)
        raise DataError(message)

    monkeypatch.setattr(SkipGram, "train", train)
    done = run("skipgram", "text.txt")
    assert done.stderr.splitlines() == [f"Note: {shown}", f"Error: {shown}"]


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


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("embedtrain neig", ["plain,neighbors"]),
        ("embedtrain skipgram --window-", ["plain,--window-mode"]),
        ("embedtrain cbow --window-mode f", ["plain,fixed"]),
        ("embedtrain skipgram te", ["file,te"]),
        ("embedtrain skipgram text.txt -o te", ["file,te"]),
        ("embedtrain skipgram text.txt --read-vocab te", ["file,te"]),
    ],
)
def test_bash_completes_commands_options_and_files(words, completed):
    env = {"_EMBEDTRAIN_COMPLETE": "bash_complete", "COMP_WORDS": words.replace(" ", "\n")}
    env["COMP_CWORD"] = str(len(words.split()) - 1)
    assert CliRunner().invoke(cli.main, env=env).stdout.splitlines() == completed


def test_without_a_command_the_help_is_shown():
    done = embedtrain()
    assert done.returncode == 2
    assert "skipgram" in done.stdout
    assert done.stderr == ""


def test_errors_of_the_program_are_one_line():
    done = embedtrain("neighbors", "missing.vec", "word")
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["Error: cannot read missing.vec: no such file"]


@pytest.mark.skipif(os.name == "nt", reason="Windows does not remove the current folder")
def test_a_removed_current_folder_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    for command in ("skipgram", "cooccur", "vocab"):
        line = error_of(run(command, tmp_path / "text.txt"), 1)
        assert line == "Error: the current folder was removed; change to another one"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("NUMBA_DISABLE_JIT", "1", "the kernels must be compiled, and NUMBA_DISABLE_JIT forbids it; unset it"),
        (
            "NUMBA_NUM_THREADS",
            "0",
            "Numba cannot be imported: Number of threads specified must be > 0; "
            "check the environment variables NUMBA_*",
        ),
    ],
)
def test_kernels_need_the_compiler(folder, name, value, message):
    done = embedtrain("skipgram", "text.txt", env={**os.environ, name: value})
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"Error: {message}"
    assert embedtrain("info", "good.vec", env={**os.environ, name: value}).returncode == 0


def test_another_numba_is_named(monkeypatch):
    monkeypatch.delattr("numba.core.caching.FunctionCache")
    with pytest.raises(ImportError, match=r"with Numba 0\.60 to .*, and Numba [\d.]+ lacks .*FunctionCache") as refused:
        kernels._check_numba()
    assert refused.value.name == "embedtrain.kernels"


def test_an_end_of_a_file_is_no_interrupt(monkeypatch):
    monkeypatch.setattr(WordVectors, "load", raising(EOFError("Ran out of input")))
    done = run("neighbors", "x", "y")
    assert (done.exit_code, done.stderr.strip()) == (1, "Error: unexpected EOFError: Ran out of input")
