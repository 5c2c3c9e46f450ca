"""Warnings about the bytes of a text, with file and line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.sources import Corpus
from embedtrain.corpus.text_encoding import likely_encoding
from embedtrain.corpus.type_table import TypeTable
from embedtrain.errors import DataError
from embedtrain.kernels.text import tokenize as tokens

if TYPE_CHECKING:
    from embedtrain.corpus.encoding import EncodedChunk

_MOST_INVALID = 0.01  # of the tokens
_SAMPLE = 2000  # types that a guess of the encoding is based on


def invalid_utf8(types: TypeTable, invalid: list[int], corpus: Corpus, chunks: Sequence[EncodedChunk]) -> Iterator[str]:
    """Yield a warning about types that are not UTF-8; raise `DataError` if they are refused or too many."""
    if not invalid:
        return
    first = min(invalid, key=types.first_seen.__getitem__)
    location, spelling = _location(int(types.first_seen[first]), chunks), types.spelling(first)
    encoding = "UTF-8" if corpus.encoding == "utf-8" else corpus.encoding
    if corpus.invalid_utf8 == "refuse":
        raise DataError(f"{location}: {spelling[:40]!r} is not {encoding}; convert the text, or replace such bytes")
    n_tokens = int(types.counts[invalid].sum())
    share = n_tokens / int(types.counts.sum())
    first_one = f"{spelling[:40]!r} in {location}"
    if share > _MOST_INVALID and not corpus.force:
        often = sorted(invalid, key=types.counts.__getitem__)[-_SAMPLE:]
        has_bytes = encoding == "UTF-8" and not corpus.has_tokenizer  # tokenizers get U+FFFD
        likely = likely_encoding([types.spelling(number) for number in often]) if has_bytes else None
        remedy = f"it may be {likely}" if likely else "for example gb18030, big5, cp1252 or utf-16"
        raise DataError(
            f"{share:.1%} of the tokens are not {encoding}, the first {first_one}; give the encoding of the text "
            f"with `encoding`, {remedy}, or read it as it is with `force`"
        )
    amount = f"{n_tokens:,} tokens ({share:.2%})"
    yield f"not {encoding}, read with U+FFFD for the invalid bytes: {amount}, first {first_one}"


def control_characters(states: list[NDArray[np.int64]], chunks: Sequence[EncodedChunk]) -> Iterator[str]:
    """Yield a warning about control characters, from the states of the tokenisers."""
    found = [state for state in states if state[tokens.N_CONTROLS]]
    if found:
        n_controls = sum(int(state[tokens.N_CONTROLS]) for state in found)
        first = _location(min(int(state[tokens.FIRST_CONTROL]) for state in found), chunks)
        yield f"control characters, such as NUL, read as spaces: {n_controls:,}, the first in {first}"


def _location(seen: int, chunks: Sequence[EncodedChunk]) -> str:
    """Format a location that kernels record: chunk << 32 | line."""
    chunk, line = chunks[seen >> 32], seen & 0xFFFFFFFF
    line += sum(before.n_lines for before in chunks[: seen >> 32] if before.file == chunk.file)
    return f"{chunk.source}, line {line + 1}"
