"""Signals while a program trains or reads: what is saved, and which handlers are restored."""

import os
import signal
import struct
import subprocess
import threading
import time
from pathlib import Path

import numba
import pytest
from programs import POSIX, embedtrain, python, start_embedtrain, start_python

from embedtrain import WordVectors
from embedtrain.machine.interrupts import deferred_interrupts, terminate_as_interrupt
from embedtrain.models.skipgram import SkipGram

TOY = Path(__file__).parent.parent / "corpora" / "toy.txt"
SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]

each_signal = pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
each_ending = pytest.mark.parametrize("number", SIGNALS[1:], ids=lambda number: number.name)


def interrupt(number=signal.SIGINT):
    signal.raise_signal(number)


def handlers():
    return [signal.getsignal(number) for number in SIGNALS]


def in_a_thread(function):
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


@pytest.fixture(autouse=True)
def defaults():
    """Handlers as in a program that was just started; afterwards as they were."""
    before = handlers()
    usual = [signal.default_int_handler, *[signal.SIG_DFL] * (len(SIGNALS) - 1)]
    for number, handler in zip(SIGNALS, usual, strict=True):
        signal.signal(number, handler)
    yield usual
    for number, handler in zip(SIGNALS, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def all_interrupt(defaults):
    """SIGTERM and SIGHUP raise `KeyboardInterrupt`; the handlers of all."""
    terminate_as_interrupt()
    return [signal.default_int_handler] * len(SIGNALS)


# --- terminate_as_interrupt -------------------------------------------------------------------------------------------


@each_signal
def test_signals_raise_keyboard_interrupt(number):
    terminate_as_interrupt()
    with pytest.raises(KeyboardInterrupt):
        interrupt(number)


@each_ending
def test_an_ignored_signal_stays_ignored(number):
    signal.signal(number, signal.SIG_IGN)
    terminate_as_interrupt()
    assert signal.getsignal(number) == signal.SIG_IGN


@each_ending
def test_a_handler_of_the_caller_stays(number):
    def own(number, frame):
        pass

    signal.signal(number, own)
    terminate_as_interrupt()
    assert signal.getsignal(number) is own


def test_in_another_thread_nothing_is_changed(defaults):
    in_a_thread(terminate_as_interrupt)
    assert handlers() == defaults


# --- deferred_interrupts ----------------------------------------------------------------------------------------------


def test_without_a_signal_nothing_happens(all_interrupt):
    with deferred_interrupts() as interrupted:
        assert not interrupted()
    assert handlers() == all_interrupt


@each_signal
def test_the_first_signal_is_noted(all_interrupt, number):
    with deferred_interrupts() as interrupted:
        assert not interrupted()
        interrupt(number)
        assert interrupted()
        assert interrupted(), "it stays so"
    assert handlers() == all_interrupt


@each_signal
def test_the_second_signal_interrupts_at_once(all_interrupt, number):
    reached = []

    def work():
        with deferred_interrupts() as interrupted:
            interrupt()
            reached.append(interrupted())
            interrupt(number)
            reached.append("too far")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == [True]
    assert handlers() == all_interrupt


@pytest.mark.parametrize("asked_before", [False, True])
def test_a_signal_that_nobody_heard_of_is_not_lost(all_interrupt, asked_before):
    reached = []

    def work():
        with deferred_interrupts() as interrupted:
            if asked_before:
                assert not interrupted()
            interrupt()
            reached.append("the end of the block")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["the end of the block"]
    assert handlers() == all_interrupt


@pytest.mark.parametrize("signalled", [False, True])
def test_errors_of_the_block_pass(all_interrupt, signalled):
    def work():
        with deferred_interrupts():
            if signalled:
                interrupt()
            raise ValueError("of the block")

    with pytest.raises(ValueError, match="of the block"):
        work()
    assert handlers() == all_interrupt


def test_other_handlers_are_left_alone():
    came = []

    def own(number, frame):
        came.append(number)

    signal.signal(signal.SIGTERM, own)
    with deferred_interrupts() as interrupted:
        interrupt(signal.SIGTERM)
        assert not interrupted()
        assert signal.getsignal(signal.SIGTERM) is own
    assert came == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is own


@pytest.mark.parametrize("heard", [False, True])
@each_signal
def test_handlers_are_restored_and_no_signal_lost_if_one_comes_meanwhile(all_interrupt, monkeypatch, number, heard):
    set_handler, restored = signal.signal, []

    def set_and_signal(which, handler):
        set_handler(which, handler)
        if handler is signal.default_int_handler:
            restored.append(which)
            if restored == [which]:
                interrupt(number)

    def work():
        with deferred_interrupts() as interrupted:
            interrupt()
            if heard:
                assert interrupted()
            monkeypatch.setattr(signal, "signal", set_and_signal)

    with pytest.raises(KeyboardInterrupt):
        work()
    monkeypatch.undo()
    assert handlers() == all_interrupt


def test_one_block_in_another_leaves_it_the_signals(all_interrupt):
    with deferred_interrupts() as outer:
        with deferred_interrupts() as inner:
            interrupt()
            assert not inner()
        assert outer()
    assert handlers() == all_interrupt


def test_in_another_thread_nothing_is_deferred(all_interrupt):
    def work():
        with deferred_interrupts() as interrupted:
            return handlers(), interrupted()

    assert in_a_thread(work) == (all_interrupt, False)
    assert handlers() == all_interrupt


def test_an_interrupt_ends_a_compilation_at_its_next_step(all_interrupt):
    reached, compiled = [], numba.njit(lambda: 7)

    def work():
        with SkipGram(progress=False).compiling():
            interrupt()
            reached.append("the compilation")
            compiled()
            reached.append("too far")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert reached == ["the compilation"]
    assert handlers() == all_interrupt
    with SkipGram(progress=False).compiling():
        assert compiled() == 7, "what was given up can be compiled again"


# --- The program ------------------------------------------------------------------------------------------------------


@POSIX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_a_signal_saves_what_was_trained_and_exits_130(tmp_path, number):
    output, log = tmp_path / "toy.vec", tmp_path / "log"
    command = ["skipgram", TOY, "-o", output, "--dim", "16", "--epochs", "100000", "--log", log]
    training = start_embedtrain(*command, until=lambda: log.exists() and log.stat().st_size)  # an epoch is done
    training.send_signal(number)
    _, said = training.communicate(timeout=60)
    assert training.returncode == 130, said
    assert "holds what was trained so far" in said
    assert len(WordVectors.load(output)) > 1000
    assert sorted(tmp_path.iterdir()) == [log, output]


def test_an_interrupt_while_modules_are_imported_shows_no_traceback():
    source = """
import runpy, sys
class Finder:
    def find_spec(self, name, path, target=None):
        if name == "embedtrain.cli":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Finder())
runpy.run_module("embedtrain", run_name="__main__")
"""
    done = python("-c", source)
    assert (done.returncode, done.stderr.strip()) == (130, "Error: interrupted; nothing was saved")


@POSIX
def test_a_terminal_shows_the_speed_while_training(tmp_path):
    import fcntl
    import pty
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, 200, 0, 0))  # room for a bar
    settings = ["--dim", "16", "--epochs", "2"]
    embedtrain("skipgram", TOY, "-o", tmp_path / "x", *settings, capture_output=False, stderr=theirs, check=True)
    os.close(theirs)
    with open(ours, "rb", buffering=0) as terminal:
        assert b" words/s\r" in terminal.read(1 << 16)


def drain(pipe):
    """Wait until all that was written was read."""
    import fcntl
    import termios

    deadline = time.monotonic() + 60
    while struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))) != (0,):
        assert time.monotonic() < deadline
        time.sleep(0.01)


@POSIX
@pytest.mark.parametrize("threads", [pytest.param("1", marks=pytest.mark.slow), "2"])
@each_signal
def test_a_signal_ends_what_waits_for_text(tmp_path, threads, number):
    program = ["-m", "embedtrain", "vocab", "-", "-o", tmp_path / "words", "--threads", threads]
    with start_python(*program, stdin=subprocess.PIPE, encoding=None) as counting:
        try:
            counting.stdin.write(b"some words\n" * 300_000)  # more than a piece
            counting.stdin.flush()
            drain(counting.stdin)
            counting.send_signal(number)
            said = counting.stderr.read()  # while the pipe stays open
            assert counting.wait(timeout=60) == 130, said
            assert said.strip() == b"Error: interrupted; nothing was saved"
        finally:
            counting.kill()
    assert not list(tmp_path.iterdir())
