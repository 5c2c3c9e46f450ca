"""Signs that a text is not divided into words and sentences as meant, in its types and borders, with remedies."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from embedtrain.corpus.encoded import EncodedCorpus
from embedtrain.corpus.sources import Corpus, is_encoded
from embedtrain.corpus.vocabulary import Vocabulary
from embedtrain.machine.words import PackedWords

_FREQUENT = 1 << 16  # types looked at, the most frequent
_CAPITALISED = 10_000  # types whose lower case is looked for
_PUNCTUATED_SHARE = 0.05  # of the tokens; English with punctuation has 0.15, tokenised text 0.01
_CAPITALS_SHARE = 0.02  # of the tokens; English has 0.04, lower-cased text none
_UNSPACED_SHARE = 0.2  # of the bytes
_UNSPACED_BYTES = 24  # of a token in the mean, 8 characters; Chinese words have 2, Thai words 5
_SINGLE_SHARE = 0.9  # of the sentences
_AT_ONCE = 1 << 20  # sentences

_OPENING, _CLOSING = (np.isin(np.arange(256), list(marks)) for marks in (b'"([{', b'")]}.,:;!?'))
_WITHIN = np.array([byte >= 0x80 or chr(byte).isalnum() for byte in range(256)])


def signs_in_types(corpus: Corpus, types: Vocabulary) -> Iterator[str]:
    """Yield notes on the most frequent types of a text without a tokenizer of the user."""
    if corpus.has_tokenizer or is_encoded(corpus.sources[0]):
        return
    n, counts = min(_FREQUENT, len(types)), types.counts[:_FREQUENT]
    words = types.words.first(n) if isinstance(types.words, PackedWords) else PackedWords.of(types.words[:n])
    total = int(counts.sum())
    findings, remedies = [], []
    punctuated = counts * _has_punctuation(words)
    if punctuated.sum() > _PUNCTUATED_SHARE * total:
        example = words[int(np.argmax(punctuated))]
        findings.append(f"{punctuated.sum() / total:.0%} have punctuation attached, as in {example!r}")
        remedies.append("`tokenize='words'`")
    capitalised = [] if corpus.lowercase else _capitalised(words[:_CAPITALISED])
    n_capitals = int(counts[capitalised].sum())
    if n_capitals > _CAPITALS_SHARE * total:
        example = words[capitalised[0]]
        findings.append(f"{n_capitals / total:.0%} are words that also occur in lower case, as {example!r}")
        remedies.append("`lowercase=True`")
    if findings:
        yield f"of the tokens, {' and '.join(findings)}; use {' and '.join(remedies)}"
    n_bytes = counts * np.diff(words.starts)
    unspaced = _is_unspaced(words)
    n_unspaced, n_tokens = int(n_bytes[unspaced].sum()), int(counts[unspaced].sum())
    if n_unspaced > _UNSPACED_SHARE * n_bytes.sum() and n_unspaced > _UNSPACED_BYTES * n_tokens:
        yield (
            f"tokens have {n_unspaced / n_tokens / 3:.0f} characters in the mean, in a script without spaces between "
            "words; divide the text with a tokenizer, `tokenize='module:function'`, or into characters, "
            "`tokenize='words'`"
        )


def _has_punctuation(words: PackedWords) -> NDArray[np.bool_]:
    """Whether each word begins or ends with a mark, and has a letter or digit at the other end or beside the mark."""
    first, last = words.text[words.starts[:-1]], words.text[words.starts[1:] - 1]
    attached = (_WITHIN[first] & _CLOSING[last]) | (_OPENING[first] & (_WITHIN[last] | _CLOSING[last]))
    return attached & (np.diff(words.starts) > 1)  # not a single quotation mark


def _capitalised(words: list[str]) -> list[int]:
    """The indices of words whose lower case is another one of them."""
    known = set(words)
    return [i for i, word in enumerate(words) if (lower := word.lower()) != word and lower in known]


def _is_unspaced(words: PackedWords) -> NDArray[np.bool_]:
    """Whether each word begins with a character of Han, kana, Thai, Lao, Khmer or Burmese, of 3 bytes in UTF-8."""
    begins = words.starts[:-1]
    first, second = words.text[begins], words.text[np.minimum(begins + 1, len(words.text) - 1)]
    kana, han = (first == 0xE3) & (second <= 0x83), (first >= 0xE4) & (first <= 0xE9)
    thai, khmer = (first == 0xE0) & (second >= 0xB8) & (second <= 0xBB), (first == 0xE1) & np.isin(second, (0x9E, 0x9F))
    burmese = (first == 0xE1) & (second >= 0x80) & (second <= 0x82)
    return kana | han | thai | khmer | burmese


def signs_in_sentences(text: EncodedCorpus) -> Iterator[str]:
    """Yield a note if nearly all sentences have one token."""
    parts = range(0, text.n_sentences, _AT_ONCE)
    n_single = sum(int((np.diff(text.offsets[at : at + _AT_ONCE + 1]) == 1).sum()) for at in parts)
    if n_single > _SINGLE_SHARE * text.n_sentences:
        yield (
            f"{n_single / text.n_sentences:.0%} of the {text.n_sentences:,} sentences have one token, from which "
            "nothing is learned; write tokens that belong together on one line, with spaces between them"
        )
