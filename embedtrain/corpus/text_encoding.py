"""Encodings of text other than UTF-8: reading them as UTF-8, and guessing which one a text has."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from typing import Any

from embedtrain.errors import DataError, SettingError
from embedtrain.machine.compression import ByteStream

_BLOCK = 1 << 18  # bytes
_AS_A_BYTE = "embedtrain.as_a_byte"  # the name of an error handler
_LETTERS = {  # that most characters beyond ASCII are, if a text has the encoding; found in this order
    "cp1252": "[À-ÖØ-öø-ÿŠšŽžŒœŸ«»“”‘’–—…€°§ ]",
    "cp1251": "[а-яё]",  # in koi8-r, capitals have the bytes of small letters here
    "koi8-r": "[а-яё]",
    "euc_kr": "[가-힣]",
    "gb2312": "[一-龥，。、：；？！“”（）《》]",
    "shift_jis": "[ぁ-んァ-ヶー一-龠々、。「」・]",
}
_FEWEST_RIGHT = 0.75  # of these characters; some are cut, at bytes that would be spaces in UTF-8


def encoding_name(encoding: str) -> str:
    """Python's name of an encoding of text."""
    try:
        "".encode(encoding)  # refuses codecs of bytes
        name = codecs.lookup(encoding).name
    except (LookupError, TypeError, ValueError):
        raise SettingError(
            f"`encoding` must be a text encoding of Python, such as utf-8, gb18030, cp1252 or utf-16, got {encoding!r}"
        ) from None
    return "utf-8" if name == "utf-8-sig" else name  # a byte order mark is always skipped


class Transcoded(ByteStream):
    """A stream of bytes in another encoding, read as UTF-8; a byte that is not valid in UTF-8 replaces invalid ones."""

    def __init__(self, name: str, stream: ByteStream, encoding: str) -> None:
        self._name, self._encoding = name, encoding
        self._stream, self._decoder = stream, codecs.getincrementaldecoder(encoding)(errors=_AS_A_BYTE)
        self._block = memoryview(bytearray(_BLOCK))
        self._ready, self._at_end = memoryview(b""), False

    def readinto(self, buffer: Any) -> int:
        """Read into the buffer."""
        while not (self._ready or self._at_end):
            n = self._stream.readinto(self._block)
            self._at_end = n == 0
            try:
                text = self._decoder.decode(bytes(self._block[:n]), final=self._at_end)
            except UnicodeError as error:  # UTF-16 without its mark: utf-16-le or utf-16-be
                raise DataError(f"cannot read {self._name} in the encoding {self._encoding}: {error}") from error
            self._ready = memoryview(text.encode(errors="surrogateescape"))
        n = min(len(buffer), len(self._ready))
        buffer[:n], self._ready = self._ready[:n], self._ready[n:]
        return n


def _as_a_byte(error: UnicodeError) -> tuple[str, int]:
    """Decode what is invalid to the escaped byte 0xFF."""
    assert isinstance(error, UnicodeDecodeError)
    return "\udcff", error.end


codecs.register_error(_AS_A_BYTE, _as_a_byte)


def likely_encoding(words: Sequence[bytes]) -> str | None:
    """The encoding that words which are not UTF-8 probably have, if one is likely."""
    found = next((encoding for encoding, letters in _LETTERS.items() if _fits(words, encoding, letters)), None)
    return "gb18030" if found == "gb2312" else found  # which includes it


def _fits(words: Sequence[bytes], encoding: str, letters: str) -> bool:
    """Whether most characters beyond ASCII are letters of the encoding."""
    text = "".join(word.decode(encoding, errors="replace") for word in words)
    others = re.sub("[\x00-\x7f]", "", text)
    if encoding == "cp1252" and 2 * len(others) > len(text):
        return False  # words are mostly ASCII
    return len(re.findall(letters, others)) >= _FEWEST_RIGHT * len(others)
