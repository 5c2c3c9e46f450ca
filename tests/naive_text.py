"""The plain forms of reading text: tokens and vocabulary in Python's own strings."""

from __future__ import annotations

import re
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


#: A letter that is a word of its own with its marks, or letters and marks with joiners between letters; see `kind_of`.
_WORD = re.compile("SM*|L(?:[LM]|J(?=L))*")
_SINGLE_NAMES = ("CJK ", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA", "HENTAIGANA", "IDEOGRAPHIC")
_SINGLE_NAMES += ("THAI", "LAO", "KHMER", "MYANMAR")


def kind_of(c: str) -> str:
    """(L)etter or digit, (M)ark, (S)ingle letter, (J)oiner, (I)gnored, or a space."""
    category = unicodedata.category(c)
    if c in "'’-‐‑_·\u200c\u200d":
        return "J"
    if c >= "\U00040000":
        return " "
    if (category == "Cf" and c != "\u200b") or "\ufe00" <= c <= "\ufe0f":
        return "I"
    if category[0] == "L" and unicodedata.name(c, "").startswith(_SINGLE_NAMES):
        return "S"
    return {"L": "L", "N": "L", "M": "M"}.get(category[0], "L" if "\udc80" <= c <= "\udcff" else " ")


def words_of(text: str) -> list[str]:
    """The words of a line; bytes that are not UTF-8, as lone surrogates, are letters."""
    text = "".join(c for c in text if kind_of(c) != "I")
    words = (text[slice(*found.span())] for found in _WORD.finditer("".join(map(kind_of, text))))
    return [word.replace("’", "'").replace("‐", "-").replace("‑", "-") for word in words]


def ngrams_of(word: bytes, min_length: int, max_length: int) -> list[bytes]:
    """The n-grams of a word in UTF-8 between borders, as fastText's computeSubwords lists them."""
    text, found = b"<%b>" % word, []
    begins = [place for place, byte in enumerate(text) if byte & 0xC0 != 0x80] + [len(text)]
    for first in range(len(begins) - 1):
        for length in range(min_length, max_length + 1):
            is_border = length == 1 and first in (0, len(begins) - 2)
            if first + length < len(begins) and not is_border:
                found.append(text[begins[first] : begins[first + length]])
    return [] if word == b"</s>" else found


def bucket_of(ngram: bytes, n_buckets: int) -> int:
    """FNV-1a with 32 bits over bytes as C's signed char, modulo the number of buckets."""
    state = 2166136261
    for byte in ngram:
        state = ((state ^ (byte - 256 * (byte > 127)) & 0xFFFFFFFF) * 16777619) & 0xFFFFFFFF
    return state % n_buckets
