"""The vector of "king" from GloVe, and its analogies: ``python examples/king_glove.py``.

GloVe counts how often words occur near each other, and fits vectors whose products are the logarithms of the counts.
Then differences of vectors stand for relations: king - man + woman is near queen. The text is made up, and has the
relations planted; only function words, classes and topics tell of them, as in real text.
"""

from __future__ import annotations

import argparse

import numpy as np
from toy_text import analogies, sentences

from embedtrain import train_glove


def main() -> None:
    """Train vectors, look at one, and solve analogies."""
    parser = argparse.ArgumentParser(description="Look at vectors of GloVe.")
    parser.add_argument("--tokens", type=int, default=600_000, help="words of text to train on [%(default)s]")
    tokens = parser.parse_args().tokens
    np.set_printoptions(precision=2, suppress=True)
    # so small a text has small counts: x_max is where a count has its full weight
    vectors = train_glove(sentences(tokens), dim=50, epochs=25, x_max=10, progress=False)
    print("king:", vectors["king"][:8], "…")
    for word, cosine in vectors.most_similar("king", topn=5):
        print(f"  {cosine:.2f}  {word}")

    for a, b, c in (("man", "king", "woman"), ("france", "paris", "italy"), ("dog", "dogs", "lion")):
        (found, cosine), *_ = vectors.most_similar([b, c], [a], topn=1)  # b - a + c
        print(f"{b} - {a} + {c} = {found}  {cosine:.2f}")

    questions = list(analogies())
    right = sum(vectors.most_similar([b, c], [a], topn=1)[0][0] == d for a, b, c, d in questions)
    print(f"{right / len(questions):.3f} of {len(questions)} analogies are right")


if __name__ == "__main__":
    main()
