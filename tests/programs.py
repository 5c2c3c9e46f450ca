"""Programs started by tests: a second Python, and the command `embedtrain`."""

import os
import subprocess
import sys
import time

import pytest

POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows has no such signals between processes")


def python(*args, **options):
    """Run a Python to its end, with its output as text."""
    usual = {"capture_output": True, "encoding": "utf-8", "timeout": 120}
    return subprocess.run([sys.executable, *map(str, args)], **{**usual, **options})


def start_python(*args, **options):
    """Start a Python, with its output in pipes as text."""
    usual = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    return subprocess.Popen([sys.executable, *map(str, args)], **{**usual, **options})


def embedtrain(*args, **options):
    """Run the command to its end."""
    return python("-m", "embedtrain", *args, **options)


def start_embedtrain(*args, until, **options):
    """Start the command, and wait until something holds."""
    process = start_python("-m", "embedtrain", *args, **options)
    deadline = time.monotonic() + 60
    while not until():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    return process
