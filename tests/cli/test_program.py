"""The program: help, errors, and what it imports."""

import pytest
from commands import error_of, run
from programs import embedtrain, python

from embedtrain import cli

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


def test_commands_and_options_are_in_groups():
    groups = [line for line in run("--help").stdout.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert groups == ["Options:", "Training:", "Queries:", "Files:"]
    for name in ("skipgram", "cbow", "glove", "cooccur"):
        groups = [line for line in run(name, "--help").stdout.splitlines() if line.endswith(" options:")]
        assert groups == [f"{group} options:" for group in ("Model", "Vocabulary", "Input", "Run", "Output", "Other")]


@pytest.mark.parametrize("args", [["nonsense"], ["--nonsense"], ["skipgramm", "text.txt"]], ids=" ".join)
def test_an_unknown_command_is_one_line(args):
    assert args[0] in error_of(run(*args), 2)


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
    done = embedtrain()
    assert done.returncode == 2
    assert "skipgram" in done.stdout
    assert done.stderr == ""


def test_errors_of_the_program_are_one_line():
    done = embedtrain("neighbors", "missing.vec", "word")
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["Error: cannot read missing.vec: no such file"]
