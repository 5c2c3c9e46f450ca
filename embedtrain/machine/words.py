"""Words: the rules that files require of them, and many of them packed into one array of bytes."""

from __future__ import annotations

import codecs
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import overload

import numpy as np
from numpy.typing import NDArray

from embedtrain.errors import DataError, quoted

_NOT_IN_A_WORD = re.compile("[\\s\x00-\x1f\x7f-\x9f\ud800-\udfff]")

_NEVER_IN_A_FILE = re.compile("[\x00-\x20\x7f]")


@dataclass(frozen=True, eq=False)
class PackedWords(Sequence[str]):
    """Words as concatenated UTF-8 bytes: compact where there are millions and few are read."""

    text: NDArray[np.uint8]
    starts: NDArray[np.int64]  # (n + 1,) where each word starts, and the end of the last

    @classmethod
    def of(cls, words: Sequence[str]) -> PackedWords:
        """Pack words; words that are packed already are returned unchanged."""
        if isinstance(words, PackedWords):
            return words
        try:
            encoded = [word.encode() for word in words]
        except UnicodeEncodeError as error:
            raise DataError(
                f"the word {quoted(error.object)} holds half of a surrogate pair, invalid in UTF-8"
            ) from None
        starts = np.fromiter(accumulate(map(len, encoded), initial=0), np.int64, len(encoded) + 1)
        return cls(np.frombuffer(b"".join(encoded), np.uint8), starts)

    @classmethod
    def checked(cls, name: str, text: NDArray[np.uint8], starts: NDArray[np.int64]) -> PackedWords:
        """Check arrays read from the file `name`, but not that they are UTF-8."""
        ok = text.dtype == np.uint8 and starts.dtype == np.int64 and text.ndim == starts.ndim == 1 and starts.size
        if not ok or starts[0] != 0 or starts[-1] != text.size or (starts[1:] < starts[:-1]).any():
            raise DataError(f"{name}: the starts of words do not fit their bytes; it is damaged, create it again")
        return cls(text, starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if not isinstance(index, slice):
            return self[index : index + 1 or None][0]
        first, last, step = index.indices(len(self))
        starts = self.starts[first : max(first, last) + 1]
        text = self.text[starts[0] : starts[-1]].tobytes()
        ends = (starts - starts[0]).tolist()
        return [text[a:b].decode() for a, b in pairwise(ends)][::step]

    def first(self, n: int) -> PackedWords:
        """Return the first n words, in the same memory."""
        return PackedWords(self.text, self.starts[: n + 1])


def is_word(word: str) -> bool:
    """Whether a text is not empty and has no whitespace, control characters or halves of surrogate pairs."""
    return bool(word) and _NOT_IN_A_WORD.search(word) is None


def unreadable_word(words: Sequence[str]) -> str | None:
    """Return a word that no file can hold: empty, or with a space or an ASCII control character."""
    if all(words) and _NEVER_IN_A_FILE.search("".join(words)) is None:
        return None
    return next(word for word in words if not word or _NEVER_IN_A_FILE.search(word))


def is_utf8(text: bytes, *, is_cut: bool = False) -> bool:
    """Whether this is UTF-8, perhaps with the last character cut."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(text, final=not is_cut)
    except UnicodeDecodeError:
        return False
    return True


def require_words(words: Iterable[str], *, spaces: bool = False) -> None:
    """Check that all words can be written, see `is_word`, perhaps with spaces in them."""
    for word in words:
        if not isinstance(word, str):
            raise DataError(f"words must be str, got {type(word).__name__} {word!r}; convert it with str()")
        if not is_word(word.replace(" ", "")):
            raise DataError(
                f"the word {quoted(word)} is empty or holds whitespace, a control character or half of a surrogate "
                "pair; rename it, with '_' for example: no vectors file can hold it"
            )
        if " " in word and not spaces:
            raise DataError(f"the word {quoted(word)} holds a space, which this file cannot; write .npz, which can")


def first_duplicate(words: Sequence[str]) -> str | None:
    """Return a word that appears more than once, if there is one."""
    if len(set(words)) == len(words):
        return None
    return next(word for word, count in Counter(words).items() if count > 1)
