"""What Unicode says about characters: which make words, lower case, and composition."""

from __future__ import annotations

import unicodedata
from functools import cache

import numpy as np
from numpy.typing import NDArray

from embedtrain.kernels.text import word_filter as classes

_END = 0x40000  # no letters beyond
#: Letters of scripts without spaces between words: Han, kana, Thai, Lao, Myanmar, Khmer.
_SINGLE = (
    (0x0E00, 0x0F00), (0x1000, 0x10A0), (0x1780, 0x1800), (0x3005, 0x3008), (0x3041, 0x3100), (0x31F0, 0x3200),
    (0x3400, 0x4DC0), (0x4E00, 0xA000), (0xA9E0, 0xAA00), (0xAA60, 0xAA80), (0xF900, 0xFB00), (0xFF66, 0xFFA0),
    (0x1AFF0, 0x1B170), (0x20000, _END),
)  # fmt: skip
_JOINERS = {
    **dict.fromkeys("'\u2019", classes.APOSTROPHE),
    **dict.fromkeys("-\u2010\u2011", classes.HYPHEN),
    **dict.fromkeys("_\u00b7\u200c\u200d", classes.JOINER),  # underscore, middle dot, zero-width (non-)joiner
}


@cache
def character_classes() -> NDArray[np.uint8]:
    """(code points,) the class of each character."""
    by_category = {"L": classes.LETTER, "N": classes.LETTER, "M": classes.MARK}
    by_category |= {"Cf": classes.IGNORED, "Cc": classes.CONTROL}
    categories = [unicodedata.category(chr(code)) for code in range(_END)]
    kinds = (by_category.get(c, by_category.get(c[0], classes.OTHER)) for c in categories)
    table = np.fromiter(kinds, np.uint8, _END)
    for begin, end in _SINGLE:
        for code in range(begin, end):
            if categories[code][0] == "L":
                table[code] = classes.SINGLE
    table[0xFE00:0xFE10] = classes.IGNORED  # variation selectors, as after emoji
    table[0x200B] = classes.OTHER  # zero-width space, between words of Khmer
    for character, kind in _JOINERS.items():
        table[ord(character)] = kind
    return table


def respell(word: str, lowercase: bool, normalize: str) -> str:
    """Return the word in lower case or in the form NFC."""
    nfc = normalize == "nfc"
    word = unicodedata.normalize("NFC", word) if nfc else word
    if not lowercase:
        return word
    word = word.replace("\u0130", "i").lower()  # the Turkish capital I with a dot would keep its dot as a mark
    return unicodedata.normalize("NFC", word) if nfc else word  # a capital may lack a composed form
