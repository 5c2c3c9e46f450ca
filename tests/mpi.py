"""Real ranks: processes that mpiexec starts, in tests marked `clients`."""

import functools
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@functools.cache
def _problem():
    """Why MPI cannot be used; empty if it can. Not imported here, as some MPIs refuse nested processes."""
    if not mpiexec():
        return "mpiexec is not installed"
    done = subprocess.run(
        [mpiexec(), "-n", "2", sys.executable, "-c", "from mpi4py import MPI; assert MPI.COMM_WORLD.size == 2"],
        capture_output=True, encoding="utf-8", timeout=60,
    )  # fmt: skip
    return done.returncode and f"mpi4py does not work: {(done.stderr or done.stdout)[-300:]}"


def mpiexec():
    """The path of mpiexec, that of this environment before others; None without one."""
    own = Path(sys.executable).parent / "mpiexec"
    return str(own) if own.exists() else shutil.which("mpiexec")


@pytest.fixture(scope="session")
def start_ranks():
    """A function that starts a Python with arguments as n ranks, with its output in pipes as text."""
    if problem := _problem():
        pytest.skip(str(problem))

    def start(n, *args, **options):
        usual = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
        command = [mpiexec(), "-n", n, sys.executable, *args]
        return subprocess.Popen([str(part) for part in command], **{**usual, **options})

    return start


@pytest.fixture(scope="session")
def run_ranks(start_ranks):
    """A function that runs n ranks to their end; returns the status, standard output and standard error."""

    def run(n, *args, **options):
        process = start_ranks(n, *args, **options)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    return run
