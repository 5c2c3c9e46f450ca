"""How many tokens of a clean text come back when it is dressed up as raw text and read with ``--tokenize words``.

python bench/dressed_text.py text8

The text gets capitals, punctuation, quotes and brackets by rules with fixed odds. Prints the share of tokens that
are the same at the same position after reading it in lower case.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

_ENDS = [".", ".", ".", "!", "?", "...", ".\u201d", ".)"]
_AROUND = ["\u201c\u201d", '""', "()", "[]", "\u2018\u2019", "''", "**", "__", "\u00ab\u00bb"]
_AFTER = [",", ",", ",", ";", ":", " \u2013", " --", "\u2014", " /"]
_SENTENCE = 12  # words, on average


def dressed(words: list[str], seed: int = 1) -> Iterator[str]:
    """Yield the words with case and punctuation, sentences on lines of their own."""
    dice = random.Random(seed)
    begins = True
    for word in words:
        if begins or dice.random() < 0.05:
            word = word.capitalize()
        elif dice.random() < 0.01:
            word = word.upper()
        if dice.random() < 0.05:
            pair = dice.choice(_AROUND)
            word = pair[0] + word + pair[1]
        begins = dice.random() < 1 / _SENTENCE
        if begins:
            yield word + dice.choice(_ENDS) + "\n"
        else:
            yield word + (dice.choice(_AFTER) if dice.random() < 0.08 else "") + " "


def main() -> None:
    """Dress up a text, read it, and print the share."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    parser.add_argument("--words", type=int, default=2_000_000)
    settings = parser.parse_args()

    from embedtrain import Corpus
    from embedtrain.corpus.encoding import encode

    wanted = settings.text.read_text()[: 8 * settings.words].split()[: settings.words]
    lines = "".join(dressed(wanted)).split("\n")
    encoded = encode(Corpus(lines, tokenize="words", lowercase=True), threads=1)
    words = list(encoded.vocabulary.words)
    got = [words[number] for number in encoded.ids.tolist()]
    same = sum(a == b for a, b in zip(wanted, got, strict=False))
    print(f"{len(wanted):,} tokens, {len(got):,} read, {same / len(wanted):.3%} come back")


if __name__ == "__main__":
    main()
