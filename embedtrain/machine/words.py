"""What a word is, wherever it comes from: what every file can hold."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from embedtrain.errors import DataError

_NOT_IN_A_WORD = re.compile("[\\s\x00-\x1f\x7f-\x9f\ud800-\udfff]")

_NEVER_IN_A_FILE = re.compile("[\x00-\x20\x7f]")


def is_word(word: str) -> bool:
    """Whether a text has no whitespace, control characters or halves of surrogate pairs, and is not empty."""
    return bool(word) and _NOT_IN_A_WORD.search(word) is None


def unreadable_word(words: Sequence[str]) -> str | None:
    """One of these words that is empty or holds a space or an ASCII control character, if there is one.

    Files that others wrote may hold other whitespace.
    """
    if all(words) and _NEVER_IN_A_FILE.search("".join(words)) is None:
        return None
    return next(word for word in words if not word or _NEVER_IN_A_FILE.search(word))


def require_words(words: Iterable[str]) -> None:
    """See that all are words.

    Raises
    ------
    DataError
        If one is not; it is named.
    """
    for word in words:
        if not isinstance(word, str):
            raise DataError(f"words must be str, got {type(word).__name__} {word!r}; convert it with str()")
        if not is_word(word):
            raise DataError(
                f"the word {word!r} is empty or holds whitespace, a control character or half of a surrogate pair; "
                "rename it, with '_' for example: no vectors file can hold it"
            )


def stands_twice(words: Sequence[str]) -> str | None:
    """A word that stands more than once among these, if there is one."""
    if len(set(words)) == len(words):
        return None
    return next(word for word, count in Counter(words).items() if count > 1)
