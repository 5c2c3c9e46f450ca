"""Time to load a fastText model of 2 million buckets, here and in gensim, in turns.

Usage: python bench/fasttext_bin.py TEXT [--words 70000] [--dim 100] [--buckets 2000000] [--repeats 3]

Writes a model with random rows for the first words of TEXT. Found on an AMD Zen 5, one core shared with other programs,
70,000 × 100: median CPU time of 5 runs 0.30 s here, 4.8 s in gensim, ratios of 13 to 23.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
from gensim.models.fasttext import load_facebook_vectors

from embedtrain import WordVectors
from embedtrain.formats.subwords import Subwords


def main() -> None:
    """Write a model, and load it in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", type=Path)
    for name, default in (("words", 70_000), ("dim", 100), ("buckets", 2_000_000), ("repeats", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    with open(options.text, encoding="utf-8") as file:
        words = list(dict.fromkeys(file.read(1 << 26).split()))[: options.words]
    random = np.random.default_rng(1)
    subwords = Subwords(3, 6, options.buckets, random.random((options.buckets, options.dim), np.float32))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.bin"
        WordVectors(words, random.random((len(words), options.dim), np.float32), subwords=subwords).save(path)
        for _ in range(options.repeats):
            seconds = []
            for load in (WordVectors.load, load_facebook_vectors):
                wall, cpu = time.perf_counter(), time.process_time()
                load(path)
                seconds += [time.process_time() - cpu, time.perf_counter() - wall]
            ours, ours_wall, theirs, theirs_wall = seconds
            print(f"embedtrain {ours:.2f} s CPU ({ours_wall:.2f} s), gensim {theirs:.2f} s CPU ({theirs_wall:.2f} s), "
                  f"ratio {theirs / ours:.1f} ({theirs_wall / ours_wall:.1f})")  # fmt: skip


if __name__ == "__main__":
    main()
