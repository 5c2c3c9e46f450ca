"""Phrases: sequences of words that are joined to one token, and their files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from embedtrain.corpus.vocabulary_file import read_lines
from embedtrain.errors import DataError, quoted
from embedtrain.machine.files import atomic_file
from embedtrain.machine.words import is_word

DELIMITER = "_"
#: English words that phrases may have inside, those of gensim.
ENGLISH_CONNECTORS = frozenset("a an the for of with without at from to in on by and or".split())


class Phrases:
    """Phrases, as `find_phrases` finds them, or of one's own.

    Parameters
    ----------
    *passes : mapping from tuples of words to (score, count)
        Phrases of two words, perhaps with connectors between them. Those of the first pass are joined in all of a
        text, then those of the second in the result, whose words may be phrases of the first, and so on.

    Raises
    ------
    DataError
        If a word inside a phrase is the first or the last of another one of the same pass.
    """

    def __init__(self, *passes: Mapping[tuple[str, ...], tuple[float, int]]) -> None:
        self.passes = tuple(dict(phrases) for phrases in passes)
        self._words = [  # the first words of each pass, and those inside
            ({words[0] for words in phrases}, {word for words in phrases for word in words[1:-1]})
            for phrases in self.passes
        ]
        for phrases in self.passes:
            outer = {word: words for words in phrases for word in (words[0], words[-1])}
            for words in phrases:
                if twice := [word for word in words[1:-1] if word in outer]:
                    raise DataError(
                        f"the phrase {' '.join(words)!r} has inside {twice[0]!r}, which begins or ends the phrase "
                        f"{' '.join(outer[twice[0]])!r}; write it in two steps, as 'new york' and 'new_york times'"
                    )

    def __len__(self) -> int:
        return sum(map(len, self.passes))

    def __repr__(self) -> str:
        return f"<Phrases: {len(self):,}>"

    @property
    def scores(self) -> dict[str, float]:
        """The score of each phrase, by its joined words."""
        return {DELIMITER.join(words): score for phrases in self.passes for words, (score, _) in phrases.items()}

    def join(self, tokens: Sequence[str]) -> list[str]:
        """Join the phrases in a list of tokens, from left to right."""
        for phrases, (firsts, inside) in zip(self.passes, self._words, strict=True):
            joined, position = [], 0
            while position < len(tokens):
                end = position + 1
                if tokens[position] in firsts:
                    while end < len(tokens) and tokens[end] in inside:
                        end += 1
                    end = end + 1 if tuple(tokens[position : end + 1]) in phrases else position + 1
                joined.append(DELIMITER.join(tokens[position:end]))
                position = end
            tokens = joined
        return list(tokens)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write lines of the words of a phrase with spaces between, its score, count and pass, divided by tabs."""
        with atomic_file(path) as file:
            for number, phrases in enumerate(self.passes, 1):
                for words, (score, count) in phrases.items():
                    if not all(map(is_word, words)):
                        raise DataError(
                            f"the phrase {words!r} has a word with spaces, which no file of phrases can hold"
                        )
                    file.write(f"{' '.join(words)}\t{score!r}\t{count}\t{number}\n".encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Phrases:
        """Read a file of `save`, or one of one's own with phrases alone, in which those of joined words come last."""
        passes: list[dict[tuple[str, ...], tuple[float, int]]] = []
        numbers: dict[str, int] = {}  # the pass of each phrase
        for location, line in read_lines(Path(path)):
            phrase, *rest = line.split("\t")
            words = tuple(phrase.split(" "))
            try:
                number = 1 + max(numbers.get(word, 0) for word in words)
                score, count, number = (float(rest[0]), int(rest[1]), int(rest[2])) if rest else (0.0, 0, number)
                if len(words) < 2 or len(rest) not in (0, 3) or not all(map(is_word, words)) or not 0 < number < 100:
                    raise ValueError
            except (ValueError, IndexError):
                raise DataError(
                    f"{location}: expected the words of a phrase with spaces between, and perhaps, after tabs, its "
                    f"score, count and pass, got {quoted(line)}"
                ) from None
            passes += [{} for _ in range(number - len(passes))]
            if words in passes[number - 1]:
                raise DataError(f"{location}: the phrase {phrase!r} is there already; remove one of them")
            passes[number - 1][words] = score, count
            numbers[DELIMITER.join(words)] = number
        return cls(*passes)
