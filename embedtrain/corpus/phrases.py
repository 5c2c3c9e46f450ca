"""Phrases: sequences of words that are joined to one token, and their files."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from embedtrain.corpus.vocabulary_file import read_lines
from embedtrain.errors import DataError, quoted
from embedtrain.machine.files import atomic_file
from embedtrain.machine.words import is_word, require_words

DELIMITER = "_"
_MOST_WORDS = 10  # of a phrase; a longer line is a text
#: English words that phrases may have inside, those of gensim.
ENGLISH_CONNECTORS = "a an the for of with without at from to in on by and or".split()


class Phrases:
    """Phrases, as `find_phrases` finds them, or of one's own.

    Parameters
    ----------
    *passes : mapping from tuples of words to (score, count)
        Phrases of two or more words; where several begin, the longest is joined. Those of the first pass are joined in
        all of a text, then those of the second in the result, whose words may be phrases of the first, and so on.
    """

    def __init__(self, *passes: Mapping[tuple[str, ...], tuple[float, int]]) -> None:
        self.passes = tuple(dict(phrases) for phrases in passes)

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
        if isinstance(tokens, str):
            raise DataError(f"join takes a list of tokens, got the str {quoted(tokens)}; divide it, as by split()")
        for phrases in self.passes:
            lengths = sorted(set(map(len, phrases)), reverse=True)
            joined, begin = [], 0
            while begin < len(tokens):
                n = next((n for n in lengths if tuple(tokens[begin : begin + n]) in phrases), 1)
                joined.append(DELIMITER.join(tokens[begin : begin + n]))
                begin += n
            tokens = joined
        return list(tokens)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write lines of the words of a phrase with spaces between, its score, count and pass, divided by tabs."""
        with atomic_file(path) as file:
            for number, phrases in enumerate(self.passes, 1):
                for words, (score, count) in phrases.items():
                    require_words(words)
                    file.write(f"{' '.join(words)}\t{score!r}\t{count}\t{number}\n".encode())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Phrases:
        """Read a file of `save`, or one of one's own with phrases alone."""
        passes: list[dict[tuple[str, ...], tuple[float, int]]] = [{}]
        for _, location, line in read_lines(Path(path)):
            phrase, *rest = line.split("\t")
            words = tuple(phrase.split(" "))
            try:
                score, count, number = rest or (0, 0, 1)
                about, number = (float(score), int(count)), int(number)
                if not 2 <= len(words) <= _MOST_WORDS or not all(map(is_word, words)) or not 0 < number < 100:
                    raise ValueError
            except ValueError:
                raise DataError(
                    f"{location}: expected two to {_MOST_WORDS} words with spaces between, and perhaps, after tabs, "
                    f"their score, count and pass, got {quoted(line)}"
                ) from None
            passes += [{} for _ in range(number - len(passes))]
            passes[number - 1][words] = about
        return cls(*passes)
