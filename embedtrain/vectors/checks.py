"""What other programs would trip over in a file of vectors, without trying them: measured with each of them once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from embedtrain.corpus.compression import Stream
from embedtrain.corpus.sources import reading, source_name
from embedtrain.errors import DataError, SettingError
from embedtrain.vectors.formats import recognise
from embedtrain.vectors.formats.content import Choice
from embedtrain.vectors.formats.text_line import shown

CLIENTS = ("gensim", "spacy", "fasttext", "torchtext")
_LOOKED_AT = 1 << 22  # bytes at once
_LONGEST_LINE = 1 << 26  # bytes
_BOM = b"\xef\xbb\xbf"
_CONSEQUENCES: Mapping[str, Mapping[str, str]] = {
    "header": {"gensim": "ValueError without no_header=True", "fasttext": "refused, the dimensions do not match"},
    "space": {
        "gensim": "ValueError", "torchtext": "ValueError", "fasttext": "this and all later rows are 0, silently",
    },
    "return": {"spacy": "error E094", "fasttext": "this and all later rows are 0, silently"},
    "twice": {
        "gensim": "a word None with a row of zeros", "spacy": "two rows",
        "torchtext": "two rows, the last is used", "fasttext": "the last is used",
    },
    "many": {"gensim": "EOFError", "spacy": "rows of zeros are added", "fasttext": "rows of zeros, silently"},
    "few": {"gensim": "rows are dropped", "spacy": "IndexError", "fasttext": "rows are dropped"},
    "finite": {"gensim": "poisons most_similar", "fasttext": "this and all later rows are 0, silently"},
    "none": {"torchtext": "TypeError"},
    "narrow": {"torchtext": "TypeError"},
    "utf8": {"gensim": "UnicodeDecodeError", "spacy": "UnicodeDecodeError", "torchtext": "the word is skipped"},
    "empty": {"fasttext": "shifts this and all later rows", "gensim": "the word ''"},
    "tab": {"gensim": "ValueError", "spacy": "error E094", "torchtext": "TypeError"},
    "bom": {"gensim": "ValueError", "spacy": "a nonsense table of 1 dimension", "fasttext": "an error"},
    "blank": {"spacy": "error E094", "torchtext": "RuntimeError"},
    "short": {
        "gensim": "ValueError", "spacy": "error E094", "torchtext": "RuntimeError",
        "fasttext": "shifts this and all later rows",
    },
    "compressed": {"fasttext": "reads plain text only"},
}  # fmt: skip


class Finding(NamedTuple):
    """Something that a program would trip over."""

    client: str
    place: str  # where it first is, as in "line 3"
    problem: str
    consequence: str
    times: int

    def __str__(self) -> str:
        more = f", and {self.times - 1:,} like it" if self.times > 1 else ""
        return f"{self.client}: {self.place}: {self.problem}{more}: {self.consequence}"


class _Defect(NamedTuple):
    kind: str  # a key of the consequences
    place: str
    problem: str


def check(path: Path, clients: tuple[str, ...] = CLIENTS) -> list[Finding]:
    """What these programs would trip over in a file, each kind of it once.

    Raises
    ------
    DataError
        If it is no file of vectors.
    SettingError
        If there is no such client.
    """
    for client in clients:
        if client not in CLIENTS:
            raise SettingError(f"clients are {', '.join(CLIENTS)}, got {client!r}")
    format = recognise(path)
    if format not in ("word2vec", "glove"):
        return _of_other_formats(path, format, clients)
    first: dict[str, _Defect] = {}
    times: dict[str, int] = {}
    with reading(path):
        for defect in _defects(path, format):
            first.setdefault(defect.kind, defect)
            times[defect.kind] = times.get(defect.kind, 0) + 1
    return [
        Finding(client, defect.place, defect.problem, _CONSEQUENCES[kind][client], times[kind])
        for client in clients
        for kind, defect in first.items()
        if client in _CONSEQUENCES[kind]
    ]


def _of_other_formats(path: Path, format: str, clients: tuple[str, ...]) -> list[Finding]:
    """That most read text only; gensim reads word2vec's binary format if it is whole."""
    findings = []
    for client in clients:
        if format == "word2vec-bin" and client == "gensim":
            try:
                from embedtrain.vectors.formats import word2vec_binary

                word2vec_binary.read(path, Choice())
            except DataError as error:
                findings.append(Finding(client, "the file", str(error), "an error or wrong vectors", 1))
        else:
            remedy = "not read; `embedtrain convert` makes text of it, name the output .vec"
            findings.append(Finding(client, "the file", f"is in the format {format}", remedy, 1))
    return findings


def _defects(path: Path, format: str) -> Iterator[_Defect]:
    """All defects of a text, in its order."""
    with open(path, "rb") as file:
        stream = Stream(source_name(path), file)
        lines = _lines(stream)
        if stream.is_compressed:
            yield _Defect("compressed", "the file", "it is compressed")
        first = next(lines, b"")
        if first.startswith(_BOM):
            yield _Defect("bom", "line 1", "a byte order mark")
            first = first.removeprefix(_BOM)
        n_promised: int | None = None
        if format == "word2vec":
            n_promised, dim = map(int, first.split())
            rows, n_before = lines, 1
            if n_promised == 0:
                yield _Defect("none", "line 1", "there are no words")
        else:
            yield _Defect("header", "line 1", "there is no line with the numbers of words and dimensions")
            dim = len(first.split()) - 1
            rows, n_before = _with_first(first, lines), 0
        if dim <= 2:
            yield _Defect("narrow", "line 1", f"vectors have {dim} dimensions, fewer than 3")
        yield from _defects_of_rows(rows, n_before, n_promised, dim)


def _with_first(first: bytes, lines: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from lines


def _defects_of_rows(rows: Iterator[bytes], n_before: int, n_promised: int | None, dim: int) -> Iterator[_Defect]:
    """The defects of lines "word value value …", after so many others."""
    seen: dict[bytes, int] = {}
    n_rows = 0
    for number, line in enumerate(rows, n_before + 1):
        place = f"line {number:,}"
        line = line.removesuffix(b"\r").rstrip(b" ")
        if not line:
            yield _Defect("blank", place, "the line is blank")
            continue
        n_rows += 1
        word = line[: max(0, line.find(b" "))] if b" " in line else line
        for kind, problem in _problems(line, word, dim):
            yield _Defect(kind, place, problem)
        before = seen.setdefault(word, number)
        if before != number:
            yield _Defect("twice", place, f"the word {_quoted(word)} stands in line {before:,} too")
    if n_promised is not None and n_rows != n_promised:
        kind = "many" if n_promised > n_rows else "few"
        yield _Defect(kind, "line 1", f"it promises {n_promised:,} words, {n_rows:,} lines follow")


def _problems(line: bytes, word: bytes, dim: int) -> Iterator[tuple[str, str]]:
    """What is wrong with a line on its own: the kind, and how to say it."""
    if not word:
        yield "empty", "the word is empty"
    if b"\t" in line:
        yield "tab", f"a tab after {_quoted(word)}"
    elif (n_values := line.count(b" ")) < dim:
        yield "short", f"{_quoted(word)} has {n_values:,} values instead of {dim:,}"
    elif n_values > dim:
        spelled = line.rsplit(b" ", dim)[0]
        yield "space", f"the word {_quoted(spelled)} has a space"
    if b"\r" in line:
        yield "return", f"a carriage return in the line of {_quoted(word)}"
    if b"n" in line[len(word) :].lower():  # of nan and inf, and of no number
        yield "finite", f"the vector of {_quoted(word)} is not finite"
    if not word.isascii():
        try:
            word.decode()
        except UnicodeDecodeError:
            yield "utf8", f"the word {_quoted(word)} is not UTF-8"


def _quoted(word: bytes) -> str:
    return shown(word.decode(errors="backslashreplace"))


def _lines(stream: Stream) -> Iterator[bytes]:
    """The lines of a stream, without line feeds; what is after the last one if that is anything."""
    buffer, rest = bytearray(_LOOKED_AT), b""
    while n := stream.readinto(memoryview(buffer)):
        *lines, rest = (rest + bytes(buffer[:n])).split(b"\n")
        yield from lines
        if len(rest) > _LONGEST_LINE:
            raise DataError(f"a line is longer than {_LONGEST_LINE >> 20} MiB; this is no text of vectors")
    if rest:
        yield rest
