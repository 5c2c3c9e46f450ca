"""The command `warmup`."""

import pytest
from commands import error_of, run
from programs import embedtrain

from embedtrain.kernels import compilation, kernel_cache


@pytest.fixture(scope="module")
def warmed():
    return embedtrain("warmup", timeout=300)


def test_the_folder_of_kernels_is_named(warmed):
    assert warmed.returncode == 0, warmed.stderr
    assert warmed.stdout == f"compiled kernels are in {kernel_cache.kernel_folder()}\n"
    assert warmed.stderr == ""


@pytest.mark.parametrize("args", ["skipgram", "cbow --tokenize words", "glove --threads 2"])
def test_then_no_run_compiles(warmed, args):
    model, *options = args.split()
    usual = [] if model == "glove" else ["--sample", "0"]
    done = embedtrain(model, "text.txt", "-o", "out.vec", *options, *usual)
    assert done.returncode == 0
    assert "saved" in done.stderr
    assert "compiling" not in done.stderr


def test_kernels_that_cannot_be_kept_are_an_error(monkeypatch):
    monkeypatch.setattr(compilation, "UNCACHED", ["tokenise"])
    assert "no folder for compiled kernels can be written" in error_of(run("warmup", "skipgram"), 1)
