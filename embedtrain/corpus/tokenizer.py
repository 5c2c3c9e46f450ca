"""Tokenizers of the user: a function from a line to its tokens, called here or, by its name, in worker processes.

A worker process is this module as a program: it reads pickled lists of lines and answers with lists of lines whose
tokens are between spaces, or with the message of an exception.
"""

from __future__ import annotations

import os
import pickle
import re
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import cache, reduce
from importlib import import_module
from typing import IO, NamedTuple, TypeAlias, cast

from embedtrain.errors import DataError, SettingError

Tokenizer: TypeAlias = Callable[[str], Iterable[str]]
#: From lines of a source, with its name, to lines with the tokens between spaces.
LineTokenizer: TypeAlias = Callable[[Iterable[str], str], Iterator[str]]

_BATCH = 1 << 14  # characters of the lines that are tokenised at once; files may be small
_NAME = re.compile(r"[\w.]+:[\w.]+")
_SURROGATE = re.compile("[\ud800-\udfff]")  # bytes that are not UTF-8


class _Failure(NamedTuple):
    """The exception of a tokenizer."""

    line: int  # in the batch
    message: str
    error: Exception | None = None  # in this process


def is_name(tokenize: object) -> bool:
    """Whether this names a function as module:function."""
    return isinstance(tokenize, str) and _NAME.fullmatch(tokenize) is not None


@cache
def require_function(name: str) -> str:
    """Check that a worker process finds the function; returns the file of its module, "" if it has none."""
    with _Process(name) as worker:
        worker.send([])
        if isinstance(answer := worker.answer(), _Failure):
            raise SettingError(f"`tokenize` cannot use {name}: {answer.message}")
        return answer[0]


@contextmanager
def line_tokenizer(tokenize: str | Tokenizer, processes: int) -> Iterator[LineTokenizer | None]:
    """Run the workers of a tokenizer; None for the built-in ways."""
    if not (callable(tokenize) or is_name(tokenize)):
        yield None
        return
    with ExitStack() as stack:
        workers: list[_Here | _Process]
        if callable(tokenize):
            name, workers = getattr(tokenize, "__qualname__", type(tokenize).__name__), [_Here(tokenize)]
        else:
            name, workers = tokenize, [stack.enter_context(_Process(tokenize)) for _ in range(processes)]
        yield lambda lines, source: _tokenised(lines, source, name, workers)


def _tokenised(texts: Iterable[str], source: str, name: str, workers: Sequence[_Here | _Process]) -> Iterator[str]:
    """Yield the lines of texts in order, tokenised by the workers in turns."""
    waiting: deque[tuple[_Here | _Process, list[str]]] = deque()
    n_lines = 0

    def finished() -> list[str]:
        nonlocal n_lines
        worker, batch = waiting.popleft()
        answer = worker.answer()
        if isinstance(answer, _Failure):
            where = f"{source}, line {n_lines + answer.line + 1}"
            raise DataError(f"{where}: the tokenizer {name} failed: {answer.message}") from answer.error
        n_lines += len(batch)
        # a byte that is not UTF-8 in place of U+FFFD, so that it is noted or refused
        pairs = zip(batch, answer, strict=True)
        return [tokens.replace("\ufffd", "\udcff") if _SURROGATE.search(line) else tokens for line, tokens in pairs]

    for number, batch in enumerate(_batches(line for text in texts for line in text.removesuffix("\n").split("\n"))):
        if len(waiting) == len(workers):
            yield from finished()
        worker = workers[number % len(workers)]
        worker.send([_SURROGATE.sub("\ufffd", line) for line in batch])
        waiting.append((worker, batch))
    while waiting:
        yield from finished()


def _batches(lines: Iterable[str]) -> Iterator[list[str]]:
    batch, size = [], 0
    for line in lines:
        batch.append(line.strip())
        size += len(line) + 1
        if size >= _BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _apply(tokenizer: Tokenizer, lines: Sequence[str]) -> list[str] | _Failure:
    """Divide lines into tokens between spaces."""
    divided = []
    for number, line in enumerate(lines):
        try:
            tokens = tokenizer(line) if line else []
            if isinstance(tokens, str):
                raise TypeError("it returned a str, not a list of str")
            divided.append(" ".join(tokens).replace("\n", " "))
        except Exception as error:
            return _Failure(number, _described(error), error)
    return divided


def _described(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


class _Here:
    """A tokenizer in this process."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer, self._lines = tokenizer, list[str]()

    def send(self, lines: list[str]) -> None:
        """Take lines."""
        self._lines = lines

    def answer(self) -> list[str] | _Failure:
        """Tokenise them."""
        return _apply(self._tokenizer, self._lines)


class _Process:
    """A worker process, started when it is needed."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._process: subprocess.Popen[bytes] | None = None

    def _started(self) -> tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]:
        """The process, its input and its output."""
        if self._process is None:
            path = os.pathsep.join(folder or os.curdir for folder in sys.path)  # it finds the modules that we find
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, self._name],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": path},
            )  # fmt: skip
        return self._process, cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)

    def send(self, lines: list[str]) -> None:
        """Send lines, after the answer to the lines before."""
        _, lines_out, _ = self._started()
        with suppress(OSError):  # it has ended; the answer says why
            pickle.dump(lines, lines_out)
            lines_out.flush()

    def answer(self) -> list[str] | _Failure:
        """Wait for the answer."""
        process, _, answers = self._started()
        try:
            answer: list[str] | _Failure = pickle.load(answers)
            return answer
        except (EOFError, pickle.UnpicklingError):
            return _Failure(0, f"its process ended with status {process.wait()}")

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            process, lines_out, answers = self._started()
            process.kill()
            process.wait()
            answers.close()
            with suppress(OSError):
                lines_out.close()


def serve(name: str) -> None:
    """Answer batches of lines on standard input; the process that sends them ends this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    batches, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # what the tokenizer reads
    os.dup2(2, 1)  # what the tokenizer prints
    tokenizer = failure = module = None
    try:
        module_name, _, attributes = name.partition(":")
        module = import_module(module_name)
        tokenizer = reduce(getattr, attributes.split("."), module)
        if not callable(tokenizer):
            raise TypeError(f"it is {type(tokenizer).__name__}, not a function")
    except BaseException as error:
        failure = _Failure(0, _described(error))
    with suppress(EOFError, OSError):
        while True:
            lines = pickle.load(batches)
            divided = _apply(cast(Tokenizer, tokenizer), lines) if lines else [getattr(module, "__file__", None) or ""]
            answer = failure or divided
            pickle.dump(answer._replace(error=None) if isinstance(answer, _Failure) else answer, answers)
            answers.flush()


if __name__ == "__main__":
    from embedtrain.corpus import tokenizer  # whose classes can be unpickled elsewhere

    tokenizer.serve(sys.argv[1])
