"""Spellings of a word: which differ only in case, Unicode normalisation or characters without width."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from unicodedata import is_normalized, normalize

_NO_WIDTH = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")  # soft hyphens, zero-width spaces and joiners, marks

_COMPARED = 100_000  # words that are searched for similar ones, the first ones


def folded(word: str, *, normalization: bool = True, width: bool = True, case: bool = True) -> str:
    """Return the form that all spellings of a word share; for comparison only.

    Case is folded to lower case, not by Unicode's case folding: ß and ss, or ı and i, are in different words. İ becomes
    i, and a final ς is σ.
    """
    if word.isascii():
        return word.lower() if case else word
    if normalization:
        word = normalize("NFC", word)
    if width:
        word = _NO_WIDTH.sub("", word)
    return word.replace("İ", "i").lower().replace("ς", "σ") if case else word


def _difference(word: str, other: str) -> str:
    """Describe in what two spellings of a word differ, as "case"."""
    form = "NFC" if is_normalized("NFC", other) else "NFD"
    names = {"case": "case", "width": "characters without width", "normalization": f"Unicode normalisation ({form})"}
    found = [name for rule, name in names.items() if folded(word, **{rule: False}) != folded(other, **{rule: False})]
    return " and ".join(found) or "Unicode form"


def suggestion(word: str, words: Iterable[str]) -> str:
    """Describe the words that were perhaps meant; empty if none is similar."""
    form = folded(word)
    if other := next((known for known in words if folded(known) == form), ""):
        return f"{other!r} differs only in {_difference(word, other)}"
    near = get_close_matches(word, islice(words, _COMPARED), n=3)
    return f"similar spelling: {', '.join(near)}" if near else ""
