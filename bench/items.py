"""Item vectors of sessions: which model and defaults predict the last item of a session, and how long they train.

    python bench/items.py sessions.txt
    python bench/items.py sessions.txt --models item2vec gensim --seeds 3

A line of the file is a session. Models are trained on all but the last items, which are ranked given the item before,
and given all items before (`embedtrain.evaluate_sessions`). Prints HR@10 of both, MRR of the first, and seconds.

Found on Online Retail (4,234 sessions, 402,410 items of 3,683 types; popularity 0.040 and 0.040, co-occurrence 0.230
and 0.071, its cosine 0.256 and 0.100), 2 cores of an AMD EPYC (Zen 5), HR@10:
item2vec 0.249 and 0.129 in 2.2 s (4 seeds, standard deviation 0.002 and 0.001), with 20 partners or 10 negative samples
the same in 4 s, with a learning rate of 0.025 0.245 and 0.123, with 20 epochs 0.244 and 0.116, with windows of 5 in the
order of the session 0.251 and 0.125; CBOW 0.228 and 0.101, GloVe 0.203 and 0.105, skip-gram's defaults 0.215 and 0.042,
gensim's 0.218 and 0.039. From noise exponents of -0.5 to 1, 0.75 is among the best; 50 dimensions lose 0.01.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from embedtrain import (
    WordVectors,
    evaluate_sessions,
    train_cbow,
    train_glove,
    train_item2vec,
    train_skipgram,
)

Lines = list[list[str]]


def gensim(lines: Lines, seed: int) -> WordVectors:
    """Train gensim's Word2Vec with its defaults."""
    from gensim.models import Word2Vec

    vectors = Word2Vec(lines, seed=seed, workers=2).wv
    return WordVectors(vectors.index_to_key, vectors.vectors)


MODELS: dict[str, Callable[[Lines, int], WordVectors]] = {
    "item2vec": lambda lines, seed: train_item2vec(lines, seed=seed),
    "20 partners": lambda lines, seed: train_item2vec(lines, seed=seed, partners=20),
    "10 negative": lambda lines, seed: train_item2vec(lines, seed=seed, negative=10),
    "lr 0.025": lambda lines, seed: train_item2vec(lines, seed=seed, lr=0.025),
    "20 epochs": lambda lines, seed: train_item2vec(lines, seed=seed, epochs=20),
    "window 5": lambda lines, seed: train_item2vec(lines, seed=seed, window=5),
    "cbow": lambda lines, seed: train_cbow(lines, seed=seed, window="all", epochs=50, sample=0, min_count=1),
    "glove": lambda lines, seed: train_glove(lines, seed=seed, window="all", min_count=1),
    "skipgram": lambda lines, seed: train_skipgram(lines, seed=seed),
    "gensim": gensim,
}


def main() -> None:
    """Train every model with every seed and print the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sessions", type=Path)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--seeds", type=int, default=1)
    settings = parser.parse_args()
    warnings.simplefilter("ignore")
    lines = [line.split() for line in settings.sessions.read_text().splitlines()]
    train = [line[:-1] for line in lines]
    train_item2vec(train[:100], epochs=1)  # compiles
    print(f"{'model':12} item before  history    MRR  seconds")
    for name in settings.models:
        figures = []
        for seed in range(1, settings.seeds + 1):
            start = time.perf_counter()
            vectors = MODELS[name](train, seed)
            seconds = time.perf_counter() - start
            before, history, *_ = evaluate_sessions(vectors, lines)
            figures.append((before.hit_rate, history.hit_rate, before.mrr, seconds))
        means = [statistics.mean(column) for column in zip(*figures, strict=True)]
        print("{:12} {:11.3f}  {:7.3f}  {:.3f}  {:7.1f}".format(name, *means), flush=True)


if __name__ == "__main__":
    main()
