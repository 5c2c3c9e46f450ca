"""Item vectors of sessions: which model and defaults predict the last item of a session, and how long they train.

    python bench/items.py sessions.txt
    python bench/items.py sessions.txt --models item2vec gensim --seeds 3 --dev

A line of the file is a session. Models are trained on all but the last items, which are ranked given the item before,
and given all items before (`embedtrain.evaluate_sessions`). Prints HR@10 of both, MRR of the first, and seconds.

Found on Online Retail (4,234 sessions, 402,410 items of 3,683 types; popularity 0.040 and 0.040, co-occurrence 0.230
and 0.071, its cosine 0.256 and 0.100), 2 cores of an AMD EPYC (Zen 5), HR@10, means of 4 seeds (standard deviation
0.002): item2vec 0.255 and 0.153 in 3.4 s, with windows of 5 in the order of the session 0.261 and 0.141, with a noise
exponent of 0.75 0.247 and 0.138, gensim's defaults 0.217 and 0.039, with min_count 1 0.215 and 0.038.

Exponent and scores were chosen with --dev, 2 seeds (co-occurrence 0.247 and 0.075, its cosine 0.280 and 0.113). From
the item before and from the history, by the cosine to the vector, to the context vector, and by the mean of both:

    noise exponent 0.75    0.273 0.129    0.259 0.113    0.271 0.133
    noise exponent 0.5     0.275 0.130    0.277 0.147    0.281 0.144
    0.5, window 5          0.281 0.122    0.296 0.142    0.289 0.136
    0.5, window 10         0.286 0.128    0.290 0.134    0.290 0.133

Before, by the cosine to the vector and with exponent 0.75 (0.249 and 0.129): with 20 partners or 10 negative samples
the same in twice the time, with a learning rate of 0.025 0.245 and 0.123, with 20 epochs 0.244 and 0.116; CBOW 0.228
and 0.101, GloVe 0.203 and 0.105, skip-gram's defaults 0.215 and 0.042; 50 dimensions lose 0.01.
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


def gensim(lines: Lines, seed: int, **settings: int) -> WordVectors:
    """Train gensim's Word2Vec with its defaults: CBOW, 100 dimensions, window 5, min_count 5, 5 epochs."""
    from gensim.models import Word2Vec

    vectors = Word2Vec(lines, seed=seed, workers=2, **settings).wv
    return WordVectors(vectors.index_to_key, vectors.vectors)


MODELS: dict[str, Callable[[Lines, int], WordVectors]] = {
    "item2vec": lambda lines, seed: train_item2vec(lines, seed=seed),
    "noise 0.75": lambda lines, seed: train_item2vec(lines, seed=seed, noise_exponent=0.75),
    "20 partners": lambda lines, seed: train_item2vec(lines, seed=seed, partners=20),
    "10 negative": lambda lines, seed: train_item2vec(lines, seed=seed, negative=10),
    "lr 0.025": lambda lines, seed: train_item2vec(lines, seed=seed, lr=0.025),
    "20 epochs": lambda lines, seed: train_item2vec(lines, seed=seed, epochs=20),
    "window 5": lambda lines, seed: train_item2vec(lines, seed=seed, window=5),
    "cbow": lambda lines, seed: train_cbow(lines, seed=seed, window="all", epochs=50, sample=0, min_count=1),
    "glove": lambda lines, seed: train_glove(lines, seed=seed, window="all", min_count=1),
    "skipgram": lambda lines, seed: train_skipgram(lines, seed=seed),
    "gensim": gensim,
    "gensim min_count 1": lambda lines, seed: gensim(lines, seed, min_count=1),
}


def main() -> None:
    """Train every model with every seed and print the means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sessions", type=Path)
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=list(MODELS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--dev", action="store_true", help="without the last items, which no default may be chosen by")
    settings = parser.parse_args()
    warnings.simplefilter("ignore")
    lines = [line.split() for line in settings.sessions.read_text().splitlines()]
    if settings.dev:
        lines = [line[:-1] for line in lines if len(line) > 2]
    train = [line[:-1] for line in lines]
    train_item2vec(train[:100], epochs=1)  # compiles
    print(f"{'model':18} item before  history    MRR  seconds")
    for name in settings.models:
        figures = []
        for seed in range(1, settings.seeds + 1):
            start = time.perf_counter()
            vectors = MODELS[name](train, seed)
            seconds = time.perf_counter() - start
            before, history, *_ = evaluate_sessions(vectors, lines)
            figures.append((before.hit_rate, history.hit_rate, before.mrr, seconds))
        means = [statistics.mean(column) for column in zip(*figures, strict=True)]
        print("{:18} {:11.3f}  {:7.3f}  {:.3f}  {:7.1f}".format(name, *means), flush=True)


if __name__ == "__main__":
    main()
