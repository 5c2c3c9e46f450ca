"""Meta-embeddings: accuracy of combined vectors beside their parts, and vectors without their first components.

    python bench/combine.py sg.npz glove.npz svd.npz --with sg300.npz

Prints WordSim-353, SimLex-999 and analogies (all words) of each file, of the combinations of all files, and of the
files with --with, for the same dimensions in one model.

Found on 17 million words, one run, 100 dimensions each: skip-gram 0.657, 0.296 and 0.294, GloVe 0.438, 0.212 and 0.273,
SVD 0.673, 0.284 and 0.274. All three, concat: 0.651, 0.288 and 0.417; average 0.620, 0.282 and 0.289; svd in 100
dimensions 0.646, 0.285 and 0.365, in 200 0.648, 0.285 and 0.409. Skip-gram and SVD, concat: 0.690, 0.299 and 0.356.
"""

from __future__ import annotations

import argparse

from embedtrain import WordVectors, combine, evaluate_analogies, evaluate_similarity, remove_components
from embedtrain.vectors.evaluation_files import read_analogies, read_pairs

PAIRS = [read_pairs(name) for name in ("wordsim353", "simlex999")]
QUESTIONS = read_analogies("google")


def show(name: str, vectors: WordVectors) -> None:
    """Print the scores of vectors."""
    scores = [evaluate_similarity(vectors, pairs).spearman for pairs in PAIRS]
    scores.append(evaluate_analogies(vectors, QUESTIONS).total.accuracy or 0.0)
    print(f"{name:30}", *(f"{score:.3f}" for score in scores), flush=True)


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--with", dest="others", nargs="*", default=[])
    arguments = parser.parse_args()
    tables = [WordVectors.load(file) for file in arguments.files]
    for file, table in zip(arguments.files, tables, strict=True):
        show(file, table)
        show(f"{file} without 1", remove_components(table, 1))
    for file in arguments.others:
        show(file, WordVectors.load(file))
    for how in ("concat", "average", "svd"):
        show(how, combine(tables, how))
    show("svd, twice the dimensions", combine(tables, "svd", dim=2 * tables[0].vector_size))


if __name__ == "__main__":
    main()
