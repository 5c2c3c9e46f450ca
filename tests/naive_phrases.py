"""The plain form of phrases: pairs of words with connectors between them, counted, scored and joined as lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import pairwise
from math import log

Phrase = tuple[str, ...]


def candidates(sentence: Sequence[str], connectors: Collection[str]) -> Iterator[Phrase]:
    """Each word that is no connector with the next such word, and the connectors between them."""
    places = [place for place, word in enumerate(sentence) if word not in connectors]
    for begin, end in pairwise(places):
        yield tuple(sentence[begin : end + 1])


def phrases(
    sentences: Iterable[Sequence[str]], connectors: Collection[str], scoring: str, threshold: float, min_count: int
) -> dict[Phrase, tuple[float, int]]:
    """The candidates with a score above the threshold, each with its score and count."""
    sentences = [list(sentence) for sentence in sentences]
    words = Counter(word for sentence in sentences for word in sentence)
    pairs = Counter(phrase for sentence in sentences for phrase in candidates(sentence, connectors))
    n_types = sum(word not in connectors for word in words) + len(pairs)
    total = sum(words.values())
    found = {}
    for phrase, count in pairs.items():
        a, b = words[phrase[0]], words[phrase[-1]]
        if scoring == "default":
            score = (count - min_count) / (a * b) * n_types
        elif count < min_count:
            continue
        else:
            score = log(count / total / ((a / total) * (b / total))) / -log(count / total)
        if score > threshold:
            found[phrase] = score, count
    return found


def joined(sentence: Sequence[str], found: Collection[Phrase]) -> list[str]:
    """The sentence with its phrases joined, from left to right."""
    tokens: list[str] = []
    place = 0
    while place < len(sentence):
        length = next((len(phrase) for phrase in found if tuple(sentence[place : place + len(phrase)]) == phrase), 1)
        tokens.append("_".join(sentence[place : place + length]))
        place += length
    return tokens
