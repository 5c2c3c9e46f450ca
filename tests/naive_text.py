"""The plain forms of reading text: tokens and vocabulary in Python's own strings."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable


def sentences_of(text: str) -> list[list[str]]:
    """The tokens of each sentence that has any: what whitespace and control characters leave of a line."""
    lines = ("".join(" " if unicodedata.category(c) == "Cc" else c for c in line) for line in text.split("\n"))
    return [tokens for line in lines if (tokens := line.split())]


def tokens_of(text: bytes) -> list[list[str]]:
    """The same for the bytes of a file, which may begin with a byte order mark and hold what is not UTF-8."""
    return sentences_of(text.decode("utf-8", errors="replace").removeprefix("\ufeff"))


def vocabulary_of(sentences: Iterable[Iterable[str]]) -> dict[str, int]:
    """The words with their counts, the most frequent first, ties by their UTF-8 bytes."""
    counts = Counter(token for tokens in sentences for token in tokens)
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0].encode())))
