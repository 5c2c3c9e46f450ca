"""Draw a picture of words: ``pip install ".[plot]"``, then ``python examples/picture_of_words.py``.

The picture has two dimensions of fifty, the first principal components of the words that it shows. Classes of words
come out as groups, and pairs of a relation, such as countries and capitals, as arrows in the same direction.
"""

from __future__ import annotations

import argparse

import matplotlib as mpl
import numpy as np
from toy_text import CLASSES, PAIRS, sentences

from embedtrain import train_skipgram


def main() -> None:
    """Train vectors, draw two pictures, and print how parallel the arrows are in all dimensions."""
    parser = argparse.ArgumentParser(description="Draw words.")
    parser.add_argument("--output", default="words", help="start of the names of the pictures [%(default)s]")
    output = parser.parse_args().output
    mpl.use("Agg")  # files only, no window
    vectors = train_skipgram(sentences(300_000), dim=50, epochs=10, progress=False)

    groups = {name: CLASSES[name] for name in ("colour", "food", "month", "sport")}
    vectors.plot(groups).figure.savefig(f"{output}-classes.png", dpi=150)
    pairs = PAIRS["capital"][:8]
    sides = {"country": [a for a, _ in pairs], "capital": [b for _, b in pairs]}
    vectors.plot(sides, pairs=pairs).figure.savefig(f"{output}-pairs.png", dpi=150)
    print(f"# wrote {output}-classes.png and {output}-pairs.png")

    # the same in all dimensions: cosines of the differences of pairs, and of pairs put together at random
    countries, cities = (vectors[[pair[side] for pair in PAIRS["capital"]]] for side in (0, 1))
    for name, others in (("pairs", cities), ("pairs at random", np.roll(cities, 1, axis=0))):
        arrows = others - countries
        arrows /= np.linalg.norm(arrows, axis=1, keepdims=True)
        cosines = (arrows @ arrows.T)[~np.eye(len(arrows), dtype=bool)]
        print(f"{cosines.mean():.3f}  mean cosine of the arrows of {name}")


if __name__ == "__main__":
    main()
