"""The text of a corpus in reading order, in buffers that end between tokens."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from itertools import chain, count, islice
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus import json_lines
from embedtrain.corpus.file_parts import FilePart
from embedtrain.corpus.foreign import require_text
from embedtrain.corpus.sources import Corpus
from embedtrain.corpus.text_encoding import Transcoded
from embedtrain.corpus.tokenizer import LineTokenizer, line_tokenizer
from embedtrain.errors import DataError
from embedtrain.kernels.text.byte_masks import PADDING
from embedtrain.machine import compression
from embedtrain.machine.files import STDIN, open_source, reading, source_name
from embedtrain.machine.memory import format_bytes
from embedtrain.machine.npz import read_only
from embedtrain.machine.progress import note
from embedtrain.machine.threads import read_ahead

_CHUNK = 1 << 21  # bytes
_LONGEST = 64_000_000  # bytes of a token
_TAIL = 1 << 12  # bytes at the end of a chunk that are first searched for whitespace
_WHOLE = 0, 1  # a share: part 0 of 1
_BOM = b"\xef\xbb\xbf"
_SPACES = b" \n\t\r"  # where chunks are cut
_BACK_TO_BYTES = "embedtrain.back_to_bytes"  # the name of an error handler
#: Replaces a space in a token of a list; noncharacters of Unicode, which text does not have.
SPACE = "\ufdd0\ufdd1"
_NOT_IN_A_TOKEN = re.compile("[\x00-\x1f\x7f-\x9f]")


class TextChunk(NamedTuple):
    """A part of the text of a source, which ends at ASCII whitespace."""

    number: int  # 0, 1, 2, … in reading order
    file: int  # number of the file in the corpus
    source: str  # its name for messages
    text: NDArray[np.uint8]  # (n + PADDING,)
    divided: bool  # whether the tokens are what is between spaces, however text is tokenised

    @property
    def n(self) -> int:
        """Number of bytes of text."""
        return len(self.text) - PADDING


def read_chunks(
    corpus: Corpus, processes: int = 1, *, documents: bool = False, share: tuple[int, int] = _WHOLE
) -> Generator[TextChunk, None, None]:
    """Yield the text of a corpus in order; the end of a file is the end of a line.

    A tokenizer given by its name runs in `processes`. With `documents` every item of an iterable and every record is
    one line, and a file that ends with a line feed has no empty line after it. `share` is the number of one of several
    parts and how many there are: plain files are cut at line ends; compressed files, and items of an iterable, are
    dealt out.
    """
    with line_tokenizer(corpus.tokenize, processes) as tokenize:
        for number, (file, source, text, divided) in enumerate(_texts(corpus, tokenize, documents, share)):
            yield TextChunk(number, file, source, text, divided)


def _texts(
    corpus: Corpus, tokenize: LineTokenizer | None, documents: bool, share: tuple[int, int]
) -> Iterator[tuple[int, str, NDArray[np.uint8], bool]]:
    if corpus.in_memory:
        divided, lines = _lines(islice(corpus.sources[0], share[0], None, share[1]))
        divided, lines = _tokenised(divided, lines, corpus.name, corpus, tokenize, documents)
        for text in _join_lines(lines, _chunk_size(corpus)):
            yield 0, corpus.name, text, divided
        return
    for file, path, part in _files(corpus, share):
        with reading(path), open_source(path) as plain:
            name = source_name(path)
            if part != _WHOLE:
                plain = FilePart(plain, *part)
                name += f", after byte {plain.begin:,}" * (plain.begin > 0)
            packed = compression.Stream(name, plain)
            stream = packed if corpus.encoding == "utf-8" else Transcoded(name, packed, corpus.encoding)
            field = _text_field(path, corpus.field)
            source = name if field is None else f"the text in {name}"
            if field is None and tokenize is None:
                divided, texts = False, _read(name, stream, corpus, documents)
            else:
                if field is None:
                    divided, lines = False, _decoded(_read(name, stream, corpus, documents))
                else:
                    records = json_lines.read_lines(name, io.BufferedReader(stream, _CHUNK))
                    divided, lines = _lines(json_lines.texts(name, records, field), f"{name}, ")
                divided, lines = _tokenised(divided, lines, source, corpus, tokenize, documents)
                texts = _join_lines(lines, _chunk_size(corpus), surrogates=_BACK_TO_BYTES)
            if packed.is_compressed and path != STDIN and path.is_file():
                texts = read_ahead(texts)
            for text in texts:
                yield file, source, text, divided


def _files(corpus: Corpus, share: tuple[int, int]) -> Iterator[tuple[int, Path, tuple[int, int]]]:
    """The files that are read for a share of a corpus: their numbers, and which part of each is read."""
    whole_files = count()
    for file, path in enumerate(corpus.files()):
        if share == _WHOLE or (corpus.encoding == "utf-8" and not compression.is_compressed(path)):
            yield file, path, share
        elif next(whole_files) % share[1] == share[0]:
            yield file, path, _WHOLE


def _tokenised(
    divided: bool, lines: Iterator[str], source: str, corpus: Corpus, tokenize: LineTokenizer | None, documents: bool
) -> tuple[bool, Iterator[str]]:
    """Apply a tokenizer to lines that are not divided into tokens; returns also whether they are divided now."""
    if documents:
        lines = (line.replace("\n", " ") for line in lines)
    if divided and corpus.tokenize != "spaces":
        note(f"{source} is lists of tokens, which `tokenize` does not divide; give lines of text")
    return (True, tokenize(lines, source)) if tokenize and not divided else (divided, lines)


def _text_field(path: Path, field: str | None) -> str | None:
    """The field of a file's records that holds the text; None for plain text."""
    name = compression.plain_name(path.name).lower()
    return "text" if field is None and name.endswith(json_lines.SUFFIXES) else field


def _read(name: str, stream: compression.ByteStream, corpus: Corpus, documents: bool) -> Iterator[NDArray[np.uint8]]:
    """Read a stream in chunks, without its byte order mark and with a line feed at the end, of `documents` only one."""
    last = ord("\n")  # of the previous chunk
    rest = np.empty(0, np.uint8)  # after the last whitespace; begins the next chunk
    at_end, at_start, position = False, True, 0
    while not at_end:
        if rest.size > _LONGEST:
            raise DataError(
                f"{name}: no space and no line end in more than {format_bytes(_LONGEST)}, from byte {position:,} on; "
                "words are divided by spaces, and sentences by line ends"
            )
        size = rest.size + max(_CHUNK, rest.size)  # doubling: a token may be longer than many chunks
        buffer = np.empty(size + 1 + PADDING, np.uint8)
        buffer[: rest.size] = rest
        end = rest.size
        while end < size and not at_end:
            n = stream.readinto(buffer.data[end:size])
            end, at_end = end + n, n == 0
        if at_start:
            if not corpus.force:
                require_text(name, buffer[:end], is_whole=at_end, corpus=corpus)
            if buffer[:3].tobytes() == _BOM and end >= 3:
                buffer[:3] = ord(" ")
            at_start = False
        if at_end:
            if not documents or (buffer[end - 1] if end else last) != ord("\n"):
                buffer[end] = ord("\n")
                end += 1
            cut = end
        else:
            cut = _after_last_space(buffer[:end])
        position += cut
        rest = buffer[cut:end].copy()
        if cut:
            last = int(buffer[cut - 1])
            text = buffer[: cut + PADDING]
            text[cut:] = ord("\n")
            yield read_only(text)  # like text from memory, so that kernels are compiled once


def _after_last_space(text: NDArray[np.uint8]) -> int:
    """The position after the last whitespace of a text; 0 if there is none."""
    for tail in (text[-_TAIL:], text):
        found = 1 + max(tail.tobytes().rfind(space) for space in _SPACES)
        if found:
            return len(text) - len(tail) + found
    return 0


def _decoded(chunks: Iterable[NDArray[np.uint8]]) -> Iterator[str]:
    """Yield the lines of chunks; invalid UTF-8 becomes lone surrogates."""
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk[: len(chunk) - PADDING].tobytes()).split(b"\n")
        for line in lines:
            yield line.decode(errors="surrogateescape")


def _back_to_bytes(error: UnicodeError) -> tuple[bytes, int]:
    """Encode escaped bytes as those bytes, and other surrogates as invalid UTF-8."""
    assert isinstance(error, UnicodeEncodeError)
    wrong = error.object[error.start : error.end]
    handlers = ("surrogateescape" if "\udc80" <= c <= "\udcff" else "surrogatepass" for c in wrong)
    return b"".join(c.encode(errors=handler) for c, handler in zip(wrong, handlers, strict=True)), error.end


codecs.register_error(_BACK_TO_BYTES, _back_to_bytes)


def _lines(items: Iterable[Any], where: str = "") -> tuple[bool, Iterator[str]]:
    """Make a line of each item, token lists joined by spaces; and whether they are token lists."""
    iterator = iter(items)
    first = list(islice(iterator, 1))
    divided = bool(first) and not isinstance(first[0], str)
    return divided, _as_lines(chain(first, iterator), divided, where)


def _as_lines(items: Iterable[Any], divided: bool, where: str) -> Iterator[str]:
    for number, item in enumerate(items, 1):
        if item is None or type(item).__name__ in ("float", "float64", "NAType"):
            raise DataError(f"{where}sentence {number} is missing ({item!r}); leave it out, in pandas by dropna()")
        if isinstance(item, str) == divided:
            first, found = ("a token list", "a bare string") if divided else ("a line", "a token list")
            raise DataError(f"{where}sentence {number} is {found} where the first was {first}; give all alike")
        if not divided:
            yield item
            continue
        if isinstance(item, (bytes, bytearray)):
            raise DataError(f"{where}sentence {number} must be a list of str, got bytes; decode them")
        if isinstance(item, Mapping) or not isinstance(item, Iterable):
            raise DataError(f"{where}sentence {number} must be a list of str, got {type(item).__name__}")
        tokens = list(item)
        if tokens and isinstance(tokens[0], Integral) and all(isinstance(token, Integral) for token in tokens):
            tokens = list(map(str, tokens))
        yield _join_tokens(tokens, f"{where}sentence {number}")


def _join_tokens(tokens: list[str], where: str) -> str:
    """Join tokens to a line, and check that they can be split again."""
    try:
        line = " ".join(tokens)
    except TypeError:
        wrong = min(tokens, key=lambda token: 2 * isinstance(token, str) + isinstance(token, Integral))
        found = f"{type(wrong).__name__} {wrong!r}"
        raise DataError(f"{where} must be a list of str or of int, got {found}; convert or remove it") from None
    if line.split() != tokens or _NOT_IN_A_TOKEN.search(line):
        if not all(map(str.strip, tokens)):  # as tokenizers give for spaces
            note("empty and blank tokens are left out")
            return _join_tokens([token for token in tokens if token.strip()], where)
        if " " in "".join(tokens):
            return _join_tokens([token.replace(" ", SPACE) for token in tokens], where)
        wrong = next(token for token in tokens if token.split() != [token] or _NOT_IN_A_TOKEN.search(token))
        raise DataError(
            f"{where}: the token {wrong.replace(SPACE, ' ')!r} is empty or holds whitespace or a control "
            "character; replace it, with '_' for example: no vectors file can hold it"
        )
    return line


def _chunk_size(corpus: Corpus) -> int:
    """The bytes of a chunk of lines; fewer from a tokenizer, which may be slow, as progress is reported by chunk."""
    return _CHUNK >> 5 if corpus.has_tokenizer else _CHUNK


def _join_lines(lines: Iterable[str], most: int, *, surrogates: str = "strict") -> Iterator[NDArray[np.uint8]]:
    """Join lines to chunks; halves of surrogate pairs are refused or become invalid UTF-8."""
    waiting: list[str] = []
    size = 0
    for line in lines:
        waiting.append(line.removesuffix("\n"))  # which lines of a file have
        size += len(line) + 1
        if size >= most:
            yield _encode(waiting, surrogates)
            waiting, size = [], 0
    if waiting:
        yield _encode(waiting, surrogates)


def _encode(lines: list[str], surrogates: str) -> NDArray[np.uint8]:
    try:
        text = ("\n".join(lines) + "\n").encode(errors=surrogates)
    except UnicodeEncodeError as error:
        wrong = error.object[error.start]
        raise DataError(f"the text holds {wrong!r}, half of a surrogate pair and not UTF-8; decode it again") from None
    return np.frombuffer(text + b"\n" * PADDING, np.uint8)
